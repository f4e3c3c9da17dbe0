"""No output carries characters that steer a terminal or break a file's encoding."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from shortlist.evaluation.report.cleaning import cleaned, printable
from shortlist.evaluation.scorecard import Scorecard


@given(st.text())
def test_printable_text_is_printable_keeps_its_length_and_encodes(text: str) -> None:
    clean = printable(text)
    assert clean.isprintable()
    assert len(clean) == len(text)
    clean.encode("utf-8")


def test_halves_of_surrogate_pairs_and_overrides_of_direction_are_replaced() -> None:
    assert printable("a\ud800b\u202ec") == "a\ufffdb\ufffdc"


def test_every_text_of_a_scorecard_is_cleaned_keys_included(
    small_card: Callable[..., Scorecard],
) -> None:
    card = small_card({"ndcg@10": {"a\x1b": 0.1}}, title="t\x07", settings={"k\x1b": "v\n"})
    clean = cleaned(card)
    assert clean.title == "t\ufffd"
    assert clean.models[0].name == "a\ufffd"
    assert clean.settings == {"k\ufffd": "v "}


def test_a_scorecard_of_plain_text_is_left_as_it_is(world_card: Scorecard) -> None:
    assert cleaned(world_card) == world_card
