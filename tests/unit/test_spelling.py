"""A misspelt name is answered with the nearest one, or with all there are."""

import pytest

from shortlist.spelling import nearest


@pytest.mark.parametrize(
    ("word", "known", "end"),
    [
        ("dmo", ["tiny", "demo", "full"], "; did you mean demo?"),
        ("xyz", ["tiny", "demo"], "; there are tiny, demo"),
        ("xyz", [], "; there are none"),
    ],
)
def test_the_end_of_the_sentence_names_the_remedy(word: str, known: list[str], end: str) -> None:
    assert nearest(word, known) == end


def test_a_long_list_can_be_left_to_another_sentence() -> None:
    assert nearest("xyz", ["tiny"], "run this to see them") == "; run this to see them"
    assert nearest("tny", ["tiny"], "run this to see them") == "; did you mean tiny?"
