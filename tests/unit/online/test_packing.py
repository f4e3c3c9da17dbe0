"""What is packed comes back; what is damaged is refused in one sentence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.errors import CorruptError, InputError
from shortlist.online.packing import (
    RECORD,
    Declared,
    History,
    Shown,
    UserVector,
    digest,
    rows_of,
    short_hash,
)

IDS = st.integers(-(2**63), 2**63 - 1)
U32 = st.integers(0, 2**32 - 1)
BUNDLE = "0123456789abcdef" * 2


@given(st.lists(st.tuples(IDS, st.integers(0, 4), U32), max_size=20), st.tuples(U32, U32, U32, U32))
def test_a_history_comes_back(events: list[tuple[int, int, int]], head: tuple[int, ...]) -> None:
    video, kind, at = zip(*events, strict=True) if events else ((), (), ())
    history = History(
        np.array(video, np.int64), np.array(kind, np.uint8), np.array(at, np.int64), *head
    )
    wire = history.pack()
    assert len(wire) == 20 + 13 * len(events)
    back = History.unpack(wire)
    assert back.video.tolist() == list(video)
    assert back.kind.tolist() == list(kind)
    assert back.at.tolist() == list(at)
    assert (back.version, back.shown, back.clicked, back.source) == head


def test_a_record_has_thirteen_bytes_in_the_order_that_the_scripts_know() -> None:
    record = np.array([(258, 1, 4)], RECORD).tobytes()
    assert record == bytes([2, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4])


NAME = st.text(max_size=20).filter(lambda name: name != "" and len(name.encode()) < 256)


@given(st.lists(NAME, max_size=6), st.none() | NAME, st.none() | NAME)
def test_declared_features_come_back(
    interests: list[str], language: str | None, band: str | None
) -> None:
    said = Declared(tuple(interests), language, None, band)
    assert Declared.unpack(said.pack()) == said


def test_a_user_vector_comes_back() -> None:
    vector = UserVector(BUNDLE, 7, np.array([1.5, -2.0], np.float32))
    back = UserVector.unpack(vector.pack())
    assert (back.bundle, back.version, back.vector.tolist()) == (BUNDLE, 7, [1.5, -2.0])


@pytest.mark.parametrize("unpack", [History.unpack, UserVector.unpack])
@pytest.mark.parametrize("wire", [b"", b"\x02" * 64, b"\x01", b"\x01" * 63])
def test_damaged_values_are_refused(unpack: object, wire: bytes) -> None:
    with pytest.raises(CorruptError, match="stored"):
        unpack(wire)  # type: ignore[operator]


def test_a_vector_that_is_not_finite_is_refused() -> None:
    with pytest.raises(CorruptError, match="not finite"):
        UserVector.unpack(UserVector(BUNDLE, 1, np.array([np.nan], np.float32)).pack())


def test_declared_features_that_are_cut_off_are_refused() -> None:
    with pytest.raises(CorruptError, match="damaged"):
        Declared.unpack(Declared(("tea",)).pack()[:-1])


@given(st.binary(max_size=80))
def test_no_bytes_break_a_reader(wire: bytes) -> None:
    for unpack in (
        History.unpack,
        Declared.unpack,
        UserVector.unpack,
        Shown.unpack,
    ):
        try:
            unpack(b"\x01" + wire)  # type: ignore[operator]
        except CorruptError:
            continue


def test_what_is_no_bundle_is_refused() -> None:
    with pytest.raises(InputError, match="no id of a bundle"):
        UserVector("abcd", 1, np.zeros(1, np.float32)).pack()


def test_events_of_unknown_videos_and_kinds_are_left_out() -> None:
    history = History(
        np.array([7, 8, 9, 9]), np.array([2, 2, 4, 250], np.uint8), np.array([0, 0, 86_400, 0])
    )
    events, unknown = history.events(np.array([7, 9, 11]))
    assert events.video.tolist() == [0, 1]
    assert events.kind.tolist() == [2, 4]
    assert events.day.tolist() == [0.0, 1.0]
    assert unknown == 2


def test_an_empty_table_knows_no_video() -> None:
    _, known = rows_of(np.array([1, 2]), np.zeros(0, np.int64))
    assert known.tolist() == [False, False]


def test_hashes_depend_on_where_parts_end() -> None:
    assert digest(b"ab", b"c") != digest(b"a", b"bc")
    assert len(short_hash("")) == 8
    assert short_hash("a") != short_hash("b")
