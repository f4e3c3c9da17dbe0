"""The pipeline on this machine: every task a process, by `kfp.local`."""

import builtins
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kfp import local

from pipelines.compiling import quiet
from pipelines.definition import definition
from pipelines.placement import Placement
from shortlist.errors import ShortlistError
from shortlist.settings import Settings
from shortlist.steps.order import Order

_COLOURS: Final = re.compile(r"\x1b\[\d+m")


def run_here(settings: Settings) -> str:
    """Run the pipeline below ``paths.work``, and wherever else ``paths`` says.

    Returns:
        What the pipeline puts out.

    Raises:
        ShortlistError: a task failed; its own words were printed.
    """
    order, work = Order.of(settings, here=True), settings.paths.work.absolute()
    with quiet(), _print_restored():
        local.init(
            local.SubprocessRunner(use_venv=False), pipeline_root=str(Path(work) / "pipeline")
        )
        try:
            run = definition(Placement(retries=0))(
                settings=order.settings,
                key=order.key,
                work=str(work),
                shards=list(range(settings.pipeline.shards)),
            )
        except RuntimeError as error:
            tasks = _COLOURS.sub("", str(error)).rpartition("Inner task failed: ")[2].rstrip(".")
            raise ShortlistError(f"task {tasks} failed; its own words stand above") from error
    return str(run.output)


@contextmanager
def _print_restored() -> Iterator[None]:
    """Give back `print`, which kfp replaces in a task and, of tasks side by side, forgets."""
    before = builtins.print
    try:
        yield
    finally:
        builtins.print = before
