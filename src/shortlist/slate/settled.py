"""The trade-off as pages are drawn by it: told as a number, or measured and kept beside the parts.

The setting ``slate.trade_off`` is a number or ``auto``. Whoever draws pages settles it first, and
it is settled here alone.
"""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shortlist.errors import CorruptError, InputError, NotFoundError
from shortlist.settings.slate import SlateSettings

PART: Final = "slate"
"""Of a bundle; it has none where the trade-off was told."""
FILE: Final = "slate.json"
_REMEDY: Final = "give slate.trade_off a number, or make the bundle again with slate.trade_off=auto"


class Settled(BaseModel):
    """A trade-off that was measured, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    trade_off: float = Field(ge=0, le=1)
    aim: float
    """How many more distinct tags a page was to have than the best videos as ranked, as a share."""
    reached: float
    """How many more it has."""
    users: int = Field(ge=0)
    """On whose pages that was counted."""

    @property
    def short(self) -> bool:
        """Whether no trade-off reached the aim."""
        return self.reached < self.aim

    def save(self, directory: Path) -> None:
        """Write the part; the same bytes for the same figures."""
        (directory / FILE).write_text(self.model_dump_json(indent=2) + "\n")


def read(directory: Path) -> Settled:
    """What `Settled.save` wrote.

    Raises:
        NotFoundError: there is nothing.
        CorruptError: it cannot be read.
    """
    path = directory / FILE
    try:
        return Settled.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"{path} is missing; {_REMEDY}") from error
    except (OSError, ValidationError) as error:
        raise CorruptError(f"{path} cannot be read; {_REMEDY}") from error


def settle(settings: SlateSettings, part: Path | None) -> SlateSettings:
    """The settings with the trade-off as a number.

    Args:
        settings: as they were given; a number is used as it is.
        part: where `Settled` was written; None where it was not.

    Raises:
        NotFoundError: the trade-off is to be the measured one, and none was measured.
        CorruptError: what was measured cannot be read.
    """
    if settings.trade_off != "auto":
        return settings
    if part is None:
        raise NotFoundError(f"slate.trade_off is auto, and none was measured here; {_REMEDY}")
    return settings.model_copy(update={"trade_off": read(part).trade_off})


def trade_off_of(settings: SlateSettings) -> float:
    """The trade-off of settings that are settled.

    Raises:
        InputError: they are not.
    """
    if settings.trade_off == "auto":
        raise InputError(f"slate.trade_off is auto and was not settled; {_REMEDY}")
    return settings.trade_off
