"""Who calls: bearer keys for the routes that write, and a rate for everybody.

A gateway in front may do both; then one setting turns them off here.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from shortlist.errors import SettingsError
from shortlist.settings.serving import ServingSettings
from shortlist.wire.refusals import RateLimitedError, UnauthorisedError

_MOST_BUCKETS: Final = 10_000
_SHORTEST_KEY: Final = 16
_BEARER: Final = "bearer "


class TooManyError(RateLimitedError):
    """The caller asks too often.

    Attributes:
        retry_after: whole seconds, for the header of that name.
    """

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Callers:
    """Lets callers in, or says why not."""

    def __init__(
        self, settings: ServingSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read the keys.

        Args:
            settings: of serving.
            clock: seconds, never going back.

        Raises:
            SettingsError: the keys cannot be read.
        """
        self._guarded = settings.guarded
        text = "" if settings.keys is None else settings.keys.get_secret_value()
        self._names = _names(text)
        self._rate, self._burst = settings.rate, settings.rate_burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def name(self, authorization: str | None) -> str | None:
        """The name of the caller whose key this header holds; None where nobody has it."""
        if authorization is None or authorization[: len(_BEARER)].lower() != _BEARER:
            return None
        # Found by its hash, so that how long it takes says nothing of the key.
        return self._names.get(_digest(authorization[len(_BEARER) :].strip()))

    def admit(self, authorization: str | None, address: str) -> None:
        """Count a call.

        Args:
            authorization: the header of that name.
            address: where the call comes from; who gives a key has a rate of their own.

        Raises:
            TooManyError: the caller's rate is used up.
        """
        if not self._guarded:
            return
        caller = self.name(authorization) or address
        now = self._clock()
        tokens, at = self._buckets.pop(caller, (self._burst, now))
        tokens = min(tokens + (now - at) * self._rate, self._burst)
        if len(self._buckets) >= _MOST_BUCKETS:
            # Who has been away for long has a full bucket anyway.
            self._buckets.popitem(last=False)
        if tokens < 1:
            self._buckets[caller] = (tokens, now)
            wait = max(1, round((1 - tokens) / self._rate + 0.5))
            raise TooManyError(
                f"more than {self._rate:g} calls a second; try again in {wait} s", wait
            )
        self._buckets[caller] = (tokens - 1, now)

    def writer(self, authorization: str | None) -> str:
        """The name of a caller who may write.

        Raises:
            UnauthorisedError: the caller gave no key, or one that nobody has.
        """
        if not self._guarded:
            return ""
        name = self.name(authorization)
        if name is None:
            if not self._names:
                raise UnauthorisedError(
                    "no keys are set, so nobody may write; set serving.keys, or turn "
                    "serving.guarded off behind a gateway"
                )
            raise UnauthorisedError("give a known key: `Authorization: Bearer KEY`")
        return name


def _names(text: str) -> dict[bytes, str]:
    """Names of callers by the hash of their key, from ``NAME:KEY,NAME:KEY``."""
    names: dict[bytes, str] = {}
    for place, part in enumerate(filter(None, (one.strip() for one in text.split(",")))):
        name, _, key = part.partition(":")
        if not name or len(key) < _SHORTEST_KEY or not key.isascii():
            # The text itself is a secret.
            raise SettingsError(
                f"serving.keys, entry {place + 1}: write NAME:KEY, the key of at least "
                f"{_SHORTEST_KEY} ASCII signs; commas stand between entries"
            )
        names[_digest(key)] = name
    return names


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
