"""Parts of a step run in processes of their own and fail like one."""

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from shortlist.errors import InputError, ShortlistError
from shortlist.steps.shards import fan_out


def test_one_shard_alone_is_called_here():
    assert fan_out(lambda shard, shards: (shard, shards, os.getpid()), 1) == [(0, 1, os.getpid())]


PARTS = """
import os, signal
from shortlist.errors import InputError

def told(shard, shards):
    return shard, shards, os.getpid()

def refuse(shard, shards):
    raise InputError(f"shard {shard}: no such log")

def vanish(shard, shards):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    (tmp_path / "parts_of_a_step.py").write_text(PARTS)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("parts_of_a_step")


def test_shards_answer_in_their_order_from_other_processes(parts: ModuleType):
    found = fan_out(parts.told, 3)
    assert [answer[:2] for answer in found] == [(0, 3), (1, 3), (2, 3)]
    assert os.getpid() not in {process for _, _, process in found}
    assert multiprocessing.active_children() == []


def test_what_a_shard_raises_is_raised_and_a_killed_one_is_a_sentence(parts: ModuleType):
    with pytest.raises(InputError, match="no such log"):
        fan_out(parts.refuse, 2)
    with pytest.raises(ShortlistError, match=r"pipeline\.shards=1"):
        fan_out(parts.vanish, 2)
    assert multiprocessing.active_children() == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a parent's death")
def test_a_killed_run_takes_its_shards_with_it(tmp_path: Path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import endless; "
        "from shortlist.steps.shards import fan_out; fan_out(endless.part, 2)"
    )
    (tmp_path / "endless.py").write_text(
        "import os, time\nfrom pathlib import Path\n"
        "def part(shard, shards):\n"
        "    (Path(__file__).parent / f'{os.getpid()}.pid').touch()\n"
        "    time.sleep(60)\n"
    )
    run = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    deadline = time.monotonic() + 20
    while not list(tmp_path.glob("*.pid")) and time.monotonic() < deadline:
        time.sleep(0.02)
    children = [int(path.stem) for path in tmp_path.glob("*.pid")]
    assert children
    run.send_signal(signal.SIGKILL)
    run.wait()
    while any(alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [child for child in children if alive(child)] == []


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
