from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets.kuairand_history import LIST_LENGTH, Event, history_events


def test_lists_that_fit_mark_the_events_of_the_watched_list():
    assert history_events([1, 2, 3], [2], [3]) == [
        Event(1, False, False),
        Event(2, True, False),
        Event(3, False, True),
    ]


def test_a_repeated_video_is_marked_where_the_order_allows_it():
    long_views = [event.long_view for event in history_events([1, 2, 1], [1, 2], [])]
    assert long_views == [True, True, False]
    assert [event.long_view for event in history_events([1, 2, 1], [1], [])] == [False, False, True]


def test_what_has_fallen_out_comes_first_and_its_likes_are_found():
    assert history_events([5], [8, 9, 5], [7, 9]) == [
        Event(7, False, True),
        Event(8, True, False),
        Event(9, True, True),
        Event(5, True, False),
    ]


def test_a_like_without_a_long_watch_hides_no_other_like():
    events = history_events([1], [5, 6], [5, 9])
    assert events[:3] == [Event(9, False, True), Event(5, True, True), Event(6, True, False)]


def test_of_full_lists_nobody_knows_what_they_lack():
    full = list(range(100, 100 + LIST_LENGTH))
    events = history_events([1], full, [*full[1:], 999])
    assert events[:3] == [Event(999, None, True), Event(100, True, None), Event(101, True, True)]
    oldest = history_events([1], full, [7])[0]
    assert oldest == Event(7, None, True)
    unliked = history_events([1], [3], list(range(200, 200 + LIST_LENGTH)))
    assert [event.like for event in unliked if event.video == 3] == [None]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans()), max_size=30),
    st.integers(1, 8),
)
def test_every_listed_event_has_a_row_and_nothing_else_is_claimed(log, reach):
    # Three lists as the source makes them: each reaches back over its own last few events.
    watched = [video for video, _, _ in log][-reach:]
    long_watched = [video for video, long_view, _ in log if long_view][-reach:]
    liked = [video for video, _, like in log if like][-reach:]
    events = history_events(watched, long_watched, liked)
    assert [event.video for event in events][len(events) - len(watched) :] == watched
    marked = Counter(event.video for event in events if event.long_view)
    assert marked == Counter(long_watched)
    assert Counter(event.video for event in events if event.like) == Counter(liked)
    assert len(events) <= len(watched) + len(long_watched) + len(liked)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans()), unique_by=lambda e: e[0])
)
def test_a_complete_history_without_repeats_comes_back_whole(log):
    events = history_events(
        [video for video, _, _ in log],
        [video for video, long_view, _ in log if long_view],
        [video for video, _, like in log if like],
    )
    assert events == [Event(*event) for event in log]
