"""What diversity is worth: pages spread over tags, valued by the world with fatigue inside them.

Pages of ten are picked greedily, by probability less a weight times the similarity of visible tags
to what the page already holds (maximal marginal relevance: Carbonell and Goldstein, SIGIR 1998,
with the sum of similarities). The probabilities are the oracle's, or blurred by noise on the logit,
as a model's would be. The same pages are then valued under several strengths of fatigue::

    .venv/bin/python benchmarks/world/frontier.py --preset full
"""

import argparse
import json
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.special import expit

from shortlist.datasets.catalogue import Catalogue
from shortlist.settings.loading import preset_settings
from shortlist.world.context import standard_context
from shortlist.world.law import tiredness
from shortlist.world.world import World, make_world

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

OUT: Final = Path("work/benchmarks")
WEIGHTS: Final = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.4)
FATIGUES: Final = ((0.0, 0.85), (0.2, 0.85), (0.35, 0.7), (0.35, 0.85), (0.35, 0.95), (0.5, 0.85))
WANTED_TAGS: Final = 40.0
_CANDIDATES: Final = 200
_PAGE: Final = 10
_BLOCK: Final = 50


class Pages(NamedTuple):
    """Pages of some users: rows of videos [m, 10], their logits in an empty session, their tags."""

    videos: Ints
    logit: Doubles
    distinct_tags: Doubles


def pick_pages(estimate: Doubles, tags: Doubles, weight: float) -> Ints:
    """Pick pages greedily.

    Args:
        estimate: probability of a click on each candidate, float64 [m, c].
        tags: unit vectors of each candidate's visible tags, float64 [m, c, t].
        weight: what a unit of similarity costs.

    Returns:
        Candidates in the order of the page, int64 [m, 10].
    """
    users = np.arange(len(estimate))
    open_places = np.ones_like(estimate, dtype=bool)
    on_page = np.zeros((len(estimate), tags.shape[2]))
    picked = np.empty((len(estimate), _PAGE), np.int64)
    for place in range(_PAGE):
        similarity = np.einsum("mct,mt->mc", tags, on_page)
        worth = np.where(open_places, estimate - weight * similarity, -np.inf)
        picked[:, place] = worth.argmax(axis=1)
        open_places[users, picked[:, place]] = False
        on_page += tags[users, picked[:, place]]
    return picked


def make_pages(world: World, users: Ints, day: int, noise: float) -> list[Pages]:
    """One set of pages for each of `WEIGHTS`, in that order."""
    live = np.flatnonzero(world.videos.upload_day < day)
    shown = Catalogue.from_table(world.videos_table()).tags.toarray()
    rng = np.random.default_rng(0)
    found: list[list[Pages]] = [[] for _ in WEIGHTS]
    for start in range(0, len(users), _BLOCK):
        block = users[start : start + _BLOCK]
        logit = world.law.catalogue(block, day, standard_context())[:, live]
        blurred = logit + noise * rng.standard_normal(logit.shape)
        best = np.argsort(-blurred, axis=1)[:, :_CANDIDATES]
        incidence = shown[live[best]].astype(np.float64)
        unit = incidence / np.linalg.norm(incidence, axis=2, keepdims=True)
        estimate = expit(np.take_along_axis(blurred, best, axis=1))
        for pages, weight in zip(found, WEIGHTS, strict=True):
            picked = pick_pages(estimate, unit, weight)
            videos = np.take_along_axis(best, picked, axis=1)
            on_page = np.take_along_axis(incidence, picked[:, :, None], axis=1)
            pages.append(
                Pages(
                    live[videos],
                    np.take_along_axis(logit, videos, axis=1),
                    (on_page.sum(axis=1) > 0).sum(axis=1).astype(np.float64),
                )
            )
    return [Pages(*map(np.concatenate, zip(*pages, strict=True))) for pages in found]


def page_value(world: World, pages: Pages, tiring: float, recovery: float) -> float:
    """Expected clicks of a page, mean over users, under a strength of fatigue."""
    tired = tiredness(world.videos.tag[pages.videos], recovery)
    return float(expit(pages.logit - tiring * tired).sum(axis=1).mean())


def frontier(world: World, all_pages: list[Pages], tiring: float, recovery: float) -> Doubles:
    """Change of distinct tags and of page value against the first pages, in percent, [n, 2]."""
    tags = np.array([pages.distinct_tags.mean() for pages in all_pages])
    value = np.array([page_value(world, pages, tiring, recovery) for pages in all_pages])
    return np.stack([100 * (tags / tags[0] - 1), 100 * (value / value[0] - 1)], axis=1)


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="demo", choices=("tiny", "demo", "full"))
    parser.add_argument("--users", type=int, default=300)
    given = parser.parse_args()
    settings = preset_settings(given.preset)
    world = make_world(settings.world, settings.seed)
    count = min(given.users, len(world.users))
    users = np.sort(np.random.default_rng(1).choice(len(world.users), count, replace=False))
    console, written = Console(), []
    law = (world.settings.tiring, world.settings.recovery)
    for noise in (0.0, 0.5):
        pages = make_pages(world, users, world.settings.days - 4, noise)
        points = frontier(world, pages, *law)
        table = Table(
            title=f"{given.preset}, noise {noise:g} on the logit, the world's own fatigue"
        )
        for name in ("weight", "distinct tags", "page value"):
            table.add_column(name, justify="right")
        for weight, (tags, value) in zip(WEIGHTS, points, strict=True):
            table.add_row(f"{weight:g}", f"{tags:+.0f} %", f"{value:+.2f} %")
        console.print(table)
        table = Table(title=f"{given.preset}, noise {noise:g}, by strength of fatigue")
        for name in ("tiring", "recovery", "best page value", "there distinct tags",
                     f"page value at +{WANTED_TAGS:g} % tags"):  # fmt: skip
            table.add_column(name, justify="right")
        for fatigue in dict.fromkeys((*FATIGUES, law)):
            points = frontier(world, pages, *fatigue)
            tags, value = points[points[:, 1].argmax()]
            wanted = float(np.interp(WANTED_TAGS, *points[np.argsort(points[:, 0])].T))
            table.add_row(
                *map("{:g}".format, fatigue),
                f"{value:+.2f} %",
                f"{tags:+.0f} %",
                f"{wanted:+.2f} %",
            )
            written.append(
                {
                    "noise": noise,
                    "tiring": fatigue[0],
                    "recovery": fatigue[1],
                    "weights": WEIGHTS,
                    "distinct_tags_percent": points[:, 0].tolist(),
                    "page_value_percent": points[:, 1].tolist(),
                }
            )
        console.print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    out = OUT / f"world-frontier-{given.preset}.json"
    out.write_text(json.dumps({"preset": given.preset, "users": count, "runs": written}) + "\n")
    console.print(f"written to {out}")


if __name__ == "__main__":
    main()
