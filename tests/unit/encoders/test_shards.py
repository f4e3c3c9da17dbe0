import os
import time

import numpy as np
import pytest

from shortlist.encoders.shards import prune, read_shard, read_shards, write_shard
from shortlist.files import STAGING_PREFIX

KEYS = [bytes([i]) * 32 for i in range(3)]
VECTORS = np.arange(12, dtype=np.float32).reshape(3, 4)


def test_a_shard_is_read_back_as_a_memory_map(tmp_path):
    shard = read_shard(write_shard(tmp_path, KEYS, VECTORS), width=4)
    assert shard is not None
    assert list(shard.keys) == KEYS
    assert shard.vectors.tolist() == VECTORS.tolist()
    assert isinstance(shard.vectors, np.memmap)


def test_keys_that_end_in_zeros_stay_whole(tmp_path):
    keys = [bytes(32), b"\1" + bytes(31)]
    shard = read_shard(write_shard(tmp_path, keys, VECTORS[:2]), width=4)
    assert shard is not None
    assert list(shard.keys) == keys


def test_the_same_vectors_are_the_same_file(tmp_path):
    assert write_shard(tmp_path, KEYS, VECTORS) == write_shard(tmp_path, KEYS, VECTORS)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("place", [0, 20, 130, -1])
def test_one_edited_bit_anywhere_condemns_a_shard(tmp_path, place):
    path = write_shard(tmp_path, KEYS, VECTORS)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert read_shard(path, width=4) is None


@pytest.mark.parametrize("length", [0, 10, 150])
def test_a_torn_shard_is_removed_and_named(tmp_path, length):
    path, whole = write_shard(tmp_path, KEYS, VECTORS), write_shard(tmp_path, KEYS, VECTORS + 1)
    path.write_bytes(path.read_bytes()[:length])
    shards, removed = read_shards(tmp_path, width=4)
    assert ([shard.path for shard in shards], removed) == ([whole], [path])
    assert not path.exists()


def test_a_shard_of_another_width_is_not_read(tmp_path):
    assert read_shard(write_shard(tmp_path, KEYS, VECTORS), width=8) is None


def test_no_directory_means_no_shards(tmp_path):
    assert read_shards(tmp_path / "none", width=4) == ([], [])


def aged(path, seconds: float):
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_pruning_deletes_the_least_recently_used_first_over_all_encoders(tmp_path):
    paths = [
        aged(write_shard(tmp_path / name, KEYS, VECTORS + i), seconds)
        for i, (name, seconds) in enumerate([("a", 10), ("b", 30), ("a", 20), ("b", 40)])
    ]
    size = paths[0].stat().st_size
    assert prune(tmp_path, 4 * size) == 0
    assert prune(tmp_path, 2 * size) == 2
    assert [path.exists() for path in paths] == [True, False, True, False]


def test_pruning_spares_what_a_run_used(tmp_path):
    old = aged(write_shard(tmp_path / "a", KEYS, VECTORS), 50)
    new = write_shard(tmp_path / "a", KEYS, VECTORS + 1)
    assert prune(tmp_path, 0, frozenset([old])) == 1
    assert (old.exists(), new.exists()) == (True, False)


def test_pruning_sweeps_what_killed_writers_left_and_spares_living_ones(tmp_path):
    (tmp_path / "a").mkdir()
    dead = tmp_path / "a" / f"{STAGING_PREFIX}dead.npy"
    alive = tmp_path / "a" / f"{STAGING_PREFIX}alive.npy"
    dead.touch()
    alive.touch()
    aged(dead, 4_000)
    prune(tmp_path, 10**9)
    assert (dead.exists(), alive.exists()) == (False, True)
