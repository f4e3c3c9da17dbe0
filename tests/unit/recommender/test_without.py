"""What can be left out, and what cannot."""

import pytest

from shortlist.errors import InputError
from shortlist.recall.source import SOURCES
from shortlist.recommender.without import Without
from shortlist.settings.slate import SlateSettings


def test_a_misspelt_source_is_refused_with_the_nearest():
    with pytest.raises(
        InputError, match="no recall source is called 'vektor'; did you mean vector"
    ):
        Without(sources=frozenset({"vektor"}))


def test_one_source_must_be_left():
    with pytest.raises(InputError, match="without all four recall sources nothing is recalled"):
        Without(sources=frozenset(SOURCES))
    assert str(Without(sources=frozenset(SOURCES[1:]))) == "without tags, collaborative, vector"


def test_nothing_left_out_changes_no_setting():
    settings = SlateSettings(trade_off=0.7)
    assert Without(history=True).slate(settings) == settings
    assert Without(head=True).slate(settings).head_weight == 0
