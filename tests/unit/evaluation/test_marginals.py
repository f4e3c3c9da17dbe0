"""Distributions of a log: densities on fixed bins, and only of what the log knows."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets import schema
from shortlist.datasets.store import Dataset, DatasetWriter
from shortlist.evaluation.marginals import (
    QUANTITIES,
    Quantity,
    beside,
    histogram,
    local_hours,
    marginals,
)
from shortlist.evaluation.scorecard import Marginal

examples = settings(deadline=None, derandomize=True, max_examples=40)

DAY = dt.date(2026, 1, 5)


@pytest.fixture
def make(tmp_path: Path) -> object:
    def write(rows: int, **columns: object) -> Dataset:
        def table(fields: pa.Schema, length: int, **given_columns: object) -> pa.Table:
            nothing = {field.name: pa.nulls(length, field.type) for field in fields}
            return pa.table({**nothing, **given_columns}, schema=fields)

        writer = DatasetWriter(tmp_path / "log", "test", "k" * 64)
        writer.write_users(table(schema.USERS, 3, user_id=[1, 2, 3]))
        writer.write_videos(
            table(schema.VIDEOS, 2, video_id=[1, 2], tags=[[], []], duration_seconds=[5.0, None])
        )
        defaults = {
            "impression_id": list(range(rows)),
            "user_id": [1] * rows,
            "video_id": [1] * rows,
            "day": [DAY] * rows,
        }
        writer.write_day(DAY, table(schema.IMPRESSIONS, rows, **{**defaults, **columns}))
        return writer.finish()

    return write


def by_name(found: list[Marginal]) -> dict[str, Marginal]:
    return {marginal.quantity: marginal for marginal in found}


def area(marginal: Marginal) -> float:
    curve = marginal.curves[0]
    x = np.log10(curve.x) if marginal.log_scale else np.array(curve.x)
    return float(np.sum(curve.y) * (x[1] - x[0]))


def test_every_quantity_of_a_full_log_is_a_density(make) -> None:  # type: ignore[no-untyped-def]
    rows = 40
    rng = np.random.default_rng(0)
    noon = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
    dataset = make(
        rows,
        user_id=[1] * 20 + [2] * 20,
        shown_at=[noon + dt.timedelta(minutes=20 * row) for row in range(rows - 5)] + [None] * 5,
        click=(rng.random(rows) < 0.5).tolist(),
        long_view=(rng.random(rows) < 0.5).tolist(),
        watch_seconds=rng.lognormal(1.5, 1, rows).astype(np.float32),
    )
    found = marginals(dataset, "mine")
    assert [m.quantity for m in found] == [quantity.name for quantity in QUANTITIES.values()]
    for marginal in found:
        assert marginal.curves[0].label == "mine"
        assert area(marginal) == pytest.approx(1, abs=1e-6)


def test_what_a_log_cannot_know_is_left_out(make) -> None:  # type: ignore[no-untyped-def]
    dataset = make(30, long_view=[True, False, None] * 10)
    found = by_name(marginals(dataset, "bare"))
    assert set(found) == {
        "length of shown videos",
        "length of videos viewed long",
        "impressions per video",
        "impressions per user",
        "long-view rate of a user",
    }
    # Twenty rows know the outcome, ten of them are long views: the bin from .5 holds all.
    rate = found["long-view rate of a user"].curves[0]
    assert [x for x, y in zip(rate.x, rate.y, strict=True) if y] == pytest.approx([0.525])


def test_users_with_few_known_rows_have_no_rate(make) -> None:  # type: ignore[no-untyped-def]
    assert "click rate of a user" not in by_name(marginals(make(9, click=[True] * 9), "few"))


def test_curves_of_a_second_log_join_the_same_quantity(make) -> None:  # type: ignore[no-untyped-def]
    first = marginals(make(30, click=[True] * 30), "first")
    second = [m for m in first if m.quantity != "click rate of a user"]
    second = [
        m.model_copy(update={"curves": [m.curves[0].model_copy(update={"label": "second"})]})
        for m in second
    ]
    for marginal in beside(first, second):
        labels = [curve.label for curve in marginal.curves]
        alone = marginal.quantity == "click rate of a user"
        assert labels == (["first"] if alone else ["first", "second"])


@examples
@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=30), st.booleans())
def test_a_histogram_counts_every_value_it_can_draw(values: list[float], log_scale: bool) -> None:
    quantity = Quantity("q", "", 0.5, 100, 7, log_scale)
    curve = histogram(np.array(values), quantity, "a")
    drawable = [value for value in values if value > 0 or not log_scale]
    if not drawable:
        assert curve is None
        return
    assert curve is not None
    width = (2 - np.log10(0.5)) / 7 if log_scale else 99.5 / 7
    counts = np.array(curve.y) * width * len(drawable)
    assert counts.sum() == pytest.approx(len(drawable), abs=1e-4)
    np.testing.assert_allclose(counts, counts.round(), atol=1e-4)


@examples
@given(st.integers(-12, 14), st.lists(st.floats(0, 23.999), min_size=1, max_size=20))
def test_hours_are_those_of_the_zone_that_the_days_give_away(
    offset: int, hours: list[float]
) -> None:
    # Rows at every hour of the first day leave one offset only.
    local = np.array([*(hour + 0.5 for hour in range(24)), *hours])
    day = np.full(len(local), 20_000)
    seconds = (20_000 * 24 + local - offset) * 3_600
    np.testing.assert_allclose(local_hours(seconds, day), local, atol=1e-6)


def test_unknown_moments_have_no_hour() -> None:
    assert np.isnan(local_hours(np.array([np.nan, np.nan]), np.array([1, 2]))).all()
