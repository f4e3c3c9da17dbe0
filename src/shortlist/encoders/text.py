"""One text per video, the same for every encoder: title, tags, creator, duration, language."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import pyarrow as pa

FIELDS: Final = ("title", "tags", "creator", "duration", "language")
"""Labels of the lines of a text, in their order."""

DURATION_BORDERS: Final = (7, 15, 30, 60, 120, 300, 600)
"""Seconds at which one bucket of durations ends and the next begins."""

TAG_SEPARATOR: Final = ", "


def video_texts(videos: pa.Table) -> list[str]:
    r"""Describe each video in a few labelled lines; what is unknown has no line.

    Durations are given as one of eight buckets, so that videos of like length share a text. A video
    of which nothing is known has the empty text.

    Args:
        videos: a videos table of the schema, n rows; other columns than those read may be absent.

    Returns:
        n texts, in the order of the rows.

    >>> table = pa.table({
    ...     "title": ["Sunset over\nthe harbour", None],
    ...     "tags": [["beaches", "city walks"], []],
    ...     "creator_id": [17, None],
    ...     "duration_seconds": [21.5, 900.0],
    ...     "language": ["en", None],
    ... })
    >>> for text in video_texts(table):
    ...     print(text)
    title: Sunset over the harbour
    tags: beaches, city walks
    creator: 17
    duration: 15 to 30 seconds
    language: en
    duration: over 600 seconds
    """
    columns = [
        videos.column(name).to_pylist()
        for name in ("title", "tags", "creator_id", "duration_seconds", "language")
    ]
    return [_text(*row) for row in zip(*columns, strict=True)]


def duration_bucket(seconds: float) -> str:
    """The bucket of a duration, borders belonging to the longer one.

    >>> [duration_bucket(seconds) for seconds in (6.9, 7, 599, 600)]
    ['under 7 seconds', '7 to 15 seconds', '300 to 600 seconds', 'over 600 seconds']
    """
    place = bisect_right(DURATION_BORDERS, seconds)
    if place == 0:
        return f"under {DURATION_BORDERS[0]} seconds"
    if place == len(DURATION_BORDERS):
        return f"over {DURATION_BORDERS[-1]} seconds"
    return f"{DURATION_BORDERS[place - 1]} to {DURATION_BORDERS[place]} seconds"


def split_fields(text: str) -> dict[str, str]:
    r"""Read a text back into its fields; a line without a known label belongs to the title.

    >>> split_fields("title: Sunset: part 2\ntags: beaches, city walks")
    {'title': 'Sunset: part 2', 'tags': 'beaches, city walks'}
    >>> split_fields("free text")
    {'title': 'free text'}
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        label, separator, value = line.partition(": ")
        if not separator or label not in FIELDS:
            label, value = "title", line
        found[label] = f"{found[label]} {value}" if label in found else value
    return found


def _text(
    title: str | None,
    tags: Sequence[str | None] | None,
    creator: int | None,
    seconds: float | None,
    language: str | None,
) -> str:
    # A comma separates tags, so that none may hold one.
    names = [_one_line((tag or "").replace(",", " ")) for tag in tags or ()]
    values = (
        _one_line(title or ""),
        TAG_SEPARATOR.join(name for name in names if name),
        "" if creator is None else str(creator),
        # NaN is unequal to itself.
        "" if seconds is None or seconds != seconds else duration_bucket(seconds),  # noqa: PLR0124
        _one_line(language or ""),
    )
    lines = [f"{label}: {value}" for label, value in zip(FIELDS, values, strict=True) if value]
    return "\n".join(lines)


def _one_line(value: str) -> str:
    return " ".join(value.split())
