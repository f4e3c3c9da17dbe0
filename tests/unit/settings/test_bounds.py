"""Every number has bounds, and nothing that is no number passes for one."""

import datetime as dt

import pytest
from annotated_types import Ge, Gt, Le, Lt

from shortlist.errors import SettingsError
from shortlist.settings import load
from shortlist.settings.tree import leaves

NUMBERS = {
    name: field
    for name, field in leaves()
    if field.annotation in (int, float, int | None, float | None, dt.date)
}
FLOATS = [name for name, field in NUMBERS.items() if field.annotation in (float, float | None)]


def refusal(name: str, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(assignments=[f"{name}={text}"], environ={"SHORTLIST_CONFIG": ""})
    return str(caught.value)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_bounded_on_both_sides(name: str) -> None:
    bounds = NUMBERS[name].metadata
    assert any(isinstance(bound, Ge | Gt) for bound in bounds)
    assert any(isinstance(bound, Le | Lt) for bound in bounds)


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_what_is_not_finite_is_called_so(name: str, text: str) -> None:
    expected = f"{name} cannot be '{text}' (command line): input should be a finite number"
    assert refusal(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("world.users", str(10**20), "input should be less than or equal to 100000000"),
        ("world.affinity_deviation", "1e300", "input should be less than or equal to 20"),
        ("world.first_day", "9999-12-31", "input should be less than or equal to 2100-01-01"),
        ("seed", str(2**32), "input should be less than or equal to 4294967295"),
        ("ranker.seed", str(2**32), "input should be less than or equal to 4294967295"),
        (
            "slate.trade_off",
            "2",
            "input should be 'auto', or input should be less than or equal to 1",
        ),
    ],
)
def test_an_absurd_value_is_refused_with_the_bound(name: str, text: str, reason: str) -> None:
    assert refusal(name, text) == f"{name} cannot be '{text}' (command line): {reason}"
