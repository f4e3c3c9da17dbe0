"""Each family of failures has its own exit code and label, and a fitting HTTP status."""

from http import HTTPStatus

import pytest

from pipelines.server import ServerError
from shortlist import errors
from shortlist.cli.main import INTERRUPTED, USAGE
from shortlist.errors import ShortlistError
from shortlist.wire.refusals import WireError

FAMILIES = [
    found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, ShortlistError)
]


def test_no_two_families_share_an_exit_code_or_a_label() -> None:
    assert len({family.exit_code for family in FAMILIES}) == len(FAMILIES)
    assert len({family.label for family in FAMILIES}) == len(FAMILIES)


def test_the_gates_exit_code_is_nobody_elses() -> None:
    others = {USAGE, INTERRUPTED}
    found = [ShortlistError]
    while found:
        family = found.pop()
        found += family.__subclasses__()
        if family is not errors.GateError:
            others.add(family.exit_code)
    assert {WireError.exit_code, ServerError.exit_code} <= others
    assert errors.GateError.exit_code not in others


@pytest.mark.parametrize("family", FAMILIES)
def test_an_exit_code_means_failure_and_is_no_signal(family: type[ShortlistError]) -> None:
    assert 0 < family.exit_code < 126


@pytest.mark.parametrize("family", FAMILIES)
def test_a_status_is_a_failure_that_http_knows(family: type[ShortlistError]) -> None:
    assert HTTPStatus(family.http_status) >= 400


@pytest.mark.parametrize("family", FAMILIES)
def test_a_label_fits_a_counter(family: type[ShortlistError]) -> None:
    assert family.label.replace("_", "").isalpha()
    assert family.label == family.label.lower()


def test_what_the_client_did_wrong_is_a_client_error() -> None:
    client = {family.label for family in FAMILIES if family.http_status < 500}
    assert client == {"input", "not_found", "refused", "gate"}
