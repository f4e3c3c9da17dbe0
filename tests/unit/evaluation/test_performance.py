"""What a model did is kept whole, or not at all."""

from dataclasses import fields

import numpy as np
import pytest

from shortlist.baselines.popularity import Popularity
from shortlist.baselines.random import Random
from shortlist.datasets.signals import smoothed_rate
from shortlist.evaluation.metrics.ranking import top_k
from shortlist.evaluation.performance import Performance, perform, probed_users
from shortlist.evaluation.top_share import share_policy

SHARE = 0.1


@pytest.fixture(scope="module")
def rates(micro):
    return smoothed_rate(micro.arena.view, half_life_days=7.0, prior_impressions=20.0)


@pytest.fixture(scope="module")
def done(micro, rates):
    return perform(Random(), micro.arena, share=SHARE, rates=rates)


@pytest.fixture(scope="module")
def scores(micro):
    everyone = np.arange(len(micro.arena.view.users))
    return Random().fit(micro.arena.view).score(everyone)


def test_lists_hold_the_best_unseen_live_videos(micro, done, scores):
    arena = micro.arena
    excluded = arena.excluded(0, len(arena.judged))
    expected = top_k(np.where(excluded, -np.inf, scores[arena.judged]), done.lists.shape[1])
    np.testing.assert_array_equal(done.lists, expected)
    row, place = np.nonzero(done.lists >= 0)
    assert not excluded[row, done.lists[row, place]].any()


def test_rows_get_the_score_and_the_policy_of_their_own_user(micro, done, scores, rates):
    test, live = micro.arena.test, micro.arena.live
    np.testing.assert_array_equal(done.row_scores, scores[test.user, test.video])
    distribution = share_policy(scores, live, SHARE).distribution(scores)
    np.testing.assert_allclose(done.chosen, distribution[test.user, test.video])
    np.testing.assert_allclose(done.chosen_rate, (distribution @ rates)[test.user], rtol=1e-6)
    np.testing.assert_allclose(done.logged_rate, rates[test.video])


def test_deep_lists_are_of_the_sample(micro, done):
    videos = len(micro.arena.catalogue)
    assert done.deep.shape == (len(micro.arena.sample), min(1_000, videos))
    assert (np.sort(done.deep, axis=1) == np.arange(videos)).all()
    assert len(done.share_above) == len(probed_users(micro.arena))


def test_blocks_of_users_change_nothing(micro, done, rates, monkeypatch):
    videos = len(micro.arena.catalogue)
    monkeypatch.setattr("shortlist.evaluation.performance._SCORES_AT_ONCE", 7 * videos)
    again = perform(Random(), micro.arena, share=SHARE, rates=rates)
    for name in ("lists", "row_scores", "chosen", "share_above", "share_at"):
        np.testing.assert_array_equal(getattr(again, name), getattr(done, name), err_msg=name)
    np.testing.assert_allclose(again.chosen_rate, done.chosen_rate, rtol=1e-6)


def test_equal_scores_are_told_apart_by_row_alone(micro, rates):
    class Indifferent(Popularity):
        def score(self, users):
            return np.zeros((len(users), len(micro.arena.catalogue)), np.float32)

    arena = micro.arena
    done = perform(Indifferent(7.0), arena, share=SHARE, rates=rates)
    live = arena.live[arena.test.video]
    np.testing.assert_allclose(done.chosen[live], 1 / arena.live.sum())
    assert (done.chosen[~live] == 0).all()
    assert not done.share_above.any()


def test_what_is_saved_is_loaded_with_every_type(done, tmp_path):
    path = tmp_path / "runs" / "random.npz"
    done.save(path)
    loaded = Performance.load(path)
    for field in fields(Performance):
        before, after = getattr(done, field.name), getattr(loaded, field.name)
        if isinstance(before, np.ndarray):
            assert after.dtype == before.dtype
            np.testing.assert_array_equal(after, before)
        else:
            assert type(after) is type(before)
            assert after == before


def harmed(whole: bytes) -> dict[str, bytes]:
    middle = len(whole) // 2
    return {
        "empty": b"",
        "cut in the middle": whole[:middle],
        "cut at the end": whole[:-1],
        "one bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "text": b"not an archive",
        "zeros": bytes(len(whole)),
    }


def test_what_is_harmed_counts_as_not_there(done, tmp_path):
    path = tmp_path / "random.npz"
    assert Performance.load(path) is None
    done.save(path)
    for harm, content in harmed(path.read_bytes()).items():
        path.write_bytes(content)
        assert Performance.load(path) is None, harm


@pytest.mark.parametrize("content", [{"other": 1}, {"details": "{"}, {"lists": [None]}])
def test_an_archive_of_something_else_counts_as_not_there(done, tmp_path, content):
    path = tmp_path / "random.npz"
    whole = {field.name: getattr(done, field.name) for field in fields(Performance)}
    values = content if "other" in content else whole | {"details": "{}"} | content
    np.savez(path, **{name: np.asarray(value) for name, value in values.items()})
    assert Performance.load(path) is None
