"""The world of the preset `tiny` is pinned by hashes of its whole-number columns.

After a change that was decided, write them anew with `python tests/unit/world/test_frozen.py`.
Fractions are left out: their last bits may differ from one processor to another.
"""

import hashlib
import json
from pathlib import Path

import pyarrow as pa

from shortlist.settings.loading import preset_settings
from shortlist.world.world import make_world

GOLDEN = Path(__file__).with_name("frozen.json")
COLUMNS = (
    "impression_id",
    "user_id",
    "video_id",
    "session_id",
    "position",
    "random_exposure",
    "click",
    "long_view",
    "like",
    "skip",
)
TABLES = {
    "users": ("language", "age_band", "activity", "interests", "registered_days"),
    "videos": ("title", "tags", "creator_id", "language"),
}


def measured() -> dict[str, str | int]:
    settings = preset_settings("tiny")
    world = make_world(settings.world, settings.seed)
    days = [world.impressions_table(day).select(COLUMNS) for day in range(settings.world.days)]
    table = pa.concat_tables(days)
    hashes = {
        name: hashlib.sha256(table.column(name).to_numpy().astype("<i8").tobytes()).hexdigest()
        for name in COLUMNS
    }
    for name, table_of in (("users", world.users_table()), ("videos", world.videos_table())):
        for column in TABLES[name]:
            text = json.dumps(table_of.column(column).to_pylist())
            hashes[f"{name}.{column}"] = hashlib.sha256(text.encode()).hexdigest()
    return {"impressions": table.num_rows, **hashes}


def test_the_world_is_frozen() -> None:
    golden = json.loads(GOLDEN.read_text())
    found = measured()
    changed = [name for name in golden if golden[name] != found.get(name)]
    assert changed == [], (
        "the world is frozen: changing it takes a decision page and a new run of every baseline"
    )
    assert found.keys() == golden.keys()


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(measured(), indent=2) + "\n")
