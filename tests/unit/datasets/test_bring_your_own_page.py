"""The page docs/bring-your-own.md, carried out."""

import re
import shlex
from pathlib import Path

import pytest

from shortlist.cli import main as cli

PAGE = (Path(__file__).parents[3] / "docs" / "bring-your-own.md").read_text()
FILES = dict(re.findall(r"`([\w.-]+)`:\n\n```\w+\n(.*?)```", PAGE, re.DOTALL))
CONSOLE = re.findall(r"^\$ (.*)\n((?:(?![$`]).*\n)+)", PAGE, re.MULTILINE)


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_the_page_shows_what_its_commands_print(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert set(FILES) == {"log.csv", "items.csv", "harbour.yaml"}
    mapping = FILES["harbour.yaml"]
    wrong = {
        "wrong.yaml": mapping.replace("{column: time, unit: ms}", "{column: time, unit: s}"),
        "misspelt.yaml": mapping.replace("like:", "likes:"),
    }
    for name, text in {**FILES, **wrong}.items():
        (tmp_path / name).write_text(text)
    assert [shlex.split(command)[1] for command, _ in CONSOLE] == [
        "import", "import", "show", "import", "import",
    ]  # fmt: skip
    for command, printed in CONSOLE:
        code = cli.run(shlex.split(command)[1:])
        out, err = capsys.readouterr()
        assert code == (65 if "wrong" in command or "misspelt" in command else 0)
        for line in printed.splitlines():
            assert squeezed(line) in squeezed(out + err)
            if code:
                assert not out


@pytest.mark.parametrize("table", ["users", "videos", "impressions"])
def test_the_page_names_every_column_that_can_be_mapped(table):
    from shortlist.datasets.mapping import MAPPABLE

    for name in MAPPABLE[table]:
        assert f"`{name}`" in PAGE, name
