"""From ranked candidates to the page that crosses the wire, and what is kept of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit

from shortlist.datasets.events import Events
from shortlist.datasets.interactions import Doubles, Ints
from shortlist.online.entries import ServedPage
from shortlist.online.packing import StoredList, rows_of
from shortlist.recall.blend import Blended
from shortlist.serving.asked import Asked
from shortlist.serving.live import Live
from shortlist.slate.page import Page, make_page
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
    """

    videos: tuple[ShownVideo, ...]
    ids: Ints
    propensity: Doubles


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


def stored(ranked: Ranked, live: Live, asked: Asked) -> StoredList:
    """A ranked list as the store keeps it.

    Args:
        ranked: by the predictor.
        live: whose rows these are.
        asked: what it was ranked for.
    """
    return StoredList(
        bundle=live.id,
        version=asked.state.history.version,
        made_at=asked.at,
        asked=asked.shape,
        video=live.ids[ranked.video],
        relevance=ranked.relevance,
        diversity=ranked.diversity,
        sources=ranked.sources,
    )


def left_of(kept: StoredList, live: Live, asked: Asked, most: int) -> Ranked:
    """What of a stored list may still be shown.

    Args:
        kept: of this bundle.
        live: whose rows are wanted.
        asked: what the session has shown, and what the client will not have.
        most: videos at most, the best of them.
    """
    rows, known = rows_of(kept.video, live.ids)
    state = asked.state
    for gone in (np.sort(np.concatenate([state.shown, asked.exclude])), state.blocked.video):
        known &= ~rows_of(kept.video, gone)[1]
    places = np.flatnonzero(known)[:most]
    return Ranked(
        rows[places], kept.relevance[places], kept.diversity[places], kept.sources[places]
    )


def draw(asked: Asked, live: Live, ranked: Ranked, history: Events, day: float) -> Drawn:
    """Draw a page.

    Args:
        asked: how long it is, and by which id, from which exploration is seeded.
        live: whose rows these are.
        ranked: the candidates.
        history: of the viewer.
        day: now, days since 1970-01-01.
    """
    settings, seed = live.slate_of(asked.request.page_size), seed_of(asked.id)
    said = asked.state.declared
    viewer = Viewer(history, day, () if said is None else said.interests)
    page = make_page(ranked, live.parts.items, settings, viewer, seed=seed)
    ids = live.ids[page.video]
    return Drawn(_shown(page, ids, asked.first), ids, page.propensity)


def _shown(page: Page, ids: Ints, first: int) -> tuple[ShownVideo, ...]:
    return tuple(
        ShownVideo(
            video_id=video,
            position=first + slot,
            score=round(score, 6),
            source=source_names(bits),  # type: ignore[arg-type]
            reason=str(reason),
            propensity=propensity,
        )
        for slot, (video, score, bits, reason, propensity) in enumerate(
            zip(
                ids.tolist(),
                page.relevance.tolist(),
                page.sources.tolist(),
                page.reasons,
                page.propensity.tolist(),
                strict=True,
            )
        )
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
