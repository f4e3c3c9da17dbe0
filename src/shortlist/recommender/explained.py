"""A page, slot by slot, with what the stages said of each video: for people and for machines."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from shortlist.datasets.catalogue import Catalogue
from shortlist.recall.source import SOURCES
from shortlist.recommender.cascade import Answer
from shortlist.slate.page import Page


@dataclass(frozen=True, slots=True)
class Slot:
    """One video of a page.

    Attributes:
        slot: place on the page, from 1.
        video_id, title, tags, creator_id: of the video.
        reason: for the viewer to read.
        recalled: place among the candidates, from 1.
        recall: score by each source that recalled it, on the source's own scale.
        preranked: place by the pre-rank, from 1.
        prerank: probability that the pre-rank gives.
        ranked: place in the ranked list, from 1.
        probability: that the list ranker gives.
        diversity: what the diversity head says, 0 to 1.
        propensity: probability that this video stood here.
        explored: whether exploration put it here.
    """

    slot: int
    video_id: int
    title: str
    tags: tuple[str, ...]
    creator_id: int | None
    reason: str
    recalled: int
    recall: Mapping[str, float]
    preranked: int
    prerank: float
    ranked: int
    probability: float
    diversity: float
    propensity: float
    explored: bool


def explain(page: Page, answer: Answer, catalogue: Catalogue) -> list[Slot]:
    """The slots of a page, the first first.

    Args:
        page: drawn from the answer.
        answer: what the stages said.
        catalogue: of the videos.
    """
    recalled, ranked = answer.recalled, answer.ranked

    place_of = {video: place for place, video in enumerate(recalled.video.tolist())}
    preranked = {video: at for at, video in enumerate(recalled.video[answer.listed].tolist())}
    known = catalogue.table.take(page.video).to_pylist()
    slots = []
    for at, (video, row) in enumerate(zip(page.video.tolist(), known, strict=True)):
        place, rank = place_of[video], int(page.rank[at])
        scores = zip(SOURCES, recalled.scores[place].tolist(), strict=True)
        slots.append(
            Slot(
                slot=at + 1,
                video_id=row["video_id"],
                title=row["title"] or "",
                tags=tuple(row["tags"]),
                creator_id=row["creator_id"],
                reason=str(page.reasons[at]),
                recalled=place + 1,
                recall={name: score for name, score in scores if np.isfinite(score)},
                preranked=preranked[video] + 1,
                prerank=float(expit(answer.prerank[place])),
                ranked=rank + 1,
                probability=float(ranked.relevance[rank]),
                diversity=float(ranked.diversity[rank]),
                propensity=float(page.propensity[at]),
                explored=bool(page.explored[at]),
            )
        )
    return slots


def rule_notes(page: Page, catalogue: Catalogue) -> list[str]:
    """What the rules did, in words."""
    return [
        f"slot {note.slot + 1}: {note.rule} {note.effect} for video {catalogue.ids[note.video]}"
        for note in page.notes
    ]


def sources_of_candidates(answer: Answer) -> dict[str, int]:
    """How many candidates each source proposed."""
    bits = answer.recalled.sources
    return {name: int((bits >> place & 1).sum()) for place, name in enumerate(SOURCES)}
