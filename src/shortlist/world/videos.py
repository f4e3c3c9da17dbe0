"""The videos of the world: what they truly are, and what they say of themselves."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shortlist.datasets import schema
from shortlist.settings.world import WorldSettings
from shortlist.world import vocabulary
from shortlist.world.streams import Streams, choose
from shortlist.world.taste import TasteSpace

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIRST_VIDEO_ID = 1_000_000
_CREATOR_SHARE = 0.25
_HOME_TAG = 0.8
_MAX_TAGS = 4
_TITLE_WORDS = (4, 9)
_BLOCK = 1_024


@dataclass(frozen=True)
class Videos:
    """What videos truly are; row ``j`` everywhere is the video ``FIRST_VIDEO_ID + j``.

    Attributes:
        taste: place in the space of taste, unit variance a coordinate, float64 [n, k].
        tag: main tag, int64 [n].
        creator: int64 [n].
        appeal: logits by which anyone clicks it more, float64 [n].
        hype: log exposure that appeal does not explain, float64 [n].
        duration_seconds: float64 [n].
        language: index into ``vocabulary.LANGUAGES``, int64 [n].
        upload_day: days since the first day of logs, negative before it, float64 [n].
    """

    taste: Doubles
    tag: Ints
    creator: Ints
    appeal: Doubles
    hype: Doubles
    duration_seconds: Doubles
    language: Ints
    upload_day: Doubles

    def __len__(self) -> int:
        return len(self.tag)

    @property
    def ids(self) -> Ints:
        """Public ids, ascending, int64 [n]."""
        return np.arange(FIRST_VIDEO_ID, FIRST_VIDEO_ID + len(self), dtype=np.int64)


def make_videos(settings: WorldSettings, space: TasteSpace, streams: Streams) -> Videos:
    """Draw every video of the world; they are numbered in the order of their upload."""
    count, width = settings.videos, settings.dimensions
    makers, makers_tag, makers_language = _creators(settings, space, streams)
    size = np.exp(1.0 * streams.normal("creator size", 0, settings.creators))
    creator = choose(np.cumsum(size)[None], streams.uniform("video creator", 0, count))
    stray = choose(np.cumsum(space.tag_weights)[None], streams.uniform("stray tag", 0, count))
    at_home = streams.uniform("at home", 0, count) < _HOME_TAG
    tag = np.where(at_home, makers_tag[creator], stray)

    own = streams.normal_rows("video taste", 0, count, width)
    rest = np.sqrt(_CREATOR_SHARE) * makers[creator] + np.sqrt(1 - _CREATOR_SHARE) * own
    taste = np.sqrt(settings.tag_share) * space.tags[tag] + np.sqrt(1 - settings.tag_share) * rest

    fame = streams.normal("creator appeal", 0, settings.creators)[creator]
    appeal = np.sqrt(0.3) * fame + np.sqrt(0.7) * streams.normal("video appeal", 0, count)
    other = choose(
        np.cumsum(vocabulary.LANGUAGE_SHARES)[None], streams.uniform("other language", 0, count)
    )
    keeps = streams.uniform("keeps language", 0, count) < 0.9
    when = np.sort(streams.uniform("upload time", 0, count))
    return Videos(
        taste=taste,
        tag=tag,
        creator=creator,
        appeal=settings.appeal_deviation * appeal,
        hype=settings.hype_deviation * streams.normal("hype", 0, count),
        duration_seconds=np.exp(np.log(55) + 1.1 * streams.normal("duration", 0, count)).clip(
            4, 900
        ),
        language=np.where(keeps, makers_language[creator], other),
        upload_day=when * (settings.stock_days + settings.days) - settings.stock_days,
    )


def videos_table(
    settings: WorldSettings, videos: Videos, space: TasteSpace, streams: Streams
) -> pa.Table:
    """What videos say of themselves, as the ``videos`` table of the schema.

    Titles and tags are noisy views of the taste: the nearer a word or a tag lies, the likelier.
    """
    titles: list[str] = []
    tags: list[list[str]] = []
    for start in range(0, len(videos), _BLOCK):
        stop = min(start + _BLOCK, len(videos))
        taste = videos.taste[start:stop]
        titles += _titles(settings, taste, space, streams, start)
        tags += _tags(settings, taste, space, streams, start)
    epoch = dt.datetime.combine(settings.first_day, dt.time(), tzinfo=dt.UTC).timestamp()
    uploaded = ((epoch + videos.upload_day * 86_400) * 1_000).astype(np.int64)
    return pa.table(
        {
            "video_id": videos.ids,
            "external_id": pa.nulls(len(videos), pa.string()),
            "title": titles,
            "tags": tags,
            "creator_id": videos.creator,
            "duration_seconds": videos.duration_seconds.astype(np.float32),
            "language": np.array(vocabulary.LANGUAGES)[videos.language],
            "uploaded_at": pa.array(uploaded, pa.timestamp("ms", tz="UTC")),
        },
        schema=schema.VIDEOS,
    )


def _creators(
    settings: WorldSettings, space: TasteSpace, streams: Streams
) -> tuple[Doubles, Ints, Ints]:
    count = settings.creators
    tag = choose(np.cumsum(space.tag_weights)[None], streams.uniform("creator tag", 0, count))
    language = choose(
        np.cumsum(vocabulary.LANGUAGE_SHARES)[None], streams.uniform("creator language", 0, count)
    )
    taste = streams.normal_rows("creator taste", 0, count, settings.dimensions)
    return taste, tag, language


def _titles(
    settings: WorldSettings, taste: Doubles, space: TasteSpace, streams: Streams, start: int
) -> list[str]:
    low, high = _TITLE_WORDS
    rows = len(taste)
    # einsum, not BLAS: its rounding does not depend on the number of rows or threads.
    nearness = np.einsum("nk,wk->nw", taste, space.words) / np.sqrt(settings.dimensions)
    cumulative = np.cumsum(np.exp(settings.title_focus * nearness), axis=1)
    lengths = low + (streams.uniform("title length", start, rows) * (high - low)).astype(np.int64)
    draws = streams.uniform_rows("title words", start, rows, high)
    names = np.array(space.word_names)
    words = np.stack([names[choose(cumulative, draws[:, i])] for i in range(high)], axis=1)
    return [
        " ".join(dict.fromkeys(row[:n])).capitalize() for row, n in zip(words, lengths, strict=True)
    ]


def _tags(
    settings: WorldSettings, taste: Doubles, space: TasteSpace, streams: Streams, start: int
) -> list[list[str]]:
    rows, count = len(taste), len(vocabulary.TAG_NAMES)
    nearness = np.einsum("nk,tk->nt", taste, space.tags) / np.sqrt(settings.dimensions)
    # The largest keys of a Gumbel race are a draw without replacement.
    race = -np.log(-np.log(streams.uniform_rows("tag race", start, rows, count)))
    order = np.argsort(-(3 * settings.tag_focus * nearness + race), axis=1)[:, :_MAX_TAGS]
    how_many = 1 + (streams.uniform("tag count", start, rows) * _MAX_TAGS).astype(np.int64)
    names = vocabulary.TAG_NAMES
    return [[names[t] for t in row[:n]] for row, n in zip(order, how_many, strict=True)]
