"""Misspelt names: whether one is near, and the remedy, the nearest one."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """The end of a sentence that refuses ``word``.

    Args:
        word: what was written.
        known: the names that exist.
        otherwise: what to say where none of them is near; else they are all listed.

    >>> nearest("clik", ["click", "skip"])
    '; did you mean click?'
    >>> nearest("xyz", ["click", "skip"])
    '; there are click, skip'
    """
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; {otherwise or 'there are ' + (', '.join(names) or 'none')}"


def is_near(word: str, name: str) -> bool:
    """Whether ``word`` is ``name`` but for a slip: about one letter in eight.

    >>> is_near("SHORTLST", "SHORTLIST"), is_near("MY_SHORTLIST", "SHORTLIST")
    (True, False)
    """
    return difflib.SequenceMatcher(None, word, name).ratio() > 0.87
