"""A child reads the settings of whoever started it, and secrets only where it needs them."""

import pytest

from model_handlers.environment import environment
from shortlist.settings import load

AMBIENT = {"PATH": "/bin", "SHORTLIST_ONLINE__PREFIX": "ambient", "SHORTLIST_CONFIG": "x.yaml"}


@pytest.fixture
def given():
    return load(
        environ={"SHORTLIST_CONFIG": ""},
        assignments=[
            "online.password=p=,: #'",
            "online.url=rediss://h:6380/1",
            "serving.keys=a:0123456789abcdef,b:fedcba9876543210",
            "serving.guarded=false",
            "telemetry.log_level=info",
        ],
    ).settings


def test_secrets_go_with_the_rest_where_they_are_wanted(given) -> None:
    branches = ("paths", "serving", "online", "telemetry")
    found = load(environ=environment(given, branches, AMBIENT, secrets=True)).settings
    assert (found.serving, found.online, found.telemetry) == (
        given.serving,
        given.online,
        given.telemetry,
    )


def test_else_they_are_left_out(given) -> None:
    told = environment(given, ("serving", "online"), AMBIENT)
    assert "SHORTLIST_SERVING__KEYS" not in told
    assert "SHORTLIST_ONLINE__PASSWORD" not in told
    assert not [text for text in told.values() if "0123456789abcdef" in text or "*" in text]
    assert told["SHORTLIST_ONLINE__PREFIX"] == "sl"


def test_other_branches_and_what_is_set_around_are_not_handed_on(given) -> None:
    told = environment(given, ("telemetry",), AMBIENT)
    assert told == {
        "PATH": "/bin",
        "SHORTLIST_CONFIG": "",
        "SHORTLIST_TELEMETRY__LOG_LEVEL": "info",
    }
