"""A user's row follows from what he says and the names of the columns, wherever it is made."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.declared import DECLARED, Vocabulary, declared_row, declared_rows
from shortlist.errors import CorruptError, NotFoundError
from shortlist.ranker.profile import declared

NAMES = Vocabulary(
    interests=("cats", "dogs", "tea"),
    languages=("de", "en"),
    activities=("high", "low"),
    age_bands=("18-24", "cats"),
)


def users_of(*said: dict[str, object]) -> Users:
    rows = [{"user_id": place, **one} for place, one in enumerate(said)]
    return Users.from_table(pa.Table.from_pylist(rows, schema.USERS))


def test_the_columns_are_interests_languages_activities_and_age_bands():
    row = declared_row(
        NAMES, interests=["tea", "cats"], language="en", activity="low", age_band="cats"
    )
    assert row.tolist() == [1, 0, 1, 0, 1, 0, 1, 0, 1]
    assert row.dtype == np.float32
    assert len(NAMES) == 9


def test_what_is_unknown_or_untold_says_nothing():
    assert not declared_row(NAMES).any()
    strange = declared_row(NAMES, interests=["en"], language="tea", activity="", age_band="99")
    assert not strange.any()
    assert declared_row(NAMES, interests=["opera", "dogs", "dogs"]).tolist() == [0, 1] + 7 * [0]


def test_the_names_are_those_of_the_tables_in_sorted_order(trained):
    view = trained.view
    names = Vocabulary.of(view.users, view.catalogue)
    assert names.interests == view.catalogue.tag_names
    assert (names.languages, names.activities) == (view.users.languages, view.users.activities)
    bands = [band for band in view.users.table.column("age_band").to_pylist() if band is not None]
    assert names.age_bands == tuple(sorted(set(bands)))
    assert len(names.age_bands) > 1


def test_a_table_without_a_word_gives_rows_without_a_column(trained):
    table = pa.Table.from_pylist([], schema.VIDEOS)
    empty = Vocabulary.of(users_of({}, {}), Catalogue.from_table(table))
    assert len(empty) == 0
    assert declared_rows(empty, users_of({}, {}).table).shape == (2, 0)


def test_every_users_row_from_the_stored_names_is_that_of_the_training(trained):
    """And both are the codes of the table, column by column."""
    view, stored = trained.view, Vocabulary.load(trained.directories["items"])
    rows = declared(view.users, view.catalogue)
    starts = np.cumsum([0, len(stored.interests), len(stored.languages), len(stored.activities)])
    for row, said in enumerate(view.users.table.to_pylist()):
        alone = declared_row(
            stored,
            interests=said["interests"],
            language=said["language"],
            activity=said["activity"],
            age_band=said["age_band"],
        )
        np.testing.assert_array_equal(alone, rows[row])
        known = set(said["interests"] or ()) & set(stored.interests)
        codes = {stored.interests.index(name) for name in known}
        codes |= {starts[1] + view.users.language[row]} if view.users.language[row] >= 0 else set()
        codes |= {starts[2] + view.users.activity[row]} if view.users.activity[row] >= 0 else set()
        if said["age_band"] is not None:
            codes.add(starts[3] + stored.age_bands.index(said["age_band"]))
        assert set(np.flatnonzero(alone)) == codes
    assert (rows.sum(axis=1) > 1).any()


WORDS = st.sampled_from(["cats", "dogs", "tea", "de", "en", "high", "low", "18-24", "opera", ""])
SAID = st.fixed_dictionaries(
    {
        "interests": st.none() | st.lists(st.none() | WORDS, max_size=4),
        "language": st.none() | WORDS,
        "activity": st.none() | WORDS,
        "age_band": st.none() | WORDS,
    }
)


@given(st.lists(SAID, max_size=4))
def test_a_table_gives_each_user_the_row_that_he_gets_alone(said):
    rows = declared_rows(NAMES, users_of(*said).table)
    assert rows.shape == (len(said), len(NAMES))
    for row, one in zip(rows, said, strict=True):
        np.testing.assert_array_equal(row, declared_row(NAMES, **one))


def test_names_are_read_back_as_written_and_are_the_same_bytes(tmp_path: Path):
    NAMES.save(tmp_path)
    first = (tmp_path / DECLARED).read_bytes()
    again = Vocabulary.load(tmp_path)
    assert again == NAMES
    again.save(tmp_path)
    assert (tmp_path / DECLARED).read_bytes() == first


def test_missing_torn_and_doubtful_names_are_refused(tmp_path: Path):
    with pytest.raises(NotFoundError, match=r"declared.json is missing; make the items again"):
        Vocabulary.load(tmp_path)
    path = tmp_path / DECLARED
    whole = NAMES.model_dump_json()
    for text in (whole[:-5], whole.replace('"dogs"', '"cats"'), "\xff"):
        path.write_text(text, encoding="latin-1")
        with pytest.raises(CorruptError, match=r"declared.json is damaged"):
            Vocabulary.load(tmp_path)
