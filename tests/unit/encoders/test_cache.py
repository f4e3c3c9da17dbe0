import hashlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from shortlist.encoders.cache import FOLDER, SHARD_ROWS, encode_texts
from shortlist.errors import CorruptError, StorageError

GIB = 2**30


class Counting:
    """Four numbers drawn from a text; knows what it was asked, and can be made to stop."""

    width = 4

    def __init__(self, key: str = "counting", stop_after: int = 10**9, how=KeyboardInterrupt):
        self.key = key
        self.asked: list[str] = []
        self.stop_after = stop_after
        self.how = how

    def encode(self, texts):
        if len(self.asked) + len(texts) > self.stop_after:
            raise self.how
        self.asked += texts
        digests = b"".join(hashlib.md5((self.key + text).encode()).digest() for text in texts)
        return np.frombuffer(digests, np.uint32).reshape(-1, 4).astype(np.float32)


def names(number: int, prefix: str = "video") -> list[str]:
    return [f"{prefix} {i}" for i in range(number)]


def files(cache: Path) -> list[Path]:
    return sorted((cache / FOLDER).glob("*/*"))


def test_a_second_run_encodes_nothing_and_says_so(tmp_path):
    texts = names(300)
    first = encode_texts(texts, Counting(), tmp_path, GIB)
    again = Counting()
    second = encode_texts(texts, again, tmp_path, GIB)
    assert (first.distinct, first.reused, second.reused) == (300, 0, 300)
    assert again.asked == []
    assert second.vectors.tobytes() == first.vectors.tobytes() != bytes(300 * 16)
    assert first.vectors.tobytes() == Counting().encode(texts).tobytes()


def test_a_new_video_encodes_itself_alone_wherever_it_stands(tmp_path):
    texts = names(300)
    first = encode_texts(texts, Counting(), tmp_path, GIB)
    encoder = Counting()
    second = encode_texts([*texts[200:], "new", *texts[:200]], encoder, tmp_path, GIB)
    assert encoder.asked == ["new"]
    assert second.reused == 300
    assert np.delete(second.vectors, 100, 0).tobytes() == np.roll(first.vectors, 100, 0).tobytes()


def test_equal_texts_are_encoded_once(tmp_path):
    encoder = Counting()
    result = encode_texts(["a", "b", "a", "a"], encoder, tmp_path, GIB)
    assert sorted(encoder.asked) == ["a", "b"]
    assert (result.distinct, result.vectors.shape) == (2, (4, 4))
    assert (result.vectors[[0, 0]] == result.vectors[2:]).all()


def test_no_videos_are_no_trouble(tmp_path):
    assert encode_texts([], Counting(), tmp_path, GIB).vectors.shape == (0, 4)


def test_encoders_do_not_read_each_others_vectors(tmp_path):
    encode_texts(["a"], Counting("one"), tmp_path, GIB)
    other = Counting("two")
    assert encode_texts(["a"], other, tmp_path, GIB).reused == 0
    assert other.asked == ["a"]


def test_files_hold_many_vectors_each(tmp_path):
    encode_texts(names(3 * SHARD_ROWS), Counting(), tmp_path, GIB)
    assert len(files(tmp_path)) == 3


def test_what_was_finished_before_ctrl_c_is_kept(tmp_path):
    texts = names(3_000)
    with pytest.raises(KeyboardInterrupt):
        encode_texts(texts, Counting(stop_after=1_500), tmp_path, GIB, step=128)
    encoder = Counting()
    result = encode_texts(texts, encoder, tmp_path, GIB)
    assert result.reused == 1_500 // 128 * 128
    assert len(encoder.asked) == 3_000 - result.reused
    assert result.vectors.tobytes() == Counting().encode(texts).tobytes()


def test_a_killed_run_loses_one_shard_at_most(tmp_path):
    texts = names(3_000)

    def die() -> Exception:
        os.kill(os.getpid(), signal.SIGKILL)
        return AssertionError()

    class Dying(Counting):
        def encode(self, texts):
            return super().encode(texts) if len(self.asked) < 2_500 else die()

    child = os.fork()
    if child == 0:
        encode_texts(texts, Dying(), tmp_path, GIB)
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    encoder = Counting()
    result = encode_texts(texts, encoder, tmp_path, GIB)
    assert result.reused == 2 * SHARD_ROWS
    assert result.discarded == ()
    assert result.vectors.tobytes() == Counting().encode(texts).tobytes()


@pytest.mark.parametrize("damage", [lambda b: b[:-100], lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_a_torn_or_edited_file_is_encoded_again_and_reported(tmp_path, damage, caplog):
    texts = names(2 * SHARD_ROWS)
    first = encode_texts(texts, Counting(), tmp_path, GIB)
    victim = files(tmp_path)[0]
    victim.write_bytes(damage(victim.read_bytes()))
    encoder = Counting()
    second = encode_texts(texts, encoder, tmp_path, GIB)
    assert second.discarded == (victim,)
    assert (second.reused, len(encoder.asked)) == (SHARD_ROWS, SHARD_ROWS)
    assert second.vectors.tobytes() == first.vectors.tobytes()
    assert str(victim) in caplog.text
    assert encode_texts(texts, Counting(), tmp_path, GIB).discarded == ()


def test_writers_beside_each_other_do_no_harm(tmp_path):
    texts = names(1_500)

    def work(shift: int) -> bytes:
        turned = texts[shift:] + texts[:shift]
        vectors = encode_texts(turned, Counting(), tmp_path, GIB, step=64).vectors
        return np.roll(vectors, shift, 0).tobytes()

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, [0, 300, 700, 1_100]))
    assert set(results) == {Counting().encode(texts).tobytes()}
    assert encode_texts(texts, Counting(stop_after=0), tmp_path, GIB).reused == 1_500


def test_many_small_files_become_few(tmp_path):
    texts = names(40)
    for number in range(1, 41):
        encode_texts(texts[:number], Counting(), tmp_path, GIB)
    assert len(files(tmp_path)) < 35
    result = encode_texts(texts, Counting(stop_after=0), tmp_path, GIB)
    assert result.vectors.tobytes() == Counting().encode(texts).tobytes()


def test_the_cache_is_cut_back_to_its_limit_but_keeps_what_the_run_used(tmp_path):
    old = encode_texts(names(50, "old"), Counting(), tmp_path, GIB)
    new = encode_texts(names(50, "new"), Counting(), tmp_path, limit=1)
    assert len(files(tmp_path)) == 1
    assert encode_texts(names(50, "new"), Counting(stop_after=0), tmp_path, GIB).reused == 50
    assert encode_texts(names(50, "old"), Counting(), tmp_path, GIB).reused == 0
    assert old.directory == new.directory


def test_vectors_that_are_not_finite_are_refused_and_not_kept(tmp_path):
    class Broken(Counting):
        def encode(self, texts):
            return np.full((len(texts), 4), np.nan, np.float32)

    with pytest.raises(CorruptError, match="not finite"):
        encode_texts(["a"], Broken(), tmp_path, GIB)
    assert files(tmp_path) == []


def test_a_file_in_place_of_the_cache_is_refused(tmp_path):
    (tmp_path / "cache").touch()
    with pytest.raises(StorageError, match="point it at a directory"):
        encode_texts(["a"], Counting(), tmp_path / "cache", GIB)
