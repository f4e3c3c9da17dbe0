"""The oracle repeats what the truth says, for the day, the context and the target of its view."""

from dataclasses import replace

import numpy as np
import pytest

from shortlist.baselines.oracle import Oracle


def test_scores_are_the_truths_probabilities(tiny_world):
    view, truth = tiny_world.view, tiny_world.truth
    users = np.array([3, 0, 7])
    scores = Oracle(truth).fit(view).score(users)
    np.testing.assert_allclose(scores, truth.click(users, view.as_of, view.context), rtol=1e-6)
    longer = Oracle(truth).fit(replace(view, target="long_view")).score(users)
    expected = truth.long_view(users, view.as_of, view.context)
    np.testing.assert_allclose(longer, expected, rtol=1e-6)


@pytest.mark.parametrize("target", ["click", "long_view"])
def test_predictions_know_the_session_and_not_the_outcome(tiny_world, target):
    rows = tiny_world.view.log
    model = Oracle(tiny_world.truth).fit(replace(tiny_world.view, target=target))
    said = model.predict(rows)
    expected = getattr(tiny_world.truth.outcomes(rows), target)
    np.testing.assert_allclose(said, expected, rtol=1e-6)
    assert abs(said.mean() - rows.outcome(target).mean()) < 0.02
    hidden = np.full(len(rows), np.nan, np.float32)
    np.testing.assert_array_equal(
        model.predict(replace(rows, click=hidden, long_view=hidden)), said
    )
