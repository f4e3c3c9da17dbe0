"""Ranked lists and the pages planned of them, as bytes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.errors import CorruptError
from shortlist.online.lists import Planned, StoredList

BUNDLE = "0123456789abcdef" * 2
RANKED = StoredList(
    BUNDLE,
    7,
    12.5,
    2**64 - 1,
    np.array([5, 3]),
    np.array([0.5, 0.25], np.float32),
    np.array([0, 1], np.float32),
    np.array([3, 8], np.uint8),
)


def test_a_list_comes_back_and_serves_what_it_was_made_for() -> None:
    again = StoredList.unpack(RANKED.pack())
    assert len(RANKED.pack()) == 42 + 2 * 17 + len("[]")
    assert again.video.tolist() == [5, 3]
    assert again.relevance.tolist() == [0.5, 0.25]
    assert again.diversity.tolist() == [0, 1]
    assert again.sources.tolist() == [3, 8]
    assert again.planned.size == 0
    assert again.serves(BUNDLE, 7, 2**64 - 1)
    assert not again.serves(BUNDLE, 8, 2**64 - 1)
    assert not again.serves(BUNDLE[::-1], 7, 2**64 - 1)
    assert not again.serves(BUNDLE, 7, 0)


def test_a_plan_comes_back_and_a_reason_is_kept_once_however_often_it_is_given() -> None:
    reasons = ("New", "You liked a video tagged " + "é" * 300, "New", "New")
    four = {
        name: np.tile(getattr(RANKED, name), 2) for name in ("relevance", "diversity", "sources")
    }
    planned = Planned(2, np.array([3, 0, 1, 2]), reasons)
    wire = replace(RANKED, video=np.arange(4), **four, planned=planned).pack()
    assert wire.count(b"New") == 1
    size, place, told = StoredList.unpack(wire).planned
    assert (size, place.tolist(), told) == (2, [3, 0, 1, 2], reasons)


@pytest.mark.parametrize("cut", [1, 2, 5, 17, 40, 70])
def test_one_that_is_cut_off_is_refused(cut: int) -> None:
    planned = Planned(1, np.array([1]), ("New",))
    with pytest.raises(CorruptError, match="cut off"):
        StoredList.unpack(replace(RANKED, planned=planned).pack()[:-cut])


@pytest.mark.parametrize(("size", "places"), [(1, [2]), (1, [0, 0]), (0, [1])])
def test_one_that_plans_what_cannot_be_is_refused(size: int, places: list[int]) -> None:
    planned = Planned(size, np.array(places), ("New",) * len(places))
    with pytest.raises(CorruptError, match="no place"):
        StoredList.unpack(replace(RANKED, planned=planned).pack())


def test_one_of_another_layout_is_refused() -> None:
    wire = RANKED.pack()
    with pytest.raises(CorruptError, match="stored ranked list has layout 1"):
        StoredList.unpack(b"\x01" + wire[1:])


@given(st.binary(max_size=120))
def test_no_bytes_break_the_reader(wire: bytes) -> None:
    for begun in (b"\x02" + wire, RANKED.pack()[:42] + wire):
        try:
            StoredList.unpack(begun)
        except CorruptError:
            continue
