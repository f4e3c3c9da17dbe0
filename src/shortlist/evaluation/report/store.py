"""``scorecard.json``: the judgement for programs."""

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from shortlist.errors import CorruptError, NotFoundError
from shortlist.evaluation.scorecard import Scorecard
from shortlist.files import staged_file

SCORECARD: Final = "scorecard.json"


def to_json(scorecard: Scorecard) -> str:
    """The scorecard as text; unknown figures become null."""
    return scorecard.model_dump_json(indent=2) + "\n"


def write_json(scorecard: Scorecard, path: Path) -> None:
    """Write a scorecard.

    Raises:
        StorageError: the disk is full or refuses.
    """
    with staged_file(path) as aside:
        aside.write_text(to_json(scorecard), encoding="utf-8")


def read_json(path: Path) -> Scorecard:
    """Read a scorecard that ``write_json`` wrote; unknown figures are NaN again.

    Raises:
        NotFoundError: there is no such file.
        CorruptError: it is not a scorecard; the message names the first fault.
    """
    if not path.is_file():
        raise NotFoundError(f"no scorecard at {path}; judge some models first, which writes one")
    try:
        return Scorecard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "the file"
        raise CorruptError(
            f"{path} is not a scorecard ({place}: {fault['msg']}); delete it and judge again"
        ) from error
