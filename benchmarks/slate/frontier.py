"""What the slate's diversity brings and costs: methods, kernels and rules, valued by the truth.

The best hundred videos of some users by the true probability of a click, blurred by noise on the
logit as a model's would be, become pages of ten. Pages are judged by distinct visible tags, content
distance, and expected clicks with fatigue inside the page, against the ten best by relevance::

    .venv/bin/python benchmarks/slate/frontier.py --preset demo

Exploration is off, and the diversity head is silent. Of the kernels, `unscaled tags` leaves tag
vectors at their length, so that a video of four tags spans more than a video of one, and
`collaborative` is the cosine of the videos' true tastes, which collaborative vectors estimate.
"""

import argparse
import datetime as dt
import json
import timeit
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.special import expit

from shortlist.datasets.catalogue import Catalogue
from shortlist.encoders.text import video_texts
from shortlist.encoders.videos import load_encoder
from shortlist.evaluation.metrics.beyond_accuracy import content_distance, distinct_tags
from shortlist.settings.loading import preset_settings
from shortlist.settings.slate import SlateSettings
from shortlist.settings.tree import Settings
from shortlist.slate.kernel import SlateItems, similarity
from shortlist.slate.page import select_pages
from shortlist.slate.ranked import Ranked
from shortlist.slate.rules import Traits, rules_of
from shortlist.slate.select import METHODS, select
from shortlist.slate.settled import trade_off_of
from shortlist.steps.slate import measured
from shortlist.world.context import standard_context
from shortlist.world.truth import Truth
from shortlist.world.world import make_world

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

OUT: Final = Path("work/benchmarks")
TRADE_OFFS: Final = {
    "dpp": (0.0, 0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8),
    "mmr": (0.0, 0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22, 0.3),
}
ERRORS: Final = ((0.0, 0.0), (0.0, 0.5), (0.0, 1.0), (0.5, 0.25), (0.7, 0.35), (0.9, 0.45))
WANTED_TAGS: Final = 40.0
LOSS: Final = -1.0
_CANDIDATES: Final = 100


class Figures(NamedTuple):
    """Of one set of pages, a value per user, float64 [m]."""

    tags: Doubles
    distance: Doubles
    value: Doubles


class Bench:
    """Some users of a world, and what they would be shown."""

    def __init__(self, settings: Settings, count: int) -> None:
        world = make_world(settings.world, settings.seed)
        self.truth = Truth(world, key="")
        self.catalogue = Catalogue.from_table(world.videos_table())
        encoder = load_encoder(settings.encoders)
        content = encoder.encode(video_texts(self.catalogue.table))
        self.items = SlateItems.from_catalogue(self.catalogue, content.astype(np.float16))
        self.content: Floats = content
        self.size = settings.slate.size
        rng = np.random.default_rng(1)
        count = min(count, len(world.users))
        self.users: Ints = np.sort(rng.choice(len(world.users), count, replace=False))
        self.day = world.settings.days - 4
        self.date = world.settings.first_day + dt.timedelta(days=self.day)

    def lists(self, shared: float, own: float) -> list[Ranked]:
        """The best hundred of each user by logits with errors.

        Args:
            shared: deviation of errors that like videos have in common, since the user's taste is
                misjudged: what a model's errors are mostly made of.
            own: deviation of errors of each pair alone.
        """
        live = np.flatnonzero(self.catalogue.uploaded_before(self.date))
        logit = self.truth.law.catalogue(self.users, self.day, standard_context())[:, live]
        rng = np.random.default_rng(0)
        blurred = logit + own * rng.standard_normal(logit.shape)
        taste = self.truth.law.videos.taste[live]
        misjudged = rng.standard_normal((len(self.users), taste.shape[1]))
        blurred += shared / np.sqrt(taste.shape[1]) * (misjudged @ taste.T)
        silent = np.zeros(_CANDIDATES, np.float32)
        nowhere = np.zeros(_CANDIDATES, np.uint8)
        best = np.argsort(-blurred, axis=1)[:, :_CANDIDATES]
        return [
            Ranked(live[first], expit(row[first]).astype(np.float32), silent, nowhere)
            for first, row in zip(best, blurred, strict=True)
        ]

    def figures(self, pages: Ints) -> Figures:
        """What pages, int64 [m, size], are worth."""
        return Figures(
            distinct_tags(pages, self.catalogue.tags),
            content_distance(pages, self.content),
            self.truth.page_value(self.users, pages, self.date, standard_context()),
        )

    def plain(self, lists: Sequence[Ranked]) -> Figures:
        """The heads of the lists."""
        return self.figures(np.stack([ranked.video[: self.size] for ranked in lists]))


def change(of: Doubles, against: Doubles) -> tuple[float, float]:
    """Change of a mean in percent, and half its 95 % interval from the users' differences."""
    scale = 100 / against.mean()
    difference = of - against
    return (
        float(scale * difference.mean()),
        float(scale * 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))),
    )


def sweep(bench: Bench, lists: Sequence[Ranked], slate: SlateSettings) -> list[dict[str, Any]]:
    """Figures of each trade-off of the settings' method."""
    plain = bench.plain(lists)
    points = []
    for trade_off in sorted({*TRADE_OFFS[slate.method], trade_off_of(slate)}):
        own = slate.model_copy(update={"trade_off": trade_off})
        found = bench.figures(select_pages(lists, bench.items, own))
        tags, tags_error = change(found.tags, plain.tags)
        value, value_error = change(found.value, plain.value)
        points.append(
            {
                "method": slate.method,
                "trade_off": trade_off,
                "tags": float(found.tags.mean()),
                "tags_percent": tags,
                "tags_error": tags_error,
                "value": float(found.value.mean()),
                "value_percent": value,
                "value_error": value_error,
                "distance": float(found.distance.mean()),
                "plain_tags": float(plain.tags.mean()),
                "plain_value": float(plain.value.mean()),
                "plain_distance": float(plain.distance.mean()),
            }
        )
    return points


def summary(points: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Best change of value; change of value at the wanted tags; change of tags at the loss."""
    tags = np.array([point["tags_percent"] for point in points])
    value = np.array([point["value_percent"] for point in points])
    order = np.argsort(tags)
    reached = tags.max() >= WANTED_TAGS
    at_tags = float(np.interp(WANTED_TAGS, tags[order], value[order])) if reached else np.nan
    falling = slice(int(value.argmax()), None)
    by_value = np.argsort(value[falling])
    at_loss = float(np.interp(LOSS, value[falling][by_value], tags[falling][by_value]))
    return float(value.max()), at_tags, at_loss


def kernel_points(
    bench: Bench, lists: Sequence[Ranked], method: str, kernels: Sequence[Floats]
) -> list[dict[str, Any]]:
    """As `sweep`, for kernels of one's own and without rules."""
    plain, points = bench.plain(lists), []
    for trade_off in TRADE_OFFS[method]:
        pages = [
            ranked.video[
                select(
                    ranked.relevance,
                    kernel,
                    bench.size,
                    method=METHODS[method],
                    trade_off=trade_off,
                ).picked
            ]
            for ranked, kernel in zip(lists, kernels, strict=True)
        ]
        found = bench.figures(np.stack(pages))
        points.append(
            {
                "tags_percent": change(found.tags, plain.tags)[0],
                "value_percent": change(found.value, plain.value)[0],
            }
        )
    return points


def kernels_of(bench: Bench, name: str, video: Ints) -> Floats:
    """A kernel of candidates by the name that the table gives it."""
    tags = bench.catalogue.tags[video].toarray()
    if name == "collaborative":
        taste = bench.truth.law.videos.taste[video]
        taste = taste / np.linalg.norm(taste, axis=1, keepdims=True)
        return (taste @ taste.T).astype(np.float32)
    if name == "unscaled tags":
        # A video lists at most four tags, so nobody spans more than 1.
        return np.asarray(tags @ tags.T / 4, np.float32)
    if name == "tags by Jaccard, content .3":
        both = tags @ tags.T
        count = tags.sum(axis=1)
        jaccard = both / np.maximum(count[:, None] + count - both, 1)
        return np.asarray(0.7 * jaccard + 0.3 * similarity(bench.items, video, 1.0), np.float32)
    return similarity(bench.items, video, float(name.removeprefix("content ")))


KERNELS: Final = (
    "content 0",
    "content 0.3",
    "content 0.6",
    "content 1",
    "tags by Jaccard, content .3",
    "unscaled tags",
    "collaborative",
)


def table_of(title: str, *columns: str) -> Table:
    """An empty table of figures."""
    table = Table(title=title)
    for name in columns:
        table.add_column(name, justify="left" if name in ("method", "kernel", "rules") else "right")
    return table


def signed(value: float, digits: int = 2) -> str:
    """A change in percent."""
    return "not reached" if np.isnan(value) else f"{value:+.{digits}f} %"


def show_sweeps(
    console: Console, bench: Bench, lists: Sequence[Ranked], slate: SlateSettings
) -> list[dict[str, Any]]:
    """Both methods over all trade-offs; the default among them is marked."""
    written = []
    for method in METHODS:
        own = slate.model_copy(update={"method": method})
        if method != slate.method:
            own = own.model_copy(update={"trade_off": 0.0})
        points = sweep(bench, lists, own)
        table = table_of(
            f"{method}, noise .5 on the logit; sorted by relevance: {points[0]['plain_tags']:.2f} "
            f"tags, value {points[0]['plain_value']:.3f}, distance "
            f"{points[0]['plain_distance']:.3f}",
            *("trade-off", "tags", "change", "page value", "change", "content distance"),
        )
        for point in points:
            default = method == slate.method and point["trade_off"] == slate.trade_off
            table.add_row(
                f"{point['trade_off']:g}{' (default)' if default else ''}",
                f"{point['tags']:.2f}",
                f"{signed(point['tags_percent'], 1)} +- {point['tags_error']:.1f}",
                f"{point['value']:.3f}",
                f"{signed(point['value_percent'])} +- {point['value_error']:.2f}",
                f"{point['distance']:.3f}",
                style="bold" if default else None,
            )
        console.print(table)
        written += points
    return written


def show_errors(console: Console, bench: Bench, slate: SlateSettings) -> list[dict[str, Any]]:
    """The default setting, from perfect to poor relevance."""
    table = table_of(
        "the default setting by errors of relevance, deviations on the logit",
        *("of taste", "of each pair", "sorted by relevance", "tags", "page value", "distance"),
    )
    written = []
    for shared, own in ERRORS:
        lists = bench.lists(shared, own)
        plain = bench.plain(lists)
        found = bench.figures(select_pages(lists, bench.items, slate))
        tags, value = change(found.tags, plain.tags), change(found.value, plain.value)
        table.add_row(
            f"{shared:g}",
            f"{own:g}",
            f"{plain.tags.mean():.2f} tags, {plain.value.mean():.3f}",
            f"{signed(tags[0], 1)} +- {tags[1]:.1f}",
            f"{signed(value[0])} +- {value[1]:.2f}",
            f"{plain.distance.mean():.3f} to {found.distance.mean():.3f}",
        )
        written.append(
            {"shared": shared, "own": own, "tags_percent": tags[0], "value_percent": value[0]}
        )
    console.print(table)
    return written


def show_kernels(console: Console, bench: Bench, lists: Sequence[Ranked]) -> list[dict[str, Any]]:
    """Kernels without rules, for both methods."""
    table = table_of(
        "kernels, without rules",
        *("method", "kernel", "best page value", f"page value at +{WANTED_TAGS:g} % tags"),
        f"tags at {LOSS:g} % page value",
    )
    written = []
    for name in KERNELS:
        kernels = [kernels_of(bench, name, ranked.video) for ranked in lists]
        for method in METHODS:
            best, at_tags, at_loss = summary(kernel_points(bench, lists, method, kernels))
            table.add_row(method, name, signed(best), signed(at_tags), signed(at_loss, 0))
            written.append(
                {
                    "method": method,
                    "kernel": name,
                    "best_value_percent": best,
                    "value_percent_at_wanted_tags": None if np.isnan(at_tags) else at_tags,
                    "tags_percent_at_loss": at_loss,
                }
            )
    console.print(table)
    return written


def show_rules(
    console: Console, bench: Bench, lists: Sequence[Ranked], slate: SlateSettings
) -> list[dict[str, Any]]:
    """Limits of the rules at the default trade-off."""
    none: dict[str, Any] = {"creator_limit": 100, "tag_limit": 100, "creator_apart": False}
    variants: dict[str, dict[str, Any]] = {
        "none": none,
        "default": {},
        "one of a creator": {"creator_limit": 1},
        "two of a main tag": {"tag_limit": 2},
        "one of a main tag": {"tag_limit": 1},
        "default, sorted by relevance": {"trade_off": 0.0},
    }
    table = table_of("rules at the default trade-off", "rules", "tags", "page value", "distance")
    plain, written = bench.plain(lists), []
    for name, limits in variants.items():
        own = slate.model_copy(update=limits)
        found = bench.figures(select_pages(lists, bench.items, own))
        tags, value = change(found.tags, plain.tags)[0], change(found.value, plain.value)[0]
        table.add_row(name, signed(tags, 1), signed(value), f"{found.distance.mean():.3f}")
        written.append({"rules": name, "tags_percent": tags, "value_percent": value})
    console.print(table)
    return written


def show_speed(console: Console, bench: Bench, ranked: Ranked, slate: SlateSettings) -> Any:
    """Milliseconds of the parts of one page, best of several."""
    kernel = similarity(bench.items, ranked.video, slate.content_share)
    traits, rules = Traits.of(bench.items, ranked.video), rules_of(slate)

    def best(what: Any) -> float:
        return min(timeit.repeat(what, number=20, repeat=10)) / 20 * 1e3

    figures = {
        "kernel": best(lambda: similarity(bench.items, ranked.video, slate.content_share)),
        **{
            method: best(
                lambda method=method: select(
                    ranked.relevance,
                    kernel,
                    slate.size,
                    method=METHODS[method],
                    trade_off=trade_off_of(slate),
                    traits=traits,
                    rules=rules,
                )
            )
            for method in METHODS
        },
        "page": best(lambda: select_pages([ranked], bench.items, slate)),
    }
    table = table_of(f"ms for {_CANDIDATES} candidates", *figures)
    table.add_row(*(f"{value:.2f}" for value in figures.values()))
    console.print(table)
    return figures


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="demo", choices=("tiny", "demo", "full"))
    parser.add_argument("--users", type=int, default=300)
    given = parser.parse_args()
    settings = preset_settings(given.preset)
    bench = Bench(settings, given.users)
    lists = bench.lists(0.0, 0.5)
    found = measured(lists, bench.items, settings.slate)
    slate = settings.slate.model_copy(update={"trade_off": found.trade_off})
    console = Console(width=120)
    written = {
        "preset": given.preset,
        "users": len(bench.users),
        "slate": slate.model_dump(),
        "sweeps": show_sweeps(console, bench, lists, slate),
        "errors": show_errors(console, bench, slate),
        "kernels": show_kernels(console, bench, lists),
        "rules": show_rules(console, bench, lists, slate),
        "milliseconds": show_speed(console, bench, lists[0], slate),
    }
    OUT.mkdir(parents=True, exist_ok=True)
    out = OUT / f"slate-frontier-{given.preset}.json"
    out.write_text(json.dumps(written) + "\n")
    console.print(f"written to {out}")


if __name__ == "__main__":
    main()
