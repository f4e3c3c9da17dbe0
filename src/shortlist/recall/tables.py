"""The tables of recall on disk: plain arrays, and one record of what they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from pydantic import BaseModel, ConfigDict, ValidationError

from shortlist.datasets.interactions import Bools, Floats, Target
from shortlist.errors import CorruptError, NotFoundError
from shortlist.settings.recall import RecallSettings

RECORD: Final = "recall.json"


class _Record(BaseModel):
    """What the arrays are, and how they were made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Target
    as_of_day: int
    videos: int
    tags: int
    settings: RecallSettings


@dataclass(frozen=True)
class Tables:
    """What the sources that learn from a log know.

    Attributes:
        settings: by which they were made; a request must use the same.
        target: what recommendations should bring about.
        as_of_day: first day that was not learned from, in days since 1970-01-01.
        live: which videos may be recalled, bool [n].
        popularity: what popularity orders by, float32 [n].
        log_odds: of the target by video, float32 [n].
        tags: who has which tag, CSR of float32 ones, [n, n_tags].
        item_factors: float32 [n, width]; zeros where nobody liked a video.
    """

    settings: RecallSettings
    target: Target
    as_of_day: int
    live: Bools
    popularity: Floats
    log_odds: Floats
    tags: sp.csr_array
    item_factors: Floats

    def write(self, directory: Path) -> None:
        """Write into an existing directory; the caller puts it in place whole."""
        for name, values in self._arrays().items():
            np.save(directory / f"{name}.npy", values, allow_pickle=False)
        record = _Record(
            target=self.target,
            as_of_day=self.as_of_day,
            videos=len(self.live),
            tags=self.tags.shape[1],
            settings=self.settings,
        )
        (directory / RECORD).write_text(record.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            NotFoundError: there are no tables.
            CorruptError: a file cannot be read, or does not belong to the others.
        """
        path = directory / RECORD
        if not path.is_file():
            raise NotFoundError(f"there are no recall tables in {directory}; fit them first")
        try:
            record = _Record.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise CorruptError(
                f"{path} is not a record of recall tables; fit them again"
            ) from error
        n = record.videos
        borders = _array(directory, "tag_borders", (n + 1,), np.int64)
        codes = _array(directory, "tag_codes", (int(borders[-1]),), np.int32)
        if len(codes) and not 0 <= int(codes.min()) <= int(codes.max()) < record.tags:
            raise CorruptError(f"{directory}: tag_codes.npy names unknown tags; fit recall again")
        return cls(
            settings=record.settings,
            target=record.target,
            as_of_day=record.as_of_day,
            live=_array(directory, "live", (n,), np.bool_),
            popularity=_array(directory, "popularity", (n,), np.float32),
            log_odds=_array(directory, "log_odds", (n,), np.float32),
            tags=sp.csr_array(
                (np.ones(len(codes), np.float32), codes, borders), shape=(n, record.tags)
            ),
            item_factors=_array(
                directory, "item_factors", (n, record.settings.als_factors), np.float32
            ),
        )

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {
            "live": self.live,
            "popularity": self.popularity,
            "log_odds": self.log_odds,
            "tag_borders": self.tags.indptr.astype(np.int64),
            "tag_codes": self.tags.indices.astype(np.int32),
            "item_factors": self.item_factors,
        }


def _array(
    directory: Path, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike
) -> npt.NDArray[Any]:
    path = directory / f"{name}.npy"
    try:
        values: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CorruptError(f"{path} cannot be read; fit recall again") from error
    if values.shape != shape or values.dtype != dtype:
        raise CorruptError(
            f"{path} holds {values.dtype} {values.shape}, not {np.dtype(dtype)} {shape}; "
            "fit recall again"
        )
    return values
