"""The inner hop, from transformer to predictor: who asks and which videos, never their features.

``POST /v1/models/ranker:predict`` with ``{"instances": [RankRequest, ...]}`` is answered by
``{"predictions": [RankAnswer, ...]}``, or by a refusal (`shortlist.wire.refusals`). Arrays are
base64 of little-endian bytes. A predictor refuses fields that it does not know, since they may
change what is asked; whoever reads answers ignores them. So predictors are upgraded first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import orjson

from shortlist.datasets.events import KINDS, Events
from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.wire.arrays import Fields, encode_array
from shortlist.wire.reading import loads
from shortlist.wire.refusals import BadAnswerError, MalformedError, TooLargeError, decode_refusal

Rows = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

PATH: Final = "/v1/models/ranker:predict"
STAGES: Final = ("encode", "prerank", "rank")
"""Of which an answer gives the milliseconds."""

MOST_CANDIDATES: Final = 2_000
MOST_EVENTS: Final = 500
MOST_SHOWN: Final = 500
MOST_DECLARED: Final = 4_096
MOST_INSTANCES: Final = 16
LONGEST_TEXT: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class RankRequest:
    """Rank these candidates for this user. Rows are of the videos table of the bundle.

    Attributes:
        bundle: its id.
        budget_ms: what is left of the request's time.
        day: now, days since 1970-01-01, fractions allowed.
        candidates: int32 [n], 1 to 2,000.
        history_video: the last events, the oldest first, int32 [h], at most 500.
        history_kind: values of `shortlist.datasets.events.Kind`, uint8 [h].
        history_day: days since 1970-01-01, float64 [h].
        profile: what the user declared, then the tallies, float32 [p].
        context: float32 [32].
        session: the videos of the session so far, the oldest first, int32 [s], at most 500.
        trace: the W3C ``traceparent`` of the caller.
    """

    bundle: str
    budget_ms: float
    day: float
    candidates: Rows
    history_video: Rows
    history_kind: npt.NDArray[np.uint8]
    history_day: Doubles
    profile: Floats
    context: Floats
    session: Rows
    trace: str | None = None

    @property
    def history(self) -> Events:
        """The last events as the ranker takes them."""
        return Events(
            self.history_video.astype(np.int64),
            self.history_kind.astype(np.int8),
            self.history_day,
        )

    @classmethod
    def of(
        cls,
        *,
        bundle: str,
        budget_ms: float,
        day: float,
        candidates: npt.NDArray[Any],
        history: Events,
        profile: Floats,
        context: Floats,
        session: npt.NDArray[Any],
        trace: str | None = None,
    ) -> Self:
        """A request from what the recommender has; rows of any integer dtype, events of any number.

        Of events and session only the last that may cross are taken.
        """
        last = history.last(MOST_EVENTS)
        return cls(
            bundle=bundle,
            budget_ms=budget_ms,
            day=day,
            candidates=candidates.astype(np.int32, copy=False),
            history_video=last.video.astype(np.int32, copy=False),
            history_kind=last.kind.astype(np.uint8, copy=False),
            history_day=last.day,
            profile=profile,
            context=context,
            session=session[-MOST_SHOWN:].astype(np.int32, copy=False),
            trace=trace,
        )

    def fit(self, videos: int, profile_width: int) -> None:
        """Check what hangs on the bundle.

        Args:
            videos: rows of its videos table.
            profile_width: of its ranker.

        Raises:
            MalformedError: a row is not in the table, or the profile has another width.
        """
        for name in ("candidates", "history_video", "session"):
            rows = getattr(self, name)
            if rows.size and rows.max() >= videos:
                raise MalformedError(
                    name, f"holds row {rows.max()}, but bundle {self.bundle} has {videos} videos"
                )
        if len(self.profile) != profile_width:
            raise MalformedError(
                "profile",
                f"has {len(self.profile)} values, but bundle {self.bundle} takes {profile_width}",
            )


@dataclass(frozen=True, slots=True, eq=False)
class RankAnswer:
    """What the predictor says of the candidates.

    Attributes:
        bundle: the id of the one that answered.
        listed: places among the candidates of those ranked as a list, best by pre-rank first,
            int32 [l].
        click: logits of the list ranker for these, float32 [l].
        diversity: the diversity head for these, float32 [l].
        milliseconds: by name of `STAGES`.
    """

    bundle: str
    listed: Rows
    click: Floats
    diversity: Floats
    milliseconds: Mapping[str, float]


_REQUIRED: Final = frozenset(RankRequest.__slots__) - {"trace"}
_OPTIONAL: Final = frozenset({"trace"})
_ANSWERED: Final = frozenset(RankAnswer.__slots__)


def encode_requests(requests: Sequence[RankRequest]) -> bytes:
    """The body that asks for all of ``requests``."""
    return orjson.dumps({"instances": [_request_fields(request) for request in requests]})


def decode_requests(body: bytes | bytearray | memoryview) -> list[RankRequest]:
    """The requests of a body, 1 to 16; arrays cannot be written to.

    Raises:
        MalformedError: anything is wrong with it; the field is named.
        TooLargeError: it is longer than a request may be.
    """
    instances = Fields(loads(body), "body", {"instances"}, frozenset()).value("instances")
    if not isinstance(instances, list) or not 0 < len(instances) <= MOST_INSTANCES:
        raise MalformedError("instances", f"must be a list of 1 to {MOST_INSTANCES} requests")
    return [_request(one, f"instances[{place}]") for place, one in enumerate(instances)]


def encode_answers(answers: Sequence[RankAnswer]) -> bytes:
    """The body that answers with all of ``answers``, in the order of the requests."""
    return orjson.dumps({"predictions": [_answer_fields(answer) for answer in answers]})


def decode_answers(status: int, body: bytes, requests: Sequence[RankRequest]) -> list[RankAnswer]:
    """The answers to ``requests``; arrays cannot be written to.

    Args:
        status: of the HTTP answer.
        body: of it.
        requests: what was asked, in order.

    Raises:
        WireError: the predictor refused; a class of `shortlist.wire.refusals` for each kind.
        BadAnswerError: it answered what is no answer to these requests.
    """
    if status != 200:
        raise decode_refusal(status, body)
    try:
        value = loads(body)
        found = value.get("predictions") if isinstance(value, dict) else None
        if not isinstance(found, list) or len(found) != len(requests):
            raise MalformedError("predictions", f"must be a list of {len(requests)} answers")
        return [
            _answer(one, f"predictions[{place}]", request)
            for place, (one, request) in enumerate(zip(found, requests, strict=True))
        ]
    except (TooLargeError, MalformedError) as error:
        raise BadAnswerError(f"the predictor's answer is refused: {error}") from error


def _request_fields(request: RankRequest) -> dict[str, Any]:
    fields = {
        "bundle": request.bundle,
        "budget_ms": float(request.budget_ms),
        "day": float(request.day),
        "candidates": encode_array(request.candidates, "<i4"),
        "history_video": encode_array(request.history_video, "<i4"),
        "history_kind": encode_array(request.history_kind, "|u1"),
        "history_day": encode_array(request.history_day, "<f8"),
        "profile": encode_array(request.profile, "<f4"),
        "context": encode_array(request.context, "<f4"),
        "session": encode_array(request.session, "<i4"),
    }
    return fields if request.trace is None else fields | {"trace": request.trace}


def _request(value: object, place: str) -> RankRequest:
    fields = Fields(value, place, _REQUIRED, _OPTIONAL)
    request = RankRequest(
        bundle=fields.text("bundle", LONGEST_TEXT),
        budget_ms=fields.number("budget_ms"),
        day=fields.number("day"),
        candidates=fields.rows("candidates", MOST_CANDIDATES),
        history_video=fields.rows("history_video", MOST_EVENTS),
        history_kind=fields.small("history_kind", MOST_EVENTS, KINDS),
        history_day=fields.numbers("history_day", "<f8", MOST_EVENTS),
        profile=fields.numbers("profile", "<f4", MOST_DECLARED),
        context=fields.numbers("context", "<f4", CONTEXT_WIDTH),
        session=fields.rows("session", MOST_SHOWN),
        trace=fields.text_or_none("trace", LONGEST_TEXT),
    )
    if not len(request.candidates):
        raise MalformedError(fields.name("candidates"), "is empty; name what to rank")
    for name in ("history_kind", "history_day"):
        _same_length(fields, name, len(getattr(request, name)), len(request.history_video))
    if len(request.context) != CONTEXT_WIDTH:
        raise MalformedError(
            fields.name("context"), f"has {len(request.context)} values, not {CONTEXT_WIDTH}"
        )
    return request


def _answer_fields(answer: RankAnswer) -> dict[str, Any]:
    return {
        "bundle": answer.bundle,
        "listed": encode_array(answer.listed, "<i4"),
        "click": encode_array(answer.click, "<f4"),
        "diversity": encode_array(answer.diversity, "<f4"),
        "milliseconds": {name: float(took) for name, took in answer.milliseconds.items()},
    }


def _answer(value: object, place: str, request: RankRequest) -> RankAnswer:
    fields = Fields(value, place, _ANSWERED, value.keys() if isinstance(value, dict) else set())
    most = len(request.candidates)
    times = Fields(
        fields.value("milliseconds"), fields.name("milliseconds"), frozenset(STAGES), set()
    )
    answer = RankAnswer(
        bundle=fields.text("bundle", LONGEST_TEXT),
        listed=fields.rows("listed", most),
        click=fields.numbers("click", "<f4", most),
        diversity=fields.numbers("diversity", "<f4", most),
        milliseconds={name: times.number(name) for name in STAGES},
    )
    if answer.bundle != request.bundle:
        raise MalformedError(
            fields.name("bundle"), f"is {answer.bundle}, but {request.bundle} was asked"
        )
    for name in ("click", "diversity"):
        _same_length(fields, name, len(getattr(answer, name)), len(answer.listed))
    if answer.listed.size and answer.listed.max() >= most:
        raise MalformedError(
            fields.name("listed"), f"holds place {answer.listed.max()} of {most} candidates"
        )
    if answer.listed.size and np.bincount(answer.listed).max() > 1:
        raise MalformedError(fields.name("listed"), "holds a place twice")
    return answer


def _same_length(fields: Fields, name: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise MalformedError(fields.name(name), f"has {found} values, not {wanted}")
