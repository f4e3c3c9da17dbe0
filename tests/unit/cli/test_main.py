"""One line and an exit code for every failure; a stack trace only for our own bugs."""

import errno
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import typer

from shortlist import errors
from shortlist.cli import main as cli

SHORTLIST = [sys.executable, "-m", "shortlist.cli.main"]


@pytest.fixture
def verb_that(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], int]:
    """Run ``shortlist act`` where the verb does what the test says; returns the exit code."""

    def run(action: Callable[[], None]) -> int:
        module = ModuleType("acting_verb")
        module.app = typer.Typer(add_completion=False)  # type: ignore[attr-defined]
        module.app.command()(action)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "acting_verb", module)
        monkeypatch.setattr(cli, "VERBS", (cli.Verb("act", "acting_verb", "Act."),))
        return cli.run(["act"])

    return run


def raising(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


FAMILIES = [
    errors.SettingsError,
    errors.InputError,
    errors.NotFoundError,
    errors.CorruptError,
    errors.StorageError,
    errors.RefusedError,
    errors.GateError,
]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_of_errors_has_its_line_and_exit_code(
    family: type[errors.ShortlistError],
    verb_that: Callable[[Callable[[], None]], int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert verb_that(raising(family("a file\nis wrong"))) == family.exit_code
    assert capsys.readouterr() == ("", "error: a file is wrong\n")


def test_ctrl_c_is_one_line_that_says_how_to_go_on(
    verb_that: Callable[[Callable[[], None]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert verb_that(raising(KeyboardInterrupt())) == 130
    expected = "error: interrupted; the next run goes on from what was finished\n"
    assert capsys.readouterr().err == expected


def test_a_full_disk_is_one_line_wherever_it_is_met(
    verb_that: Callable[[Callable[[], None]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "work/world")
    assert verb_that(raising(full)) == errors.StorageError.exit_code
    assert capsys.readouterr().err.startswith("error: cannot write work/world: the disk is full")


def test_a_path_that_cannot_be_reached_is_one_line(
    verb_that: Callable[[Callable[[], None]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    closed = PermissionError(errno.EACCES, "Permission denied", "work/world")
    assert verb_that(raising(closed)) == errors.StorageError.exit_code
    assert capsys.readouterr().err.startswith("error: cannot reach work/world: permission denied")


@pytest.mark.parametrize(
    "bug", [ValueError("a bug"), PermissionError(errno.EACCES, "a bug"), OSError("a bug")]
)
def test_a_bug_keeps_its_stack_trace(
    bug: Exception, verb_that: Callable[[Callable[[], None]], int]
) -> None:
    with pytest.raises(type(bug), match="a bug"):
        verb_that(raising(bug))


def test_a_verb_may_choose_its_exit_code(verb_that: Callable[[Callable[[], None]], int]) -> None:
    assert verb_that(raising(typer.Exit(4))) == 4
    assert verb_that(lambda: None) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Missing command; see `shortlist --help`"),
        (["setings"], "No such command 'setings'. Did you mean 'settings'? see `shortlist --help`"),
        (["settings", "--jsn"], "No such option: --jsn"),
        (["settings", "more"], "Got unexpected extra argument"),
        (["settings", "--preset"], "Option '--preset' requires an argument"),
        (["settings", "--preset", "tny"], "command line: no preset 'tny'; did you mean tiny?"),
        (["settings", "--set", "sed=1"], "--set sed names no setting; did you mean seed?"),
        (["--set", "seed=x", "settings"], "seed cannot be 'x' (command line)"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_code_two(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {sentence}")
    assert err.count("\n") == 1


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == "shortlist 0.1.0\n"


@pytest.mark.parametrize("verb", cli.VERBS, ids=lambda verb: verb.name)
def test_every_verb_has_help_with_the_shared_options(
    verb: cli.Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    def commands(command: object, path: list[str]) -> list[list[str]]:
        below = getattr(command, "commands", None)
        if below is None:
            return [path]
        return [found for name, child in below.items() for found in commands(child, [*path, name])]

    for path in commands(cli.loaded(verb.name), [verb.name]):
        assert cli.run([*path, "--help"]) == 0
        text = capsys.readouterr().out
        assert " ".join(["shortlist", *path]) in text
        for option in ("--preset", "--config", "--set"):
            assert option in text


def test_verbs_are_named_once_and_listed_with_a_sentence() -> None:
    names = [verb.name for verb in cli.VERBS]
    assert len(set(names)) == len(names)
    assert all(verb.line.endswith(".") for verb in cli.VERBS)


HEAVY = (
    "faiss",
    "implicit",
    "lightgbm",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "sklearn",
    "torch",
    "transformers",
)


def test_help_loads_no_heavy_library_and_no_verb() -> None:
    code = (
        "import sys, json; from shortlist.cli.main import run; run(['--help']);"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(verb.name in ended.stdout for verb in cli.VERBS)
    loaded = set(json.loads(ended.stderr))
    assert loaded & {*HEAVY, *(verb.module for verb in cli.VERBS)} == set()


def test_help_of_every_verb_loads_no_model_library() -> None:
    code = (
        "import sys, json; from shortlist.cli.main import VERBS, run;"
        "[run([verb.name, '--help']) for verb in VERBS];"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(ended.stderr))
    assert loaded & {"implicit", "lightgbm", "matplotlib", "sklearn", "torch"} == set()
    assert {verb.module for verb in cli.VERBS} <= loaded


def test_a_table_cut_short_by_its_reader_ends_quietly() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    ended = subprocess.run(
        [*SHORTLIST, "settings", "--json"], stdout=write_end, stderr=subprocess.PIPE, check=False
    )
    os.close(write_end)
    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_to_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*SHORTLIST, "settings", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == errors.StorageError.exit_code
    assert ended.stderr.startswith("error: cannot write the output: the disk is full")
    assert ended.stderr.count("\n") == 1


def test_every_verb_of_the_table_has_a_file_of_its_name() -> None:
    for verb in cli.VERBS:
        module = importlib.import_module(verb.module)
        assert verb.module.rpartition(".")[2].rstrip("_") == verb.name
        assert isinstance(module.app, typer.Typer)
