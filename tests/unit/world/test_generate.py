"""Making a world: made once, reused after, and after a crash gone on with."""

import datetime as dt
import errno
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from shortlist.datasets.store import Dataset, DatasetWriter
from shortlist.errors import NotFoundError, StorageError
from shortlist.settings.world import WorldSettings
from shortlist.world import generate as generating
from shortlist.world.generate import generate, world_key
from shortlist.world.truth import Truth
from shortlist.world.world import World

Make = Callable[[], tuple[Dataset, bool]]


@pytest.fixture
def make(small: WorldSettings, seed: int, tmp_path: Path) -> Make:
    return lambda: generate(small, seed, tmp_path / "datasets", tmp_path / "truth")


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The days simulated while the test runs."""
    days: list[int] = []
    simulate = World.impressions_table

    def noting(self: World, day: int) -> pa.Table:
        days.append(day)
        return simulate(self, day)

    monkeypatch.setattr(World, "impressions_table", noting)
    return days


def test_a_world_is_made_once_and_then_reused(
    make: Make, simulated: list[int], made: SimpleNamespace
) -> None:
    first, stood = make()
    assert (stood, simulated) == (False, [0, 1, 2])
    assert first.record.digest == made.dataset.record.digest
    again, stood = make()
    assert (stood, simulated) == (True, [0, 1, 2])
    assert again.record == first.record


def test_days_may_be_written_in_any_order_by_several_runs(
    make: Make, world: World, made: SimpleNamespace, tmp_path: Path, simulated: list[int]
) -> None:
    key, path = made.dataset.record.key, tmp_path / "datasets" / world.settings.name
    for day in (2, 0):
        date = world.settings.first_day + dt.timedelta(days=day)
        writer = DatasetWriter(path, source="synthetic world", key=key)
        writer.write_day(date, world.impressions_table(day))
        writer._lock.close()  # As the end of its process would.
    simulated.clear()
    dataset, _ = make()
    assert simulated == [1]
    assert dataset.record.digest == made.dataset.record.digest


def test_an_interrupted_run_leaves_no_dataset_and_the_next_goes_on(
    make: Make,
    simulated: list[int],
    monkeypatch: pytest.MonkeyPatch,
    made: SimpleNamespace,
    tmp_path: Path,
) -> None:
    simulate = World.impressions_table

    def interrupted(self: World, day: int) -> pa.Table:
        if day == 2:
            raise KeyboardInterrupt
        return simulate(self, day)

    with monkeypatch.context() as patched:
        patched.setattr(World, "impressions_table", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make()
    with pytest.raises(NotFoundError):
        Dataset.open(tmp_path / "datasets" / "small")
    simulated.clear()
    dataset, stood = make()
    assert (stood, simulated) == (False, [2])
    assert dataset.record.digest == made.dataset.record.digest


@pytest.mark.parametrize("when", [1, 5])
def test_a_full_disk_is_one_sentence_and_the_next_run_goes_on(
    make: Make, monkeypatch: pytest.MonkeyPatch, made: SimpleNamespace, when: int
) -> None:
    write, calls = pa.parquet.write_table, []

    def full(table: pa.Table, where: Path, **options: object) -> None:
        calls.append(where)
        if len(calls) == when:
            where.write_bytes(b"half a file")
            raise OSError(errno.ENOSPC, "No space left on device", str(where))
        write(table, where, **options)

    with monkeypatch.context() as patched:
        patched.setattr("pyarrow.parquet.write_table", full)
        with pytest.raises(StorageError, match="the disk is full; free space or point `paths`"):
            make()
    dataset, _ = make()
    assert dataset.record.digest == made.dataset.record.digest


def test_a_torn_day_is_made_again_and_the_others_are_not(
    make: Make, simulated: list[int], made: SimpleNamespace
) -> None:
    dataset, _ = make()
    torn = next(dataset.path.rglob("day=2026-01-06/*.parquet"))
    torn.write_bytes(torn.read_bytes()[:-20])
    simulated.clear()
    again, stood = make()
    assert (stood, simulated) == (False, [1])
    assert again.record.digest == made.dataset.record.digest


@pytest.mark.parametrize("harm", ["truth.json", "latents.npz"])
def test_a_lost_truth_is_sealed_again_without_simulating(
    make: Make, simulated: list[int], tmp_path: Path, harm: str
) -> None:
    dataset, _ = make()
    (tmp_path / "truth" / "small" / harm).unlink()
    simulated.clear()
    _, stood = make()
    assert (stood, simulated) == (False, [])
    Truth.load(tmp_path / "truth" / "small", dataset.record.key)


def test_other_settings_or_another_seed_replace_the_world_of_the_name(
    make: Make, small: WorldSettings, seed: int, tmp_path: Path
) -> None:
    old, _ = make()
    livelier = small.model_copy(update={"base_logit": 0.5})
    new, stood = generate(livelier, seed, tmp_path / "datasets", tmp_path / "truth")
    assert not stood
    assert new.record.digest != old.record.digest
    assert Dataset.open(tmp_path / "datasets" / "small").record == new.record
    assert len(list((tmp_path / "datasets" / "small").glob("data-*"))) == 1
    Truth.load(tmp_path / "truth" / "small", new.record.key)


def test_the_key_follows_whatever_changes_a_byte_and_nothing_else(
    small: WorldSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = world_key(small, 1)
    assert world_key(small, 1) == key
    assert world_key(small, 2) != key
    assert world_key(small.model_copy(update={"tiring": 0.3}), 1) != key
    free = small.model_copy(update={"chunk_sessions": 3, "name": "other"})
    assert world_key(free, 1) == key
    edited = tmp_path / "generate.py"
    for source in Path(generating.__file__).parent.glob("*.py"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(generating, "__file__", str(edited))
    assert world_key(small, 1) == key
    with (tmp_path / "law.py").open("a") as law:
        law.write("# another law\n")
    assert world_key(small, 1) != key
