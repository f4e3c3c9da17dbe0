"""An opened bundle: where its parts lie, and what its manifest says."""

from dataclasses import dataclass
from pathlib import Path

from shortlist.bundle.manifest import CARD, Manifest
from shortlist.bundle.run import RunRecord, read_run
from shortlist.errors import NotFoundError


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk, as `bundle.verify.open_bundle` found it.

    Attributes:
        path: its directory.
        manifest: what it holds.
    """

    path: Path
    manifest: Manifest

    @property
    def id(self) -> str:
        """The id: equal ids, equal bytes."""
        return self.manifest.id

    @property
    def card(self) -> Path:
        """Where the model card lies."""
        return self.path / CARD

    @property
    def run(self) -> RunRecord | None:
        """When and where it was made, where the sidecar still says so."""
        return read_run(self.path)

    def part(self, name: str) -> Path:
        """The directory of a part.

        Raises:
            NotFoundError: the bundle has no such part.
        """
        if name not in self.manifest.parts:
            raise NotFoundError(
                f"bundle {self.id} has no part {name!r}; it has {', '.join(self.manifest.parts)}"
            )
        return self.path / name
