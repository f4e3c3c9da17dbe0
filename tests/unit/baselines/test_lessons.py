"""What a tail teaches: rows with known outcomes, or new positives among new candidates."""

from dataclasses import replace

import numpy as np
import pytest

from shortlist.baselines import lessons
from shortlist.baselines.popularity import Popularity
from shortlist.baselines.random import Random
from shortlist.baselines.rerank_features import RerankFeatures
from shortlist.baselines.tail import hold_out_tail


@pytest.fixture(scope="module")
def cut(blocks):
    early, late = hold_out_tail(blocks.view, days=2, events=5)
    sources = [Popularity(7.0).fit(early), Random().fit(early)]
    return RerankFeatures(sources, early, top=12), early, late


def pairs(log):
    return set(zip(log.user.tolist(), log.video.tolist(), strict=True))


def test_impressions_are_the_tails_rows_with_known_outcomes(cut):
    features, early, late = cut
    unknown = late.click.copy()
    unknown[::3] = np.nan
    found = lessons.impressions(features, early, replace(late, click=unknown), users=500)
    assert len(found.label) == np.isfinite(unknown).sum()
    assert found.label.sum() == np.nansum(unknown)
    assert (np.diff(found.user) >= 0).all()
    assert found.features.shape[1] == len(features.shown)


def test_no_more_users_teach_and_judge_than_wanted(cut):
    features, early, late = cut
    for found in (
        lessons.impressions(features, early, late, users=12),
        lessons.new_positives(features, early, late, users=12, negatives=3)[0],
    ):
        judges = np.unique(found.user[found.held_out])
        teachers = np.unique(found.user[~found.held_out])
        assert (len(judges), len(teachers)) == (3, 9)
        assert not set(judges) & set(teachers)


def test_new_positives_are_labelled_among_candidates_that_were_not_met(cut):
    features, early, late = cut
    found, relevant = lessons.new_positives(features, early, late, users=500, negatives=4)
    liked = pairs(late.take(late.click == 1)) - pairs(early.log)
    assert sum(relevant.values()) == len(liked)
    assert set(relevant) == {user for user, _ in liked}
    place = features.plain.index("random score")
    scores = Random().fit(early).score(found.user)
    video = (scores == found.features[:, place][:, None]).argmax(axis=1)
    seen = list(zip(found.user.tolist(), video.tolist(), strict=True))
    assert not set(seen) & pairs(early.log)
    positive = {pair for pair, label in zip(seen, found.label, strict=True) if label}
    assert positive == set(seen) & liked != set()


def test_who_judges_keeps_every_candidate_and_who_teaches_only_some(cut):
    features, early, late = cut
    thin, _ = lessons.new_positives(features, early, late, users=500, negatives=4)
    whole, _ = lessons.new_positives(features, early, late, users=500, negatives=10_000)
    assert (thin.held_out.sum(), thin.label.sum()) == (whole.held_out.sum(), whole.label.sum())
    for user in np.unique(thin.user[~thin.held_out]):
        assert (thin.label[thin.user == user] == 0).sum() == 4
