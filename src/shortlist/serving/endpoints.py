"""Whether every predictor has a bundle: asked before the transformer serves it.

Asked by the thread that follows the pointer, so it is plain HTTP that waits. The canary is a real
ranking of one video, so that a predictor which loaded a bundle but cannot rank from it has not got
it. Through one address that stands for many only some of them are asked; what the others lack shows
as a refusal, and the bundle before answers then.
"""

import http.client
import logging
import socket
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from shortlist.datasets.events import Events
from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.serving.live import Live
from shortlist.settings.serving import ServingSettings
from shortlist.wire.rank import PATH, RankRequest, decode_answers, encode_requests
from shortlist.wire.refusals import WireError

_LOG = logging.getLogger(__name__)
_SECONDS: Final = 2.0
_BUDGET_MS: Final = 2_000.0


class Endpoints:
    """The addresses at which predictors answer."""

    def __init__(self, settings: ServingSettings, *, seconds: float = _SECONDS) -> None:
        """Ask nothing yet.

        Args:
            settings: of serving.
            seconds: to wait for each.
        """
        parts = urlsplit(predictor_url(settings))
        self._tls = parts.scheme == "https"
        host, port = parts.hostname or "127.0.0.1", parts.port or (443 if self._tls else 80)
        if settings.predictor_endpoints is not None:
            name, _, told = settings.predictor_endpoints.rpartition(":")
            host, port = name, int(told)
        self._host, self._port, self._seconds = host, port, seconds

    def have(self, live: Live) -> bool:
        """Whether all of them rank from a bundle."""
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            _LOG.warning("no address of %s is known: %s", self._host, error)
            return False
        body = encode_requests([canary(live)])
        addresses = dict.fromkeys(str(address[4][0]) for address in found)
        return all(self._has(address, body, live) for address in addresses)

    def _has(self, address: str, body: bytes, live: Live) -> bool:
        # A certificate is of the name; an address of a headless service has none.
        kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
        host = self._host if self._tls else address
        connection = kind(host, self._port, timeout=self._seconds)
        try:
            headers = {"content-type": "application/json", "connection": "close"}
            connection.request("POST", PATH, body, headers)
            answer = connection.getresponse()
            decode_answers(answer.status, answer.read(), [canary(live)])
        except (OSError, http.client.HTTPException, WireError) as error:
            _LOG.info("predictor at %s has not bundle %s: %s", address, live.id, error)
            return False
        finally:
            connection.close()
        return True


def predictor_url(settings: ServingSettings) -> str:
    """Where the predictor is."""
    return settings.predictor_url or f"http://127.0.0.1:{settings.predictor_port}"


def canary(live: Live) -> RankRequest:
    """The least that can be asked of a bundle."""
    return RankRequest.of(
        bundle=live.id,
        budget_ms=_BUDGET_MS,
        day=float(live.parts.as_of_day),
        candidates=np.zeros(1, np.int32),
        history=Events.none(),
        profile=np.zeros(live.parts.scorer.note.profile_width, np.float32),
        context=np.zeros(CONTEXT_WIDTH, np.float32),
        session=np.zeros(0, np.int32),
    )
