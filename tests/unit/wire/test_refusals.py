"""Refusals have a status and a kind, cross the wire, and tell nothing that they should not."""

from http import HTTPStatus

import orjson
import pytest

from shortlist.errors import CorruptError, UnavailableError
from shortlist.wire.refusals import (
    REFUSALS,
    InternalError,
    MalformedError,
    NotReadyError,
    decode_refusal,
    encode_refusal,
)

STATUSES = {
    "malformed": 400,
    "unauthorised": 401,
    "unknown": 404,
    "wrong_method": 405,
    "unknown_bundle": 409,
    "too_large": 413,
    "rate_limited": 429,
    "internal": 500,
    "bad_answer": 502,
    "not_ready": 503,
    "unservable": 503,
    "overloaded": 503,
    "over_budget": 504,
}


def test_every_kind_has_its_status() -> None:
    assert {kind: refusal.http_status for kind, refusal in REFUSALS.items()} == STATUSES
    assert all(HTTPStatus(status) for status in STATUSES.values())


@pytest.mark.parametrize("kind", sorted(set(STATUSES) - {"malformed"}))
def test_a_refusal_crosses_the_wire(kind: str) -> None:
    error = REFUSALS[kind]("only so far")
    found = decode_refusal(*encode_refusal(error))
    assert (type(found), str(found), found.kind) == (type(error), "only so far", kind)


def test_the_field_crosses_too() -> None:
    found = decode_refusal(*encode_refusal(MalformedError("instances[0].day", "is missing")))
    assert (found.field, str(found)) == ("instances[0].day", "instances[0].day is missing")


@pytest.mark.parametrize("error", [CorruptError, UnavailableError])
def test_any_expected_error_is_answered_with_its_own_status_and_without_places(error) -> None:
    status, body = encode_refusal(error("/srv/items.npy at redis://store:6379 is away"))
    assert (status, orjson.loads(body)["error"]["kind"]) == (503, error.label)
    assert not any(place in body for place in (b"/srv", b"redis:", b"6379"))
    assert isinstance(decode_refusal(status, body), InternalError)


def test_a_sentence_that_quotes_broken_signs_can_be_sent() -> None:
    status, body = encode_refusal(MalformedError("user_id", "is \ud800"))
    assert (status, b"user_id is ?" in body) == (400, True)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, b'{"code":503,"type":"x","message":"no worker"}', NotReadyError),
        (404, b'{"code":404,"type":"x","message":"Model not found"}', NotReadyError),
        (502, b"<html>bad gateway</html>", NotReadyError),
        (500, b"", InternalError),
        (400, b"[]", InternalError),
        (418, b'{"error": "old style"}', InternalError),
        (500, b'{"error": {"kind": ["x"], "message": {"a": 1}}}', InternalError),
        (500, b'{"error": {"kind": "teapot"}}', InternalError),
        (400, b'{"error": {"kind": "malformed", "field": 7}}', MalformedError),
    ],
)
def test_whatever_a_server_answers_is_a_refusal(status: int, body: bytes, kind: type) -> None:
    assert type(decode_refusal(status, body)) is kind


def test_an_endless_sentence_is_cut() -> None:
    body = b'{"error": {"kind": "internal", "message": "' + b"x" * 100_000 + b'"}}'
    assert len(str(decode_refusal(500, body))) == 500
