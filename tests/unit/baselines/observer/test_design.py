"""Columns of the regression: tiredness as a walk through each session, tags by their place."""

from dataclasses import replace

import numpy as np
import pytest

from shortlist.baselines.observer.design import (
    EXTRA_COLUMNS,
    RECOVERY,
    design,
    expected_tiredness,
    length,
    log_age,
    soft_tags,
    standing,
)


@pytest.fixture(scope="module")
def tags(tiny_world):
    return soft_tags(tiny_world.view.catalogue)


def walked(rows, tags):
    """Tiredness by a plain loop."""
    profile, result = tags.toarray(), np.zeros(len(rows))
    for session in np.unique(rows.session[rows.session >= 0]):
        here = np.flatnonzero(rows.session == session)
        state = np.zeros(profile.shape[1])
        for row in here[np.argsort(rows.position[here])]:
            result[row] = state @ profile[rows.video[row]]
            state = RECOVERY * state + profile[rows.video[row]]
    return result


def test_tiredness_is_a_walk_through_each_session(tiny_world, tags):
    rows = tiny_world.view.log
    rows = rows.take(rows.day == rows.day[0])
    mixed = rows.take(np.random.default_rng(0).permutation(len(rows)))
    np.testing.assert_allclose(expected_tiredness(mixed, tags), walked(mixed, tags), atol=1e-5)
    assert expected_tiredness(mixed, tags).max() > 0.5


def test_rows_without_a_session_are_never_tired(tiny_world, tags):
    rows = tiny_world.view.log.take(np.arange(60))
    session = rows.session.copy()
    session[::2] = -1
    some = replace(rows, session=session)
    np.testing.assert_allclose(expected_tiredness(some, tags), walked(some, tags), atol=1e-5)
    assert (expected_tiredness(some, tags)[::2] == 0).all()
    none = replace(rows, session=np.full(60, -1))
    assert (expected_tiredness(none, tags) == 0).all()
    assert len(expected_tiredness(rows.take(np.zeros(0, np.int64)), tags)) == 0


def test_tags_weigh_less_the_later_they_are_listed(tiny_world, tags):
    catalogue = tiny_world.view.catalogue
    listed = catalogue.table.column("tags").to_pylist()
    video = next(row for row, names in enumerate(listed) if len(names) == 3)
    weights = [tags[[video]].toarray()[0, catalogue.tag_names.index(n)] for n in listed[video]]
    np.testing.assert_allclose(weights, np.array([1, 0.35, 0.35**2]) / (1 + 0.35 + 0.35**2))
    sums = np.asarray(tags.sum(axis=1)).ravel()
    np.testing.assert_allclose(sums, [1.0 if names else 0.0 for names in listed])


def test_age_counts_from_the_day_of_upload(tiny_world):
    catalogue = tiny_world.view.catalogue
    day = int(catalogue.upload_day[5])
    one = np.array([5])
    assert log_age(day + 7, catalogue, one)[0] == pytest.approx(np.log(2))
    assert log_age(day - 3, catalogue, one)[0] == 0


def test_lengths_are_standardised_and_unknown_ones_in_the_middle(tiny_world):
    catalogue = tiny_world.view.catalogue
    known = length(catalogue)
    assert known.mean() == pytest.approx(0, abs=1e-6)
    assert known.std() == pytest.approx(1, abs=1e-6)
    seconds = catalogue.duration_seconds.copy()
    seconds[:10] = np.nan
    some = length(replace(catalogue, duration_seconds=seconds))
    assert (some[:10] == 0).all()
    assert np.isfinite(some).all()
    assert (length(replace(catalogue, duration_seconds=np.full_like(seconds, np.nan))) == 0).all()


def test_columns_have_their_places(tiny_world, tags):
    view = tiny_world.view
    rows = view.log.take(np.arange(200))
    built = design(rows, view.users, view.catalogue, tags)
    extra = dict(zip(EXTRA_COLUMNS, built.dense[:, -len(EXTRA_COLUMNS) :].T, strict=True))
    np.testing.assert_allclose(built.dense[:, :32], rows.context)
    np.testing.assert_array_equal(extra["random exposure"], rows.random_exposure)
    np.testing.assert_array_equal(extra["one"], 1)
    languages = np.array(view.users.languages)[view.users.language[rows.user]]
    heard = np.array(view.catalogue.languages)[view.catalogue.language[rows.video]]
    np.testing.assert_array_equal(extra["other language"], languages != heard)
    assert built.tags.shape == (200, 5 * tags.shape[1])


def test_a_log_without_context_has_empty_context_columns(tiny_world, tags):
    view = tiny_world.view
    rows = view.log.take(np.arange(50))
    bare = replace(rows, context=np.zeros((50, 0), np.float32))
    built = design(bare, view.users, view.catalogue, tags)
    assert built.dense.shape == (50, 32 + len(EXTRA_COLUMNS))
    assert (built.dense[:, :32] == 0).all()
    assert abs(built.tags).sum() == 0


def test_the_standing_design_is_that_of_an_opening_random_impression(tiny_world, tags):
    """What `standing` says of a video is what `design` says of a row that shows it first."""
    view = tiny_world.view
    few = np.arange(6)
    rows = view.log.take(few)
    rows = replace(
        rows,
        video=few,
        day=np.full(6, view.as_of_day),
        session=np.full(6, -1),
        random_exposure=np.ones(6, np.bool_),
        context=np.tile(view.context, (6, 1)),
    )
    rowwise = design(rows, view.users, view.catalogue, tags)
    whole = standing(view.context, view.as_of_day, view.catalogue, tags)
    ignored = 32 + EXTRA_COLUMNS.index("other language")
    keep = np.delete(np.arange(whole.dense.shape[1]), ignored)
    np.testing.assert_allclose(whole.dense[few][:, keep], rowwise.dense[:, keep], rtol=1e-5)
    np.testing.assert_allclose(
        whole.tags[few].toarray(), rowwise.tags.toarray(), rtol=1e-5, atol=1e-6
    )
