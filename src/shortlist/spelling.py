"""The remedy for a misspelt name: the nearest one."""

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
