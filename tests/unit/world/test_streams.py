"""A value of a stream depends on the seed, the kind and its index, and on nothing else."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from shortlist.world.streams import Streams, choose

examples = settings(deadline=None, derandomize=True, max_examples=40)

seeds = st.integers(0, 2**40)
starts = st.integers(0, 10_000)
counts = st.integers(1, 50)
days = st.integers(0, 1_000)


@examples
@given(seeds, starts, counts, st.integers(0, 30), days, days)
def test_a_part_of_a_stream_equals_the_same_places_of_the_whole(
    seed: int, start: int, count: int, before: int, day: int, step: int
) -> None:
    streams = Streams(seed)
    first = max(0, start - before)
    whole = streams.uniform("k", first, start - first + count, day=day, step=step)
    part = streams.uniform("k", start, count, day=day, step=step)
    assert whole[start - first :].tolist() == part.tolist()


@examples
@given(seeds, starts, counts)
def test_another_kind_day_step_or_seed_gives_other_values(
    seed: int, start: int, count: int
) -> None:
    values = [
        Streams(seed).uniform("k", start, count).tolist(),
        Streams(seed + 1).uniform("k", start, count).tolist(),
        Streams(seed).uniform("l", start, count).tolist(),
        Streams(seed).uniform("k", start, count, day=1).tolist(),
        Streams(seed).uniform("k", start, count, step=1).tolist(),
        Streams(seed).uniform("k", start + 1, count).tolist(),
    ]
    assert len({tuple(value) for value in values}) == len(values)


def test_reading_one_stream_moves_no_other() -> None:
    alone = Streams(3).uniform("old kind", 0, 100)
    streams = Streams(3)
    streams.uniform("new kind", 0, 1_000)
    streams.normal("another new kind", 5, 7, day=2)
    assert streams.uniform("old kind", 0, 100).tolist() == alone.tolist()


def test_values_are_uniform_and_never_at_the_ends() -> None:
    values = Streams(5).uniform("k", 0, 200_000)
    assert values.min() > 0
    assert values.max() < 1
    assert stats.kstest(values, "uniform").pvalue > 0.001


def test_normal_values_are_finite_and_standard() -> None:
    values = Streams(5).normal("k", 0, 200_000)
    assert np.isfinite(values).all()
    assert stats.kstest(values, "norm").pvalue > 0.001


def test_neighbouring_steps_and_days_are_not_correlated() -> None:
    count = 20_000
    base = Streams(9).uniform("k", 0, count)
    for other in (
        Streams(9).uniform("k", 0, count, step=1),
        Streams(9).uniform("k", 0, count, day=1),
        Streams(9).uniform("k", 1, count),
        Streams(10).uniform("k", 0, count),
    ):
        # Four standard errors of a correlation of independent values.
        assert abs(np.corrcoef(base, other)[0, 1]) < 4 / np.sqrt(count)


def test_streams_of_other_steps_days_and_kinds_never_overlap() -> None:
    streams, count = Streams(9), 2_000
    values = [streams.uniform("k", 0, count), streams.uniform("l", 0, count)]
    values += [streams.uniform("k", 0, count, step=step) for step in (1, 2, 64)]
    values += [streams.uniform("k", 0, count, day=day) for day in (1, 2)]
    assert len(np.unique(np.concatenate(values))) == len(values) * count


def test_rows_belong_to_items_wherever_reading_starts() -> None:
    streams = Streams(1)
    whole = streams.normal_rows("rows", 0, 9, 5)
    assert streams.normal_rows("rows", 4, 3, 5).tolist() == whole[4:7].tolist()
    assert streams.uniform_rows("rows", 2, 1, 5).shape == (1, 5)


@examples
@given(st.lists(st.floats(0.01, 5), min_size=1, max_size=8), st.floats(1e-9, 1 - 1e-9))
def test_choosing_inverts_the_cumulative_weights(weights: list[float], at: float) -> None:
    cumulative = np.cumsum(weights)
    chosen = int(choose(cumulative[None], np.array([at]))[0])
    below = cumulative[chosen - 1] if chosen else 0.0
    assert below <= at * cumulative[-1] <= cumulative[chosen]


def test_a_category_without_weight_is_never_chosen() -> None:
    cumulative = np.cumsum([0.0, 1.0, 0.0, 2.0, 0.0])[None]
    at = Streams(2).uniform("k", 0, 3_000)
    shares = np.bincount(choose(cumulative, at), minlength=5) / 3_000
    assert shares[[0, 2, 4]].tolist() == [0, 0, 0]
    # Four standard errors of a share of a third.
    assert abs(shares[1] - 1 / 3) < 4 * np.sqrt(2 / 9 / 3_000)
