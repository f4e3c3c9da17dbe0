"""What an import did: which files it read, and what the dataset holds after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from shortlist.datasets.facts import DatasetFacts, measure
from shortlist.datasets.store import Dataset
from shortlist.files import staged_file

REPORT: Final = "import-report.json"


class FileRead(BaseModel):
    """One file of the source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    path: str
    rows: int


class ImportReport(BaseModel):
    """The validation report, as JSON beside the dataset; no hash covers it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    key: str
    files: list[FileRead]
    facts: DatasetFacts


@dataclass(frozen=True)
class Imported:
    """The end of an import.

    Attributes:
        dataset: what was made.
        report: what was read and what is there.
        reused: the same dataset stood there already, and nothing was done.
    """

    dataset: Dataset
    report: ImportReport
    reused: bool


def report(dataset: Dataset, files: Sequence[FileRead]) -> ImportReport:
    """Measure a dataset that was just made, and write the report beside it."""
    record = dataset.record
    made = ImportReport(
        source=record.source, key=record.key, files=list(files), facts=measure(dataset)
    )
    with staged_file(dataset.path / REPORT) as aside:
        aside.write_text(made.model_dump_json(indent=2) + "\n")
    return made


def reuse(dataset: Dataset) -> Imported:
    """An import that found its dataset unchanged; the report is read, or measured anew."""
    try:
        known = ImportReport.model_validate_json((dataset.path / REPORT).read_bytes())
    except (OSError, ValidationError):
        known = report(dataset, [])
    if known.key != dataset.record.key:
        known = report(dataset, [])
    return Imported(dataset, known, reused=True)
