"""Videos to vectors, the one way in: the verb, the judge and every later step call it."""

from pathlib import Path

import pyarrow as pa

from shortlist.encoders.cache import STEP_ROWS, Encoded, encode_texts
from shortlist.encoders.hashing import HashingEncoder
from shortlist.encoders.protocol import Encoder
from shortlist.encoders.text import video_texts
from shortlist.settings.encoders import EncodersSettings


def encode_videos(videos: pa.Table, settings: EncodersSettings, cache: Path) -> Encoded:
    """Vectors of videos, taken from the cache where it has them.

    Args:
        videos: a videos table of the schema, n rows.
        settings: which encoder.
        cache: directory of the cache (``paths.cache``); safe to delete.

    Returns:
        ``vectors``, float32 [n, width], in the order of the rows, and how many were reused.

    Raises:
        NotFoundError: the encoder's directory or hub model does not exist or cannot be reached.
        InputError: the directory or model is not an encoder.
        StorageError: the disk is full or refuses.
    """
    limit = int(settings.cache_gib * 2**30)
    # A step must hold a batch whole, or batches larger than steps would never be filled.
    step = max(STEP_ROWS, settings.batch_size)
    return encode_texts(video_texts(videos), load_encoder(settings), cache, limit, step)


def load_encoder(settings: EncodersSettings) -> Encoder:
    """The encoder that the settings name; raises as `encode_videos`."""
    if settings.kind == "hashing":
        return HashingEncoder(settings.width)
    # Imported here: hashing needs neither torch nor transformers.
    from shortlist.encoders.transformer import TransformerEncoder  # noqa: PLC0415

    return TransformerEncoder(settings.model, settings.revision, settings.batch_size)
