"""What differs between two bundles: settings, data, measured figures, files."""

from collections.abc import Mapping
from dataclasses import dataclass

from shortlist.bundle.manifest import Contents


@dataclass(frozen=True)
class Change:
    """One value by its name, before and after; None where one side lacks it."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class FileChange:
    """One file whose bytes differ: its sizes before and after, None where one side lacks it."""

    path: str
    before: int | None
    after: int | None

    @property
    def kind(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


@dataclass(frozen=True)
class BundleDiff:
    """All that differs; every list ascends by name, and all are empty for equal ids."""

    settings: tuple[Change, ...]
    data: tuple[Change, ...]
    measured: tuple[Change, ...]
    files: tuple[FileChange, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.settings or self.data or self.measured or self.files)


def diff(before: Contents, after: Contents) -> BundleDiff:
    """What it takes to come from one bundle to the other.

    The seed counts as a setting; the encoder, which the dataset's videos went through, as data.
    """
    return BundleDiff(
        settings=_changes(_settings(before), _settings(after)),
        data=_changes(_data(before), _data(after)),
        measured=_changes(_measured(before), _measured(after)),
        files=_files(before, after),
    )


def _settings(of: Contents) -> dict[str, str]:
    return {"seed": str(of.seed)} | of.settings


def _data(of: Contents) -> dict[str, str]:
    facts = of.data.model_dump(mode="json", exclude_none=True)
    return {name: str(value) for name, value in facts.items()} | {"encoder": of.encoder}


def _measured(of: Contents) -> dict[str, str]:
    return {name: repr(value) for name, value in of.measured.items()}


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Names whose values differ.

    >>> _changes({"a": "1", "b": "2"}, {"b": "3"})
    (Change(name='a', before='1', after=None), Change(name='b', before='2', after='3'))
    """
    return tuple(
        Change(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def _files(before: Contents, after: Contents) -> tuple[FileChange, ...]:
    old = {file.path: file for file in before.files}
    new = {file.path: file for file in after.files}
    return tuple(
        FileChange(
            path,
            old[path].size if path in old else None,
            new[path].size if path in new else None,
        )
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )
