"""A trained recommender that is made in a moment: its graphs are written by hand, and run for real.

The stand-in for a ranker has rows of width 4 and a bias. A user is the faded mean of the rows that
they clicked, moved by the mean of the profile; the pre-rank's logit is the inner product, plus a
tenth of the context's sum, less a fifth of the moment's; the list ranker adds what a row has in its
first column above the list's mean, and its diversity head is the sigmoid of the second column.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from shortlist.bundle import Bundle
    from shortlist.datasets.interactions import TrainingView
    from shortlist.datasets.split import Split
    from shortlist.datasets.store import Dataset
    from shortlist.settings import Settings

HISTORY, LIST, LIFT = 12, 15, 0.4

HISTORY_GRAPH = """
<ir_version: 10, opset_import: ["": 18]>
history (float16[b,h,5] rows, int64[b,h] kinds, float[b,h] ages, bool[b,h] filled,
         float[b,p] profile) => (float[b,5] user, float[b,t,v] tokens)
<int64 two = {2}, int64[1] last = {-1}, int64[1] one = {1}, int64[1] none = {0},
 float scale = {-0.1}, float unit = {1.0}, float zero = {0.0}>
{
    wide = Cast<to = 1>(rows)
    bare = Slice(wide, none, last, last)
    liked = GreaterOrEqual(kinds, two)
    counted = And(liked, filled)
    told = Cast<to = 1>(counted)
    older = Mul(ages, scale)
    faded = Exp(older)
    weight = Mul(told, faded)
    column = Unsqueeze(weight, last)
    weighed = Mul(bare, column)
    total = ReduceSum<keepdims = 0>(weighed, one)
    number = ReduceSum<keepdims = 1>(weight, one)
    steady = Add(number, unit)
    mean = Div(total, steady)
    said = ReduceMean<keepdims = 1>(profile, one)
    taste = Add(mean, said)
    nothing = Mul(number, zero)
    bias = Add(nothing, unit)
    user = Concat<axis = 1>(taste, bias)
    first = Slice(bare, none, one, one)
    start = Mul(first, zero)
    tokens = Concat<axis = 1>(start, bare)
}
"""
JUDGED = """float[b,5] user, float[b,t,v] tokens, float[b,h] ages, bool[b,h] filled,
    float16[b,n,5] rows, float[b,c] context, float[b,n,m] moment"""
PRERANK_GRAPH = f"""
<ir_version: 10, opset_import: ["": 18]>
prerank ({JUDGED}) => (float[b,n] logit)
<int64[1] last = {{-1}}, int64[1] one = {{1}}, float tenth = {{0.1}}, float fifth = {{0.2}}>
{{
    wide = Cast<to = 1>(rows)
    asked = Unsqueeze(user, one)
    products = Mul(wide, asked)
    match = ReduceSum<keepdims = 0>(products, last)
    around = ReduceSum<keepdims = 1>(context, last)
    mood = Mul(around, tenth)
    tired = ReduceSum<keepdims = 0>(moment, last)
    toll = Mul(tired, fifth)
    better = Add(match, mood)
    logit = Sub(better, toll)
}}
"""
LIST_GRAPH = f"""
<ir_version: 10, opset_import: ["": 18]>
listwise ({JUDGED}, float[b,n] prerank, bool[b,n] listed)
    => (float[b,n] click, float[b,n] diversity)
<int64 first = {{0}}, int64 second = {{1}}, int64[1] last = {{-1}}>
{{
    wide = Cast<to = 1>(rows)
    own = Gather<axis = 2>(wide, first)
    known = Cast<to = 1>(listed)
    seen = Mul(own, known)
    total = ReduceSum<keepdims = 1>(seen, last)
    number = ReduceSum<keepdims = 1>(known, last)
    mean = Div(total, number)
    above = Sub(own, mean)
    click = Add(prerank, above)
    other = Gather<axis = 2>(wide, second)
    diversity = Sigmoid(other)
}}
"""


@dataclass(frozen=True)
class Trained:
    """A small world, and a recommender that was trained on it.

    Attributes:
        settings: of all; the world, its truth and the bundles lie below ``paths.work``.
        dataset: the world's log.
        cut: history and test days.
        view: what was learned from.
        directories: of the parts.
        bundle: the same parts, published.
    """

    settings: "Settings"
    dataset: "Dataset"
    cut: "Split"
    view: "TrainingView"
    directories: dict[str, Path]
    bundle: "Bundle"


def write_ranker(view: "TrainingView", into: Path) -> None:
    """The stand-in's artefacts."""
    import onnx.parser

    from shortlist.ranker.artefacts import GRAPHS, ITEM_VECTORS, ITEMS, TAGS, Note
    from shortlist.ranker.profile import TALLY_WIDTH, declared
    from shortlist.ranker.projection import Projection

    into.mkdir(parents=True)
    videos = len(view.catalogue)
    rows = np.random.default_rng(3).normal(0, 0.7, (videos, 5)).astype(np.float16)
    tags = view.catalogue.tags.toarray().astype(np.float32)
    np.save(into / ITEMS, rows)
    np.save(into / ITEM_VECTORS, rows.astype(np.float32))
    np.save(into / TAGS, tags / np.maximum(tags.sum(axis=1, keepdims=True), 1))
    for name, text in zip(GRAPHS, (HISTORY_GRAPH, PRERANK_GRAPH, LIST_GRAPH), strict=True):
        onnx.save(onnx.parser.parse_model(text), into / GRAPHS[name])
    said = declared(view.users, view.catalogue).shape[1]
    width = said + TALLY_WIDTH
    note = Note(
        target="click", history=HISTORY, list_size=LIST, profile_width=width, policy_lift=LIFT
    )
    note.save(into)
    rng, catalogue, content = np.random.default_rng(4), view.catalogue, view.content.shape[1]

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.5, shape).astype(np.float32)

    Projection(
        mean=drawn(content),
        components=drawn(content, 3),
        content=drawn(3, 5),
        tags=drawn(len(catalogue.tag_names), 5),
        creator=drawn(catalogue.creators + 1, 5),
        language=drawn(len(catalogue.languages) + 1, 5),
        standard=np.array([[2, 0], [1, 1]], np.float32),
        static=drawn(2, 5),
        bias=drawn(5),
        vector=np.eye(5, dtype=np.float32),
        level=np.zeros(5, np.float32),
        age=np.zeros(1, np.float32),
        floor=np.zeros(1, np.float32),
    ).save(into)


@pytest.fixture(scope="session")
def ranker_of() -> "Callable[[TrainingView, Path], None]":
    """Writes the stand-in's artefacts into a new directory."""
    return write_ranker


def write_parts(view: "TrainingView", settings: "Settings", into: Path) -> dict[str, Path]:
    """All parts of the stand-in, as if it had been trained on the view."""
    from shortlist.datasets.declared import Vocabulary
    from shortlist.ranker.artefacts import ITEM_VECTORS
    from shortlist.recall.fitting import fit_recall
    from shortlist.recall.index import build_index
    from shortlist.recommender.items import write_items
    from shortlist.slate.settled import Settled

    parts = {name: into / name for name in ("recall", "ranker", "items")}
    write_ranker(view, parts["ranker"])
    fit_recall(view, settings.recall, parts["recall"])
    live = view.catalogue.uploaded_before(view.as_of)
    vectors = np.load(parts["ranker"] / ITEM_VECTORS)
    build_index(vectors, live, settings.recall, parts["recall"] / "vector")
    vocabulary = Vocabulary.of(view.users, view.catalogue)
    write_items(view.catalogue.table, view.content, vocabulary, parts["items"])
    parts["slate"] = into / "slate"
    parts["slate"].mkdir()
    Settled(trade_off=0.67, aim=0.4, reached=0.41, users=60).save(parts["slate"])
    return parts


def write_stand_in(
    parts: dict[str, Path], dataset: "Dataset", cut: "Split", settings: "Settings", root: Path
) -> "Bundle":
    """The parts as a bundle."""
    from shortlist.bundle import (
        BundleRecord,
        CardFacts,
        DataFacts,
        RunRecord,
        shaping_settings,
        write_bundle,
    )
    from shortlist.settings.tree import shown

    record = BundleRecord(
        data=DataFacts(
            name=dataset.path.name,
            digest=dataset.record.digest,
            users=60,
            videos=200,
            impressions=dataset.record.impressions,
            first_day=dataset.record.first_day,
            last_day=dataset.record.last_day,
            fitted_to=cut.history.last,
        ),
        encoder="hashing-32",
        seed=5,
        settings=shaping_settings(shown(settings)),
    )
    card = CardFacts("A stand-in.", [], [], "On nobody.", [], [])
    return write_bundle(root, parts, record, card, RunRecord.here("run"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    # Imported here: most tests below this directory need nothing of it.
    from shortlist.bundle import BundleStore
    from shortlist.datasets.split import split
    from shortlist.encoders.hashing import HashingEncoder
    from shortlist.encoders.text import video_texts
    from shortlist.settings import Settings
    from shortlist.settings.datasets import DatasetsSettings
    from shortlist.settings.paths import PathsSettings
    from shortlist.settings.recall import RecallSettings
    from shortlist.settings.world import WorldSettings
    from shortlist.steps.view import learned_view
    from shortlist.world.generate import generate

    work = tmp_path_factory.mktemp("trained")
    settings = Settings(
        seed=5,
        paths=PathsSettings(work=work),
        world=WorldSettings(
            users=60, videos=200, creators=25, days=6, impressions=3_000, name="small"
        ),
        datasets=DatasetsSettings(test_days=2, validation_days=1),
        recall=RecallSettings(candidates=60, als_factors=4, als_iterations=2, index_queries=5),
    )
    dataset, _ = generate(settings.world, settings.seed, work / "datasets", settings.paths.truth)
    cut = split(dataset, settings.datasets)
    content = HashingEncoder(32).encode(video_texts(dataset.videos()))
    view = learned_view(dataset, cut, content, wanted="click", seed=5)
    parts = write_parts(view, settings, work / "made")
    bundle = write_stand_in(parts, dataset, cut, settings, settings.paths.bundles)
    BundleStore(settings.paths.bundles).publish(bundle.id)
    return Trained(settings, dataset, cut, view, parts, bundle)


def earlier_view(view: "TrainingView") -> "TrainingView":
    """What there was of a view a day earlier: every fifth video and the last users were not."""
    import dataclasses
    import datetime as dt

    from shortlist.datasets.catalogue import Catalogue, Users

    old = np.arange(len(view.catalogue)) % 5 != 0
    users, log = len(view.users) - 8, view.log
    yesterday = view.as_of - dt.timedelta(days=1)
    last = (yesterday - dt.date(1970, 1, 1)).days
    kept = log.take(np.flatnonzero(old[log.video] & (log.user < users) & (log.day < last)))
    return dataclasses.replace(
        view,
        users=Users.from_table(view.users.table.slice(0, users)),
        catalogue=Catalogue.from_table(view.catalogue.table.filter(old)),
        log=dataclasses.replace(kept, video=(np.cumsum(old) - 1)[kept.video]),
        content=view.content[old],
        as_of=yesterday,
    )


@pytest.fixture(scope="session")
def earlier(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The recommender of the day before, when there were fewer videos and users."""
    work, settings, view = tmp_path_factory.mktemp("earlier"), trained.settings, trained.view
    before = earlier_view(view)
    parts = write_parts(before, settings, work / "made")
    bundle = write_stand_in(parts, trained.dataset, trained.cut, settings, work / "bundles")
    return Trained(settings, trained.dataset, trained.cut, before, parts, bundle)
