"""`shortlist evaluate`: what a user sees, and what is left when a run is cut short."""

import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shortlist.cli import main as cli
from shortlist.errors import CorruptError, NotFoundError, SettingsError, StorageError
from shortlist.settings.world import WorldSettings
from shortlist.world.generate import generate

SIZES = {
    "users": 60,
    "videos": 240,
    "creators": 30,
    "days": 4,
    "impressions": 2_500,
    "name": "small",
}
SEED = 5
SETTINGS = {
    "seed": SEED,
    "datasets.test_days": 2,
    "datasets.validation_days": 1,
    "encoders.width": 32,
    "evaluation.users": 20,
    "evaluation.bootstrap": 100,
    "baselines.als_factors": 4,
    "baselines.als_iterations": 2,
}


def verb(name: str, directory: Path, *more: str) -> list[str]:
    named = {
        **{f"world.{key}": value for key, value in SIZES.items()},
        **SETTINGS,
        "paths.work": directory,
        "paths.truth": directory / "truth",
        "paths.cache": directory / "cache",
    }
    assigned = [part for key in named for part in ("--set", f"{key}={named[key]}")]
    return [name, *assigned, *more]


def evaluate(directory: Path, *more: str, models: str = "popularity") -> list[str]:
    return verb("evaluate", directory, "small", "--models", models, *more)


@pytest.fixture(scope="module", autouse=True)
def _no_plots() -> Iterator[None]:
    """Drawing a page takes seconds and has tests of its own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("shortlist.evaluation.report.page.render_html", lambda _: PAGE)
        yield


PAGE = "<html>" + 20_000 * " " + "</html>"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work directory with a world that was judged once."""
    path = tmp_path_factory.mktemp("work")
    generate(WorldSettings(**SIZES), SEED, path / "datasets", path / "truth")  # type: ignore[arg-type]
    assert cli.run(evaluate(path)) == 0
    return path


@pytest.fixture
def directory(made: Path, tmp_path: Path) -> Path:
    """A copy of it to break."""
    return Path(shutil.copytree(made, tmp_path / "work"))


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


def test_a_second_run_reuses_every_turn_and_shows_the_same(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(evaluate(directory)) == 0
    out = capsys.readouterr().out
    for name in ("encode", "random", "popularity", "oracle"):
        line = next(line for line in out.splitlines() if line.startswith(f"{name}: "))
        assert line.endswith("(unchanged, reused)")
    report = directory / "reports" / "small" / "report.html"
    assert f"report: {report}" in out
    assert report.read_text() == PAGE


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["demo", "--preset", "demmo"], SettingsError.exit_code, "did you mean demo?"),
        (["demo", "--set", "evaluation.userz=1"], SettingsError.exit_code, "evaluation.users?"),
        (["demo", "--set", "evaluation.users=0"], SettingsError.exit_code, "evaluation.users"),
        (["demo", "--set", "datasets.source=kuairend:x"], SettingsError.exit_code, "kuairand:PATH"),
        (["evaluate"], cli.USAGE, "Missing argument 'DATASET'"),
    ],
)
def test_a_wrong_call_is_one_line(
    arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == code
    assert sentence in complaint(capsys)


def test_a_misspelt_dataset_is_refused_with_the_nearest(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(verb("evaluate", made, "smal")) == NotFoundError.exit_code
    assert "no dataset 'smal'" in (said := complaint(capsys))
    assert "did you mean small?" in said


@pytest.mark.parametrize(
    ("models", "sentence"),
    [("popularty", "did you mean popularity?"), ("", "no model is called ''"), ("a,", "'a'")],
)
def test_a_misspelt_model_is_refused_before_anything_is_loaded(
    made: Path, capsys: pytest.CaptureFixture[str], models: str, sentence: str
) -> None:
    assert cli.run(evaluate(made, models=models)) == NotFoundError.exit_code
    assert sentence in complaint(capsys)


def test_a_path_without_kuairand_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = f"datasets.source=kuairand:{tmp_path / 'nowhere'}"
    assert cli.run(verb("demo", tmp_path, "--set", source)) == NotFoundError.exit_code
    assert f"no file {tmp_path / 'nowhere'}" in complaint(capsys)


def test_a_malformed_kuairand_file_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from shortlist.datasets.kuairand import FILES

    for name in FILES.values():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("not parquet")
    code = cli.run(verb("demo", tmp_path, "--set", f"datasets.source=kuairand:{tmp_path}"))
    assert code != 0
    assert str(tmp_path) in complaint(capsys)


def test_a_torn_dataset_is_one_line(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = next(directory.glob("datasets/small/data-*/impressions/*/part-0.parquet"))
    table.write_bytes(table.read_bytes()[:100])
    assert cli.run(evaluate(directory)) == CorruptError.exit_code
    assert str(table) in complaint(capsys)


def test_a_world_whose_truth_is_gone_or_damaged_is_one_line(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    latents = directory / "truth" / "small" / "latents.npz"
    latents.write_bytes(latents.read_bytes()[:-1])
    assert cli.run(evaluate(directory)) == CorruptError.exit_code
    assert "differs from its record" in complaint(capsys)
    shutil.rmtree(directory / "truth")
    assert cli.run(evaluate(directory)) == NotFoundError.exit_code
    assert "no truth at" in complaint(capsys)


def test_too_few_days_are_one_line(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.run(evaluate(made, "--set", "datasets.test_days=9"))
    assert code == SettingsError.exit_code
    assert "datasets.test_days cannot be 9" in complaint(capsys)


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Let the system refuse to write larger files, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def turns(directory: Path) -> dict[str, int]:
    return {
        path.name.split("-")[0]: path.stat().st_mtime_ns
        for path in directory.glob("runs/small/*/*.npz")
    }


def test_a_turn_that_does_not_fit_on_the_disk_is_one_line_and_the_next_run_goes_on(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = turns(directory)
    with no_file_above(2_000):
        assert cli.run(evaluate(directory, models="content")) == StorageError.exit_code
    assert "cannot write" in (said := complaint(capsys))
    assert "content-" in said
    assert turns(directory) == before
    assert not list(directory.glob("runs/small/*/.staging-*"))
    assert cli.run(evaluate(directory, models="content")) == 0
    assert before.items() < turns(directory).items()


def test_a_report_that_does_not_fit_leaves_the_old_one(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = directory / "reports" / "small"
    before = {path.name: path.read_bytes() for path in reports.iterdir()}
    with no_file_above(2_000):
        assert cli.run(evaluate(directory)) == StorageError.exit_code
    assert "cannot write" in complaint(capsys)
    assert {path.name: path.read_bytes() for path in reports.iterdir()} == before


# Hangs in the middle of a fit, and says so.
HANGING = """
import sys, time
from shortlist.baselines.content import Content
from shortlist.cli.main import run

def hanging(self, view):
    print("hanging", flush=True)
    time.sleep(120)

Content.fit = hanging
sys.exit(run(sys.argv[1:]))
"""


def cut(arguments: list[str], how: signal.Signals) -> tuple[int, str]:
    """Run until the fit hangs, then send a signal; returns exit code and stderr."""
    run = subprocess.Popen(
        [sys.executable, "-c", HANGING, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    while run.stdout.readline() not in ("hanging\n", ""):
        pass
    run.send_signal(how)
    _, err = run.communicate(timeout=60)
    return run.returncode, err


def test_a_run_cut_short_in_a_fit_keeps_the_turns_before_it(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(directory / "runs")
    arguments = evaluate(directory, models="popularity,content")
    code, err = cut(arguments, signal.SIGINT)
    assert code == cli.INTERRUPTED
    assert err == "error: interrupted; the next run goes on from what was finished\n"
    after_ctrl_c = turns(directory)
    assert set(after_ctrl_c) == {"random", "popularity"}

    code, _ = cut(arguments, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert turns(directory) == after_ctrl_c
    # As if it had been killed while it wrote.
    half = next(directory.glob("runs/small/*")) / ".staging-killed.npz"
    half.write_bytes(b"half a turn")

    capsys.readouterr()
    assert cli.run(arguments) == 0
    assert after_ctrl_c.items() <= turns(directory).items()
    assert "content" in turns(directory)
    assert not half.exists()
    said = capsys.readouterr().out.splitlines()
    reused = {line.split(":")[0] for line in said if line.endswith("(unchanged, reused)")}
    assert reused == {"encode", "random", "popularity"}
