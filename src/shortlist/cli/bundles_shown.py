"""Tables in which the terminal shows bundles."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from shortlist.bundle.manifest import figure_text, shortened

if TYPE_CHECKING:
    from shortlist.bundle import Bundle, Manifest
    from shortlist.bundle.diff import BundleDiff, Change
    from shortlist.bundle.pointer import Pointer
    from shortlist.bundle.store import Listed


def bundles_table(bundles: "Sequence[Listed]", pointer: "Pointer") -> Table:
    """A row a bundle, the newest first."""
    table = Table("bundle", "standing", "made (UTC)", "size", "dataset", "headline")
    table.columns[0].no_wrap = True
    table.columns[3].justify = "right"
    for one in bundles:
        made = f"{one.made_at:%Y-%m-%d %H:%M}"
        standing = ", ".join(standings(one.id, pointer))
        if one.manifest is None:
            table.add_row(shortened(one.id), standing, made, "", "", Text(f"{one.fault}"))
            continue
        table.add_row(
            shortened(one.id),
            standing,
            made,
            size(one.manifest.size),
            Text(one.manifest.data.name),
            Text(headline(one.manifest)),
        )
    return table


def standings(bundle_id: str, pointer: "Pointer") -> list[str]:
    """What a bundle is to the pointer."""
    previous = pointer.previous[:1]
    meanings = {
        "current": bundle_id == pointer.current,
        "previous": bundle_id in previous and bundle_id != pointer.current,
        "rolled back": bundle_id in pointer.withdrawn and bundle_id != pointer.current,
        "pinned": bundle_id in pointer.pinned,
    }
    return [meaning for meaning, holds in meanings.items() if holds]


def headline(manifest: "Manifest") -> str:
    """The figure that a bundle is known by."""
    if manifest.headline is None:
        return ""
    return f"{manifest.headline} {figure_text(manifest.measured[manifest.headline])}"


def bundle_tables(bundle: "Bundle", pointer: "Pointer") -> list[Table]:
    """What a bundle holds and was made of."""
    manifest, data, run = bundle.manifest, bundle.manifest.data, bundle.run
    about = Table("bundle", bundle.id)
    about.add_row("standing", ", ".join(standings(bundle.id, pointer)))
    if run is not None:
        about.add_row("made", Text(f"{run.made_at:%Y-%m-%d %H:%M} on {run.host}, run {run.run_id}"))
    about.add_row("dataset", Text(f"{data.name} ({data.digest[:16]})"))
    about.add_row("users", f"{data.users:,}")
    about.add_row("videos", f"{data.videos:,}")
    about.add_row("impressions", f"{data.impressions:,}")
    about.add_row("days", f"{data.first_day} to {data.last_day}, fitted to {data.fitted_to}")
    about.add_row("encoder", Text(manifest.encoder))
    about.add_row("seed", manifest.seeds)
    for name, value in manifest.measured.items():
        about.add_row(Text(name), figure_text(value))
    about.add_row("model card", Text(f"{bundle.card}"))
    return [about, _parts_table(manifest), _settings_table(manifest)]


def diff_tables(found: "BundleDiff", before: str, after: str) -> list[Table]:
    """A table for each kind of thing that differs."""
    kinds = {"setting": found.settings, "data": found.data, "measured": found.measured}
    tables = [
        _changes_table(kind, changes, before, after) for kind, changes in kinds.items() if changes
    ]
    if found.files:
        files = Table("file", "", shortened(before), shortened(after))
        files.columns[2].justify = files.columns[3].justify = "right"
        for file in found.files:
            files.add_row(Text(file.path), file.kind, _size(file.before), _size(file.after))
        tables.append(files)
    return tables


def pruned_table(doomed: "Sequence[Listed]") -> Table:
    """The bundles that go, and what each holds."""
    table = Table("bundle", "made (UTC)", "size")
    table.columns[2].justify = "right"
    for one in doomed:
        held = "" if one.manifest is None else size(one.manifest.size)
        table.add_row(shortened(one.id), f"{one.made_at:%Y-%m-%d %H:%M}", held)
    return table


def size(count: int) -> str:
    """Bytes as people read them, in powers of ten.

    >>> size(999), size(12_345), size(187_654_321)
    ('999 B', '12.3 kB', '187.7 MB')
    """
    if count < 1_000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB"):
        value /= 1_000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1_000:.1f} GB"


def _size(count: int | None) -> str:
    return "" if count is None else size(count)


def _parts_table(manifest: "Manifest") -> Table:
    table = Table("part", "files", "size")
    table.columns[1].justify = table.columns[2].justify = "right"
    files, sizes = Counter[str](), Counter[str]()
    for file in manifest.files:
        part = file.path.split("/")[0]
        files[part] += 1
        sizes[part] += file.size
    for part in manifest.parts:
        table.add_row(part, f"{files[part]}", size(sizes[part]))
    table.add_section()
    table.add_row("all", f"{len(manifest.files)}", size(manifest.size))
    return table


def _settings_table(manifest: "Manifest") -> Table:
    table = Table("setting", "value")
    for name, text in manifest.settings.items():
        table.add_row(Text(name), Text(text))
    return table


def _changes_table(kind: str, changes: "Sequence[Change]", before: str, after: str) -> Table:
    table = Table(kind, shortened(before), shortened(after))
    for change in changes:
        table.add_row(Text(change.name), Text(change.before or ""), Text(change.after or ""))
    return table
