"""Tables in which the terminal shows a dataset."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from shortlist.datasets.facts import DatasetFacts
    from shortlist.datasets.layout import DatasetRecord
    from shortlist.datasets.profiles import Profile


def record_table(record: "DatasetRecord") -> Table:
    """Where a dataset comes from."""
    table = Table("record", "", title="dataset")
    table.add_row("source", Text(record.source))
    table.add_row("key", record.key[:16])
    table.add_row("digest", record.digest[:16])
    table.add_row("days", f"{record.first_day} to {record.last_day}")
    if record.test_from is not None:
        table.add_row("test from", f"{record.test_from}")
    return table


def facts_tables(facts: "DatasetFacts") -> list[Table]:
    """What a dataset holds: counts, and one line per column."""
    counts = Table("count", "", title="kept")
    counts.columns[1].justify = "right"
    counts.add_row("users", f"{facts.users.rows:,}")
    counts.add_row("of them without an impression", f"{facts.idle_users:,}")
    counts.add_row("videos", f"{facts.videos.rows:,}")
    counts.add_row("of them without an impression", f"{facts.idle_videos:,}")
    counts.add_row("impressions", f"{facts.impressions.rows:,}")
    counts.add_row("of them repeated to the moment", f"{facts.duplicates:,}")
    counts.add_row("days", f"{len(facts.days):,}")
    for name, rate in facts.rates.items():
        counts.add_row(f"rate of {name}", "unknown" if rate is None else f"{rate:.4f}")
    columns = Table("table", "column", "null", "from", "to", title="columns")
    columns.columns[2].justify = "right"
    for table in ("users", "videos", "impressions"):
        for column in getattr(facts, table).columns:
            low, high = Text(column.low or ""), Text(column.high or "")
            columns.add_row(table, column.name, f"{column.null_share:.1%}", low, high)
    return [counts, columns]


def profile_tables(profile: "Profile") -> list[Table]:
    """A user's profile, and the history as one line per impression."""
    about = Table("user", "")
    for name, value in profile.user.items():
        if value is not None:
            known = ", ".join(value) if isinstance(value, list) else str(value)
            about.add_row(name, Text(known))
    about.add_row("impressions", f"{profile.impressions:,}")
    history = Table("day", "UTC", "video", "title", "tags", "watched", "of", "outcomes")
    history.title = f"last {profile.history.num_rows} of {profile.impressions} impressions"
    for row in profile.history.to_pylist():
        outcomes = [name for name in ("click", "long_view", "like", "skip") if row[name]]
        history.add_row(
            f"{row['day']}",
            f"{row['shown_at']:%H:%M:%S}" if row["shown_at"] else "",
            f"{row['video_id']}",
            Text(row["title"] or ""),
            Text(", ".join(row["tags"])),
            _seconds(row["watch_seconds"]),
            _seconds(row["duration_seconds"]),
            " ".join([*outcomes, *(["(random)"] if row["random_exposure"] else [])]),
        )
    return [about, history]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"
