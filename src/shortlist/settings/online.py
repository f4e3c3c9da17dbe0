"""Where the online store is, how long it may take, and how much it keeps of a user."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from shortlist.settings.base import Branch, Port


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known and not (url.startswith("unix:///") and len(url) > len("unix:///")):
        raise ValueError("write redis://HOST:PORT, rediss://HOST:PORT for TLS, or unix:///PATH")
    if known and not re.fullmatch(r"/*[0-9]*/*", parts.path):
        raise ValueError("a database is a number: write redis://HOST:PORT/0")
    if known and (parts.password or parts.username):
        raise ValueError("name and password go into online.username and online.password")
    return url


class OnlineSettings(Branch):
    """Connection, bounds and lifetimes of what lives in Redis."""

    url: Annotated[str, AfterValidator(_address)] = Field(
        "redis://127.0.0.1:6379/0",
        description="Redis: `redis://HOST:PORT/DB`, `rediss://` for TLS, or `unix:///PATH`.",
    )
    embedded_port: Port = Field(
        6390,
        description="Port, on 127.0.0.1, of the Redis that `shortlist up` runs itself where "
        "`online.url` is not given.",
    )
    username: str | None = Field(None, description="User of Redis's access list; none: default.")
    password: SecretStr = Field(
        SecretStr(""), description="Password of Redis; never printed. Empty: none."
    )
    tls_ca: Path | None = Field(
        None, description="Certificates that may sign Redis's; without them, the system's."
    )
    tls_certificate: Path | None = Field(
        None, description="Certificate that Redis asks of its clients, where it does."
    )
    tls_key: Path | None = Field(None, description="Private key of `online.tls_certificate`.")
    cluster: bool = Field(False, description="Whether Redis is a cluster.")
    prefix: str = Field(
        "sl",
        pattern=r"^[A-Za-z0-9_.-]{1,32}$",
        description="Beginning of every key, so that two services can share one Redis.",
    )
    timeout_ms: float = Field(
        25.0,
        gt=0,
        le=10_000,
        description="What Redis may take for one answer to requests, in ms; a request may wait as "
        "long again for one that is under way. Without Redis a page costs more than it waited.",
    )
    slow_timeout_ms: float = Field(
        2_000.0,
        gt=0,
        le=600_000,
        description="What load, drain, takedown, forget and events of many users wait at most for "
        "one answer, in ms.",
    )
    connections: int = Field(
        32, ge=1, le=10_000, description="Connections to Redis that a process holds at most."
    )
    history_events: int = Field(
        500, ge=1, le=10_000, description="Last events of a user that are kept."
    )
    user_days: float = Field(
        90.0,
        gt=0,
        le=3_650,
        description="Days after the last event at which a user's history and features expire.",
    )
    vector_hours: float = Field(
        24.0, gt=0, le=8_760, description="Hours after which a user vector expires."
    )
    session_minutes: float = Field(
        30.0,
        gt=0,
        le=10_080,
        description="Minutes after the last page at which sessions and stored lists expire.",
    )
    session_videos: int = Field(
        500, ge=1, le=10_000, description="Videos shown in a session that are remembered."
    )
    sessions: int = Field(
        4, ge=1, le=100, description="Sessions of one user that are remembered at a time."
    )
    event_ids: int = Field(
        512,
        ge=1,
        le=100_000,
        description="Last event ids of a user by which an event sent again is known.",
    )
    event_id_days: float = Field(
        7.0,
        gt=0,
        le=365,
        description="Days after the last event at which event ids expire; an event that arrives "
        "later than that is not drained.",
    )
    log_entries: int = Field(
        1_000_000,
        ge=1_000,
        le=1_000_000_000,
        description="Entries of the event log at most; beyond, the oldest are lost undrained.",
    )
    join_hours: float = Field(
        24.0,
        gt=0,
        le=168,
        description="Hours after an impression during which an outcome is joined to it.",
    )
    settle_minutes: float = Field(
        30.0,
        ge=0,
        le=10_080,
        description="Minutes that an impression waits for its outcomes before it is drained.",
    )
    drain_entries: int = Field(
        50_000, ge=1, le=10_000_000, description="Entries of the log in one file of the archive."
    )
    load_users: int = Field(
        500, ge=1, le=100_000, description="Users that are loaded in one round trip."
    )
