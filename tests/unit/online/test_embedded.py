"""Which redis-server is run where several are installed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shortlist.errors import NotFoundError
from shortlist.online import embedded

Found = Callable[..., Path]


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Found:
    """The server that is taken of those that say these things, in the order of PATH.

    The package's says the last of them where ``packaged`` is true.
    """

    def chosen(*said: str, packaged: bool = False) -> Path:
        servers = []
        for place, words in enumerate(said):
            server = tmp_path / f"{place}" / "redis-server"
            server.parent.mkdir()
            server.write_text(f"#!/bin/sh\n{words}\n")
            server.chmod(0o755)
            servers.append(server)
        package = servers.pop() if packaged else None
        monkeypatch.setenv("PATH", ":".join(str(one.parent) for one in servers))
        monkeypatch.setattr(embedded, "_SYSTEM", ())
        monkeypatch.setattr(embedded, "packaged_binary", lambda: package)
        return embedded.server_binary().relative_to(tmp_path).parent

    return chosen


def version(number: str) -> str:
    return f'echo "Redis server v={number} sha=00000000:0 malloc=jemalloc-5.1.0 bits=64"'


OLD, NEW, NEWER = version("6.2.14"), version("7.0.15"), version("8.0.1")
DUMB = "exit 3"


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ([OLD, NEW], 1),
        ([OLD, NEWER, NEW], 1),
        ([NEW, NEWER], 0),
        ([OLD, OLD], 0),
        ([DUMB, OLD], 0),
        ([DUMB, OLD, NEW], 2),
    ],
)
def test_the_first_of_version_7_or_later_is_taken_else_the_first(
    found: Found, said: list[str], place: int
) -> None:
    assert found(*said) == Path(f"{place}")


@pytest.mark.parametrize(("installed", "place"), [([], 0), ([OLD], 0), ([NEW], 0)])
def test_the_package_has_the_last_word(found: Found, installed: list[str], place: int) -> None:
    assert found(*installed, OLD, packaged=True) == Path(f"{place}")


def test_one_of_the_system_is_found_beside_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Found
) -> None:
    system = tmp_path / "system"
    system.mkdir()
    (system / "redis-server").write_text(f"#!/bin/sh\n{NEW}\n")
    (system / "redis-server").chmod(0o755)
    assert found(OLD) == Path("0")
    monkeypatch.setattr(embedded, "_SYSTEM", (str(system),))
    assert embedded.server_binary() == system / "redis-server"


def test_where_there_is_none_the_remedy_is_named(found: Found) -> None:
    with pytest.raises(NotFoundError, match="install Debian's redis-server"):
        found()
