"""Segments: whole, in order, each event once; and nothing of whoever asked to be forgotten."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from shortlist.datasets.events import Kind
from shortlist.errors import CorruptError
from shortlist.online.archive import Archive, Place, Taken, read_segments
from shortlist.online.entries import Action, EntryType, Event, Note, ServedPage


def event(name: str, user: int = 1, at: float = 100.0, request: str = "") -> Event:
    return Event(name, user, 10, Action.CLICK, at, Kind.CLICK, request_id=request)


def page(request: str, user: int = 1) -> ServedPage:
    ones = np.ones(1)
    return ServedPage(
        request, user, 90.0, np.array([10]), ones.astype(np.int16), ones, np.zeros(1, np.bool_)
    )


def test_an_entry_sent_again_is_kept_and_marked_in_its_segment_and_in_later_ones(
    archive: Archive, taken
) -> None:
    entries = [(event("a"), 100), (event("b"), 100), (event("a", at=99), 101), (page("a"), 101)]
    first = archive.write(taken(entries))
    second = archive.write(taken([(event("b"), 200), (event("c"), 200), (page("a"), 200)]))
    marks = read_segments([first, second], ["id", "duplicate"]).to_pylist()
    assert [tuple(mark.values()) for mark in marks] == [
        ("a", False),
        ("b", False),
        ("a", True),
        ("a", False),
        ("b", True),
        ("c", False),
        ("a", True),
    ]


def test_a_segment_is_read_once_however_many_are_written_after_it(
    archive: Archive, taken, monkeypatch
) -> None:
    def read(segments, *rest):
        found.extend(path.name for path in segments)
        return read_segments(segments, *rest)

    found: list[str] = []
    monkeypatch.setattr("shortlist.online.archive.read_segments", read)
    for number in range(5):
        archive.write(taken([(event(f"e{number}"), 100), (event("e0", at=9.0), 100)]))
    assert sorted(found) == [f"segment-{number:08d}.parquet" for number in range(1, 5)]
    # What was deleted from one is no longer known.
    archive.write(taken([(Note(EntryType.FORGET, 1, 200.0), 200)]))
    archive.purge(archive.notes().forgotten)
    last = archive.write(taken([(event("e3"), 300)]))
    assert read_segments([last], ["duplicate"]).to_pylist() == [{"duplicate": False}]


def test_two_users_may_call_their_events_alike(archive: Archive, taken) -> None:
    first = archive.write(taken([(event("a", user=1), 100), (event("a", user=2), 100)]))
    second = archive.write(taken([(event("a", user=3), 200), (event("a", user=2), 200)]))
    marks = read_segments([first, second], ["subject", "duplicate"]).to_pylist()
    assert [(one["subject"], one["duplicate"]) for one in marks] == [
        (1, False),
        (2, False),
        (3, False),
        (2, True),
    ]


def test_segments_are_read_in_the_order_in_which_they_were_written(archive: Archive, taken) -> None:
    for number in range(12):
        archive.write(taken([(event(f"e{number}"), 100)]))
    assert [path.name for path in archive.segments()][-1] == "segment-00000012.parquet"
    ids = read_segments(archive.segments(), ["id"]).column("id").to_pylist()
    assert ids == [f"e{number}" for number in range(12)]


def test_a_segment_names_the_places_of_its_entries(archive: Archive, taken) -> None:
    entries = taken([(event("a", user=258), 100), (event("b", user=3), 101)])
    assert archive.places(archive.write(entries)) == [Place(2, 100_000, 1), Place(3, 101_000, 2)]
    assert Place(2, 100_000, 1).name == "100000-1"


def test_no_event_happened_after_it_was_received(archive: Archive, taken) -> None:
    segment = archive.write(taken([(event("a", at=500), 100), (event("b", at=50), 100)]))
    assert read_segments([segment], ["at_ms"]).column(0).to_pylist() == [100_000, 50_000]


def test_an_entry_that_cannot_be_read_is_kept_as_it_is(archive: Archive) -> None:
    segment = archive.write([Taken(Place(0, 5, 0), None, b"\x07what")])
    (row,) = read_segments([segment], ["type", "raw", "at_ms"]).to_pylist()
    assert row == {"type": 0, "raw": b"\x07what", "at_ms": 5}


def test_the_last_word_about_a_video_counts(archive: Archive, taken) -> None:
    down, up = EntryType.TAKEDOWN, EntryType.RESTORE
    notes = [Note(down, 7, 1.0), Note(down, 8, 2.0), Note(up, 7, 3.0), Note(down, 9, 4.0)]
    archive.write(taken([(note, 10) for note in notes]))
    archive.write(taken([(Note(up, 9, 5.0), 11)]))
    assert archive.notes().blocked == (8,)


def test_whoever_is_forgotten_is_purged_of_what_was_before_and_not_of_what_came_after(
    archive: Archive, taken
) -> None:
    archive.write(taken([(event("a"), 100), (page("r"), 100), (event("x", user=2), 100)]))
    archive.write(
        taken([(event("b"), 150), (Note(EntryType.FORGET, 1, 160.0), 160), (event("c"), 170)])
    )
    forgotten = archive.notes().forgotten
    assert {user: at for user, (_, at) in forgotten.items()} == {1: 160.0}
    assert archive.purge(forgotten) == 3
    assert archive.purge(forgotten) == 0
    left = read_segments(archive.segments(), ["id", "type"]).to_pylist()
    assert [row["id"] for row in left] == ["x", None, "c"]
    assert archive.notes().forgotten == forgotten


def test_a_user_with_the_id_of_a_video_taken_down_loses_no_takedown(
    archive: Archive, taken
) -> None:
    archive.write(taken([(Note(EntryType.TAKEDOWN, 1, 1.0), 1), (Note(EntryType.FORGET, 1, 2), 2)]))
    assert archive.purge(archive.notes().forgotten) == 0
    assert archive.notes().blocked == (1,)


def test_a_torn_segment_is_named(archive: Archive, taken) -> None:
    segment = archive.write(taken([(event("a"), 100)]))
    segment.write_bytes(segment.read_bytes()[:-9])
    with pytest.raises(CorruptError, match="segment-00000001"):
        archive.notes()


def test_what_a_killed_writer_left_is_swept(archive: Archive) -> None:
    (archive.directory / ".staging-x.parquet").write_bytes(b"half")
    archive.prepare()
    assert list(archive.directory.iterdir()) == []
    assert archive.notes().blocked == ()


def test_segments_are_plain_parquet(archive: Archive, taken) -> None:
    assert pq.read_table(archive.write(taken([(page("r"), 100)]))).num_rows == 1
