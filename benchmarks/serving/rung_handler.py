"""A predictor that puts every candidate through the four layers; TorchServe imports it by its name.

There is no pre-rank that chooses a hundred. A body that TorchServe has parsed holds the candidates'
features as numbers, which are made an array of; what the graphs take is read from the bundle all
the same, which is kinder than to project each of them anew.
"""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shortlist.bundle import BundleStore
from shortlist.recommender.ranking import Candidates
from shortlist.serving.predictor import RankingParts
from shortlist.settings import load
from shortlist.wire.rank import RankAnswer, RankRequest, decode_requests, encode_answers


class RungHandler:
    """One worker."""

    def initialize(self, context: Any) -> None:  # noqa: ARG002  TorchServe gives it
        """Load the bundle."""
        settings = load(environ=os.environ).settings
        store = BundleStore(settings.paths.bundles)
        self._parts = RankingParts.of_bundle(store.serving(settings.serving.bundle))

    def handle(self, data: Sequence[Mapping[str, Any]], context: Any) -> list[bytes]:
        """Answer each body."""
        bodies = []
        for place, told in enumerate(data):
            body = told.get("body")
            request = parsed(body) if isinstance(body, Mapping) else decode_requests(body)[0]
            context.set_response_content_type(place, "application/json")
            bodies.append(encode_answers([everyone(self._parts, request)]))
        return bodies


def parsed(body: Mapping[str, Any]) -> RankRequest:
    """A request whose arrays are lists of numbers."""
    (told,) = body["instances"]
    features = np.asarray(told["features"], np.float32)
    if len(features) != len(told["candidates"]):
        raise ValueError("every candidate has features")
    arrays = {
        name: np.asarray(told[name], kind)
        for name, kind in (
            ("candidates", np.int32),
            ("history_video", np.int32),
            ("history_kind", np.uint8),
            ("history_day", np.float64),
            ("profile", np.float32),
            ("context", np.float32),
            ("session", np.int32),
        )
    }
    return RankRequest(told["bundle"], told["budget_ms"], told["day"], **arrays)


def everyone(parts: RankingParts, request: RankRequest) -> RankAnswer:
    """Rank all candidates as one list; the best of them are told."""
    began, scorer = time.perf_counter(), parts.scorer
    contexts = request.context[None]
    encoded = scorer.encode([request.history], request.day, request.profile[None])
    candidates = Candidates.of(
        [request.candidates.astype(np.int64)],
        [request.session.astype(np.int64)],
        request.day,
        parts.upload_day,
        parts.tags,
    )
    click, diversity = scorer.rank(
        encoded,
        candidates.video,
        contexts,
        candidates.moment,
        np.zeros(candidates.video.shape, np.float32),
        candidates.known,
    )
    best = np.argsort(-click[0], kind="stable")[: scorer.note.list_size]
    took = (time.perf_counter() - began) * 1e3
    return RankAnswer(
        bundle=parts.id,
        listed=best.astype(np.int32),
        click=click[0][best],
        diversity=diversity[0][best],
        milliseconds={"encode": 0.0, "prerank": 0.0, "rank": took},
    )
