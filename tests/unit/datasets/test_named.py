import pytest

from shortlist.datasets.named import datasets_directory, open_named, plain_name
from shortlist.errors import InputError, NotFoundError


def test_a_dataset_is_found_by_name_or_path(make_dataset, tmp_path):
    made = make_dataset(name="datasets/small")
    assert open_named(tmp_path, "small").record == made.record
    assert open_named(tmp_path / "other", str(made.path)).record == made.record
    assert datasets_directory(tmp_path) / "small" == made.path


def test_an_unknown_name_gives_the_nearest(make_dataset, tmp_path):
    with pytest.raises(NotFoundError, match="make one with `shortlist"):
        open_named(tmp_path, "smal")
    make_dataset(name="datasets/small")
    with pytest.raises(NotFoundError, match=r"no dataset 'smal' in .*; did you mean small\?"):
        open_named(tmp_path, "smal")
    with pytest.raises(NotFoundError, match="no dataset at"):
        open_named(tmp_path, str(tmp_path / "datasets" / "smal"))


@pytest.mark.parametrize("name", ["", ".hidden", "..", "a/b", "a\\b"])
def test_a_name_is_that_of_one_directory(name):
    with pytest.raises(InputError, match="cannot be called"):
        plain_name(name)
