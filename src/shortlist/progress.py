"""Progress of long work on stderr, quiet where nobody looks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

T = TypeVar("T")


def interactive() -> bool:
    """Whether somebody looks: stderr is a terminal."""
    return Console(stderr=True).is_terminal


def track(
    items: Sequence[T] | Iterable[T], description: str, total: int | None = None
) -> Iterator[T]:
    """Yield ``items`` under a progress bar on stderr; silent when stderr is not a terminal."""
    bar = _bar()
    with bar:
        yield from bar.track(items, total=total, description=description)


@contextmanager
def counting(description: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar that is told how much is done, of how much; silent as `track` is."""
    bar = _bar()
    with bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _bar() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
