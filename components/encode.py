"""Content vectors: shares of the videos are encoded side by side, then one task gathers them."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def encode_share(settings: str, key: str, work: str, shard: int) -> int:
    """Encode one share of the videos into the cache.

    Args:
        settings: of the run.
        key: of the run.
        work: directory that all tasks share.
        shard: which share, from 0.

    Returns:
        How many texts were encoded here.
    """
    from shortlist.steps.line import Line

    return Line.ordered(settings, key, work).encode_share(int(shard))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def encode(settings: str, key: str, work: str, data: str, shares: list[int]) -> str:
    """Gather the vectors of all videos.

    Args:
        settings: of the run.
        key: of the run.
        work: directory that all tasks share.
        data: digest of the dataset.
        shares: what the tasks that encoded shares said; this one waits for them.

    Returns:
        Digest of the vectors.
    """
    from shortlist.steps.line import Line, expect

    line = Line.ordered(settings, key, work)
    expect("data", line.dataset.record.digest, data)
    return line.content.digest
