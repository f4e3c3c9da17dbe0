"""A connection to Redis that answers within its time, or says in one sentence that it did not.

Nothing here waits for the driver's own timeouts: every round trip has a deadline that covers the
wait for a free connection, the connecting and the answer.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.asyncio import UnixDomainSocketConnection as SocketConnection
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004  the driver's own
    NoScriptError,
    RedisError,
)

from shortlist.errors import SettingsError, UnavailableError
from shortlist.online.batching import Batches
from shortlist.online.scripts import ALL, Script
from shortlist.online.waiting import within
from shortlist.settings.online import OnlineSettings

T = TypeVar("T")

_PORT: Final = 6379
_TRIES: Final = 2
_ROUNDS: Final = 2
"""Batches that a request waits for: one that is under way may have to end before its own leaves."""


@dataclass(frozen=True, slots=True)
class Call:
    """A script with what it is called with."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[bytes | str | int]


Command = Call | tuple[str | bytes | int, ...]
"""A call of a script, or a command as Redis reads it."""


@dataclass(eq=False)
class Client:
    """Round trips to one Redis, or to one cluster; of one event loop.

    Attributes:
        settings: where it is, and how long it may take.
        redis: the driver.
        round_trips: how many were asked for, for tests and counters.
        batches: what requests share.
    """

    settings: OnlineSettings
    redis: "Redis | RedisCluster"
    round_trips: int = field(default=0)
    batches: Batches[Command] = field(init=False)

    def __post_init__(self) -> None:
        self.batches = Batches(self._sent, self.settings.timeout_ms / 1e3)

    @classmethod
    def of(cls, settings: OnlineSettings) -> Self:
        """A client that connects when it is first used.

        Raises:
            SettingsError: a certificate has no key, or a key no certificate.
        """
        return cls(settings, _cluster(settings) if settings.cluster else _single(settings))

    @property
    def place(self) -> str:
        """Where Redis is, for people; without secrets."""
        return self.settings.url

    async def run(
        self,
        commands: Sequence[Command],
        *,
        slow: bool = False,
        patient: bool = False,
        keep_errors: bool = False,
        most_ms: float | None = None,
    ) -> list[Any]:
        """Send commands together, and wait for their answers: one round trip.

        Those of requests go with those of others that wait at the same time.
        A Redis that was restarted does not know the scripts; then they are sent once more.

        Args:
            commands: in their order; in a cluster each node has those of its own.
            slow: whether this is no request's round trip, and has more time.
            patient: whether they may wait some milliseconds for others to leave with.
            keep_errors: leave what Redis refused among the answers instead of raising it.
            most_ms: what whoever asks has left, where that may be less than the settings allow.

        Raises:
            UnavailableError: Redis is down, slow, full, or refuses.
        """
        send = self._sent if slow else partial(self.batches.ask, patient=patient)
        rounds = 1 if slow else _ROUNDS

        async def asked(commands: Sequence[Command]) -> list[Any]:
            ask = partial(send, commands)
            return await self.within(ask, slow=slow, most_ms=most_ms, rounds=rounds)

        answers = await asked(commands)
        if any(isinstance(answer, NoScriptError) for answer in answers):
            await self.within(self._load_scripts, slow=slow, most_ms=most_ms)
            unknown = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            left = [commands[i] for i in unknown]
            for i, answer in zip(unknown, await asked(left), strict=True):
                answers[i] = answer
        for answer in answers:
            if isinstance(answer, Exception) and not keep_errors:
                raise self._refused(answer) from answer
        return answers

    async def within(
        self,
        ask: Callable[[], Awaitable[T]],
        *,
        slow: bool = False,
        most_ms: float | None = None,
        rounds: int = 1,
    ) -> T:
        """Ask Redis something, for as long as the settings and whoever asks allow.

        Args:
            ask: begins to.
            slow: whether this is no request's round trip, and has more time.
            most_ms: what whoever asks has left, where that may be less.
            rounds: that may pass until the answer, each with the time of one.

        Raises:
            UnavailableError: it is down, slow, full, or refuses.
        """
        settings = self.settings
        allowed = settings.slow_timeout_ms if slow else settings.timeout_ms
        most = math.inf if most_ms is None else most_ms
        one, all_of_them = min(allowed, most), min(rounds * allowed, most)
        self.round_trips += 1
        try:
            return await within(all_of_them / 1e3, ask())
        except TimeoutError as error:
            raise UnavailableError(
                f"Redis at {self.place} did not answer within {one:g} ms; see whether it is "
                "busy, or raise online.timeout_ms"
            ) from error
        except (RedisError, OSError) as error:
            raise self._refused(error) from error

    async def close(self) -> None:
        """Close all connections."""
        await self.redis.aclose()

    async def _sent(self, commands: Sequence[Command]) -> list[Any]:
        pipeline = self.redis.pipeline(transaction=False)
        for command in commands:
            if isinstance(command, Call):
                sha, keys = command.script.sha, command.keys
                pipeline.execute_command("EVALSHA", sha, len(keys), *keys, *command.arguments)
            else:
                pipeline.execute_command(*command)
        return await pipeline.execute(raise_on_error=False)

    async def _load_scripts(self) -> None:
        for script in ALL:
            await self.redis.script_load(script.text)

    def _refused(self, error: Exception) -> UnavailableError:
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, AuthenticationError) or reason.startswith(("NOAUTH", "WRONGPASS")):
            return UnavailableError(
                f"Redis at {self.place} refuses the name or password; set online.password"
            )
        if isinstance(error, ConnectionError | OSError):
            return UnavailableError(
                f"Redis at {self.place} cannot be reached ({reason}); start it, or set online.url"
            )
        return UnavailableError(f"Redis at {self.place} refuses: {reason}")


def _options(settings: OnlineSettings) -> dict[str, Any]:
    """What both drivers are told; handshakes that nobody needs are left out."""
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise SettingsError("online.tls_certificate and online.tls_key go together; set both")
    options: dict[str, Any] = {
        "username": settings.username,
        "password": settings.password.get_secret_value() or None,
        "protocol": 2,
        "socket_timeout": None,
        "socket_connect_timeout": settings.slow_timeout_ms / 1e3,
    }
    if settings.url.startswith("rediss:"):
        options |= {
            "ssl_ca_certs": _path(settings.tls_ca),
            "ssl_certfile": _path(settings.tls_certificate),
            "ssl_keyfile": _path(settings.tls_key),
        }
    return options


def _single(settings: OnlineSettings) -> Redis:
    options = _options(settings)
    url = urlsplit(settings.url)
    kind: Any = Connection
    if url.scheme == "unix":
        kind, options["path"] = SocketConnection, url.path
    else:
        kind = SSLConnection if url.scheme == "rediss" else Connection
        options |= {"host": url.hostname, "port": url.port or _PORT}
        options["db"] = int(url.path.strip("/") or 0)
    pool = BlockingConnectionPool(
        connection_class=kind,
        max_connections=settings.connections,
        timeout=None,
        # One more try at once, for a connection that a restart has closed behind our back.
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        driver_info=None,
        **options,
    )
    return Redis.from_pool(pool)


def _cluster(settings: OnlineSettings) -> RedisCluster:
    url = urlsplit(settings.url)
    return RedisCluster(
        host=url.hostname,
        port=url.port or _PORT,
        ssl=url.scheme == "rediss",
        max_connections=settings.connections,
        retry=Retry(NoBackoff(), _TRIES),
        **_options(settings),
    )


def _path(path: object) -> str | None:
    return None if path is None else str(path)
