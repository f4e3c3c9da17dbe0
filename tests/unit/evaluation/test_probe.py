"""A linear probe finds what lies on a line, and nothing in noise."""

import numpy as np
import pytest

from shortlist.evaluation.probe import probe_accuracy

CLASSES = 6


@pytest.fixture
def tag() -> np.ndarray:
    return np.random.default_rng(0).integers(0, CLASSES, 600)


def test_vectors_that_tell_the_tag_are_read_without_fault(tag: np.ndarray) -> None:
    assert probe_accuracy(np.eye(CLASSES, 20, dtype=np.float32)[tag], tag) == 1


def test_noise_tells_no_more_than_chance(tag: np.ndarray) -> None:
    noise = np.random.default_rng(1).standard_normal((600, 20)).astype(np.float32)
    # Four standard errors of a share of 1/6 over 120 videos.
    assert probe_accuracy(noise, tag) < 1 / CLASSES + 4 * np.sqrt(5 / 36 / 120)


def test_the_same_seed_gives_the_same_accuracy(tag: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    blurred = (np.eye(CLASSES)[tag] + 0.7 * rng.standard_normal((600, CLASSES))).astype(np.float32)
    first = probe_accuracy(blurred, tag, seed=3)
    assert 0.4 < first < 1
    assert probe_accuracy(blurred, tag, seed=3) == first
