"""`shortlist recommend`: a page of videos for one user, and why each of them stands there."""

import datetime as dt
import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shortlist.cli.bundle import opened
from shortlist.cli.options import in_force, print_out

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from shortlist.bundle import Bundle
    from shortlist.cli.page_truth import PageTruth
    from shortlist.cli.recommendation_shown import Shown
    from shortlist.datasets.store import Dataset
    from shortlist.recommender.parts import Parts
    from shortlist.recommender.person import Person
    from shortlist.settings import InForce
    from shortlist.slate.page import Page
    from shortlist.world.truth import Truth

app = typer.Typer(add_completion=False)

_RECENT = 8


@app.command()
def recommend(
    ctx: typer.Context,
    user: Annotated[
        str | None, typer.Option(help="Id of a user, or the user's name in the source.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="For somebody without any history.")] = False,
    interests: Annotated[
        str | None, typer.Option(help="With --new: tags of interest.", metavar="A,B")
    ] = None,
    bundle: Annotated[
        str | None,
        typer.Option(
            help="Id of a bundle, the beginning of one, `current`, `previous`, or the path of a "
            "directory. Default: the pinned one (`serving.bundle`), else the published one.",
            metavar="ID",
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Name of a dataset, or path of its directory. Default: that of the bundle.",
            metavar="DATASET",
        ),
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(
            help="Features of the context, 0 where unnamed. Default: an evening at home where "
            "the dataset is a world's, else none.",
            metavar="NAME[=VALUE],...",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Explore, by this seed. Default: nothing is explored."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Recommend a page of videos to a user, and say why."""
    known = in_force(ctx)
    from shortlist.bundle import BundleStore
    from shortlist.cli.recommendation_shown import tables
    from shortlist.errors import InputError

    if new == (user is not None):
        raise InputError("say for whom: a user by --user, or somebody without history by --new")
    if interests is not None and not new:
        raise InputError("--interests belongs to --new: a user's own are in the dataset")
    store = BundleStore(known.settings.paths.bundles)
    pinned = known.settings.serving.bundle
    found = store.serving(pinned) if bundle is None else opened(store, bundle, verify=True)
    shown = recommended(known, found, user, interests, dataset, context, seed)
    if as_json:
        typer.echo(json.dumps(shown.wire(), indent=2))
    else:
        print_out(*tables(shown))


def recommended(
    known: "InForce",
    bundle: "Bundle",
    user: str | None,
    interests: str | None = None,
    dataset: str | None = None,
    context: str | None = None,
    seed: int | None = None,
) -> "Shown":
    """The page of a user, or of a newcomer where ``user`` is None; the options are the verb's."""
    from shortlist.cli.recommendation_shown import Shown
    from shortlist.evaluation.judge import sealed_truth
    from shortlist.recommender.cascade import Cascade
    from shortlist.recommender.drawn import slate_of, unheard
    from shortlist.recommender.explained import explain, rule_notes, sources_of_candidates
    from shortlist.recommender.parts import Parts
    from shortlist.recommender.person import newcomer, person_of
    from shortlist.recommender.request import named

    paths, data = known.settings.paths, bundle.manifest.data
    needed = user is not None or dataset is not None
    log = _log_of(paths.work, dataset or data.name, needed=needed)
    began = time.perf_counter()
    parts = Parts.of_bundle(bundle)
    milliseconds = {"open": (time.perf_counter() - began) * 1e3}
    remarks, truth = [], None
    if log is None or user is None:  # A newcomer is in no dataset.
        wanted = [name.strip() for name in (interests or "").split(",") if name.strip()]
        person = newcomer(wanted, parts)
    else:
        person = person_of(log, user, parts)
        if log.record.digest == data.digest:
            truth = sealed_truth(log, paths.truth)
        else:
            remarks.append(
                f"{log.path} is not as the bundle was made of it, so the truth is not asked."
            )
    vector = _context(context, log)
    cascade = Cascade(parts)
    told = _told(known)
    slate = slate_of(bundle, told)
    if vain := unheard(bundle, told):
        remarks.append(
            f"Of a bundle that is made, {' and '.join(vain)} change nothing: this page is drawn at "
            f"the trade-off {slate.trade_off}; set slate.trade_off for another."
        )
    request, day = person.request(vector), float(parts.as_of_day)
    cascade.answer(request, day)  # The first one pays for pages of memory that all others find.
    answer = cascade.answer(request, day)
    began = time.perf_counter()
    page = cascade.page(answer, slate, seed=seed)
    milliseconds |= {**answer.milliseconds, "slate": (time.perf_counter() - began) * 1e3}
    date = dt.date(1970, 1, 1) + dt.timedelta(days=parts.as_of_day)
    return Shown(
        bundle=bundle.id,
        dataset=None if log is None or user is None else log.path.name,
        date=date,
        target=parts.target,
        user_id=person.user_id,
        user=person.said,
        recent=_recent(person, parts),
        events=len(person.history),
        ignored=person.ignored,
        context=named(vector),
        candidates=len(answer.recalled),
        sources=sources_of_candidates(answer),
        page=explain(page, answer, parts.catalogue),
        notes=rule_notes(page, parts.catalogue),
        truth=None if truth is None else _truth(truth, person, page, parts, date, vector),
        remarks=remarks,
        milliseconds=milliseconds,
        standing=_standing(bundle, paths.bundles),
    )


def _told(known: "InForce") -> dict[str, object]:
    """What somebody says of the slate, by field; the rest is as the bundle was made."""
    slate = known.settings.slate
    names = type(slate).model_fields
    return {name: getattr(slate, name) for name in names if known.told(f"slate.{name}")}


def _standing(bundle: "Bundle", bundles: "Path") -> str:
    from shortlist.bundle import BundleStore
    from shortlist.errors import CorruptError

    try:
        current = BundleStore(bundles).pointer().current
    except CorruptError:  # A bundle that was named needs no pointer.
        current = None
    return "" if bundle.id == current else "not published"


def _log_of(work: "Path", name: str, *, needed: bool) -> "Dataset | None":
    from shortlist.datasets.named import open_named
    from shortlist.errors import CorruptError, NotFoundError

    try:
        return open_named(work, name)
    except (NotFoundError, CorruptError):
        if needed:
            raise
        return None


def _context(told: str | None, log: "Dataset | None") -> "npt.NDArray[np.float32]":
    """As told, else that of the judge: the one of its worlds, or none for a real log."""
    from shortlist.evaluation.judge import is_world
    from shortlist.recommender.request import context_of
    from shortlist.world.context import standard_context

    if told is None and log is not None and is_world(log):
        return standard_context()
    return context_of(told or "")


def _recent(person: "Person", parts: "Parts") -> list[dict[str, Any]]:
    from shortlist.datasets.events import Kind

    last = person.history.last(_RECENT)
    known = parts.catalogue.table.take(last.video).to_pylist()
    return [
        {
            "date": f"{dt.date(1970, 1, 1) + dt.timedelta(days=int(day))}",
            "kind": Kind(kind).name.lower().replace("_", " "),
            "video_id": row["video_id"],
            "title": row["title"] or "",
            "tags": row["tags"],
        }
        for kind, day, row in zip(last.kind.tolist(), last.day.tolist(), known, strict=True)
    ]


def _truth(
    truth: "Truth",
    person: "Person",
    page: "Page",
    parts: "Parts",
    date: dt.date,
    context: "npt.NDArray[np.float32]",
) -> "PageTruth":
    from shortlist.cli.page_truth import truth_of_page

    assert person.row is not None
    allowed = parts.live.copy()
    allowed[person.history.video] = False
    return truth_of_page(truth, person.row, page.video, allowed, date, context, parts.target)
