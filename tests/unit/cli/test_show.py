"""`shortlist show` prints datasets and users, or one line."""

from pathlib import Path

import pytest

from shortlist.cli import main as cli

MAPPING = """
impressions:
  files: log.csv
  columns: {user_id: user, video_id: item, shown_at: t, watch_seconds: w, like: liked}
videos:
  files: items.csv
  columns: {video_id: id, title: name, tags: {column: genres, separator: " "}}
"""
LOG = "t,user,item,w,liked\n2026-01-05 10:00,ann,x,2.5,1\n2026-01-06 11:30,ann,y,,0\n"
ITEMS = "id,name,genres\nx,[red]ten,b a\ny,,\n"


@pytest.fixture(autouse=True)
def _imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"mine.yaml": MAPPING, "log.csv": LOG, "items.csv": ITEMS}.items():
        (tmp_path / name).write_text(text)
    assert cli.run(["import", "--mapping", "mine.yaml"]) == 0
    capsys.readouterr()


def squeezed(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_a_dataset_is_shown_with_its_record_and_facts(capsys):
    assert cli.run(["show", "mine"]) == 0
    out = squeezed(capsys)
    assert "source │ mapping mine.yaml" in out
    assert "days │ 2026-01-05 to 2026-01-06" in out
    assert "impressions │ 2" in out
    assert "rate of like │ 0.5000" in out
    assert "rate of click │ unknown" in out
    assert "impressions │ watch_seconds │ 50.0% │ 2.5 │ 2.5" in out


def test_a_user_is_shown_with_the_last_impressions(capsys):
    assert cli.run(["show", "work/datasets/mine", "--user", "ann"]) == 0
    out = squeezed(capsys)
    assert "external_id │ ann" in out
    # A title is text, never markup.
    assert "2026-01-05 │ 10:00:00 │ 0 │ [red]ten │ b, a │ 2.5 s │ │ like" in out
    assert "2026-01-06 │ 11:30:00 │ 1 │" in out
    assert cli.run(["show", "mine", "--user", "ann", "--last", "1"]) == 0
    assert "2026-01-05" not in squeezed(capsys)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["mine", "--user", "bob"], 66, "no user 'bob' in this dataset (for example 'ann')"),
        (["mone"], 66, "did you mean mine?"),
        (["elsewhere/mine"], 66, "no dataset at elsewhere/mine"),
        (["../mine/"], 66, "no dataset at ../mine"),
        (["mine", "--last", "0"], 2, "greater than or equal to 1"),
    ],
)
def test_what_does_not_exist_is_one_line(capsys, arguments, code, message):
    assert cli.run(["show", *arguments]) == code
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert message in err


def test_a_torn_dataset_is_one_line(tmp_path, capsys):
    next((tmp_path / "work").rglob("users.parquet")).write_bytes(b"torn")
    assert cli.run(["show", "mine", "--user", "ann"]) == 70
    assert "make the dataset again" in capsys.readouterr().err
    assert cli.run(["import", "--mapping", "mine.yaml"]) == 0
    assert cli.run(["show", "mine", "--user", "ann"]) == 0
