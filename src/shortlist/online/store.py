"""The online store: all of a user in one round trip, and each change of it in one.

What cannot be read (another layout, a torn value) is left out and named, never fatal: a request
goes on with less.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from shortlist.errors import CorruptError, UnavailableError
from shortlist.online.blocklist import UNKNOWN, Blocklist, packed
from shortlist.online.client import Call, Client, Command
from shortlist.online.entries import EntryType, Event, Note, ServedPage, pack_entry
from shortlist.online.keys import SHARDS, Keys
from shortlist.online.lists import StoredList
from shortlist.online.packing import (
    LATEST,
    RECORD,
    Declared,
    History,
    Shown,
    UserVector,
    short_hash,
)
from shortlist.online.scripts import APPEND, BLOCK, FORGET, KEEP, SERVED
from shortlist.settings.online import OnlineSettings

Ints = npt.NDArray[np.int64]
Received = Literal["accepted", "duplicate"]

T = TypeVar("T")

_DAY = 86_400
_TOGETHER = 32
"""Users whose events are entered at a time: about two milliseconds of Redis."""


@dataclass(frozen=True, slots=True)
class UserState:
    """What the store knows of a user when a page is asked for.

    Attributes:
        user: id.
        history: empty where nothing is known.
        declared: None where nothing is known.
        vector: None where there is none; good while its bundle and version are the current ones.
        shown: ids of the last videos of this session, the oldest first, int64 [s].
        shown_before: how many it showed before them.
        ranked: list of this session; None where there is none. See `StoredList.serves`.
        blocked: videos taken down.
        damaged: names of values that could not be read.
    """

    user: int
    history: History
    declared: Declared | None
    vector: UserVector | None
    shown: Ints
    ranked: StoredList | None
    blocked: Blocklist
    damaged: tuple[str, ...] = ()
    shown_before: int = 0

    @property
    def known(self) -> bool:
        """Whether anything is stored of the user."""
        return len(self.history) > 0 or self.declared is not None


@dataclass(eq=False)
class OnlineStore:
    """The store as a process uses it.

    Attributes:
        settings: bounds and lifetimes.
        client: its connection.
        keys: names below the prefix.
        blocked: the blocklist as this process last saw it; also what a fallback goes by.
    """

    settings: OnlineSettings
    client: Client
    keys: Keys
    blocked: Blocklist = field(default_factory=Blocklist)

    @classmethod
    def connect(cls, settings: OnlineSettings) -> "OnlineStore":
        """A store that connects when it is first used."""
        return cls(settings, Client.of(settings), Keys(settings.prefix))

    async def close(self) -> None:
        """Close all connections."""
        await self.client.close()

    async def fetch(
        self, user: int, session: str = "", *, most_ms: float | None = None
    ) -> UserState:
        """All that a request for a page needs, in one round trip.

        A second one is made only where the blocklist has changed since this process last looked; if
        that fails, the list stays as it was, and the next page looks again.

        Args:
            user: id.
            session: as the client calls it; empty is a session too.
            most_ms: that all of it may take, where that is less than the settings allow.

        Raises:
            UnavailableError: Redis is down, slow or refuses.
        """
        keys, name, began = self.keys, short_hash(session), time.monotonic()
        values, of_session, version = await self.client.run(
            [
                ("MGET", keys.history(user), keys.declared(user), keys.vector(user)),
                ("HMGET", keys.sessions(user), b"s" + name, b"l" + name),
                ("GET", keys.blocked_version),
            ],
            most_ms=most_ms,
        )
        damaged: list[str] = []
        history, declared, vector = values
        shown, ranked = of_session
        so_far = _read(shown, Shown.unpack, "session", damaged) or Shown(np.zeros(0, np.int64), 0)
        left = None if most_ms is None else most_ms - (time.monotonic() - began) * 1e3
        return UserState(
            user=user,
            history=_read(history, History.unpack, "history", damaged) or History.none(),
            declared=_read(declared, Declared.unpack, "features", damaged),
            vector=_read(vector, UserVector.unpack, "vector", damaged),
            shown=so_far.video,
            shown_before=so_far.before,
            ranked=_read(ranked, StoredList.unpack, "list", damaged),
            blocked=await self._blocklist(version, left),
            damaged=tuple(damaged),
        )

    async def history(self, user: int) -> History:
        """What a user did.

        Raises:
            UnavailableError: Redis is down, slow or refuses.
        """
        (value,) = await self.client.run([("GET", self.keys.history(user))])
        return _read(value, History.unpack, "history", []) or History.none()

    async def append(self, events: Sequence[Event], *, now: float | None = None) -> list[Received]:
        """Enter events into histories and into the log.

        Those of a few users are one round trip, with what other requests ask. Those of many go in
        several of their own, so that no page waits for them, and have `online.slow_timeout_ms`.

        An event whose id the user has sent before changes nothing. One that says more of a video
        shown within ``online.join_hours`` raises that event's kind; others are new events, in
        their place by time. Every new one but a bare impression changes the history's version. An
        event from the future happened now.

        Args:
            events: of any users; one user's in the order in which they happened.
            now: seconds since 1970-01-01; by the clock where None.

        Returns:
            What became of each.

        Raises:
            UnavailableError: Redis is down, slow or refuses; sending all again is safe.
            InputError: an event's texts are too long.
        """
        now = time.time() if now is None else now
        by_user: dict[int, list[int]] = {}
        for place, event in enumerate(events):
            by_user.setdefault(event.user, []).append(place)
        calls = [
            self._append_call(user, [events[place] for place in places], now)
            for user, places in by_user.items()
        ]
        received: list[Received] = ["accepted"] * len(events)
        for places, (_, told) in zip(by_user.values(), await self._entered(calls), strict=True):
            for place, new in zip(places, told, strict=True):
                received[place] = "accepted" if new else "duplicate"
        return received

    async def _entered(self, calls: Sequence[Call]) -> list[Any]:
        """Answers to the calls of `append`."""
        if len(calls) <= _TOGETHER:
            return await self.client.run(calls) if calls else []
        answers: list[Any] = []
        ends = time.monotonic() + self.settings.slow_timeout_ms / 1e3
        for start in range(0, len(calls), _TOGETHER):
            left = max(0.0, ends - time.monotonic()) * 1e3
            few = calls[start : start + _TOGETHER]
            answers += await self.client.run(few, slow=True, most_ms=left)
        return answers

    async def keep_vector(self, user: int, vector: UserVector, *, made: float) -> None:
        """Store a user vector, unless the user was forgotten since.

        Args:
            user: id.
            vector: his.
            made: no later than when his history was read, in seconds since 1970-01-01.

        Raises:
            UnavailableError: Redis is down, slow or refuses.
        """
        await self.client.run([self._vector_call(user, vector, made)])

    async def served(
        self,
        page: ServedPage,
        *,
        ranked: StoredList | None = None,
        vector: UserVector | None = None,
    ) -> None:
        """Note what a page showed, in one round trip: in the session and in the log.

        A page that was asked for before its user was forgotten is not noted, whoever made it and
        however late it comes.

        Args:
            page: as it was sent.
            ranked: the list it was drawn from, where that is new.
            vector: the user's, where that is new.

        Raises:
            UnavailableError: Redis is down, slow or refuses.
            InputError: the page's texts are too long.
        """
        settings, user = self.settings, page.user
        arguments: list[bytes | str | int] = [
            int(page.at),
            short_hash(page.session_id),
            page.video.astype("<i8").tobytes(),
            settings.session_videos,
            b"" if ranked is None else ranked.pack(),
            _seconds(settings.session_minutes * 60),
            settings.sessions,
            self._log_limit(),
            pack_entry(page),
            user,
            _moment(page.at),
        ]
        shard = self.keys.shard(user)
        keys = [self.keys.sessions(user), self.keys.log(shard), self.keys.gone(shard)]
        commands: list[Command] = [Call(SERVED, keys, arguments)]
        if vector is not None:
            commands.append(self._vector_call(user, vector, page.at))
        await self.client.run(commands, patient=True)

    async def forget(self, user: int, *, now: float | None = None) -> int:
        """Delete all of a user, also from the log, and leave a tombstone for the archive.

        What the user does afterwards is a newcomer's. `load` never brings back what was before.

        Returns:
            How many entries were deleted from the log.

        Raises:
            UnavailableError: Redis is down, slow or refuses.
        """
        now = time.time() if now is None else now
        shard = self.keys.shard(user)
        call = Call(
            FORGET,
            [self.keys.log(shard), self.keys.gone(shard), *self.keys.of_user(user)],
            [user, _moment(now), packed(user), pack_entry(Note(EntryType.FORGET, user, now))],
        )
        (deleted,) = await self.client.run([call], slow=True)
        return int(deleted)

    async def take_down(self, video: int, *, now: float | None = None) -> None:
        """Block a video: it is gone from every process's next page.

        Raises:
            UnavailableError: Redis is down, slow or refuses.
        """
        await self._block("SADD", EntryType.TAKEDOWN, video, now)

    async def restore(self, video: int, *, now: float | None = None) -> None:
        """Undo `take_down`.

        Raises:
            UnavailableError: Redis is down, slow or refuses.
        """
        await self._block("SREM", EntryType.RESTORE, video, now)

    async def refresh_blocklist(self) -> Blocklist:
        """The blocklist as it is now.

        Raises:
            UnavailableError: Redis is down, slow or refuses.
        """
        (version,) = await self.client.run([("GET", self.keys.blocked_version)])
        return await self._blocklist(version)

    async def block_all(self, videos: Iterable[int], *, most_ms: float | None = None) -> None:
        """Add videos to the blocklist without logging it: for a Redis that lost them.

        Args:
            videos: ids.
            most_ms: that it may take, where that is less than the settings allow.

        Raises:
            UnavailableError: Redis is down, slow or refuses.
        """
        members = [packed(video) for video in videos]
        if members:
            await self.client.run(
                [
                    ("SADD", self.keys.blocked, *members),
                    ("SET", self.keys.blocked_version, os.urandom(8)),
                ],
                slow=True,
                most_ms=most_ms,
            )

    async def _blocklist(self, version: bytes | None, most_ms: float | None = None) -> Blocklist:
        """The list of a version, or the last one known where Redis does not give it in time."""
        with contextlib.suppress(UnavailableError):
            if version is None and len(self.blocked):
                # Redis came back empty. What was taken down stays down.
                await self.block_all(self.blocked.video.tolist(), most_ms=most_ms)
                self.blocked = replace(self.blocked, version=UNKNOWN)
            elif version is not None and version != self.blocked.version:
                ask = [("SMEMBERS", self.keys.blocked)]
                (members,) = await self.client.run(ask, slow=True, most_ms=most_ms)
                self.blocked = Blocklist.of(list(members), version)
        return self.blocked

    async def _block(self, command: str, kind: EntryType, video: int, now: float | None) -> None:
        note = pack_entry(Note(kind, video, time.time() if now is None else now))
        keys = [self.keys.blocked, self.keys.blocked_version, self.keys.log(0)]
        call = Call(BLOCK, keys, [command, packed(video), os.urandom(8), note])
        await self.client.run([call], slow=True)
        # Redis may be away, or come back empty, before this process reads the list again.
        self.blocked = self.blocked.changed(video, down=command == "SADD")

    def _append_call(self, user: int, events: Sequence[Event], now: float) -> Call:
        settings = self.settings
        arguments: list[bytes | str | int] = [
            int(now),
            settings.history_events,
            _seconds(settings.user_days * _DAY),
            settings.event_ids,
            _seconds(settings.event_id_days * _DAY),
            self._log_limit(),
            _seconds(settings.join_hours * 3600),
        ]
        for event in events:
            at = min(event.at, now)
            row = np.array([(event.video, min(max(int(at), 0), LATEST), event.kind)], RECORD)
            entry = event if at == event.at else replace(event, at=at)
            arguments += [short_hash(event.event_id) + row.tobytes(), pack_entry(entry)]
        keys = (self.keys.history, self.keys.declared, self.keys.event_ids)
        names = [*(key(user) for key in keys), self.keys.log(self.keys.shard(user))]
        return Call(APPEND, names, arguments)

    def _vector_call(self, user: int, vector: UserVector, made: float) -> Call:
        lifetime = _seconds(self.settings.vector_hours * 3600)
        keys = [self.keys.vector(user), self.keys.gone(self.keys.shard(user))]
        return Call(KEEP, keys, [user, _moment(made), lifetime, vector.pack()])

    def _log_limit(self) -> int:
        return max(self.settings.log_entries // SHARDS, 1)


def _read(wire: Any, unpack: Callable[[bytes], T], name: str, damaged: list[str]) -> T | None:
    if wire is None:
        return None
    try:
        return unpack(wire)
    except CorruptError:
        damaged.append(name)
        return None


def _moment(at: float) -> str:
    """Seconds since 1970-01-01 as Redis reads them: what happens in one second is in its order."""
    return f"{at:.6f}"


def _seconds(seconds: float) -> int:
    return max(int(seconds), 1)
