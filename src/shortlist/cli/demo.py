"""`shortlist demo`: from nothing to a published recommender, its report and a page of videos."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from shortlist.cli.options import in_force, print_out

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    ctx: typer.Context,
    user: Annotated[
        str | None,
        typer.Option(help="Whose page is shown at the end. Default: the first judged user's."),
    ] = None,
) -> None:
    """Make or import a log, train the recommender, judge and publish it, and show a page."""
    known = in_force(ctx)
    from rich.console import Console

    from shortlist.cli.recommend import recommended
    from shortlist.cli.recommendation_shown import tables
    from shortlist.datasets.profiles import row_of
    from shortlist.errors import GateError
    from shortlist.evaluation.report.publish import REPORT
    from shortlist.evaluation.report.store import SCORECARD, read_json
    from shortlist.evaluation.report.terminal import print_table
    from shortlist.evaluation.stages import Stages
    from shortlist.steps.line import Line

    settings = known.settings
    line = Line(settings, Stages(say=typer.echo))
    users = line.dataset.users()
    first = users.slice(0, 1).to_pylist()[0]
    whose = (first["external_id"] or f"{first['user_id']}") if user is None else user
    row_of(users, whose)  # Whom nobody knows is refused here, not after minutes of training.
    judgement = line.evaluated.path
    refusal = None
    try:
        bundle = line.published
    except GateError as error:
        refusal, bundle = error, line.bundle
    reports = settings.paths.work / "reports" / line.dataset.path.name
    for name in (REPORT, SCORECARD):
        _copied(judgement / name, reports / name)
    print_table(read_json(judgement / SCORECARD), Console())
    for reason in line.verdict.reasons:
        print_out(reason)
    shown = recommended(known, bundle, whose)
    if refusal is not None and shown.standing:
        shown = replace(shown, standing=f"{shown.standing}: the gate refused it")
    print_out(*tables(shown))
    print_out(f"report: {reports / REPORT}")
    if refusal is not None:
        raise refusal
    print_out(f"bundle: {bundle.path}; another page: `shortlist recommend --user ID`")


def _copied(source: Path, target: Path) -> None:
    from shortlist.files import staged_file

    with staged_file(target) as aside:
        aside.write_bytes(source.read_bytes())
