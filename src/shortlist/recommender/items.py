"""The items part: what row numbers and columns refer to, and the content vectors of the videos."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue, upload_days
from shortlist.datasets.declared import Vocabulary
from shortlist.datasets.interactions import Ints
from shortlist.errors import CorruptError, NotFoundError
from shortlist.files import staged_directory

VIDEOS: Final = "videos.parquet"
CONTENT: Final = "content.npy"


def write_items(
    videos: pa.Table, content: npt.NDArray[Any], vocabulary: Vocabulary, into: Path
) -> None:
    """Write the part; the same bytes for the same input.

    Args:
        videos: the videos table, ascending by ``video_id``.
        content: content vectors, float16 or float32 [n, c]; kept in half precision.
        vocabulary: of what users declare.
        into: directory to write; replaced whole.

    Raises:
        StorageError: the disk refused.
    """
    with staged_directory(into) as aside:
        pq.write_table(videos.combine_chunks(), aside / VIDEOS, compression="zstd")
        np.save(aside / CONTENT, content.astype(np.float16), allow_pickle=False)
        vocabulary.save(aside)


def read_items(directory: Path) -> tuple[Catalogue, npt.NDArray[np.float16]]:
    """The videos, and their content vectors, memory-mapped.

    Raises:
        NotFoundError: a file is missing.
        CorruptError: a file cannot be read, or the two are not of the same videos.
    """
    table = _videos(directory, None)
    if table.schema.names != schema.VIDEOS.names:
        raise CorruptError(f"{directory / VIDEOS} is no table of videos; make the items again")
    content = mapped(directory / CONTENT, np.dtype(np.float16), table.num_rows, "make the items")
    return Catalogue.from_table(table), content


def read_upload_days(directory: Path) -> Ints:
    """When each video appeared, days since 1970-01-01, int64 [n]; nothing else of it is read.

    Raises:
        NotFoundError: the table is missing.
        CorruptError: it cannot be read.
    """
    return upload_days(_videos(directory, ["uploaded_at"]).column("uploaded_at"))


def _videos(directory: Path, columns: list[str] | None) -> pa.Table:
    path = directory / VIDEOS
    if not path.is_file():
        raise NotFoundError(f"{path} is missing; make the items again")
    try:
        table = pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowInvalid) as error:
        raise CorruptError(f"{path} cannot be read; make the items again") from error
    if columns is not None and table.schema.names != columns:
        raise CorruptError(f"{path} is no table of videos; make the items again")
    return table


def mapped(path: Path, dtype: np.dtype[Any], rows: int, remedy: str) -> npt.NDArray[Any]:
    """An array of two dimensions on disk, memory-mapped.

    Args:
        path: of the file.
        dtype: that it must have.
        rows: that it must have.
        remedy: how to make it again.

    Raises:
        NotFoundError: it is missing.
        CorruptError: it cannot be read, or is of another type or length.
    """
    try:
        values: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise NotFoundError(f"{path} is missing; {remedy} again") from error
    except (OSError, ValueError, EOFError) as error:
        raise CorruptError(f"{path} cannot be read; {remedy} again") from error
    if values.dtype != dtype or values.ndim != 2 or len(values) != rows:
        raise CorruptError(
            f"{path} holds {values.dtype} {values.shape}, not {dtype} of {rows} videos; "
            f"{remedy} again"
        )
    return values
