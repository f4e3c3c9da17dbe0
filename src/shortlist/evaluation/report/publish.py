"""The report directory: the page for people beside the file for programs."""

from pathlib import Path
from typing import Final

from shortlist.evaluation.report.store import SCORECARD, to_json
from shortlist.evaluation.scorecard import Scorecard
from shortlist.files import staged_file

REPORT: Final = "report.html"


def write_report(scorecard: Scorecard, directory: Path) -> Path:
    """Write ``report.html`` and ``scorecard.json`` into a directory.

    Both files are complete on disk before either is put in place. Other files there stay.

    Returns:
        The path of the HTML page.

    Raises:
        StorageError: the disk is full or refuses.
    """
    # Imported here: who only reads a report draws nothing.
    from shortlist.evaluation.report.page import render_html  # noqa: PLC0415

    page, data = render_html(scorecard), to_json(scorecard)
    target = directory / REPORT
    with staged_file(target) as html, staged_file(directory / SCORECARD) as json:
        html.write_text(page, encoding="utf-8")
        json.write_text(data, encoding="utf-8")
    return target
