"""Bundles small enough to be made hundreds of times."""

import datetime as dt
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shortlist.bundle import (
    Bundle,
    BundleRecord,
    BundleStore,
    CardFacts,
    CardMetric,
    DataFacts,
    RunRecord,
    write_bundle,
)

FACTS = DataFacts(
    name="world-tiny",
    digest="d" * 64,
    users=300,
    videos=600,
    impressions=24_000,
    first_day=dt.date(2026, 1, 5),
    last_day=dt.date(2026, 1, 18),
    fitted_to=dt.date(2026, 1, 14),
    tuned_from=dt.date(2026, 1, 12),
    judged_from=dt.date(2026, 1, 15),
)
RECORD: dict[str, Any] = {
    "data": FACTS,
    "encoder": "hashing-768",
    "seed": 7,
    "settings": {"slate.size": "10", "recall.candidates": "1000"},
    "measured": {"recall of the index": 0.96875},
    "headline": "recall of the index",
}
CARD: dict[str, Any] = {
    "summary": "A recommender of short videos.",
    "intended_use": ["Pages of ten videos."],
    "not_for": ["Decisions about people."],
    "judged": "On 2,000 users.",
    "metrics": [CardMetric("NDCG@10", "this bundle", 0.81234, 0.8, 0.82)],
    "limits": ["Knows one language at a time."],
}


@dataclass
class Workshop:
    """Makes parts, and bundles of them.

    Attributes:
        home: where the parts lie.
        root: where the bundles go.
    """

    home: Path
    root: Path
    made: int = field(default=0)

    def parts(self, **contents: str) -> dict[str, Path]:
        """Directories ``recall`` (table.npy) and ``ranker`` (deep/net.onnx), and what they hold."""
        self.made += 1
        files = {"recall/table.npy": "counts", "ranker/deep/net.onnx": "weights"}
        for name, text in (
            files | {f"{part}/more": text for part, text in contents.items()}
        ).items():
            path = self.home / f"{self.made}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        made = self.home / f"{self.made}"
        return {path.name: path for path in sorted(made.iterdir())}

    def record(self, **changes: Any) -> BundleRecord:
        return BundleRecord(**(RECORD | changes))

    def card(self, **changes: Any) -> CardFacts:
        return CardFacts(**(CARD | changes))

    def run(self, minute: int = 0) -> RunRecord:
        return RunRecord(
            made_at=dt.datetime(2026, 2, 1, 12, minute, tzinfo=dt.UTC),
            host="laptop",
            run_id="run-1",
            durations={"train": 12.5},
            libraries={"numpy": "2.4.6"},
            code="c0de",
        )

    def bundle(self, text: str = "one", minute: int = 0, **changes: Any) -> Bundle:
        """A bundle like no other of another ``text``; later ``minute``, newer bundle."""
        return write_bundle(
            self.root,
            self.parts(items=text),
            self.record(**changes),
            self.card(),
            self.run(minute),
        )

    def bundle_elsewhere(self, text: str = "one", **words: Any) -> Bundle:
        """The bundle of the same text, made in another directory, under other words."""
        root, parts = self.home / "elsewhere", self.parts(items=text)
        return write_bundle(root, parts, self.record(), self.card(**words), self.run())

    @property
    def store(self) -> BundleStore:
        return BundleStore(self.root)


@pytest.fixture(autouse=True)
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what would be flushed to the disk, in order; nothing is, which saves seconds."""
    names: list[str] = []

    def note(handle: int) -> None:
        names.append(Path(f"/proc/self/fd/{handle}").readlink().name)

    monkeypatch.setattr(os, "fsync", note)
    return names


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path / "parts", tmp_path / "bundles")


@pytest.fixture
def dying() -> Callable[[Callable[[], object], int], bool]:
    """Run an action in a child that kills itself before its n-th file operation."""
    return die_before


# What Python announces before it changes the disk. The events of `open` cover new files.
CHANGES = {
    "open",
    "os.chmod",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "shutil.rmtree",
    "tempfile.mkdtemp",
    "tempfile.mkstemp",
}


def die_before(action: Callable[[], object], operation: int) -> bool:
    """Whether the child died before operation number ``operation``; else it had no such one."""
    child = os.fork()
    if child == 0:
        left = operation

        def strike(event: str, _: object) -> None:
            nonlocal left
            if event in CHANGES:
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1

        code = 1
        try:
            sys.addaudithook(strike)
            action()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False
