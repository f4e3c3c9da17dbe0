"""A recommended page in the terminal, and the same as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import datetime as dt

    from shortlist.cli.page_truth import PageTruth
    from shortlist.recommender.explained import Slot


@dataclass(frozen=True)
class Shown:
    """All that is shown of one page.

    Attributes:
        bundle, dataset: what it was made with.
        date: that it was made for.
        target: the outcome whose probability is given.
        user_id: None for a newcomer.
        user: what is known of them, by name.
        recent: the last things they did, oldest first.
        events: how many there are in all.
        ignored: events of videos that the bundle does not know.
        context: features that are not 0, by name.
        candidates: how many there were.
        sources: how many of them each source proposed.
        page: slots.
        notes: what the rules did.
        truth: None where there is none to ask.
        remarks: what the reader should know besides.
        standing: what the bundle is if not the published one; else empty.
        milliseconds: time by stage.
    """

    bundle: str
    dataset: str | None
    date: "dt.date"
    target: str
    user_id: int | None
    user: Mapping[str, object]
    recent: Sequence[Mapping[str, Any]]
    events: int
    ignored: int
    context: Mapping[str, float]
    candidates: int
    sources: Mapping[str, int]
    page: "Sequence[Slot]"
    notes: Sequence[str]
    truth: "PageTruth | None"
    remarks: Sequence[str]
    milliseconds: Mapping[str, float]
    standing: str = ""

    def wire(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {**asdict(self), "date": self.date.isoformat()}


def tables(shown: Shown) -> list[RenderableType]:
    """In reading order: who, the page, its scores, what else there is to say."""
    parts: list[RenderableType] = [_about(shown)]
    if shown.recent:
        parts.append(_recent(shown))
    parts += [_page(shown), _scores(shown)]
    if shown.truth is not None:
        truth = shown.truth
        share = f"{truth.page_value / truth.best_value:.1%}" if truth.best_value else "all"
        parts.append(
            f"The truth expects {truth.page_value:.2f} clicks on this page, {share} of what it "
            f"expects of its own best videos ({truth.best_value:.2f}); `true rank` is among the "
            f"{truth.videos:,} videos that could be shown."
        )
    parts += [Text(note) for note in (*shown.notes, *shown.remarks)]
    took = ", ".join(f"{name} {ms:.1f} ms" for name, ms in shown.milliseconds.items())
    parts.append(f"{took}; all but the first once warm")
    return parts


def _about(shown: Shown) -> Table:
    table = Table("page for", "somebody new" if shown.user_id is None else f"{shown.user_id}")
    for name, value in shown.user.items():
        known = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        table.add_row(name, Text(known))
    ignored = f", {shown.ignored:,} more of videos unknown to the bundle" if shown.ignored else ""
    table.add_row("events", f"{shown.events:,}{ignored}")
    table.add_row("day", f"{shown.date}")
    context = ", ".join(
        name if value == 1 else f"{name} {value:.2f}" for name, value in shown.context.items()
    )
    table.add_row("context", context or "none")
    found = ", ".join(f"{count:,} by {name}" for name, count in shown.sources.items())
    table.add_row("candidates", f"{shown.candidates:,}: {found}")
    standing = f" ({shown.standing})" if shown.standing else ""
    table.add_row("bundle", f"{shown.bundle}{standing}")
    return table


def _recent(shown: Shown) -> Table:
    table = Table("day", "did", "video", "title", "tags")
    table.title = f"last {len(shown.recent)} of {shown.events:,} events"
    for event in shown.recent:
        table.add_row(
            f"{event['date']}",
            event["kind"],
            f"{event['video_id']}",
            Text(event["title"]),
            Text(", ".join(event["tags"])),
        )
    return table


def _page(shown: Shown) -> Table:
    title = f"page by a bundle that is {shown.standing}" if shown.standing else "page"
    table = Table("", "video", "title", "tags", "creator", "why", title=title)
    for slot in shown.page:
        creator = "" if slot.creator_id is None else f"{slot.creator_id}"
        table.add_row(
            f"{slot.slot}",
            f"{slot.video_id}",
            Text(slot.title),
            Text(", ".join(slot.tags)),
            creator,
            slot.reason,
        )
    return table


def _scores(shown: Shown) -> Table:
    table = Table(
        "",
        "from",
        "recalled",
        "vector",
        "pre-rank",
        "ranked",
        f"p({shown.target})",
        "diversity",
        "odds",
    )
    if shown.truth is not None:
        table.add_column("true p")
        table.add_column("true rank")
    for column in table.columns[2:]:
        column.justify = "right"
    for at, slot in enumerate(shown.page):
        vector = slot.recall.get("vector")
        cells = [
            f"{slot.slot}",
            " ".join(slot.recall),
            f"{slot.recalled}",
            "" if vector is None else f"{vector:.2f}",
            f"{slot.prerank:.3f} ({slot.preranked})",
            f"{slot.ranked}",
            f"{slot.probability:.3f}",
            f"{slot.diversity:.2f}",
            f"{slot.propensity:.3f}{' explored' if slot.explored else ''}",
        ]
        if shown.truth is not None:
            cells += [f"{shown.truth.probability[at]:.3f}", f"{shown.truth.rank[at]:,}"]
        table.add_row(*cells)
    return table
