"""Entries of the log come back as they went in, and nothing else is taken for one."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.datasets.events import Kind
from shortlist.errors import CorruptError, InputError
from shortlist.online.entries import (
    Action,
    EntryType,
    Event,
    Note,
    ServedPage,
    kind_of,
    pack_entry,
    unpack_entry,
)

TEXT = st.text(max_size=30)


@given(
    st.builds(
        Event,
        event_id=TEXT,
        user=st.integers(-(2**63), 2**63 - 1),
        video=st.integers(-(2**63), 2**63 - 1),
        action=st.sampled_from([one for one in Action if one is not Action.WATCH]),
        at=st.floats(0, 4e9),
        kind=st.just(Kind.SHOWN),
        request_id=TEXT,
        session_id=TEXT,
        position=st.none() | st.integers(0, 2**15 - 1),
        propensity=st.none() | st.floats(0.001, 1),
    )
)
def test_an_event_comes_back(event: Event) -> None:
    back = unpack_entry(pack_entry(event))
    assert isinstance(back, Event)
    fields = set(Event.__slots__) - {"kind"}
    assert {name: getattr(back, name) for name in fields} == {
        name: getattr(event, name) for name in fields
    }
    assert back.kind == kind_of(event.action)


@pytest.mark.parametrize("context", [None, np.arange(32, dtype=np.float32)])
def test_a_page_comes_back(context: object) -> None:
    page = ServedPage(
        "r",
        5,
        12.5,
        np.array([7, 8]),
        np.array([0, 1], np.int16),
        np.array([1.0, 0.25]),
        np.array([False, True]),
        "ab",
        "s",
        "x",
        context,  # type: ignore[arg-type]
    )
    back = unpack_entry(pack_entry(page))
    assert isinstance(back, ServedPage)
    for name in ("video", "position", "propensity", "random"):
        assert getattr(back, name).tolist() == getattr(page, name).tolist()
    for name in ("request_id", "user", "at", "bundle", "session_id", "experiment"):
        assert getattr(back, name) == getattr(page, name)
    assert (back.context is None) == (context is None)
    assert back.context is None or back.context.tolist() == list(range(32))


def test_a_note_comes_back_and_names_its_subject_where_the_scripts_look() -> None:
    note = Note(EntryType.FORGET, 258, 3.5)
    assert unpack_entry(pack_entry(note)) == note
    assert pack_entry(note)[1:4] == bytes([3, 2, 1])


@given(st.binary(max_size=120))
def test_no_bytes_break_the_reader(wire: bytes) -> None:
    with contextlib.suppress(CorruptError):
        unpack_entry(wire)


@given(st.integers(1, 60))
def test_an_entry_that_is_cut_off_is_refused_or_shorter(cut: int) -> None:
    event = Event("id", 1, 2, Action.CLICK, 1.0, Kind.CLICK, request_id="r", session_id="s")
    with pytest.raises(CorruptError):
        unpack_entry(pack_entry(event)[:-cut])


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(InputError, match="255"):
        pack_entry(Event("x" * 256, 1, 2, Action.CLICK, 1.0, Kind.CLICK))


@pytest.mark.parametrize(
    ("action", "watched", "lasts", "kind"),
    [
        (Action.IMPRESSION, None, None, Kind.SHOWN),
        (Action.CLICK, None, 60.0, Kind.CLICK),
        (Action.LIKE, None, None, Kind.LIKE),
        (Action.SKIP, None, None, Kind.SKIP),
        (Action.WATCH, 18.0, 60.0, Kind.LONG_VIEW),
        (Action.WATCH, 17.9, 60.0, Kind.SHOWN),
        (Action.WATCH, 6.0, 6.0, Kind.LONG_VIEW),
        (Action.WATCH, 1.9, 60.0, Kind.SKIP),
        (Action.WATCH, 1.5, 1.0, Kind.LONG_VIEW),
        (Action.WATCH, 18.0, float("nan"), Kind.LONG_VIEW),
        (Action.WATCH, None, 60.0, Kind.SHOWN),
    ],
)
def test_actions_have_kinds(
    action: Action, watched: float | None, lasts: float | None, kind: Kind
) -> None:
    assert kind_of(action, watched, lasts) is kind
