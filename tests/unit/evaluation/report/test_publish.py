"""The report directory is written whole or not at all."""

import errno
from pathlib import Path

import pytest

from shortlist.errors import StorageError
from shortlist.evaluation.report import page, publish
from shortlist.evaluation.report.store import read_json
from shortlist.evaluation.scorecard import Scorecard


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about files; the page has its own."""
    monkeypatch.setattr(page, "render_html", lambda scorecard: f"<h1>{scorecard.title}</h1>")


def test_page_and_scorecard_stand_beside_each_other(world_card: Scorecard, tmp_path: Path) -> None:
    directory = tmp_path / "new" / "report"
    path = publish.write_report(world_card, directory)
    assert path == directory / "report.html"
    assert world_card.title in path.read_text()
    assert read_json(directory / "scorecard.json") == world_card
    assert len(list(directory.iterdir())) == 2


def test_other_files_of_the_directory_stay(world_card: Scorecard, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    publish.write_report(world_card, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("torn", [1, 2])
def test_a_full_disk_leaves_the_old_report_and_nothing_half_written(
    world_card: Scorecard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: int
) -> None:
    publish.write_report(world_card, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    writes = 0
    whole = Path.write_text

    def refuse(self: Path, data: str, **options: str) -> int:
        nonlocal writes
        writes += 1
        if writes == torn:
            whole(self, data[:10], **options)
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(self, data, **options)

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(StorageError, match="disk is full"):
        publish.write_report(world_card.model_copy(update={"title": "new"}), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
