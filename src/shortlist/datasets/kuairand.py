"""KuaiRand-Pure, a processed part: real logs of a short-video app, April 2022.

Gao et al., "KuaiRand: An Unbiased Sequential Recommendation Dataset with Randomly Exposed Videos"
(CIKM 2022). The history is a list per user of the last 50 videos shown, up to 24 April, with lists
of those watched long and liked; the six days after it are impressions with their times. So a
history row has an order but no time of its own, and neither a click nor a watch time: all history
rows bear 24 April, and what is not known is null.

Beside identities and profile, the videos file holds averages over the very month that is judged
(``play_cnt``, ``like_cnt``, ...). They would tell a model the answer, so columns are read by name,
and those are not among them.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shortlist.datasets.foreign import ForeignFile
from shortlist.datasets.kuairand_history import history_events
from shortlist.datasets.parsing import Faults, column_of, repeats
from shortlist.datasets.report import FileRead, Imported, report, reuse
from shortlist.datasets.schema import SCHEMA_VERSION, TABLES
from shortlist.datasets.store import DatasetWriter, finished
from shortlist.datasets.tables import filled, numbered
from shortlist.datasets.values import Reading
from shortlist.errors import InputError
from shortlist.files import file_digest
from shortlist.libraries import versions_for
from shortlist.progress import track

IMPORTER_VERSION: Final = 1
HISTORY_DAY: Final = dt.date(2022, 4, 24)
TEST_FROM: Final = dt.date(2022, 4, 25)
_BEIJING: Final = "Asia/Shanghai"
_UNKNOWN: Final = ("unknown", "UNKNOWN")

Columns = Mapping[str, tuple[str, Reading]]

# What is read of each file: the schema's column, the file's, how it is written.
_USERS: Final[Columns] = {
    "user_id": ("user_id", Reading()),
    "activity": ("user_active_degree", Reading()),
    "registered_days": ("register_days", Reading()),
}
_VIDEOS: Final[Columns] = {
    "video_id": ("video_id", Reading()),
    "tags": ("tag", Reading(separator=",")),
    "creator_id": ("author_id", Reading()),
    "duration_seconds": ("video_duration", Reading(unit="ms")),
    "uploaded_at": ("upload_dt", Reading()),
}
_IMPRESSIONS: Final[Columns] = {
    "user_id": ("user_id", Reading()),
    "video_id": ("video_id", Reading()),
    "day": ("date", Reading(format="%Y%m%d", timezone=_BEIJING)),
    "shown_at": ("time_ms", Reading(unit="ms")),
    "random_exposure": ("is_rand", Reading()),
    "click": ("is_click", Reading()),
    "watch_seconds": ("play_time_ms", Reading(unit="ms")),
    "long_view": ("long_view", Reading()),
    "like": ("is_like", Reading()),
}
_LISTS: Final = ("watch_seq", "long_watch_seq", "like_seq")
_NOWHERE: Final = {
    "user_id": "is in no row of user_features.parquet",
    "video_id": "is in no row of item_features.parquet",
}

FILES: Final = {
    "users": "user_features.parquet",
    "videos": "item_features.parquet",
    "history": "user_sequences.parquet",
    "impressions": "val.parquet",
}


def import_kuairand(source: Path, target: Path) -> Imported:
    """Import the files in ``source``; do nothing if that was done and nothing changed.

    Every row of the files becomes a row of the dataset: impressions of users without a history,
    of videos that the history already holds, and repeated ones too. What to leave out of a
    judgement is the judge's to say.

    Args:
        source: directory of the four Parquet files.
        target: directory of the dataset.

    Raises:
        NotFoundError: a file is missing.
        InputError: a file is malformed, lacks a column or has a value that cannot be.
        StorageError: the disk refused, or another process is writing this dataset.
    """
    files = {name: ForeignFile(source / file, "parquet") for name, file in FILES.items()}
    columns = {"users": _USERS, "videos": _VIDEOS, "impressions": _IMPRESSIONS}
    wanted = {name: [theirs for theirs, _ in named.values()] for name, named in columns.items()}
    wanted["history"] = ["user_id", *_LISTS]
    for name, file in files.items():
        file.require(wanted[name])
    digests = {name: file_digest(file.path) for name, file in files.items()}
    libraries = versions_for(["datasets"])
    inputs = json.dumps([IMPORTER_VERSION, SCHEMA_VERSION, digests, libraries], sort_keys=True)
    key = hashlib.sha256(inputs.encode()).hexdigest()
    dataset = finished(target, key)
    if dataset is not None:
        return reuse(dataset)
    writer = DatasetWriter(target, "KuaiRand-Pure, April 2022", key, TEST_FROM)
    users = _catalogue("users", files["users"], _USERS)
    videos = _catalogue("videos", files["videos"], _VIDEOS)
    ids = {"user_id": users["user_id"].combine_chunks()}
    ids["video_id"] = videos["video_id"].combine_chunks()
    history = _history(files["history"], ids)
    shown = numbered(_shown(files["impressions"], ids), len(history))
    writer.write_users(users)
    writer.write_videos(videos)
    writer.write_day(HISTORY_DAY, history)
    for day in pc.unique(shown["day"]).to_pylist():
        writer.write_day(day, shown.filter(pc.equal(shown["day"], pa.scalar(day))))
    made = writer.finish()
    read = [
        FileRead(table=name, path=str(file.path), rows=pq.read_metadata(file.path).num_rows)
        for name, file in files.items()
    ]
    return Imported(made, report(made, read), reused=False)


def _read(table: str, file: ForeignFile, columns: Columns) -> pa.Table:
    """The columns of a file that have a place in the schema."""
    faults = Faults(file.path)
    parts = []
    for batch in track(file.batches([theirs for theirs, _ in columns.values()]), file.path.name):
        arrays = {
            ours: column_of(
                table,
                TABLES[table].field(ours),
                theirs,
                batch.column(theirs),
                reading,
                faults,
                required=ours in ("user_id", "video_id", "day"),
            )
            for ours, (theirs, reading) in columns.items()
        }
        if "tags" in arrays:
            arrays["tags"] = _known_tags(arrays["tags"])
        if "activity" in arrays:
            known = pc.invert(pc.is_in(arrays["activity"], pa.array(_UNKNOWN)))
            arrays["activity"] = pc.if_else(known, arrays["activity"], None)
        parts.append(filled(table, arrays, batch.num_rows))
        faults.rows += batch.num_rows
    faults.refuse()
    return pa.concat_tables(parts)


def _known_tags(tags: pa.Array) -> pa.Array:
    """Tags without the word for none."""
    known = [[tag for tag in row or [] if tag not in _UNKNOWN] for row in tags.to_pylist()]
    return pa.array(known, tags.type)


def _catalogue(table: str, file: ForeignFile, columns: Columns) -> pa.Table:
    """Users or videos, ascending by id."""
    read = _read(table, file, columns)
    key = f"{table[:-1]}_id"
    ids = read[key].combine_chunks()
    _refuse(file.path, key, ids, repeats(ids), "repeats an id")
    return read.sort_by(key)


def _shown(file: ForeignFile, ids: Mapping[str, pa.Array]) -> pa.Table:
    """The impressions after the history, in the order of their times."""
    read = _read("impressions", file, _IMPRESSIONS)
    for key in ids:
        column = read[key].combine_chunks()
        _refuse(file.path, key, column, _unknown(column, ids[key]), _NOWHERE[key])
    days = read["day"].combine_chunks()
    early = pc.less_equal(days, pa.scalar(HISTORY_DAY))
    _refuse(file.path, "date", days, early, f"is not after {HISTORY_DAY}, the end of the history")
    moments = read["shown_at"].cast(pa.int64()).fill_null(0).to_numpy()
    return read.take(np.lexsort((moments, days.cast(pa.int32()).to_numpy())))


def _history(file: ForeignFile, ids: Mapping[str, pa.Array]) -> pa.Table:
    """The three lists of every user as impressions, user by user, each user's oldest first."""
    lists = pa.Table.from_batches(file.batches(["user_id", *_LISTS])).combine_chunks()
    faults = Faults(file.path)
    field = TABLES["impressions"].field("user_id")
    column = lists["user_id"].combine_chunks()
    user = column_of("impressions", field, "user_id", column, Reading(), faults, required=True)
    faults.rows = len(lists)
    faults.refuse()
    _refuse(file.path, "user_id", user, repeats(user), "repeats an id")
    _refuse(file.path, "user_id", user, _unknown(user, ids["user_id"]), _NOWHERE["user_id"])
    for name in _LISTS:
        _refuse_strange_videos(file.path, name, lists[name].combine_chunks(), ids["video_id"])
    order = np.argsort(user.to_numpy(), kind="stable")
    rows = lists.take(order).select(_LISTS).to_pylist()
    events = [
        history_events(*(row[name] or [] for name in _LISTS)) for row in track(rows, "histories")
    ]
    flat = [event for part in events for event in part]
    columns = {
        "user_id": pa.array(np.repeat(user.to_numpy()[order], [len(part) for part in events])),
        "video_id": pa.array([event.video for event in flat], pa.int64()),
        "day": pa.array([HISTORY_DAY] * len(flat), pa.date32()),
        "long_view": pa.array([event.long_view for event in flat], pa.bool_()),
        "like": pa.array([event.like for event in flat], pa.bool_()),
    }
    return numbered(filled("impressions", columns, len(flat)), 0)


def _refuse_strange_videos(path: Path, name: str, lists: pa.Array, known: pa.Array) -> None:
    if not (pa.types.is_list(lists.type) and pa.types.is_integer(lists.type.value_type)):
        raise InputError(
            f"{path}, column {name!r}: its type is {lists.type}; it must be lists of video ids"
        )
    values = lists.flatten()
    strange = values.filter(_unknown(values, known))
    owner = pc.list_parent_indices(lists).filter(_unknown(values, known))
    rows, first = np.unique(owner.to_numpy(), return_index=True)
    example = np.full(len(lists), -1)
    example[rows] = strange.fill_null(-1).to_numpy()[first]
    bad = np.zeros(len(lists), np.bool_)
    bad[rows] = True
    _refuse(path, name, pa.array(example), pa.array(bad), _NOWHERE["video_id"])


def _unknown(column: pa.Array, known: pa.Array) -> pa.BooleanArray:
    return pc.invert(pc.is_in(column, value_set=known))


def _refuse(path: Path, name: str, column: pa.Array, bad: pa.Array, fault: str) -> None:
    faults = Faults(path)
    faults.add(name, column, bad, fault)
    faults.rows = len(column)
    faults.refuse()
