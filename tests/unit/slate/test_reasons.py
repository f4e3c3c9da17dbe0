import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shortlist.datasets.events import Events, Kind
from shortlist.datasets.origins import Origin
from shortlist.slate.kernel import SlateItems
from shortlist.slate.reasons import TEMPLATES, Reason, Viewer, Why, reasons

DAY = 20_028.5
NOBODY = Viewer(Events.none(), DAY)


def viewer(*events: tuple[int, Kind]) -> Viewer:
    video = np.array([row for row, _ in events], np.int64)
    kind = np.array([kind for _, kind in events], np.int8)
    return Viewer(Events(video, kind, np.full(len(events), 20_000.0)), DAY)


def reason(
    items: SlateItems, who: Viewer, video: int, sources: int = 0, drawn: bool = False
) -> Reason:
    (found,) = reasons(
        items, who, np.array([video]), np.array([sources], np.uint8), np.array([drawn]), 7.0
    )
    return found


def test_every_kind_of_reason_has_words() -> None:
    assert set(TEMPLATES) == set(Why)
    assert len(set(TEMPLATES.values())) == len(Why)
    assert str(Reason(Why.LIKED_TAG, "tea")) == "You liked a video tagged tea"
    assert str(Reason(Why.POPULAR)) == "Popular now"


def test_a_like_says_more_than_a_long_view_and_a_creator_more_than_a_tag() -> None:
    items = made_by_hand()
    both = (0, Kind.LONG_VIEW), (1, Kind.LIKE)
    assert reason(items, viewer(*both), 2).why == Why.LIKED_TAG
    assert reason(items, viewer((0, Kind.LIKE)), 2) == Reason(Why.LIKED_CREATOR)
    assert reason(items, viewer((0, Kind.LONG_VIEW)), 2) == Reason(Why.WATCHED_CREATOR)
    assert reason(items, viewer((1, Kind.LONG_VIEW)), 2) == Reason(Why.WATCHED_TAG, "tea")


def test_of_several_shared_tags_the_one_liked_most_is_named() -> None:
    items = made_by_hand()
    assert reason(items, viewer((1, Kind.LIKE), (3, Kind.LIKE)), 2).tag == "cats"


def test_two_unknown_creators_are_not_one() -> None:
    assert reason(made_by_hand(), viewer((3, Kind.LIKE)), 1) == Reason(Why.LIKED_TAG, "cats")


@pytest.mark.parametrize("kind", [Kind.SHOWN, Kind.SKIP, Kind.CLICK])
def test_what_was_neither_liked_nor_watched_for_long_is_no_reason(kind: Kind) -> None:
    assert reason(made_by_hand(), viewer((0, kind)), 2).why == Why.RANKED


@pytest.mark.parametrize(
    ("sources", "who", "expected"),
    [
        (Origin.COLLABORATIVE | Origin.VECTOR, viewer((3, Kind.CLICK)), Why.SIMILAR_VIEWERS),
        (Origin.VECTOR | Origin.POPULARITY, viewer((3, Kind.CLICK)), Why.NEAR_HISTORY),
        (Origin.VECTOR | Origin.POPULARITY, NOBODY, Why.POPULAR),
        (Origin.COLLABORATIVE, viewer((3, Kind.SKIP)), Why.RANKED),
        (0, NOBODY, Why.RANKED),
    ],
)
def test_sources_are_named_only_where_they_had_something_to_go_by(
    sources: int, who: Viewer, expected: Why
) -> None:
    assert reason(made_by_hand(), who, 2, sources).why == expected


def test_only_the_popular_are_called_popular() -> None:
    items = made_by_hand()
    unknown = dataclasses.replace(items, popular=None)
    every = Origin.POPULARITY | Origin.TAGS
    assert reason(items, NOBODY, 2, every).why == Why.POPULAR
    assert reason(items, NOBODY, 3, every).why == Why.RANKED
    assert reason(items, NOBODY, 2, Origin.TAGS).why == Why.RANKED
    assert reason(unknown, NOBODY, 2, every).why == Why.RANKED


def test_a_declared_interest_says_more_than_a_source_and_less_than_what_was_watched() -> None:
    items = made_by_hand()
    every = Origin.POPULARITY | Origin.VECTOR
    chose = ("dogs", "cats", "opera")
    eager = Viewer(Events.none(), DAY, chose)
    assert reason(items, eager, 2, every) == Reason(Why.CHOSEN_TAG, "cats")
    assert str(reason(items, eager, 2, every)) == "Because you chose cats"
    assert reason(items, Viewer(Events.none(), DAY, ("opera",)), 2, every).why == Why.POPULAR
    assert reason(items, eager, 2, drawn=True).why == Why.EXPLORED
    for kind, said in ((Kind.LONG_VIEW, Why.WATCHED_TAG), (Kind.CLICK, Why.CHOSEN_TAG)):
        known = dataclasses.replace(viewer((1, kind)), interests=chose)
        assert reason(items, known, 2, every).why == said


@pytest.mark.parametrize(("uploaded", "new"), [(20_022, True), (20_021, False), (20_029, False)])
def test_a_video_is_new_for_some_days(uploaded: int, new: bool) -> None:
    items = made_by_hand()
    items.upload_day[2] = uploaded
    assert (reason(items, NOBODY, 2).why == Why.NEW) is new


def test_exploration_is_owned_up_to() -> None:
    assert reason(made_by_hand(), viewer((0, Kind.LIKE)), 2, drawn=True).why == Why.EXPLORED


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(st.tuples(st.integers(0, 39), st.sampled_from(Kind)), max_size=6),
    video=st.integers(0, 39),
    sources=st.integers(0, 15),
    drawn=st.booleans(),
    chosen=st.sets(st.sampled_from(["cats", "tea", "opera"])),
)
def test_no_reason_is_ever_false(
    items: SlateItems,
    events: list[tuple[int, Kind]],
    video: int,
    sources: int,
    drawn: bool,
    chosen: set[str],
) -> None:
    who = dataclasses.replace(viewer(*events), interests=chosen)
    said = reason(items, who, video, sources, drawn)
    tags = items.tags.toarray() > 0

    def shared(kind: Kind, *, creator: bool) -> bool:
        past = [row for row, what in events if what == kind]
        if creator:
            return items.creator[video] >= 0 and items.creator[video] in items.creator[past]
        tag = items.tag_names.index(said.tag)
        return bool(tags[video, tag] and tags[past, tag].any())

    assert items.popular is not None
    popular = items.popular.tolist()
    history = any(what >= Kind.CLICK for _, what in events)
    true = {
        Why.EXPLORED: lambda: drawn,
        Why.LIKED_CREATOR: lambda: shared(Kind.LIKE, creator=True),
        Why.LIKED_TAG: lambda: shared(Kind.LIKE, creator=False),
        Why.WATCHED_CREATOR: lambda: shared(Kind.LONG_VIEW, creator=True),
        Why.WATCHED_TAG: lambda: shared(Kind.LONG_VIEW, creator=False),
        Why.CHOSEN_TAG: lambda: (
            said.tag in chosen and bool(tags[video, items.tag_names.index(said.tag)])
        ),
        Why.SIMILAR_VIEWERS: lambda: bool(sources & 4) and history,
        Why.NEAR_HISTORY: lambda: bool(sources & 8) and history,
        Why.NEW: lambda: 0 <= DAY - items.upload_day[video] < 7,
        Why.POPULAR: lambda: bool(sources & 1) and popular[video],
        Why.RANKED: lambda: not drawn,
    }
    assert true[said.why]()
    assert drawn == (said.why == Why.EXPLORED)


def made_by_hand() -> SlateItems:
    """Videos 0 and 2 share creator 7; 1 and 2 share tea and cats, 3 and 2 cats."""
    tags = np.array([[0, 0, 1], [1, 1, 0], [1, 1, 0], [1, 0, 0]], np.float32)
    return SlateItems(
        content=np.eye(4, dtype=np.float32),
        tags=sp.csr_array(tags[:, [1, 0, 2]]),
        creator=np.array([7, -1, 7, -1]),
        main_tag=np.array([2, 0, 0, 0]),
        upload_day=np.zeros(4, np.int64),
        tag_names=("tea", "cats", "dogs"),
        popular=np.array([False, False, True, False]),
    )
