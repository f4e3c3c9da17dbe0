import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets.ids import Ids, opaque


def test_whole_numbers_stay_what_they_are():
    ids = Ids.of(pa.array(["30", "4", "-1"]))
    assert ids.ids.tolist() == [-1, 4, 30]
    assert ids.external().to_pylist() == [None, None, None]
    found = ids.encode(pa.array(["4", "5", "04", "x", None, "99999999999999999999"]))
    assert found.to_pylist() == [4, None, None, None, None, None]


def test_one_other_name_makes_all_of_them_names():
    ids = Ids.of(pa.array(["30", "007", "ann"]))
    assert ids.ids.tolist() == [0, 1, 2]
    assert ids.external().to_pylist() == ["007", "30", "ann"]
    assert ids.encode(pa.array(["ann", "7", None])).to_pylist() == [2, None, None]


def test_no_ids_at_all():
    ids = Ids.of(pa.array([], pa.string()))
    assert len(ids) == 0
    assert ids.encode(pa.array(["1", None])).to_pylist() == [None, None]


@settings(deadline=None, max_examples=40)
@given(st.sets(st.text(max_size=3), max_size=8) | st.sets(st.integers().map(str), max_size=8))
def test_every_name_has_its_own_id_whatever_the_order(names):
    ids = Ids.of(pa.array(sorted(names, reverse=True), pa.string()))
    encoded = ids.encode(pa.array(sorted(names), pa.string())).to_pylist()
    assert sorted(encoded) == ids.ids.tolist() == sorted(set(encoded))
    if ids.names is not None:
        assert [ids.names[i].as_py() for i in encoded] == sorted(names)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=4), max_size=8))
def test_opaque_numbers_tell_names_apart_in_any_batch(names):
    numbers = opaque(pa.array(names, pa.string())).to_pylist()
    assert len(set(numbers)) == len(set(names))
    assert numbers == [opaque(pa.array([name]))[0].as_py() for name in names]
    assert all(0 <= number < 2**63 for number in numbers)
