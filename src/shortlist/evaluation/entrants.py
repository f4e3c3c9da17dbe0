"""What the judge asks of a trained recommender beyond scores: who it is, its lists, its pages."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from shortlist.datasets.interactions import Ints
from shortlist.slate.ranked import Ranked


@runtime_checkable
class Traceable(Protocol):
    """A model whose parameters were made before it was judged.

    Attributes:
        fingerprint: changes with whatever its answers depend on (artefacts, settings, what is
            switched off), and is known before it is fitted. A turn is kept under it.
    """

    fingerprint: str


@runtime_checkable
class PageMaker(Protocol):
    """A recommender that also makes pages; asked after it was fitted."""

    def pages(self, users: Ints) -> Ints:
        """Pages as served but without exploration, for ``view.as_of`` and ``view.context``.

        Args:
            users: rows of the users table, int64 [m].

        Returns:
            Rows of live videos that the user has not seen, int64 [m, size]; -1 where a page is
            shorter.
        """
        ...


@runtime_checkable
class ListRanker(Protocol):
    """A recommender whose pages are drawn from ranked candidates; asked after it was fitted."""

    def ranked(self, users: Ints) -> Sequence[Ranked]:
        """The best candidates of each user, the best first: what a slate draws from.

        Args:
            users: rows of the users table, int64 [m].
        """
        ...
