"""One seed, one world: whatever the chunk, the order of days, the process or its threads."""

import hashlib
import os
import subprocess
import sys

import pyarrow as pa
import pytest

from shortlist.settings.world import WorldSettings
from shortlist.world.streams import Streams
from shortlist.world.world import World, make_world

# Large enough for a BLAS to spread a product over its threads.
WIDE = WorldSettings(users=1_000, videos=300, days=2, impressions=20_000, session_length=4)
PRINT_DAY = """
import sys
import pyarrow as pa
from shortlist.settings.world import WorldSettings
from shortlist.world.world import make_world

settings = WorldSettings.model_validate_json(sys.argv[1])
table = make_world(settings, 4).impressions_table(int(sys.argv[2]))
with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as writer:
    writer.write_table(table)
"""


def digest(table: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def digests(world: World) -> list[str]:
    days = [digest(world.impressions_table(day)) for day in range(world.settings.days)]
    return [digest(world.users_table()), digest(world.videos_table()), *days]


@pytest.fixture(scope="module")
def whole(world: World) -> list[str]:
    return digests(world)


def test_the_same_seed_makes_the_same_bytes(
    whole: list[str], small: WorldSettings, seed: int
) -> None:
    assert digests(make_world(small, seed)) == whole


def test_another_seed_changes_every_table(
    whole: list[str], small: WorldSettings, seed: int
) -> None:
    other = digests(make_world(small, seed + 1))
    assert all(a != b for a, b in zip(whole, other, strict=True))


@pytest.mark.parametrize("chunk", [7, 16_384])
def test_the_size_of_a_chunk_changes_no_byte(
    whole: list[str], small: WorldSettings, seed: int, chunk: int
) -> None:
    settings = small.model_copy(update={"chunk_sessions": chunk})
    day = digest(make_world(settings, seed).impressions_table(1))
    assert day == whole[3]


def test_days_need_no_other_day_before_them(
    whole: list[str], small: WorldSettings, seed: int
) -> None:
    fresh = make_world(small, seed)
    backwards = [digest(fresh.impressions_table(day)) for day in reversed(range(small.days))]
    assert backwards[::-1] == whole[2:]


@pytest.mark.parametrize(("day", "threads"), [(0, "1"), (1, "2")])
def test_a_day_made_by_another_process_with_other_threads_is_the_same(
    day: int, threads: str
) -> None:
    limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), threads)
    ended = subprocess.run(
        [sys.executable, "-c", PRINT_DAY, WIDE.model_dump_json(), str(day)],
        env={**os.environ, **limits},
        capture_output=True,
        check=True,
    )
    there = pa.ipc.open_stream(ended.stdout).read_all()
    assert there.num_rows > 7_000
    assert digest(there) == digest(make_world(WIDE, 4).impressions_table(day))


def test_other_streams_redraw_a_day_of_the_same_world(world: World) -> None:
    sessions, first = world.slots(1)
    again, second = world.slots(1, Streams(99))
    assert again.id.tolist() == sessions.id.tolist()
    assert len(second.video) == len(first.video), "the same people come for as long"
    assert second.video.tolist() != first.video.tolist()
    assert (second.click != first.click).any()


def test_the_policy_of_a_day_is_the_same_whenever_it_is_asked(world: World) -> None:
    first, second = world.policy(2), world.policy(2)
    assert first.weight.tobytes() == second.weight.tobytes()
    assert first.taste.tobytes() == second.taste.tobytes()
