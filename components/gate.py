"""The gate: the bundle is held against popularity and against what is published."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def gate(
    settings: str,
    key: str,
    work: str,
    bundle: str,
    measured: dsl.Output[dsl.Metrics],
    verdict: dsl.Output[dsl.Markdown],
) -> str:
    """Decide whether a bundle may be published.

    Args:
        settings: of the run.
        key: of the run.
        work: directory that all tasks share.
        bundle: its id.
        measured: by how much it is ahead, with the interval.
        verdict: the reasons, as sentences.

    Returns:
        The id if it may, else nothing: kfp.local can only ask for what a task returns.
    """
    from pathlib import Path

    from shortlist.steps.line import Line, expect

    line = Line.ordered(settings, key, work)
    expect("bundle", line.bundle.id, bundle)
    said = line.verdict
    for comparison in said.comparisons:
        found = comparison.difference
        if found is not None:
            measured.log_metric(f"over {comparison.other}", found.value)
            measured.log_metric(f"over {comparison.other}, low", found.low)
            measured.log_metric(f"over {comparison.other}, high", found.high)
    outcome = "may be published" if said.passed else "may not be published"
    reasons = "\n".join(f"- {reason}" for reason in said.reasons)
    Path(verdict.path).write_text(f"Bundle {bundle} {outcome}.\n\n{reasons}\n")
    return bundle if said.passed else ""
