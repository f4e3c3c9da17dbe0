"""The order: a run's settings as one text that travels to other machines, and the key of the run.

The key is a hash of code and settings. It is an input of every task of a pipeline, so that whoever
caches tasks by their inputs, and knows nothing of our code, never takes an old result for a new
one. A machine that holds other code than the one that gave the order refuses it.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from shortlist.errors import InputError, RefusedError
from shortlist.settings.paths import PathsSettings
from shortlist.settings.tree import Settings
from shortlist.source import source_digest

_LOCAL = "paths"  # Where things lie is each machine's own affair.
_PLACES = ("cache", "truth", "bundles")


@dataclass(frozen=True)
class Order:
    """What every task is handed.

    Attributes:
        settings: the tree as canonical JSON; of ``paths`` only what `of` was told to keep.
        key: SHA-256 of it and of Shortlist's code, in hexadecimal.
    """

    settings: str
    key: str

    @classmethod
    def of(cls, settings: Settings, *, here: bool = False) -> Self:
        """The order to run under these settings with the code at hand.

        Args:
            settings: in force.
            here: whether it is taken on this machine alone. Then places that the settings move
                away from ``paths.work`` hold there too; else everything lies below one directory.
        """
        tree = settings.model_dump(mode="json", exclude={_LOCAL})
        if here and (moved := _moved(settings.paths)):
            tree[_LOCAL] = moved
        return cls.sealed(json.dumps(tree, sort_keys=True, separators=(",", ":")))

    @classmethod
    def sealed(cls, text: str) -> Self:
        """The order that says ``text``, under the key of the code at hand."""
        code = source_digest(["."])
        return cls(text, hashlib.sha256(f"{code}/{text}".encode()).hexdigest())

    def taken(self, work: Path) -> Settings:
        """The settings of the order, on a machine where all but what it moves lies below ``work``.

        Raises:
            InputError: the text is none of ours; the message names the setting.
            RefusedError: the order was given with other code than this machine holds.
        """
        if self.key != self.sealed(self.settings).key:
            raise RefusedError(
                f"the run {self.key[:12]} was ordered with other code than this machine holds; "
                "build the image from the code that submits, or submit from the image"
            )
        try:
            tree = json.loads(self.settings)
            moved = tree.pop(_LOCAL, {})
            return Settings(**tree, paths=PathsSettings(**moved, work=work))
        except (ValueError, TypeError, ValidationError) as error:
            place = ""
            if isinstance(error, ValidationError):
                place = f" at {'.'.join(str(part) for part in error.errors()[0]['loc'])}"
            raise InputError(
                f"the settings of the run cannot be read{place}; submit it again"
            ) from error


def _moved(paths: PathsSettings) -> dict[str, str]:
    """Places that do not lie where they do by default, absolute, by name."""
    usual = PathsSettings(work=paths.work)
    return {
        name: str(getattr(paths, name).absolute())
        for name in _PLACES
        if getattr(paths, name).absolute() != getattr(usual, name).absolute()
    }
