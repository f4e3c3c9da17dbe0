"""A trade-off is what the settings give, or what was measured; nothing is guessed."""

from pathlib import Path

import pytest

from shortlist.errors import CorruptError, InputError, NotFoundError
from shortlist.settings.slate import SlateSettings
from shortlist.slate.settled import FILE, Settled, read, settle, trade_off_of

MEASURED = Settled(trade_off=0.512, aim=0.4, reached=0.4003, users=9)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    MEASURED.save(tmp_path)
    return tmp_path


def test_a_number_is_used_as_it_is_whatever_was_measured(part: Path) -> None:
    told = SlateSettings(trade_off=0.25)
    assert settle(told, part) == settle(told, None) == told
    assert trade_off_of(told) == 0.25


def test_auto_takes_what_was_measured_and_leaves_the_rest(part: Path) -> None:
    settings = SlateSettings(size=7)
    assert settle(settings, part) == SlateSettings(size=7, trade_off=0.512)
    assert read(part) == MEASURED


def test_auto_without_a_measurement_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"none was measured here; give slate.trade_off a numb"):
        settle(SlateSettings(), None)
    with pytest.raises(NotFoundError, match=r"slate.json is missing; give slate.trade_off"):
        settle(SlateSettings(), tmp_path)
    with pytest.raises(InputError, match=r"slate.trade_off is auto and was not settled"):
        trade_off_of(SlateSettings())


@pytest.mark.parametrize("text", ["", "{", '{"trade_off": 0.5}', '{"trade_off": 2, "aim": 0, '])
def test_a_damaged_measurement_is_refused(part: Path, text: str) -> None:
    (part / FILE).write_text(text)
    with pytest.raises(CorruptError, match=r"slate.json cannot be read"):
        settle(SlateSettings(), part)


def test_a_trade_off_that_is_none_is_refused(part: Path) -> None:
    path = part / FILE
    path.write_text(path.read_text().replace("0.512", "1.5"))
    with pytest.raises(CorruptError, match=r"slate.json cannot be read"):
        read(part)


def test_equal_figures_are_equal_bytes(part: Path, tmp_path_factory: pytest.TempPathFactory):
    other = tmp_path_factory.mktemp("other")
    MEASURED.model_copy().save(other)
    assert (part / FILE).read_bytes() == (other / FILE).read_bytes()


@pytest.mark.parametrize(("reached", "short"), [(0.3999, True), (0.4, False), (0.41, False)])
def test_it_says_where_the_aim_was_out_of_reach(reached: float, short: bool) -> None:
    assert MEASURED.model_copy(update={"reached": reached}).short == short
