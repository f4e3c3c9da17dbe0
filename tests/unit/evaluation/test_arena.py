"""The arena cuts a log so that nothing of the test days is seen, and nothing seen is judged."""

import numpy as np

from shortlist.evaluation.arena import opening_rows


def test_history_and_test_days_share_no_day(micro):
    arena = micro.arena
    assert arena.view.log.day.max() < arena.view.as_of_day == arena.test.day.min()
    assert len(arena.view.log) + len(arena.test) == micro.dataset.record.impressions


def test_only_videos_of_before_the_test_days_are_live(micro):
    arena = micro.arena
    np.testing.assert_array_equal(arena.live, arena.catalogue.upload_day < arena.view.as_of_day)
    assert not arena.live.all()


def test_relevant_is_what_was_clicked_new_and_live(micro):
    arena, log, test = micro.arena, micro.arena.view.log, micro.arena.test
    for user, seen, relevant in zip(arena.judged, arena.seen, arena.relevant, strict=True):
        before = set(log.video[log.user == user].tolist())
        clicked = test.video[(test.user == user) & (test.click == 1)].tolist()
        assert seen.tolist() == sorted(before)
        assert relevant.tolist() == sorted(
            {video for video in clicked if arena.live[video]} - before
        )


def test_judged_are_the_watchers_and_the_fixed_sample(micro):
    arena = micro.arena
    assert len(arena.sample) == 40
    assert arena.judged.tolist() == sorted({*arena.watchers.tolist(), *arena.sample.tolist()})
    found = [user for user, videos in zip(arena.judged, arena.relevant, strict=True) if len(videos)]
    assert arena.watchers.tolist() == found


def test_excluded_are_the_seen_and_those_not_yet_there(micro):
    arena = micro.arena
    mask = arena.excluded(3, 9)
    for row, seen in enumerate(arena.seen[3:9]):
        expected = ~arena.live
        expected[seen] = True
        np.testing.assert_array_equal(mask[row], expected)


def test_opening_rows_open_each_session_once(micro):
    test = micro.arena.test
    opened = test.session[opening_rows(micro.arena)]
    np.testing.assert_array_equal(np.sort(opened), np.unique(test.session))
