"""A video that nobody has met gets the row and the vector that the tower would give it."""

import numpy as np
import pytest
import torch

from shortlist.ranker.artefacts import ITEM_VECTORS, ITEMS
from shortlist.ranker.company import item_table
from shortlist.ranker.export import projection_of
from shortlist.ranker.features import video_age
from shortlist.ranker.projection import Projection

UNBORN = np.arange(36, 40)


def rows_of(projection: Projection, micro, videos: np.ndarray) -> np.ndarray:
    features, catalogue = micro.features, micro.view.catalogue
    return projection.rows(
        micro.view.content[videos],
        features.tags[videos],
        features.creator[videos],
        features.language[videos],
        catalogue.duration_seconds[videos],
    )


@torch.no_grad()
def test_rows_of_new_videos_are_those_of_the_tower_without_residuals(micro):
    cascade = micro.cascade()
    table = item_table(cascade).numpy()
    cascade.items.residual.weight[UNBORN] = 0.0
    rows = rows_of(projection_of(cascade, micro.features), micro, UNBORN)
    np.testing.assert_allclose(rows, item_table(cascade)[UNBORN], atol=1e-5)
    # What they had learned is not in it.
    assert not np.allclose(rows, table[UNBORN], atol=1e-2)


@torch.no_grad()
def test_vectors_of_new_videos_are_those_of_the_vector_recall(micro, trained):
    projection = Projection.load(trained.directory)
    items = np.load(trained.directory / ITEMS).astype(np.float32)
    age = video_age(micro.view.catalogue.upload_day, float(micro.view.as_of_day))
    vectors = projection.vectors(items, age)
    np.testing.assert_allclose(
        vectors, np.load(trained.directory / ITEM_VECTORS), rtol=0, atol=1e-5
    )
    assert vectors.dtype == np.float32


@torch.no_grad()
def test_unknown_creators_and_lengths_say_nothing(micro):
    projection = projection_of(micro.cascade(), micro.features)
    nothing = np.zeros((1, 12), np.float32) + projection.mean
    none = np.zeros(1, np.int64)
    row = projection.rows(
        nothing, np.zeros((1, 5), np.float32), none, none, np.array([np.nan], np.float32)
    )
    never = (np.log(0.5) - projection.standard[0, 1]) / projection.standard[1, 1]
    wanted = (
        projection.creator[0]
        + projection.language[0]
        + never * projection.static[1]
        + projection.bias
    )
    np.testing.assert_allclose(row[0], wanted, atol=1e-5)


def test_the_stored_maps_are_read_back_as_written(trained, micro):
    stored = Projection.load(trained.directory)
    with torch.no_grad():
        kept = projection_of(trained.fitted.cascade, trained.fitted.features)
    for name, value in vars(kept).items():
        np.testing.assert_array_equal(getattr(stored, name), value)
        assert getattr(stored, name).dtype == np.float32


@pytest.mark.parametrize("likes", [0, 1])
def test_new_videos_are_found_by_those_who_like_their_kind(micro, trained, likes):
    """Nobody has met them: their content and tags alone put them near the right crowd."""
    from shortlist.datasets.events import Histories
    from shortlist.ranker.profile import tallies
    from shortlist.ranker.scoring import Scorer

    projection = Projection.load(trained.directory)
    vectors = projection.vectors(
        rows_of(projection, micro, UNBORN), np.zeros(len(UNBORN), np.float32)
    )
    histories = Histories.from_log(micro.view.log, len(micro.view.users))
    users = np.arange(likes, 22, 2)
    events = [histories.of(user) for user in users]
    profiles = np.concatenate([micro.rows.profile[users].numpy(), tallies(events)], axis=1)
    user = Scorer.load(trained.directory).encode(events, 0.0, profiles).user
    score = (user @ vectors.T).mean(axis=0)
    same = likes == UNBORN % 2
    assert score[same].min() > score[~same].max()
