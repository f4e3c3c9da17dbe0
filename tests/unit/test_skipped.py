"""A skipped test fails the check unless its reason is on the list."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / ".ci" / "skipped.py"
JUNIT = """<testsuites><testsuite>
<testcase classname="tests.unit.a" name="test_runs"/>
<testcase classname="tests.unit.a" name="test_waits"><skipped message="no device"/></testcase>
</testsuite></testsuites>"""


def check(tmp_path: Path, listing: str) -> tuple[int, str]:
    (tmp_path / "junit.xml").write_text(JUNIT)
    (tmp_path / "allowed.txt").write_text(listing)
    ended = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "junit.xml", tmp_path / "allowed.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout


def test_a_skip_that_nobody_explained_fails(tmp_path: Path) -> None:
    code, out = check(tmp_path, "# nothing yet\n")
    assert code == 1
    assert "tests.unit.a::test_waits (no device)" in out


def test_a_skip_listed_without_a_reason_fails(tmp_path: Path) -> None:
    assert check(tmp_path, "tests.unit.a::test_waits\n")[0] == 1


def test_a_skip_listed_with_its_reason_passes(tmp_path: Path) -> None:
    assert check(tmp_path, "tests.unit.a::test_waits  only where there is a device\n") == (0, "")
