"""The log: shares of it are generated side by side, then one task makes it whole."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def generate_share(settings: str, key: str, work: str, shard: int) -> int:
    """Write one share of a world's days.

    Args:
        settings: of the run, as `shortlist.steps.order` writes them.
        key: of the run: code and settings.
        work: directory that all tasks share.
        shard: which share, from 0.

    Returns:
        How many days were written here.
    """
    from shortlist.steps.line import Line

    return Line.ordered(settings, key, work).generate_share(int(shard))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def data(settings: str, key: str, work: str, shares: list[int]) -> str:
    """Make the log whole, or import it, or find it unchanged.

    Args:
        settings: of the run.
        key: of the run.
        work: directory that all tasks share.
        shares: what the tasks that wrote shares said; this one waits for them.

    Returns:
        Digest of the dataset.
    """
    from shortlist.steps.line import Line

    return Line.ordered(settings, key, work).dataset.record.digest
