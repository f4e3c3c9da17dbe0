"""What a card needs to know of a video: ``GET /v1/videos?ids=1,2,3``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import orjson
from pydantic import Field

from shortlist.wire.events import id_from_path
from shortlist.wire.reading import Id, Reader, loads
from shortlist.wire.recommend import MOST_VIDEOS
from shortlist.wire.refusals import MalformedError

VIDEOS_PATH: Final = "/v1/videos"
IDS_PATTERN: Final = rf"^-?[0-9]{{1,19}}(,-?[0-9]{{1,19}}){{0,{MOST_VIDEOS - 1}}}$"


@dataclass(frozen=True, slots=True)
class VideoCard:
    """One video as a viewer sees it; what a source cannot know is None.

    Attributes:
        video_id: as in the dataset.
        title: in its own language.
        tags: as the source lists them.
        creator_id: as in the dataset.
        duration_seconds: of the whole video.
        language: code of ISO 639-1, where the source writes one.
    """

    video_id: Id
    title: str | None
    tags: tuple[str, ...]
    creator_id: Id | None
    duration_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
    language: str | None


@dataclass(frozen=True, slots=True)
class VideosAnswer:
    """The videos that were asked for, in order.

    Attributes:
        videos: those that there are.
        unknown: ids that no video has.
    """

    videos: tuple[VideoCard, ...]
    unknown: tuple[Id, ...]


_ANSWERS: Final = Reader(VideosAnswer)


def ids_from_query(text: str | None) -> tuple[int, ...]:
    """The ids that a query names, each once.

    Args:
        text: ids with commas between; None where the query has no ``ids``.

    Raises:
        MalformedError: it is missing, too long, or one is no id; the field is named.

    >>> ids_from_query("7,-1,7")
    (7, -1)
    """
    if not text:
        raise MalformedError("ids", "is missing; write ids with commas between: ids=1,2,3")
    # What is far too long is not even split.
    parts = text.split(",", MOST_VIDEOS)
    if len(parts) > MOST_VIDEOS:
        raise MalformedError("ids", f"names more than {MOST_VIDEOS} videos; ask in parts")
    return tuple(
        dict.fromkeys(id_from_path(part, f"ids[{place}]") for place, part in enumerate(parts))
    )


def videos_to_body(videos: Sequence[VideoCard], unknown: Sequence[int]) -> bytes:
    """The body that answers.

    Args:
        videos: those that there are.
        unknown: ids that no video has.
    """
    return orjson.dumps(VideosAnswer(tuple(videos), tuple(unknown)))


def videos_from_body(body: bytes) -> VideosAnswer:
    """The answer of a body, as a client reads it.

    Raises:
        MalformedError: it is none.
    """
    return _ANSWERS.value(loads(body, len(body)), ())
