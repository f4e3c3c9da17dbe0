"""The pointer moves along the line of publications and forgets nothing that it may go back to."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.bundle.pointer import Pointer, PointerFile
from shortlist.errors import CorruptError, StorageError

A, B, C, D = (letter * 32 for letter in "abcd")
THREE = Pointer().published(A).published(B).published(C)


def line(pointer: Pointer) -> list[str | None]:
    """What was published, the oldest first."""
    return [*reversed(pointer.previous), pointer.current, *pointer.withdrawn]


def test_publications_are_remembered_the_nearest_first():
    assert (THREE.current, THREE.previous, THREE.left) == (C, (B, A), B)


def test_publishing_the_current_one_again_changes_nothing():
    assert THREE.published(C) is THREE


def test_a_rollback_leads_back_and_a_second_one_further():
    back = THREE.rolled_back(B)
    assert (back.current, back.previous, back.withdrawn, back.left) == (B, (A,), (C,), C)
    further = back.rolled_back(A)
    assert (further.current, further.previous, further.withdrawn) == (A, (), (B, C))
    assert further.rolled_back(A) is further


def test_a_rollback_can_be_taken_back():
    assert line(THREE.rolled_back(A).rolled_back(C)) == line(THREE)
    assert THREE.rolled_back(A).rolled_back(C).current == C


def test_publishing_after_a_rollback_forgets_what_was_withdrawn():
    after = THREE.rolled_back(A).published(D)
    assert (after.current, after.previous, after.withdrawn, after.left) == (D, (A,), (), A)


def test_a_bundle_published_twice_is_gone_back_to_at_its_nearest_place():
    again = THREE.published(A)
    assert again.previous == (C, B, A)
    assert again.rolled_back(B).previous == (A,)


def test_what_was_never_published_is_no_place_to_go_back_to():
    with pytest.raises(ValueError, match="not in tuple"):
        THREE.rolled_back(D)
    with pytest.raises(ValueError, match="nothing is published"):
        Pointer().rolled_back(A)


def test_in_use_are_the_current_one_its_neighbours_and_the_pinned():
    assert Pointer().in_use() == frozenset()
    assert THREE.in_use() == {C, B}
    assert THREE.rolled_back(A).in_use() == {A, C}
    assert THREE.published(D).with_pin(A).in_use() == {D, C, A}


def test_pins_are_a_set():
    pinned = Pointer().with_pin(B).with_pin(A).with_pin(B)
    assert pinned.pinned == (A, B)
    assert pinned.without_pin(C) == pinned
    assert pinned.without_pin(B).published(C).pinned == (A,)


@given(st.lists(st.sampled_from([A, B, C, D]), min_size=1), st.data())
def test_moving_along_the_line_never_changes_the_line(published, data):
    pointer = Pointer()
    for one in published:
        pointer = pointer.published(one)
    before = line(pointer)
    for _ in range(5):
        to = data.draw(st.sampled_from(before))
        pointer = pointer.rolled_back(to)
        assert pointer.current == to
        assert line(pointer) == before


def test_the_line_is_cut_at_a_hundred():
    pointer = Pointer()
    for number in range(150):
        pointer = pointer.published(f"{number:032x}")
    assert len(pointer.previous) == 100
    assert pointer.previous[0] == f"{148:032x}"


def test_the_file_says_what_the_pointer_is(tmp_path):
    pointers = PointerFile(tmp_path)
    assert pointers.read() == Pointer()
    moved = THREE.rolled_back(B).with_pin(D)
    pointers.swap(Pointer(), moved)
    assert pointers.read() == moved
    assert json.loads((tmp_path / "current.json").read_text()) == {
        "schema_version": 1,
        "current": B,
        "left": C,
        "previous": [A],
        "withdrawn": [C],
        "pinned": [D],
    }


def test_a_pointer_that_moved_meanwhile_is_not_overwritten(tmp_path):
    pointers = PointerFile(tmp_path)
    pointers.swap(Pointer(), THREE)
    with pytest.raises(StorageError, match="was moved by another process"):
        pointers.swap(Pointer(), Pointer().published(D))
    assert pointers.read() == THREE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        '{"schema_version": 1}',
        f'{{"schema_version": 1, "current": "{A}"}}',
        '{"current": "../../etc"}',
        '{"schema_version": 2}',
        '{"more": 1}',
        "[]",
        THREE.wire().decode().strip(),
    ],
)
def test_a_file_that_is_no_pointer_is_refused_by_name(tmp_path, text):
    (tmp_path / "current.json").write_text(text)
    with pytest.raises(CorruptError, match=r"current\.json is no pointer to a bundle; put a copy"):
        PointerFile(tmp_path).read()
