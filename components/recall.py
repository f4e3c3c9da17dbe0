"""Recall: the tables of the sources that learn from the log."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def recall(settings: str, key: str, work: str, data: str, content: str) -> str:
    """Fit the tables of popularity, tags and the collaborative source.

    Args:
        settings: of the run.
        key: of the run.
        work: directory that all tasks share.
        data: digest of the dataset.
        content: digest of the vectors.

    Returns:
        Digest of the tables.
    """
    from shortlist.steps.line import Line, expect

    line = Line.ordered(settings, key, work)
    expect("data", line.dataset.record.digest, data)
    expect("encode", line.content.digest, content)
    return line.recalled.digest
