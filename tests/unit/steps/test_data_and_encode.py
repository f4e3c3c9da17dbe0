"""However many shards make data and vectors, the bytes are the same; what stands is reused."""

import datetime as dt
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shortlist.datasets.events import Kind
from shortlist.datasets.store import Dataset, DatasetWriter
from shortlist.errors import StorageError
from shortlist.evaluation.stages import Stages
from shortlist.online.archive import Archive, Place, Taken, archive_directory
from shortlist.online.entries import Action, EntryType, Event, Note, pack_entry
from shortlist.online.making import make
from shortlist.settings import Settings
from shortlist.settings.online import OnlineSettings
from shortlist.settings.paths import PathsSettings
from shortlist.settings.pipeline import PipelineSettings
from shortlist.steps import data, encode
from shortlist.steps.data import generate_share, make_data
from shortlist.steps.encode import encode_share
from shortlist.world.truth import Truth

QUIET = Stages(say=lambda line: None)


def elsewhere(settings: Settings, work: Path, shards: int = 1) -> Settings:
    return settings.model_copy(
        update={
            "paths": PathsSettings(work=work),
            "pipeline": PipelineSettings(shards=shards),
        }
    )


def shared(settings: Settings, shards: int) -> list[int]:
    directory = settings.paths.work / "datasets"
    return [
        len(generate_share(settings.world, settings.seed, directory, shard, shards))
        for shard in reversed(range(shards))
    ]


def test_one_shard_and_four_make_the_same_dataset_and_the_same_truth(
    settings: Settings, tmp_path: Path
):
    one, four = elsewhere(settings, tmp_path / "one"), elsewhere(settings, tmp_path / "four")
    assert shared(four, 4) == [0, 1, 1, 1]  # Three days, the last shard has none.
    assert shared(four, 4) == [0, 0, 0, 0]
    made, joined = make_data(one, QUIET), make_data(four, QUIET)
    assert joined.record == made.record
    assert joined.record.source == "synthetic world"
    joined.verify()
    for found in (one, four):
        Truth.load(found.paths.truth / "small", made.record.key)
    assert shared(four, 4) == [0, 0, 0, 0]


def test_shards_of_this_machine_make_the_same_dataset_and_vectors(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    called: list[int] = []

    def in_turn(part: Callable[[int, int], object], shards: int) -> list[object]:
        called.append(shards)
        part = pickle.loads(pickle.dumps(part))  # As a process of its own would get it.
        return [part(shard, shards) for shard in range(shards)]

    for step in (data, encode):
        monkeypatch.setattr(step, "fan_out", in_turn)
    lines: list[str] = []
    stages = Stages(say=lines.append)
    found = {}
    for shards in (1, 2):
        chosen = elsewhere(settings, tmp_path / f"{shards}", shards)
        dataset = make_data(chosen, stages)
        content = encode.encode(dataset, chosen.encoders, chosen.paths.cache, shards, stages)
        found[shards] = (dataset.record, content.digest, content.vectors.tobytes())
        make_data(chosen, stages)
    assert found[1] == found[2]
    assert called == [2, 2]
    assert [line.endswith("(unchanged, reused)") for line in lines] == [False, False, True] * 2


def test_a_killed_shard_is_made_good_by_whoever_finishes(settings: Settings, tmp_path: Path):
    whole = elsewhere(settings, tmp_path / "whole")
    torn = elsewhere(settings, tmp_path / "torn")
    shared(torn, 3)
    day = next((tmp_path / "torn").rglob("day=2026-01-06/part-0.parquet"))
    day.write_bytes(day.read_bytes()[:100])
    (day.parent / ".staging-dead").touch()
    assert make_data(torn, QUIET).record == make_data(whole, QUIET).record
    assert not (day.parent / ".staging-dead").exists()


HOLD = """
import sys
from pathlib import Path
from shortlist.datasets.store import DatasetWriter
writer = DatasetWriter(Path(sys.argv[1]), "", "k", shared=True)
print("held", flush=True)
sys.stdin.read()
"""


def test_shards_share_a_dataset_and_nobody_finishes_it_under_their_hands(settings: Settings):
    path = settings.paths.work / "datasets" / settings.world.name
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    DatasetWriter(path, "", "k", shared=True).close()
    with pytest.raises(StorageError, match="another process is writing"):
        make_data(settings, QUIET)
    other.communicate("")
    assert make_data(settings, QUIET).path == path


def test_one_shard_and_four_put_the_same_vectors_into_the_cache(settings: Settings, tmp_path: Path):
    dataset = make_data(settings, QUIET)
    one, four = tmp_path / "one", tmp_path / "four"
    parts = [encode_share(dataset, settings.encoders, four, shard, 4) for shard in range(4)]
    whole = encode.encode(dataset, settings.encoders, one, 1, QUIET)
    lines: list[str] = []
    joined = encode.encode(dataset, settings.encoders, four, 1, Stages(say=lines.append))
    assert sum(parts) >= len(np.unique(whole.vectors, axis=0))
    assert min(parts) > 0
    assert lines == ["encode: 120 videos, 0 texts encoded, the others reused (unchanged, reused)"]
    assert joined.digest == whole.digest
    np.testing.assert_array_equal(joined.vectors, whole.vectors)


def test_the_digest_of_vectors_tells_them_apart(settings: Settings):
    dataset = make_data(settings, QUIET)
    narrow = settings.encoders.model_copy(update={"width": 64})
    digests = {
        encode.encode(dataset, chosen, settings.paths.cache, 1, QUIET).digest
        for chosen in (settings.encoders, narrow)
    }
    assert len(digests) == 2


NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp()


def drained(work: Path, base: Dataset, forgotten: int) -> None:
    """A newcomer was shown a video and clicked, then somebody asked to be forgotten."""
    archive = Archive(archive_directory(work, "online"))
    archive.prepare()
    video = base.videos().column("video_id")[0].as_py()
    entries = [
        Event("a", 10**15, video, Action.IMPRESSION, NOON, Kind.SHOWN),
        Event("b", 10**15, video, Action.CLICK, NOON + 5, Kind.CLICK),
        Note(EntryType.FORGET, forgotten, NOON + 9),
    ]
    archive.write(
        [
            Taken(Place(0, int(NOON * 1e3), number), entry, pack_entry(entry))
            for number, entry in enumerate(entries)
        ]
    )
    into = work / "datasets" / "online"
    make(archive, base, into, OnlineSettings(settle_minutes=0), NOON + 86_400)


def live(settings: Settings) -> Settings:
    changed = settings.datasets.model_copy(update={"live": "online"})
    return settings.model_copy(update={"datasets": changed})


def test_live_traffic_continues_the_log_once_some_is_drained(settings: Settings, tmp_path: Path):
    chosen = elsewhere(settings, tmp_path)
    lines: list[str] = []
    stages = Stages(say=lines.append)
    base = make_data(chosen, QUIET)
    assert make_data(live(chosen), stages).record == base.record
    assert "nothing is drained into 'online' yet" in lines[-1]

    gone = base.users().column("user_id")[0].as_py()
    drained(tmp_path, base, gone)
    joined = make_data(live(chosen), stages)
    assert joined.path == base.path.with_name(f"{base.path.name}-live")
    assert joined.days() == [*base.days(), base.record.last_day + dt.timedelta(days=1)]
    told = joined.impressions(["user_id", "click"]).to_pylist()
    assert told[-1] == {"user_id": 10**15, "click": True}
    assert gone not in {row["user_id"] for row in told}
    assert gone in base.impressions(["user_id"]).column("user_id").to_pylist()
    assert "1 newcomers" in lines[-1]
    make_data(live(chosen), stages)
    assert lines[-1].endswith("(unchanged, reused)")
    # Without the setting nothing has changed.
    assert make_data(chosen, QUIET).record == base.record


def test_traffic_beside_another_log_is_left_out_and_told(settings: Settings, tmp_path: Path):
    chosen = elsewhere(settings, tmp_path)
    drained(tmp_path, make_data(chosen, QUIET), 3)
    other = live(chosen.model_copy(update={"seed": chosen.seed + 1}))
    lines: list[str] = []
    found = make_data(other, Stages(say=lines.append))
    assert found.record.live is None
    assert "LEFT OUT" in lines[-1]
    assert f"shortlist online drain {found.path.name}" in lines[-1]
