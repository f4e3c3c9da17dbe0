"""Publishing: the pointer moves to a bundle that the gate let through."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def publish(
    settings: str, key: str, work: str, bundle: str, published: dsl.Output[dsl.Model]
) -> str:
    """Point to the bundle.

    Args:
        settings: of the run.
        key: of the run.
        work: directory that all tasks share.
        bundle: id of the bundle.
        published: where it lies, if it can below ``work``; its bytes stay there.

    Returns:
        The id.
    """
    from pathlib import Path

    from shortlist.steps.line import Line, expect

    line = Line.ordered(settings, key, work)
    expect("bundle", line.bundle.id, bundle)
    found = line.published
    below = found.path.is_relative_to(work)
    place = found.path.relative_to(work) if below else found.path
    published.metadata |= {"bundle": found.id, "path": str(place)}
    Path(published.path).write_text(f"{place}\n")
    return found.id
