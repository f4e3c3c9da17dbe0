"""Whether pages can be made, and from which bundle: ``GET /v2/health/ready`` of KServe's V2."""

from dataclasses import dataclass
from typing import Final

import orjson

READY_PATH: Final = "/v2/health/ready"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a server says that is ready; one that is not refuses, with the reason.

    Attributes:
        ready: always true.
        bundle: id of the one that pages are made from.
        wanted: id of the one that is published; another one while that loads, or is refused.
        refused: why the published one is not served; None where it is, or still loads.
    """

    ready: bool
    bundle: str
    wanted: str | None
    refused: str | None


def readiness_to_body(readiness: Readiness) -> bytes:
    """The body that answers."""
    return orjson.dumps(readiness)
