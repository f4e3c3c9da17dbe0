"""What the slate is drawn from: the ranked candidates of one request, checked once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shortlist.errors import InputError


@dataclass(frozen=True, slots=True)
class Ranked:
    """The candidates of one request, the best first. Checked when made, trusted from then on.

    Attributes:
        video: rows of the videos table, int64 [k], each once.
        relevance: calibrated probability of a click, float32 [k].
        diversity: what the ranker's diversity head says, 0 to 1, float32 [k]: how much the video
            adds to a page beyond what a viewer like this has too much of. 0 changes nothing.
        sources: bits of `shortlist.datasets.origins.Origin`, uint8 [k].

    Raises:
        InputError: lengths differ, a video is listed twice or below 0, or a number is out of range.
    """

    video: npt.NDArray[np.int64]
    relevance: npt.NDArray[np.float32]
    diversity: npt.NDArray[np.float32]
    sources: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        shape = self.video.shape
        if len(shape) != 1:
            raise InputError(
                f"video has {len(shape)} dimensions; rank one request at a time, in one dimension"
            )
        for name in ("relevance", "diversity", "sources"):
            found = getattr(self, name).shape
            if found != shape:
                raise InputError(
                    f"{name} has shape {found}, but there are {len(self)} ranked videos; give one "
                    "value for each"
                )
        for name in ("relevance", "diversity"):
            values = getattr(self, name)
            # Written so that NaN fails too.
            if shape[0] and not (np.minimum.reduce(values) >= 0 and np.maximum.reduce(values) <= 1):
                at = int((~((values >= 0) & (values <= 1))).argmax())
                raise InputError(
                    f"{name} of video {self.video[at]} is {values[at]}; it must lie from 0 to 1"
                )
        ordered = np.sort(self.video)
        twice = ordered[1:] == ordered[:-1]
        if twice.any():
            raise InputError(
                f"video {ordered[1:][twice][0]} is ranked twice; list each candidate once"
            )
        if len(ordered) and ordered[0] < 0:
            raise InputError(f"video {ordered[0]} is no row of the videos table; rows start at 0")

    def __len__(self) -> int:
        return len(self.video)
