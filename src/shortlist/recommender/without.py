"""What the recommender can be asked to do without, so that each part's worth can be measured."""

from dataclasses import dataclass

from shortlist.errors import InputError
from shortlist.recall.source import SOURCES
from shortlist.settings.slate import SlateSettings
from shortlist.spelling import nearest


@dataclass(frozen=True, slots=True)
class Without:
    """Switches; all off is the whole recommender.

    Attributes:
        history: what the user did counts for nothing; what was seen still does not come back.
        context: zeros instead of the context.
        sources: names of recall sources that are not asked.
        listwise: order and probabilities of the pre-rank; nothing is judged as a list.
        head: the diversity head is not heard.
        diversity: the page is the best videos as ranked, without rules.

    Raises:
        InputError: a source does not exist, or none would be left.
    """

    history: bool = False
    context: bool = False
    sources: frozenset[str] = frozenset()
    listwise: bool = False
    head: bool = False
    diversity: bool = False

    def __post_init__(self) -> None:
        for name in sorted(self.sources - set(SOURCES)):
            raise InputError(f"no recall source is called {name!r}{nearest(name, SOURCES)}")
        if self.sources == set(SOURCES):
            raise InputError("without all four recall sources nothing is recalled; leave one in")

    def __str__(self) -> str:
        """In words, for a table.

        >>> str(Without(history=True, sources=frozenset({"vector"}))), str(Without())
        ('without history, vector', 'whole')
        """
        switches = ("history", "context", "listwise", "head", "diversity")
        off = [name for name in switches if getattr(self, name)]
        off += [name for name in SOURCES if name in self.sources]
        return f"without {', '.join(off)}" if off else "whole"

    def slate(self, settings: SlateSettings) -> SlateSettings:
        """The settings of a slate that does without what is left out."""
        changes: dict[str, object] = {}
        if self.head:
            changes["head_weight"] = 0.0
        if self.diversity:
            changes |= {
                "trade_off": 0.0,
                "creator_limit": settings.size,
                "tag_limit": settings.size,
                "creator_apart": False,
            }
        return settings.model_copy(update=changes)
