"""The publish step: the parts become a bundle, and the pointer moves to it if the gate lets it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from shortlist.bundle import (
    Bundle,
    BundleRecord,
    BundleStore,
    CardFacts,
    CardMetric,
    DataFacts,
    RunRecord,
    shaping_settings,
    write_bundle,
)
from shortlist.datasets.split import Split
from shortlist.datasets.store import Dataset
from shortlist.errors import GateError
from shortlist.evaluation.gate import Verdict
from shortlist.evaluation.report.store import SCORECARD, read_json
from shortlist.evaluation.scorecard import Scorecard
from shortlist.recall.blend import VECTOR_DIRECTORY
from shortlist.recall.index import QUALITY_FILE
from shortlist.recommender.contestant import NAME
from shortlist.settings.tree import Settings, shown
from shortlist.slate.settled import PART as SLATE
from shortlist.slate.settled import read
from shortlist.source import source_digest
from shortlist.steps.evaluate import HEADLINE, Candidate
from shortlist.steps.reference import PART

INDEX_RECALL: Final = "index recall"
_OF_LISTS: Final = ("expected_gain_ndcg@", "ndcg@", "auc_")
_OF_PAGES: Final = ("page_value@", "ndcg@", "distinct_tags@", "content_distance@")
TRADE_OFF: Final = "slate's trade-off"
AIM: Final = "more distinct tags, aim"
REACHED: Final = "more distinct tags, reached"


def bundled(
    settings: Settings,
    candidate: Candidate,
    reference: Path,
    dataset: Dataset,
    cut: Split,
    encoder: str,
    evaluated: Path,
    durations: Mapping[str, float],
) -> Bundle:
    """Write the candidate as a bundle, or find it standing; nothing points to it yet.

    Args:
        settings: in force.
        candidate: its parts.
        reference: directory of the sample of what it learned from.
        dataset: that it was made of.
        cut: where that was cut.
        encoder: identity of the encoder of the content.
        evaluated: directory of the judgement.
        durations: seconds by step, for the sidecar.

    Raises:
        StorageError: the disk refused, or another writer holds the directory.
    """
    card = read_json(evaluated / SCORECARD)
    headline = json.loads((evaluated / HEADLINE).read_text())
    quality = json.loads(
        (candidate.directories["recall"] / VECTOR_DIRECTORY / QUALITY_FILE).read_text()
    )
    made = dataset.record
    record = BundleRecord(
        data=DataFacts(
            name=dataset.path.name,
            digest=made.digest,
            users=made.users,
            videos=made.videos,
            impressions=made.impressions,
            first_day=made.first_day,
            last_day=made.last_day,
            fitted_to=cut.history.last,
            tuned_from=None if cut.validation is None else cut.validation.first,
            judged_from=cut.test.first,
        ),
        encoder=encoder,
        seed=settings.seed,
        settings=shaping_settings(shown(settings)),
        measured={
            INDEX_RECALL: float(quality["recall"]),
            headline["metric"]: float(headline["means"][NAME]),
            **slate_figures(candidate),
        },
        headline=headline["metric"],
    )
    return write_bundle(
        settings.paths.bundles,
        {**candidate.directories, PART: reference},
        record,
        card_facts(card, settings.recall.candidates),
        RunRecord.here(candidate.digest[:12], durations, source_digest(["."])),
    )


def slate_figures(candidate: Candidate) -> dict[str, float]:
    """What was measured to settle the slate; nothing where its trade-off was told."""
    part = candidate.directories.get(SLATE)
    if part is None:
        return {}
    found = read(part)
    return {TRADE_OFF: found.trade_off, AIM: found.aim, REACHED: found.reached}


def card_facts(card: Scorecard, candidates: int) -> CardFacts:
    """What the model card says, from what the judge said and how many are recalled at most."""
    return CardFacts(
        summary="Ranks short videos for a user: four recalls, a history encoder, a pre-rank over "
        f"up to {candidates:,} candidates and a list ranker over the best of them; a diverse page "
        "is drawn from their order.",
        intended_use=[
            "Pages of videos for users whose events are known, or for new ones, from the catalogue "
            "named below.",
        ],
        not_for=[
            "Decisions about people.",
            "Catalogues or users other than those it was trained on.",
        ],
        judged=" ".join(card.protocol),
        metrics=card_metrics(card),
        limits=[
            "It was judged on one log; figures on others will differ.",
            "What nobody was shown, the log cannot say; off-policy estimates are in the report.",
        ],
    )


def card_metrics(card: Scorecard) -> Sequence[CardMetric]:
    """The figures that decide, of the model and of what it is laid beside: of lists, and of pages.

    Pages are those of the study, where the model's own is the one that is served.
    """
    lists = [
        CardMetric(metric, model.name, figure.value, figure.low, figure.high)
        for model in card.models
        for metric, figure in {**model.truth, **model.logged}.items()
        if metric.startswith(_OF_LISTS)
    ]
    pages = [
        CardMetric(metric, page.name, figure.value, figure.low, figure.high)
        for page in (card.study.pages if card.study is not None else ())
        for metric, figure in page.figures.items()
        if metric.startswith(_OF_PAGES)
    ]
    return [*lists, *pages]


def publish(store: BundleStore, bundle: Bundle, verdict: Verdict) -> bool:
    """Move the pointer to a bundle that the gate let through.

    Returns:
        Whether it stood there already.

    Raises:
        GateError: the gate did not; the sentences say why.
        StorageError: the disk refused.
    """
    if not verdict.passed:
        raise GateError(f"bundle {bundle.id[:12]} is not published: {' '.join(verdict.reasons)}")
    if store.stands(bundle.id):
        return True
    store.publish(bundle.id)
    return False
