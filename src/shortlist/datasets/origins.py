"""Where a candidate came from: the sources of recall, as bits that travel with it to the page."""

from enum import IntFlag


class Origin(IntFlag):
    """Sources that recalled a candidate; the bits are stored and cross the wire, and never change.

    >>> Origin.TAGS | Origin.VECTOR
    <Origin.TAGS|VECTOR: 10>
    """

    POPULARITY = 1
    TAGS = 2
    COLLABORATIVE = 4
    VECTOR = 8
