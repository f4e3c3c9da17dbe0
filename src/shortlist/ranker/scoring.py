"""A trained ranker without torch: its three graphs under onnxruntime, its item table mapped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from shortlist.datasets.events import Events
from shortlist.errors import CorruptError, NotFoundError
from shortlist.ranker.artefacts import GRAPHS, ITEMS, Note
from shortlist.ranker.inputs import PaddedHistories, padded

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]

_JUDGED: Final = {"user", "tokens", "ages", "filled", "rows", "context", "moment"}
_TAKEN: Final = {
    "history": {"rows", "kinds", "ages", "filled", "profile"},
    "prerank": _JUDGED,
    "listwise": _JUDGED | {"prerank", "listed"},
}
"""What each graph takes."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Users as the ranker sees them.

    Attributes:
        user: user vectors, the queries of the vector recall, float32 [b, 128].
        tokens: float32 [b, 1 + h, w].
        histories: what they were made from.
    """

    user: Floats
    tokens: Floats
    histories: PaddedHistories

    def take(self, rows: Ints) -> "Encoded":
        """The given users."""
        held = self.histories
        return Encoded(
            self.user[rows],
            self.tokens[rows],
            PaddedHistories(held.video[rows], held.kind[rows], held.age[rows], held.filled[rows]),
        )


class Scorer:
    """The cascade's three graphs."""

    def __init__(
        self,
        history: ort.InferenceSession,
        prerank: ort.InferenceSession,
        listwise: ort.InferenceSession,
        items: Halves,
        note: Note,
    ) -> None:
        self._history, self._prerank, self._listwise = history, prerank, listwise
        self.items, self.note = items, note

    @classmethod
    def load(cls, directory: Path, *, threads: int = 1) -> Self:
        """Open the artefacts of a directory.

        Args:
            directory: what `shortlist.ranker.export` wrote.
            threads: inside an operation; more than one slows the tail where processes share cores.

        Raises:
            NotFoundError: a file is missing.
            CorruptError: a file cannot be read, or they do not belong together.
        """
        note = Note.load(directory)
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        sessions = {}
        for name, file in GRAPHS.items():
            path = directory / file
            if not path.is_file():
                raise NotFoundError(f"{path} is missing; train the ranker again")
            try:
                sessions[name] = ort.InferenceSession(
                    str(path), options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:  # onnxruntime's own errors share no base but this
                raise CorruptError(f"{path} is no graph that can run; train again") from error
        try:
            items = np.load(directory / ITEMS, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError as error:
            raise NotFoundError(f"{directory / ITEMS} is missing; train again") from error
        except (ValueError, EOFError, OSError) as error:
            raise CorruptError(f"{directory / ITEMS} is damaged; train again") from error
        for name, session in sessions.items():
            taken = {one.name: one.shape for one in session.get_inputs()}
            if set(taken) != _TAKEN[name]:
                raise CorruptError(
                    f"{directory / GRAPHS[name]} is another graph than its name says; train again"
                )
            if items.dtype != np.float16 or items.ndim != 2 or items.shape[1] != taken["rows"][-1]:
                raise CorruptError(
                    f"{directory / ITEMS} is no table for {GRAPHS[name]}, which takes rows of "
                    f"width {taken['rows'][-1]}: they are of different runs; train again"
                )
        return cls(sessions["history"], sessions["prerank"], sessions["listwise"], items, note)

    def encode(self, histories: Sequence[Events], day: float, profiles: Floats) -> Encoded:
        """Encode users.

        Args:
            histories: of each user, oldest first.
            day: now, days since 1970-01-01.
            profiles: float32 [b, p].
        """
        inputs = padded(histories, day, self.note.history)
        user, tokens = self._history.run(
            ["user", "tokens"],
            {
                "rows": self.items[inputs.video],
                "kinds": inputs.kind,
                "ages": inputs.age,
                "filled": inputs.filled,
                "profile": profiles,
            },
        )
        return Encoded(user, tokens, inputs)

    def prerank(self, encoded: Encoded, video: Ints, context: Floats, moment: Floats) -> Floats:
        """Logits of candidates, float32 [b, n].

        Args:
            encoded: b users.
            video: int64 [b, n].
            context: float32 [b, 32].
            moment: age and weariness, float32 [b, n, 3].
        """
        (logit,) = self._prerank.run(["logit"], self._judged(encoded, video, context, moment))
        return np.asarray(logit)

    def rank(
        self,
        encoded: Encoded,
        video: Ints,
        context: Floats,
        moment: Floats,
        prerank: Floats,
        listed: npt.NDArray[np.bool_],
    ) -> tuple[Floats, Floats]:
        """Logits of a click and the diversity head (0 to 1) of one list a user, each [b, n]."""
        inputs = self._judged(encoded, video, context, moment)
        click, diversity = self._listwise.run(
            ["click", "diversity"], {**inputs, "prerank": prerank, "listed": listed}
        )
        return click, diversity

    def _judged(
        self, encoded: Encoded, video: Ints, context: Floats, moment: Floats
    ) -> dict[str, npt.NDArray[np.generic]]:
        return {
            "user": encoded.user,
            "tokens": encoded.tokens,
            "ages": encoded.histories.age,
            "filled": encoded.histories.filled,
            "rows": self.items[video],
            "context": context,
            "moment": moment,
        }
