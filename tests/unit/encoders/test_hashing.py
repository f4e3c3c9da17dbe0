import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.encoders.hashing import BLOCKS, HashingEncoder, title_words, token_vectors

ENCODER = HashingEncoder(768)
TEXTS = [f"title: cats and part {i}\ntags: cats, sea {i % 5}\ncreator: {i % 7}" for i in range(60)]

PRINT_DIGEST = """
import hashlib, sys
from shortlist.encoders.hashing import HashingEncoder
print(hashlib.sha256(HashingEncoder(768).encode(sys.argv[1:]).tobytes()).hexdigest())
"""


def cosine(first: str, second: str) -> float:
    a, b = ENCODER.encode([first, second])
    return float(a @ b)


def test_the_recipe_has_not_changed_unnoticed():
    # A new recipe may well be wanted. It makes every cached vector, bundle and figure a stranger.
    assert ENCODER.key == "hashing/768/f0fb74a1908adbc8"


def test_four_shards_give_the_bytes_of_one():
    whole = ENCODER.encode(TEXTS)
    for shard in range(4):
        assert ENCODER.encode(TEXTS[shard::4]).tobytes() == whole[shard::4].tobytes()


@settings(max_examples=30)
@given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_a_vector_is_a_function_of_its_own_text(texts):
    together = ENCODER.encode(texts)
    for text, vector in zip(texts, together, strict=True):
        assert ENCODER.encode([text])[0].tobytes() == vector.tobytes()


@given(text=st.text(max_size=60), width=st.sampled_from([8, 100, 768]))
def test_any_text_has_a_finite_vector_of_unit_length(text, width):
    (vector,) = HashingEncoder(width).encode([text])
    assert vector.dtype == np.float32
    assert vector.shape == (width,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_threads_and_the_hash_seed_of_a_process_change_no_byte():
    expected = hashlib.sha256(ENCODER.encode(TEXTS).tobytes()).hexdigest()
    environment = os.environ | {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "4"}
    ended = subprocess.run(
        [sys.executable, "-c", PRINT_DIGEST, *TEXTS],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == expected


def test_an_empty_text_has_the_first_unit_vector():
    first = np.eye(1, 768, dtype=np.float32)[0]
    assert (ENCODER.encode(["", " \n", "title: !?"]) == first).all()
    assert ENCODER.encode([]).shape == (0, 768)


def test_a_lone_token_touches_one_coordinate_in_each_block():
    (vector,) = ENCODER.encode(["tags: sea"])
    assert (vector.reshape(BLOCKS, -1) != 0).sum(axis=1).tolist() == [1] * BLOCKS
    assert np.abs(vector[vector != 0]) == pytest.approx(BLOCKS**-0.5)


def test_fields_weigh_by_their_lengths():
    # Tags have length 1 and a creator 1/2, so together they make 1/sqrt(1.25) of a cosine.
    assert cosine("tags: sea\ncreator: 17", "tags: sea") == pytest.approx(1.25**-0.5, abs=0.1)
    assert cosine("tags: sea\ncreator: 17", "creator: 17") == pytest.approx(5**-0.5, abs=0.1)


def test_a_title_that_names_a_tag_lies_near_it():
    assert cosine("title: Street food tour", "tags: street food") > 0.2
    assert cosine("title: Grand piano tour", "tags: street food") == pytest.approx(0, abs=0.15)


def test_fields_of_other_kinds_do_not_meet():
    assert cosine("title: 17", "creator: 17") == pytest.approx(0, abs=0.15)
    assert cosine("tags: en", "language: en") == pytest.approx(0, abs=0.15)


def test_case_width_and_order_of_tags_do_not_matter():
    assert cosine("title: CATS", "title: cats") == pytest.approx(1)
    assert cosine("title: \uff23\uff21\uff34\uff33", "title: cats") == pytest.approx(1)
    assert (
        ENCODER.encode(["tags: a, b, c"]).tobytes() == ENCODER.encode(["tags: c, a, b"]).tobytes()
    )


def test_scripts_without_spaces_are_read_by_characters():
    assert title_words("東京の夜 vlog") == ["東", "京", "の", "夜", "vlog"]
    assert cosine("title: 東京の夜", "title: 東京の朝") > 0.5


def test_tokens_are_nearly_orthogonal():
    vectors = token_vectors([f"token {i}" for i in range(400)], 768).toarray()
    cosines = (vectors @ vectors.T)[np.triu_indices(400, 1)]
    assert cosines.mean() == pytest.approx(0, abs=0.001)
    assert cosines.std() == pytest.approx(768**-0.5, rel=0.05)
