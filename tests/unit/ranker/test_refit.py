"""Refitted vectors rank as the pre-rank does, better than those that towers alone learned."""

import numpy as np
import pytest
import torch

from shortlist.datasets.events import Histories
from shortlist.ranker.company import item_table
from shortlist.ranker.export import export, projection_of
from shortlist.ranker.features import video_age
from shortlist.ranker.graphs import HistoryGraph, PrerankGraph
from shortlist.ranker.profile import tallies
from shortlist.ranker.projection import Projection
from shortlist.ranker.refit import Asked, refit


def asked_of(micro, users: int, seed: int = 0) -> Asked:
    histories = Histories.from_log(micro.view.log, len(micro.view.users))
    events = [histories.of(user) for user in range(len(histories))]
    profiles = np.concatenate([micro.rows.profile.numpy(), tallies(events)], axis=1)
    settings = micro.settings.model_copy(update={"refit_users": users})
    asked = Asked.drawn(events, profiles, micro.view, settings, seed)
    assert asked is not None
    return asked


@torch.no_grad()
def judged(cascade, table, ages, asked: Asked) -> tuple[np.ndarray, np.ndarray]:
    """User vectors, and what the pre-rank says of every video less each user's mean."""
    held = asked.histories
    kind, age, filled = map(torch.from_numpy, (held.kind, held.age, held.filled))
    rows = table[torch.from_numpy(held.video)]
    user, tokens = HistoryGraph(cascade)(rows, kind, age, filled, asked.profiles)
    many = len(user)
    moment = torch.nn.functional.pad(ages[None, :, None].expand(many, -1, 1), (0, 2))
    context = asked.context.expand(many, -1)
    logit = PrerankGraph(cascade)(
        user, tokens, age, filled, table.expand(many, -1, -1), context, moment
    )
    return user.numpy(), (logit - logit.mean(1, keepdim=True)).numpy()


@pytest.fixture(scope="module")
def trained_vectors(micro, fitted):
    cascade = fitted[0].cascade.eval()
    with torch.no_grad():
        table = item_table(cascade)
        ages = torch.from_numpy(
            video_age(micro.view.catalogue.upload_day, float(micro.view.as_of_day))
        )
        vectors = cascade.prerank.item_vectors(table)
        vectors[:, -1] += cascade.prerank.moment.weight[0, 0] * ages
    return cascade, table, ages, vectors


def test_inner_products_come_nearer_to_the_prerank(micro, trained_vectors):
    cascade, table, ages, vectors = trained_vectors
    asked = asked_of(micro, 100)
    moved = refit(cascade, table, vectors, ages, asked)
    user, wanted = judged(cascade, table, ages, asked)

    def error(of: np.ndarray) -> float:
        found = user @ of.T
        return float(np.square(found - found.mean(1, keepdims=True) - wanted).mean())

    # A ridge of 100 users' strength lets some two dozen of them move a vector a part of the way.
    assert error(vectors.numpy() + moved.vectors) < 0.98 * error(vectors.numpy())
    assert moved.vectors.dtype == np.float32


def test_where_the_prerank_adds_nothing_vectors_stay(micro):
    cascade = micro.cascade()
    with torch.no_grad():
        for weight in cascade.prerank.dense[-1].parameters():
            weight.zero_()
        table = item_table(cascade)
        vectors = cascade.prerank.item_vectors(table)
        vectors[:, -1] += cascade.prerank.moment.weight[0, 0]
    moved = refit(cascade, table, vectors, torch.ones(len(table)), asked_of(micro, 20))
    for part in (moved.vectors, moved.rows, moved.level):
        np.testing.assert_allclose(part, 0.0, atol=1e-4)


def test_the_rows_tell_a_part_of_it_that_new_videos_share(micro, trained_vectors):
    cascade, table, ages, vectors = trained_vectors
    moved = refit(cascade, table, vectors, ages, asked_of(micro, 100))
    told = table.numpy() @ moved.rows + moved.level
    left = np.square(moved.vectors - told).sum()
    assert left < 0.9 * np.square(moved.vectors).sum()


def test_as_many_users_are_drawn_as_there_are(micro):
    assert len(asked_of(micro, 5).profiles) == 5
    assert len(asked_of(micro, 1_000).profiles) == len(micro.view.users)
    one, other = asked_of(micro, 5, seed=1), asked_of(micro, 5, seed=2)
    assert not torch.equal(one.profiles, other.profiles)


@torch.no_grad()
def test_what_is_exported_has_moved_and_places_new_videos_alike(
    micro, trained, trained_vectors, tmp_path
):
    cascade, _, ages, _ = trained_vectors
    fitted = trained.fitted
    asked = asked_of(micro, 100)
    export(cascade, fitted.features, fitted.note, ages.numpy(), tmp_path, asked=asked)
    rows = item_table(cascade).half().float()
    vectors = cascade.prerank.item_vectors(rows)
    vectors[:, -1] += cascade.prerank.moment.weight[0, 0] * ages
    moved = refit(cascade, rows, vectors, ages, asked)
    np.testing.assert_array_equal(
        np.load(tmp_path / "vectors.npy"), vectors.numpy() + moved.vectors
    )
    placed = Projection.load(tmp_path).vectors(rows.numpy(), ages.numpy())
    before = projection_of(cascade, fitted.features).vectors(rows.numpy(), ages.numpy())
    wanted = rows.numpy() @ moved.rows + moved.level
    np.testing.assert_allclose(placed - before, wanted, atol=1e-5)
