"""Text that came from elsewhere, made safe to show in a terminal, a file or a page.

Names and titles may come from users' files. Escaping for HTML is the template's business; here go
the characters that no output should carry: terminal controls, overrides of the writing direction,
halves of surrogate pairs.
"""

from typing import Any

from shortlist.evaluation.scorecard import Scorecard


def printable(text: str) -> str:
    """Text with unprintable characters replaced and white space turned into plain spaces.

    >>> printable("a" + chr(27) + "[31mb" + chr(10) + "c")
    'a�[31mb c'
    """
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def cleaned(scorecard: Scorecard) -> Scorecard:
    """The same scorecard with every text, keys included, made printable."""
    return Scorecard.model_validate(_clean(scorecard.model_dump()))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
