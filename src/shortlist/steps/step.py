"""What a step depends on, and the key that names it: code, libraries, settings, inputs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from shortlist.libraries import versions_for
from shortlist.settings.tree import Settings, leaves
from shortlist.source import source_digest


class Dependencies(BaseModel):
    """All that the output of one run of a step may depend on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: str
    source: str
    """Hash of the code."""
    settings: dict[str, object]
    """By dotted name, as JSON writes them."""
    inputs: dict[str, str]
    """Digests of what earlier steps put out, by their names."""
    libraries: dict[str, str]
    """Versions of what it computes with, by distribution."""

    @property
    def key(self) -> str:
        """SHA-256 of everything here, in hexadecimal."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Step:
    """A step of the pipeline.

    Attributes:
        name: of its directory and its line in the run's report.
        sources: rooms and files whose code it depends on, as `source_digest` takes them.
        settings: dotted names it depends on, of branches or of single settings.
        free: dotted names below these that change no byte, such as a number of shards.
        sidecars: patterns of files that tell of the run and not of the result (times, logs);
            they are kept whole like the others, but are no part of the digest. As
            `pathlib.PurePath.match` takes them.
    """

    name: str
    sources: tuple[str, ...]
    settings: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    sidecars: tuple[str, ...] = ()

    def dependencies(
        self, settings: Settings, inputs: Mapping[str, str], root: Path | None = None
    ) -> Dependencies:
        """What a run under these settings, on these inputs, would depend on.

        Args:
            settings: the whole tree, of which the step's own part is taken.
            inputs: digests of what earlier steps put out. Not their keys: where other code made
                the same bytes, nothing after it need run again.
            root: of the package whose source counts; Shortlist's own by default.
        """
        return Dependencies(
            step=self.name,
            source=source_digest(self.sources, root),
            settings=settings_of(settings, self.settings, self.free),
            inputs=dict(inputs),
            libraries=versions_for(self.sources),
        )


def settings_of(
    settings: Settings, names: tuple[str, ...], without: tuple[str, ...] = ()
) -> dict[str, object]:
    """The settings below ``names`` as JSON writes them, by dotted name.

    Raises:
        ValueError: a name is that of no setting and of no branch.

    >>> settings_of(Settings(), ("seed", "pipeline"), without=("pipeline.shards",))["seed"]
    20260101
    """
    known = [name for name, _ in leaves()]
    for name in (*names, *without):
        if not any(_within(leaf, name) for leaf in known):
            raise ValueError(f"there is no setting {name}")
    tree = settings.model_dump(mode="json")
    return {
        leaf: _at(tree, leaf)
        for leaf in known
        if any(_within(leaf, name) for name in names)
        and not any(_within(leaf, name) for name in without)
    }


def _within(leaf: str, name: str) -> bool:
    return leaf == name or leaf.startswith(f"{name}.")


def _at(tree: object, leaf: str) -> object:
    for part in leaf.split("."):
        assert isinstance(tree, dict)
        tree = tree[part]
    return tree
