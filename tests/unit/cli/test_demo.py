"""What `shortlist demo` shows at its end is marked where the gate refused to publish it."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from shortlist.cli import main as cli
from shortlist.errors import GateError, NotFoundError, RefusedError
from shortlist.evaluation.gate import Comparison, Verdict
from shortlist.evaluation.report.publish import REPORT
from shortlist.evaluation.report.store import SCORECARD

REASON = "The ranker does not beat the published bundle."


class EndedLine:
    """A line whose steps are all done, up to the bundle that it may not publish."""

    def __init__(self, trained, evaluated: Path, passed: bool) -> None:
        self.evaluated = SimpleNamespace(path=evaluated)
        self.dataset, self.bundle, self._passed = trained.dataset, trained.bundle, passed
        compared = Comparison(other="popularity", passed=passed, difference=None, reason=REASON)
        self.verdict = Verdict(metric="ndcg@10", passed=passed, comparisons=[compared])

    @property
    def published(self):
        if not self._passed:
            raise GateError(f"bundle {self.bundle.id[:12]} is not published: {REASON}")
        return self.bundle


@pytest.fixture
def demo(trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """What the verb printed on either stream, squeezed, and its exit code."""
    work = Path(shutil.copytree(trained.settings.paths.work, tmp_path / "work"))
    evaluated = tmp_path / "evaluated"
    evaluated.mkdir()
    for name in (REPORT, SCORECARD):
        (evaluated / name).write_text("{}")

    def ended(*, passed: bool) -> tuple[int, str, str]:
        if not passed:
            (work / "bundles" / "current.json").unlink()
        line = EndedLine(trained, evaluated, passed)
        monkeypatch.setattr("shortlist.steps.line.Line", lambda settings, stages: line)
        monkeypatch.setattr("shortlist.evaluation.report.store.read_json", lambda path: None)
        monkeypatch.setattr(
            "shortlist.evaluation.report.terminal.print_table", lambda card, console: None
        )
        code = cli.run(["demo", "--set", f"paths.work={work}"])
        out, err = capsys.readouterr()
        return code, " ".join(out.split()), " ".join(err.split())

    return ended


def test_a_published_page_is_not_marked(demo):
    code, out, err = demo(passed=True)
    assert (code, err) == (0, "")
    assert "page for" in out
    assert "not published" not in out
    assert "bundle: " in out


def test_after_a_refusal_the_page_says_whose_it_is_and_the_end_says_why(demo, trained):
    code, out, err = demo(passed=False)
    assert code == GateError.exit_code
    assert f"{trained.bundle.id} (not published: the gate refused it)" in out
    assert "page by a bundle that is not published: the gate refused it" in out
    assert REASON in out
    assert "report: " in out
    assert err.endswith(f"is not published: {REASON}")


def test_a_step_that_refuses_is_not_taken_for_the_gate(demo, monkeypatch: pytest.MonkeyPatch):
    def refusing(line):
        raise RefusedError("the parts have seen later days")

    monkeypatch.setattr(EndedLine, "published", property(refusing))
    code, out, err = demo(passed=True)
    assert (code, err) == (RefusedError.exit_code, "error: the parts have seen later days")
    assert "page for" not in out


@pytest.mark.parametrize("user", ["99999", "nobody", ""])
def test_a_user_who_does_not_exist_is_refused_before_anything_is_learned(
    user: str, trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    only_data = SimpleNamespace(dataset=trained.dataset)
    monkeypatch.setattr("shortlist.steps.line.Line", lambda settings, stages: only_data)
    code = cli.run(["demo", "--user", user, "--set", f"paths.work={tmp_path}"])
    assert code == NotFoundError.exit_code
    assert "in this dataset" in capsys.readouterr().err


def test_the_first_user_is_asked_for_by_the_name_that_the_source_has(
    demo, trained, monkeypatch: pytest.MonkeyPatch
):
    table = trained.dataset.users()
    at = table.schema.get_field_index("external_id")
    names = [[f"anna-{row}" for row in range(len(table))]]
    named = table.set_column(at, table.schema.field(at), names)
    asked: list[str] = []

    def recommended(known, bundle, whose):
        asked.append(whose)
        raise RefusedError("far enough")

    monkeypatch.setattr(type(trained.dataset), "users", lambda dataset: named)
    monkeypatch.setattr("shortlist.cli.recommend.recommended", recommended)
    assert demo(passed=True)[0] == RefusedError.exit_code
    assert asked == ["anna-0"]
