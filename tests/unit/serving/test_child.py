"""A child is started again, tells how it ended, and leaves nothing behind."""

import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from shortlist.errors import SettingsError
from shortlist.serving.child import Child
from shortlist.serving.ports import check_free


def child(tmp_path: Path, script: str) -> Child:
    return Child(["sh", "-c", script], {"PATH": "/usr/bin:/bin"}, tmp_path / "log")


def wait_for(holds, seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("script", "ending"),
    [("echo out; echo err >&2; exit 3", "ended with 3"), ("kill -9 $$", "was ended by SIGKILL")],
)
def test_how_it_ended_is_told_and_what_it_said(tmp_path: Path, script: str, ending: str) -> None:
    one = child(tmp_path, script)
    assert (one.pid, one.ending, one.last_words()) == (None, "does not run", [])
    one.start()
    wait_for(lambda: one.pid is None)
    assert one.ending == ending
    assert one.last_words() == (["out", "err"] if "echo" in script else [])


def test_it_may_be_started_again_and_writes_on(tmp_path: Path) -> None:
    one = child(tmp_path, "echo here; exec sleep 60")
    for starts in (1, 2):
        one.start()
        wait_for(lambda starts=starts: one.last_words() == ["here"] * starts)
        pid = one.pid
        assert pid is not None
        one.stop()
        assert one.pid is None
    assert one.last_words(1) == ["here"]


def test_what_a_killed_child_started_ends_when_it_is_stopped(tmp_path: Path) -> None:
    one = child(tmp_path, "sleep 60 & echo $!; wait")
    one.start()
    wait_for(lambda: one.last_words() != [])
    grandchild, pid = int(one.last_words()[0]), one.pid
    subprocess.run(["kill", f"-{signal.SIGKILL.value}", str(pid)], check=True)
    wait_for(lambda: one.pid is None)
    one.stop()
    stat = Path(f"/proc/{grandchild}/stat")
    wait_for(lambda: not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] in "ZX")


def test_ports_are_named_by_their_settings() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"^a\.port cannot be {port} at .*--set a\.port="):
            check_free({"a.port": ("127.0.0.1", port)})
    check_free({"a.port": ("127.0.0.1", port)})
    with pytest.raises(SettingsError, match=f"^b.port and a.port are both {port}"):
        check_free({"a.port": ("127.0.0.1", port), "b.port": ("127.0.0.1", port)})
