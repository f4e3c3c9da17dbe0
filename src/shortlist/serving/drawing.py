"""From ranked candidates to the page that crosses the wire, and what is kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from shortlist.datasets.events import Events
from shortlist.datasets.interactions import Doubles, Floats, Ints
from shortlist.online.entries import ServedPage
from shortlist.recall.blend import Blended
from shortlist.serving.asked import Asked
from shortlist.serving.live import Live
from shortlist.settings.serving import ServingSettings
from shortlist.slate.page import Slate
from shortlist.slate.plan import NOTHING_PLANNED, Plan, plan
from shortlist.slate.ranked import Ranked
from shortlist.slate.reasons import Viewer
from shortlist.wire.rank import RankAnswer
from shortlist.wire.recommend import ShownVideo, source_names

_LAST_POSITION: Final = 2**15 - 1
_SEED_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page in both of its forms.

    Attributes:
        videos: as the client gets them.
        ids: the same, int64 [s].
        propensity: float64 [s].
        plan: of the pages that come next, in places of the list that it was drawn from; nothing
            where it was planned itself.
    """

    videos: tuple[ShownVideo, ...]
    ids: Ints
    propensity: Doubles
    plan: Plan = NOTHING_PLANNED


def ranked_by(answer: RankAnswer, recalled: Blended) -> Ranked:
    """The candidates as the predictor ranked them, best first."""
    order = np.argsort(-answer.click, kind="stable")
    at = answer.listed[order]
    return Ranked(
        video=recalled.video[at],
        relevance=expit(answer.click[order]),
        # An exported sigmoid may round to just beyond its bounds.
        diversity=answer.diversity[order].clip(0.0, 1.0),
        sources=recalled.sources[at],
    )


def as_recalled(recalled: Blended, count: int) -> Ranked:
    """The best by recall alone; relevance is the fused score, the best of them 1."""
    fused = recalled.fused[:count]
    best = float(fused[0]) if len(fused) else 1.0
    return Ranked(
        video=recalled.video[:count],
        relevance=(fused / (best or 1.0)).clip(0.0, 1.0).astype(np.float32),
        diversity=np.zeros(len(fused), np.float32),
        sources=recalled.sources[:count],
    )


def draw(
    asked: Asked,
    live: Live,
    ranked: Ranked,
    history: Events,
    day: float,
    settings: ServingSettings,
    *,
    kept: bool = True,
) -> Drawn:
    """Draw a page, and plan those after it.

    Args:
        asked: how long it is, and by which id, from which exploration is seeded.
        live: whose rows these are.
        ranked: the candidates.
        history: of the viewer.
        day: now, days since 1970-01-01.
        settings: how many pages are planned, and from how many candidates.
        kept: whether the list is; of another no page will come.
    """
    said = asked.state.declared
    viewer = Viewer(history, day, () if said is None else said.interests)
    slate = Slate(ranked, live.parts.items, live.slate_of(asked.request.page_size))
    page = slate.page(viewer, seed_of(asked.id))
    pages = settings.planned_pages if kept else 0
    later = plan(slate, viewer, page.rank.tolist(), pages, settings.planned_window)
    ids = live.ids[page.video]
    reasons = list(map(str, page.reasons))
    shown = shown_videos(ids, page.relevance, page.sources, reasons, page.propensity, asked.first)
    return Drawn(shown, ids, page.propensity, later)


def shown_videos(
    ids: Ints,
    relevance: Floats,
    sources: npt.NDArray[np.uint8],
    reasons: Sequence[str],
    propensity: Doubles,
    first: int,
) -> tuple[ShownVideo, ...]:
    """A page as the client gets it.

    Args:
        ids: of the videos, int64 [s].
        relevance: as ranked, float32 [s].
        sources: bits of `shortlist.datasets.origins.Origin`, uint8 [s].
        reasons: for the viewer to read, [s].
        propensity: float64 [s].
        first: place in the session of the first of them.
    """
    told = zip(
        ids.tolist(),
        relevance.tolist(),
        sources.tolist(),
        reasons,
        propensity.tolist(),
        strict=True,
    )
    return tuple(
        [
            ShownVideo(
                video_id=video,
                position=first + slot,
                score=round(score, 6),
                source=source_names(bits),  # type: ignore[arg-type]
                reason=reason,
                propensity=likely,
            )
            for slot, (video, score, bits, reason, likely) in enumerate(told)
        ]
    )


def seed_of(request_id: str) -> int:
    """The seed of a page's exploration: whoever knows the page's id can draw it again.

    >>> seed_of("00000000000000ff" + "0" * 16)
    255
    """
    return int(request_id[:_SEED_DIGITS], 16)


def served(asked: Asked, drawn: Drawn, bundle: str) -> ServedPage:
    """The page as the log keeps it.

    Args:
        asked: what it answers.
        drawn: the page.
        bundle: id of the one that ranked it; empty where a fallback did.
    """
    count = len(drawn.ids)
    positions = np.minimum(np.arange(asked.first, asked.first + count), _LAST_POSITION)
    return ServedPage(
        request_id=asked.id,
        user=asked.request.user_id,
        at=asked.at,
        video=drawn.ids,
        position=positions.astype(np.int16),
        propensity=drawn.propensity,
        # Exploration goes by a softmax over relevance, which is no uniform chance.
        random=np.zeros(count, np.bool_),
        bundle=bundle,
        session_id=asked.session,
        experiment=asked.request.experiment or "",
        context=asked.request.context_vector(),
    )
