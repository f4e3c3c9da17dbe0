"""What a dataset knows of one user: the profile and the history, for people to look at."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from shortlist.datasets.catalogue import Users
from shortlist.datasets.store import Dataset
from shortlist.errors import NotFoundError

HISTORY_COLUMNS = (
    "day",
    "shown_at",
    "session_id",
    "position",
    "video_id",
    "click",
    "watch_seconds",
    "long_view",
    "like",
    "skip",
    "random_exposure",
)


@dataclass(frozen=True)
class Profile:
    """One user.

    Attributes:
        user: the row of the users table, by column.
        history: the user's impressions, oldest first: `HISTORY_COLUMNS`, and ``title``, ``tags``
            and ``duration_seconds`` of the videos.
        impressions: how many there are in all; ``history`` may be their tail.
    """

    user: dict[str, object]
    history: pa.Table
    impressions: int


def profile(dataset: Dataset, who: str, last: int) -> Profile:
    """Look a user up.

    Args:
        dataset: where.
        who: the user's name in the source, where the dataset keeps such names; else the id.
        last: how many of the last impressions to give.

    Raises:
        NotFoundError: there is no such user.
    """
    table = dataset.users()
    row = row_of(table, who)
    user = table.slice(row, 1).to_pylist()[0]
    history = dataset.impressions(HISTORY_COLUMNS, where=pc.field("user_id") == user["user_id"])
    tail = history.slice(max(history.num_rows - last, 0))
    videos = dataset.videos()
    at = pc.index_in(tail["video_id"], value_set=videos["video_id"].combine_chunks())
    for name in ("title", "tags", "duration_seconds"):
        tail = tail.append_column(name, videos[name].take(at))
    return Profile(user, tail, history.num_rows)


def row_of(table: pa.Table, who: str) -> int:
    """The row of a user.

    Args:
        table: the users table.
        who: the user's name in the source, where the dataset keeps such names; else the id.

    Raises:
        NotFoundError: there is no such user.
    """
    names = table["external_id"]
    if names.null_count < len(names):
        row = int(pc.index(names, who).as_py())
        if row >= 0:
            return row
        raise NotFoundError(f"no user {who!r} in this dataset (for example {names[0].as_py()!r})")
    try:
        number = int(who)
    except ValueError:
        raise NotFoundError(f"no user {who!r} in this dataset (its ids are numbers)") from None
    return Users.from_table(table).row(number)
