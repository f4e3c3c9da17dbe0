"""The reference page is current and complete."""

from pathlib import Path

from shortlist.settings.reference import reference_page
from shortlist.settings.tree import leaves

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_page(), "run `make settings-page`"


def test_every_setting_has_one_row_with_its_description() -> None:
    rows = [line for line in reference_page().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [name for name, _ in leaves()]
    for row, (_, field) in zip(rows, leaves(), strict=True):
        assert row.endswith(f"| {(field.description or '').replace('|', '&#124;')} |")
        assert row.count("|") == 7
