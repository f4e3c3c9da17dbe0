"""`shortlist bundle` with an object store: it says what is published, and is told what is done."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shortlist.bundle import (
    Bundle,
    BundleRecord,
    BundleStore,
    CardFacts,
    DataFacts,
    RunRecord,
    write_bundle,
)
from shortlist.bundle.follow import read_mark
from shortlist.cli import main as cli

HERE, THERE = Path("here"), Path("there")


def make(text: str) -> Bundle:
    part = Path("parts") / text / "recall"
    part.mkdir(parents=True)
    (part / "table.npy").write_text(text)
    day = "2026-01-05"
    facts = DataFacts.model_validate_json(
        f'{{"name": "tiny", "digest": "d", "users": 3, "videos": 6, "impressions": 9,'
        f'"first_day": "{day}", "last_day": "{day}", "fitted_to": "{day}"}}'
    )
    record = BundleRecord(data=facts, encoder="hashing-768", seed=7, settings={})
    card = CardFacts("A model.", [], [], "On users.", [], [])
    return write_bundle(HERE, {"recall": part}, record, card, RunRecord.here("run-1"))


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHORTLIST_REMOTE__URL", f"file://{tmp_path}/store")
    monkeypatch.setenv("SHORTLIST_PATHS__BUNDLES", str(HERE))


@pytest.fixture
def run(capsys):
    """What a verb printed, squeezed; it must have ended with the given code."""

    def ended(*arguments: str, at: Path = HERE, code: int = 0) -> str:
        assert cli.run(["bundle", *arguments, "--set", f"paths.bundles={at}"]) == code
        out, err = capsys.readouterr()
        assert err.count("\n") == (code != 0)
        return " ".join((err if code else out).split())

    return ended


@pytest.fixture
def two() -> list[Bundle]:
    """Two bundles, published one after the other, here alone."""
    bundles = [make("old"), make("newer")]
    for bundle in bundles:
        BundleStore(HERE).publish(bundle.id)
    return bundles


def test_what_is_published_here_is_published_there_and_pulled_elsewhere(run, two):
    new = two[1]
    said = run("push")
    assert f"{new.id} is at file://" in said
    assert "files sent: 4" in said
    assert said.endswith(f"{new.id} is published there")
    assert run("push").endswith("it was there " + f"{new.id} is published there already")
    assert run("pull", at=THERE) == f"{new.id} is here, bundles downloaded: 1"
    assert run("pull", at=THERE) == f"{new.id} is here, bundles downloaded: 0"
    assert BundleStore(THERE).serving().manifest == new.manifest


def test_an_older_one_is_sent_without_publishing_it(run, two):
    old, new = two
    run("push")
    assert "published" not in run("push", old.id[:8])
    assert BundleStore(HERE).pointer().current == new.id
    assert run("pull", old.id[:8], at=THERE) == f"{old.id} is here, bundles downloaded: 1"
    assert f"{old.id} is whole" in run("verify", at=THERE)


def test_the_store_is_asked_from_an_empty_directory(run, two):
    old, new = two
    run("push", old.id)
    run("push")
    assert f"{new.id[:12]} │ current" in run("list", at=THERE)
    assert run("rollback", at=THERE) == f"rolled back from {new.id} to {old.id}"
    assert f"{new.id[:12]} │ rolled back" in run("list")
    run("pin", new.id[:8], at=THERE)
    assert run("prune", "--keep", "1") == "nothing to prune"
    run("unpin", new.id[:8])


def test_a_pinned_bundle_is_pulled_by_the_setting_of_who_serves_it(run, two):
    old = two[0]
    run("push", old.id)
    said = run("pull", "--set", f"serving.bundle={old.id}", at=THERE)
    assert said == f"{old.id} is here, bundles downloaded: 1"


def test_each_refusal_is_one_line_with_its_own_code(run, two, tmp_path):
    assert "no bundle is published at" in run("pull", at=THERE, code=66)
    run("push")
    shutil.rmtree(tmp_path / "store" / two[1].id / "recall")
    assert "recall/table.npy is missing" in run("pull", at=THERE, code=70)
    said = run("pull", "--set", "remote.url=null", code=2)
    assert said == "error: there is no object store; name one in remote.url"
    assert "write s3://BUCKET/PREFIX" in run("pull", "--set", "remote.url=s3://Key:x@b", code=2)


def test_following_ends_with_sigterm_and_is_ready_when_the_bundle_is_here(run, two, tmp_path):
    program = "import sys; from shortlist.cli.main import run; sys.exit(run(sys.argv[1:]))"
    environ = os.environ | {"SHORTLIST_PATHS__BUNDLES": str(THERE)}
    process = subprocess.Popen(
        [sys.executable, "-c", program, "bundle", "pull", "--follow", "--poll", "0.1"],
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "going on without a bundle: no bundle is published" in process.stderr.readline()
    run("push")
    ends = time.monotonic() + 30
    while (mark := read_mark(THERE)) is None and time.monotonic() < ends:
        time.sleep(0.05)
    assert mark is not None
    assert mark.bundle == two[1].id
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    rest = process.stderr.read().splitlines()
    assert [line.rpartition(":")[0] or line for line in rest] == [
        f"file://{tmp_path}/store is followed again; failed looks",
        f"bundle {two[1].id} is here",
    ]
