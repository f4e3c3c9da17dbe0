"""The gate: the parts become a bundle, and it is held against popularity and what is published."""

from typing import NamedTuple

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def gate(
    settings: str,
    key: str,
    work: str,
    judged: str,
    measured: dsl.Output[dsl.Metrics],
) -> NamedTuple("Gated", [("bundle", str), ("passed", bool), ("reasons", str)]):  # type: ignore[valid-type]
    """Write the bundle and decide whether it may be published.

    Args:
        settings: of the run.
        key: of the run.
        work: directory that all tasks share.
        judged: digest of the judgement.
        measured: by how much it is ahead, with the interval.

    Returns:
        The bundle's id, whether it may be published, and why.
    """
    from shortlist.steps.line import Line, expect

    line = Line.ordered(settings, key, work)
    expect("evaluate", line.evaluated.digest, judged)
    bundle, verdict = line.bundle, line.verdict
    for comparison in verdict.comparisons:
        found = comparison.difference
        if found is not None:
            measured.log_metric(f"over {comparison.other}", found.value)
            measured.log_metric(f"over {comparison.other}, low", found.low)
            measured.log_metric(f"over {comparison.other}, high", found.high)
    return bundle.id, verdict.passed, " ".join(verdict.reasons)
