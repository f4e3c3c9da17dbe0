"""What every source of candidates can do, and the four of them by name."""

from typing import Final, Protocol

from shortlist.recall.query import Candidates, Query

SOURCES: Final = ("popularity", "tags", "collaborative", "vector")
"""Names in the order of bits and columns: the first is bit 1, column 0."""


class Source(Protocol):
    """Something that proposes videos to a user, from tables on disk."""

    name: str
    """One of `SOURCES`."""

    def recall(self, query: Query, count: int) -> Candidates:
        """At most ``count`` distinct live videos that are not excluded, the best first.

        Args:
            query: cleaned: every row that it names exists.
            count: at most so many; fewer where the source knows fewer.
        """
        ...
