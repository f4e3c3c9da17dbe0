"""The encode step: videos to content vectors, kept in the cache and nowhere else."""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shortlist.datasets.interactions import Floats
from shortlist.datasets.store import Dataset
from shortlist.encoders.videos import encode_videos
from shortlist.evaluation.stages import Stages
from shortlist.settings.encoders import EncodersSettings
from shortlist.steps.shards import fan_out

NAME = "encode"


@dataclass(frozen=True)
class Content:
    """Content vectors of a dataset's videos.

    Attributes:
        vectors: float32 [n_videos, width], rows of unit length.
        digest: SHA-256 of them, for the steps that read them.
        encoder: identity of the encoder.
    """

    vectors: Floats
    digest: str
    encoder: str


def encode(
    dataset: Dataset, settings: EncodersSettings, cache: Path, shards: int, stages: Stages
) -> Content:
    """Vectors of all videos; those that the cache has are reused.

    Raises:
        NotFoundError, InputError: the encoder cannot be had, or is none.
        StorageError: the disk refused.
    """
    with stages.stage(NAME) as stage:
        fresh = 0
        if shards > 1:
            fresh = sum(fan_out(partial(encode_share, dataset, settings, cache), shards))
        encoded = encode_videos(dataset.videos(), settings, cache)
        fresh += encoded.distinct - encoded.reused
        stage.done(
            f"{len(encoded.vectors):,} videos, {fresh:,} texts encoded, the others reused",
            reused=fresh == 0,
        )
    digest = hashlib.sha256(f"{encoded.vectors.shape}".encode())
    digest.update(encoded.vectors.data)
    return Content(encoded.vectors, digest.hexdigest(), encoded.encoder_key)


def encode_share(
    dataset: Dataset, settings: EncodersSettings, cache: Path, shard: int, shards: int
) -> int:
    """Put the vectors of one of ``shards`` parts of the videos into the cache.

    A vector is a function of its text alone, so the parts can be cut anywhere.

    Returns:
        How many texts were encoded here.
    """
    videos = dataset.videos()
    first, last = (len(videos) * at // shards for at in (shard, shard + 1))
    encoded = encode_videos(videos.slice(first, last - first), settings, cache)
    return encoded.distinct - encoded.reused
