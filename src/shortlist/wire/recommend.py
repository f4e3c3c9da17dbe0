"""Client to transformer: for whom a page is wanted, and the page; encoded by V1 of KServe.

``POST /v1/models/shortlist:predict`` with ``{"instances": [RecommendRequest, ...]}`` is answered
by ``{"predictions": [Page, ...]}``. For V2 see `shortlist.wire.tensors`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import Field

from shortlist.datasets.origins import Origin
from shortlist.datasets.schema import CONTEXT_FEATURES, CONTEXT_WIDTH
from shortlist.wire.causes import Cause
from shortlist.wire.reading import Body, Id, Key, Message, Number, Reader, loads

MODEL: Final = "shortlist"
V1_PATH: Final = f"/v1/models/{MODEL}:predict"

MOST_INSTANCES: Final = 32
MOST_EXCLUDED: Final = 1_000
MOST_VIDEOS: Final = 50
LAST_PAGE: Final = 1_000

Feature = Literal[CONTEXT_FEATURES]  # type: ignore[valid-type]
SourceName = Literal["popularity", "tags", "collaborative", "vector"]

_PLACES: Final = {name: place for place, name in enumerate(CONTEXT_FEATURES)}
_NAMES: Final = tuple(
    tuple(str(one.name).lower() for one in Origin if bits & one) for bits in range(16)
)


class RecommendRequest(Message):
    """For whom a page is wanted, and what must not stand on it."""

    user_id: Id
    context: dict[Feature, Number] = Field(
        default={}, description="Context features by name; what is not named is 0."
    )
    page_size: int = Field(10, strict=True, ge=1, le=MOST_VIDEOS, description="Videos wanted.")
    exclude: tuple[Id, ...] = Field(
        default=(), max_length=MOST_EXCLUDED, description="Videos that must not be shown."
    )
    session_id: Key | None = Field(
        default=None,
        description="Pages of one session repeat none of the last 500 videos that it has shown, as "
        "long as it is one of the user's last four. Without a name they are one session as well.",
    )
    page: int = Field(0, strict=True, ge=0, le=LAST_PAGE, description="Which page, from 0.")
    experiment: Key | None = Field(
        default=None,
        description="Name of what is tried: logged with every page. A stored list serves pages of "
        "one name alone. It assigns nobody to an arm and changes no ranking.",
    )
    again: bool = Field(
        False,
        strict=True,
        description="Whether videos that the user's history has may be shown once more.",
    )

    def context_vector(self) -> npt.NDArray[np.float32]:
        """The context as the ranker takes it, float32 [32]."""
        vector = np.zeros(CONTEXT_WIDTH, np.float32)
        for name, value in self.context.items():
            vector[_PLACES[name]] = value
        return vector


@dataclass(frozen=True, slots=True)
class ShownVideo:
    """One video of a page.

    Attributes:
        video_id: as in the dataset.
        position: place in the session's list, from 0; events and logs count alike.
        score: what it was ranked by.
        source: who recalled it.
        reason: why it stands there, for the viewer to read.
        propensity: probability that this video stood there, above 0 to 1.

    Raises:
        ValueError: a number could not cross the wire.
    """

    video_id: Id
    position: Annotated[int, Field(ge=0)]
    score: float
    source: tuple[SourceName, ...]
    reason: str
    propensity: Annotated[float, Field(gt=0, le=1)]

    def __post_init__(self) -> None:
        if not (math.isfinite(self.score) and 0 < self.propensity <= 1):
            raise ValueError(
                f"video {self.video_id} has score {self.score}, propensity {self.propensity}"
            )


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        user_id: for whom.
        request_id: by which events name the page.
        bundle: id of the one that made it.
        degraded: whether something failed that should not.
        degraded_by: what did, the first first.
        videos: the first slot first.
        next_page: what to ask for next; None where there is no more.
        timings_ms: milliseconds by stage.
    """

    user_id: Id
    request_id: str
    bundle: str
    degraded: bool
    degraded_by: tuple[Cause, ...]
    videos: tuple[ShownVideo, ...]
    next_page: int | None
    timings_ms: dict[str, float]


class V1Request(Message):
    """The body of V1."""

    instances: tuple[RecommendRequest, ...] = Field(min_length=1, max_length=MOST_INSTANCES)


@dataclass(frozen=True, slots=True)
class V1Answer:
    """The body that answers by V1: one page for each instance, in order."""

    predictions: tuple[Page, ...]


_REQUESTS: Final = Reader(V1Request)
_ANSWERS: Final = Reader(V1Answer)


def requests_from_v1(body: Body) -> tuple[RecommendRequest, ...]:
    """The requests of a body of V1.

    Raises:
        TooLargeError: it is too long.
        MalformedError: anything else is wrong with it; the field is named.

    >>> requests_from_v1(b'{"instances": [{"user_id": 7, "page_size": 3}]}')[0].page_size
    3
    """
    return _REQUESTS.body(body).instances


def requests_to_v1(requests: Sequence[RecommendRequest]) -> bytes:
    """The body of V1 that asks for ``requests``; what has its default is left out."""
    return orjson.dumps({"instances": [request_fields(request) for request in requests]})


def request_fields(request: RecommendRequest) -> dict[str, Any]:
    """The fields of a request that have not their default."""
    return request.model_dump(exclude_defaults=True)


def pages_to_v1(pages: Sequence[Page]) -> bytes:
    """The body of V1 that answers with ``pages``."""
    return orjson.dumps({"predictions": pages})


def pages_from_v1(body: bytes) -> tuple[Page, ...]:
    """The pages of an answer, as a client reads them.

    Raises:
        MalformedError: it is no answer.
    """
    return _ANSWERS.value(loads(body, len(body)), ()).predictions


def source_names(bits: int) -> tuple[str, ...]:
    """The names of the sources whose bits are set.

    >>> source_names(Origin.POPULARITY | Origin.VECTOR)
    ('popularity', 'vector')
    """
    return _NAMES[bits]
