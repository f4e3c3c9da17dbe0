"""However many shards make data and vectors, the bytes are the same; what stands is reused."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shortlist.datasets.store import DatasetWriter
from shortlist.errors import StorageError
from shortlist.evaluation.stages import Stages
from shortlist.settings import Settings
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
