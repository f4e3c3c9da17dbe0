"""A real Redis for the session, emptied for each test; certificates; a base dataset."""

import asyncio
import datetime as dt
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pytest

from shortlist.datasets.schema import TABLES
from shortlist.datasets.store import Dataset, DatasetWriter
from shortlist.datasets.tables import filled
from shortlist.online.embedded import Tls, embedded, server_binary
from shortlist.online.store import OnlineStore
from shortlist.settings.online import OnlineSettings

T = TypeVar("T")

PATIENT = {"timeout_ms": 5_000.0, "slow_timeout_ms": 5_000.0}
"""For tests that measure no time, on a machine that does much else."""


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnlineSettings]:
    with embedded(tmp_path_factory.mktemp("redis"), durable=False) as settings:
        yield settings.model_copy(update=PATIENT)


@pytest.fixture
def settings(redis: OnlineSettings) -> OnlineSettings:
    ask(redis, lambda store: store.client.run([("FLUSHALL",)]))
    return redis


def ask(settings: OnlineSettings, work: Callable[[OnlineStore], Awaitable[T]]) -> T:
    """Run something with a store of its own."""

    async def run() -> T:
        store = OnlineStore.connect(settings)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Certificates for 127.0.0.1; skips where the server here has no TLS."""
    binary = server_binary()
    helped = subprocess.run(
        [str(binary), "--tls-port", "0", "--port", "0", "--dir", "/nowhere"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    if "Bad directive" in helped.stdout + helped.stderr:
        pytest.skip(f"{binary} has no TLS; install Debian's redis-server")
    return certificates(tmp_path_factory.mktemp("tls"))


def certificates(directory: Path) -> Tls:
    """An authority, and a certificate that it signed."""
    ca, key, request, signed = (directory / name for name in ("ca.pem", "key", "csr", "cert.pem"))

    def openssl(*arguments: str | Path) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    ca_key = directory / "ca.key"
    openssl(
        "req", "-x509", *curve, "-subj", "/CN=tests", "-days", "2", "-keyout", ca_key, "-out", ca
    )
    openssl("req", *curve, "-subj", "/CN=redis", "-keyout", key, "-out", request)
    names = directory / "names"
    names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl(
        "x509",
        "-req",
        "-in",
        request,
        "-CA",
        ca,
        "-CAkey",
        ca_key,
        "-days",
        "2",
        "-CAcreateserial",
        "-extfile",
        names,
        "-out",
        signed,
    )
    return Tls(ca, signed, key)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Users 1 to 40, videos 100 to 119; user u was shown u videos, and clicked every other."""
    writer = DatasetWriter(tmp_path_factory.mktemp("base") / "base", "a test", "base")
    users = {
        "user_id": pa.array(range(1, 41)),
        "language": pa.array(["de", "en"] * 20),
        "age_band": pa.array(["18-24"] * 40),
        "interests": pa.array([["tea", "cats"]] * 40, TABLES["users"].field("interests").type),
    }
    writer.write_users(filled("users", users, 40))
    lasts = pa.array([60.0] * 20, pa.float32())
    videos = {"video_id": pa.array(range(100, 120)), "duration_seconds": lasts}
    writer.write_videos(filled("videos", videos, 20))
    start = 0
    for number, day in enumerate((dt.date(2026, 1, 5), dt.date(2026, 1, 6))):
        pairs = [(u, v) for v in range(number, 20, 2) for u in range(1, 41) if v < u]
        count = len(pairs)
        moment = dt.datetime.combine(day, dt.time(9), dt.UTC)
        columns = {
            "impression_id": pa.array(range(start, start + count)),
            "user_id": pa.array([u for u, _ in pairs]),
            "video_id": pa.array([100 + v for _, v in pairs]),
            "day": pa.array([day] * count),
            "shown_at": pa.array(
                [moment + dt.timedelta(minutes=v) for _, v in pairs], pa.timestamp("ms", "UTC")
            ),
            "click": pa.array([v % 4 == 0 for _, v in pairs]),
        }
        writer.write_day(day, filled("impressions", columns, count))
        start += count
    return writer.finish()
