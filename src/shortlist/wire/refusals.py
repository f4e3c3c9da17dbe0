"""What a server answers instead of what was asked: a kind, one sentence, and the field if any.

On the wire: ``{"error": {"kind": "malformed", "message": "...", "field": "instances[0].day"}}``,
with the HTTP status of the kind; ``field`` only where one is to blame.
"""

from typing import Any, Final

import orjson

from shortlist.errors import ShortlistError, UnavailableError


class WireError(ShortlistError):
    """Base of the refusals of a server; the label is the kind on the wire."""

    exit_code = 76
    field: str | None = None

    @property
    def kind(self) -> str:
        """As it crosses the wire."""
        return self.label


class MalformedError(WireError):
    """A message is not what it should be.

    Attributes:
        field: which part of it; ``body`` is the whole.
    """

    http_status = 400
    exit_code = 65
    label = "malformed"

    def __init__(self, field: str, problem: str) -> None:
        """Name the field.

        Args:
            field: dotted, places of lists in brackets.
            problem: the rest of the sentence.
        """
        super().__init__(f"{field} {problem}")
        self.field = field


class UnauthorisedError(WireError):
    """The caller gave no key, or one that nobody has."""

    http_status = 401
    label = "unauthorised"


class UnknownError(WireError):
    """The thing that a route names does not exist."""

    http_status = 404
    label = "unknown"


class WrongMethodError(WireError):
    """The path takes other methods of HTTP."""

    http_status = 405
    label = "wrong_method"


class UnknownBundleError(WireError):
    """The predictor holds other bundles."""

    http_status = 409
    label = "unknown_bundle"


class TooLargeError(WireError):
    """The body is longer than a server reads."""

    http_status = 413
    label = "too_large"


class RateLimitedError(WireError):
    """The caller asks too often."""

    http_status = 429
    label = "rate_limited"


class InternalError(WireError):
    """A server failed by its own fault."""

    http_status = 500
    label = "internal"


class BadAnswerError(WireError):
    """The predictor answered something else than an answer."""

    http_status = 502
    label = "bad_answer"


class NotReadyError(WireError):
    """A server cannot answer yet, or no longer."""

    http_status = 503
    label = "not_ready"


class UnservableError(WireError):
    """No bundle was ever served, and the one that is wanted cannot be: waiting alone is no help."""

    http_status = 503
    label = "unservable"


class OverloadedError(WireError):
    """More is asked at once than is answered in any useful time."""

    http_status = 503
    label = "overloaded"


class OverBudgetError(WireError):
    """The time that the request gave is spent, or too short for the work."""

    http_status = 504
    label = "over_budget"


REFUSALS: Final[dict[str, type[WireError]]] = {
    refusal.label: refusal
    for refusal in (
        UnauthorisedError,
        UnknownError,
        WrongMethodError,
        UnknownBundleError,
        TooLargeError,
        RateLimitedError,
        InternalError,
        BadAnswerError,
        NotReadyError,
        UnservableError,
        OverloadedError,
        OverBudgetError,
    )
} | {MalformedError.label: MalformedError}
"""By kind."""
KINDS: Final[dict[str, type[ShortlistError]]] = REFUSALS | {
    UnavailableError.label: UnavailableError
}
"""What callers may be answered, by kind."""

_FAILED: Final = "the server failed; its log says why"
_AWAY: Final = "a service that this one leans on does not answer; ask again in a second"
_LONGEST_MESSAGE: Final = 500


def encode_refusal(error: Exception) -> tuple[int, bytes]:
    """HTTP status and body for an error.

    What is our bug says no more than that there is one. Of other errors only refusals are written
    for callers; the sentences of the rest name paths and addresses, and stay here.

    >>> encode_refusal(MalformedError("day", "is missing"))
    (400, b'{"error":{"kind":"malformed","message":"day is missing","field":"day"}}')
    >>> encode_refusal(ZeroDivisionError("secret"))
    (500, b'{"error":{"kind":"internal","message":"the server failed; its log says why"}}')
    """
    if not isinstance(error, ShortlistError):
        error = InternalError(_FAILED)
    message = str(error)
    if not isinstance(error, WireError):
        message = _AWAY if isinstance(error, UnavailableError) else _FAILED
    told = {"kind": error.label, "message": message}
    field = getattr(error, "field", None)
    if field is not None:
        told["field"] = field
    # What came with a request may be quoted in the sentence, broken signs included.
    told = {name: text.encode("utf-8", "replace").decode() for name, text in told.items()}
    return error.http_status, orjson.dumps({"error": told})


def decode_refusal(status: int, body: bytes) -> WireError:
    """The error that a server of ours, or TorchServe itself, answered.

    Args:
        status: of the HTTP answer.
        body: of it.
    """
    told = _read(body)
    error = told.get("error")
    if not isinstance(error, dict):
        return _foreign(status, told)
    message = str(error.get("message") or "no reason given")[:_LONGEST_MESSAGE]
    kind, field = error.get("kind"), error.get("field")
    if kind == MalformedError.label:
        place = field if isinstance(field, str) else "body"
        return MalformedError(place, message.removeprefix(f"{place} "))
    refusal = REFUSALS.get(kind, InternalError) if isinstance(kind, str) else InternalError
    return refusal(message)


def is_refusal(body: bytes) -> bool:
    """Whether a server of ours, and nobody else, refused so.

    >>> is_refusal(b'{"error":{"kind":"not_ready","message":"wait"}}'), is_refusal(b"<html>")
    (True, False)
    """
    return isinstance(_read(body).get("error"), dict)


def _read(body: bytes) -> dict[str, Any]:
    """An object of JSON; an empty one where the body is something else."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _foreign(status: int, told: dict[str, Any]) -> WireError:
    """What TorchServe says: ``{"code": 503, "type": "...", "message": "..."}``; or a proxy."""
    message = told.get("message")
    said = f"HTTP {status}" + (f": {message}"[:_LONGEST_MESSAGE] if message else "")
    # A model that is not loaded yet is 404 there.
    return NotReadyError(said) if status in (404, 502, 503, 507) else InternalError(said)
