"""The ranker: trained, and its item vectors laid into an index."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train(
    settings: str,
    key: str,
    work: str,
    data: str,
    content: str,
    tables: str,
    ranker: dsl.Output[dsl.Model],
    measured: dsl.Output[dsl.Metrics],
) -> str:
    """Train the ranker and index its item vectors; a killed task goes on at its last epoch.

    Args:
        settings: of the run.
        key: of the run.
        work: directory that all tasks share.
        data: digest of the dataset.
        content: digest of the vectors.
        tables: digest of the recall tables.
        ranker: where the model lies below ``work``; its bytes stay there.
        measured: losses of the last epoch.

    Returns:
        Digest of recall as it serves, and with it of the ranker.
    """
    import json
    from pathlib import Path

    from shortlist.ranker.artefacts import CURVES
    from shortlist.steps.line import Line, expect

    line = Line.ordered(settings, key, work)
    expect("data", line.dataset.record.digest, data)
    expect("encode", line.content.digest, content)
    expect("recall", line.recalled.digest, tables)
    trained, indexed = line.ranker, line.indexed
    ranker.metadata |= {
        "digest": trained.digest,
        "path": str(trained.path.relative_to(work)),
        "said": trained.said,
    }
    Path(ranker.path).write_text(f"{trained.path.relative_to(work)}\n")
    for name, points in json.loads((trained.path / CURVES).read_text()).items():
        if points:
            measured.log_metric(name, points[-1][1])
    return indexed.digest
