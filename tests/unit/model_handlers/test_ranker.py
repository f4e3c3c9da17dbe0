"""The handler translates, the archive holds it, and the workers get the settings in force."""

import json
import logging
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from model_handlers.ranker import figures, probe, server
from model_handlers.ranker.__main__ import main
from model_handlers.ranker.archive import model_config, write_archive
from model_handlers.ranker.handler import RankerHandler
from model_handlers.ranker.server import worker_environment
from shortlist.bundle.pointer import POINTER
from shortlist.errors import NotFoundError
from shortlist.serving.predictor import Reply
from shortlist.settings import load
from shortlist.settings.serving import ServingSettings

HERE = Path(figures.__file__).parent


class Context:
    """What TorchServe hands a handler, as far as it is used."""

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.types: dict[int, str] = {}
        self.metrics = self
        self.figures: list[tuple[str, float, list[str]]] = []

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        self.statuses[idx] = code

    def set_response_content_type(self, idx: int, value: str) -> None:
        self.types[idx] = value

    def get_metric(self, name: str, metric_type: Any) -> "Metric":
        return Metric(self, name)


class Metric:
    def __init__(self, context: Context, name: str) -> None:
        self._context, self._name = context, name

    def add_or_update(self, value: float, dimension_values: list[str]) -> None:
        self._context.figures.append((self._name, value, dimension_values))


class Echo:
    """A predictor that refuses what is empty, and says back what is not."""

    def reply(self, body: bytes | bytearray) -> Reply:
        if not body:
            return Reply(400, b"{}", "malformed", {}, 0.5)
        return Reply(200, bytes(body), "answered", {"rank": 2.0}, 3.0)


@pytest.fixture
def handler() -> RankerHandler:
    made = RankerHandler()
    made._predictor = Echo()  # type: ignore[assignment]
    made._figures = None
    return made


def test_each_body_of_a_batch_has_its_own_status(handler: RankerHandler) -> None:
    context = Context()
    rows = [{"body": bytearray(b"one")}, {}, {"data": "form"}, {"body": {"parsed": 1}}]
    assert handler.handle(rows, context) == [b"one", b"{}", b"{}", b"{}"]
    assert context.statuses == {0: 200, 1: 400, 2: 400, 3: 400}
    assert set(context.types.values()) == {"application/json"}


def test_a_reply_is_counted_in_seconds(handler: RankerHandler) -> None:
    pytest.importorskip("ts")
    context = Context()
    handler._figures = figures.Figures(context)
    handler.handle([{"body": b"one"}, {}, {"body": b"two"}], context)
    assert context.figures == [
        (figures.TOTAL, 0.003, ["answered"]),
        (figures.STAGE, 0.002, ["rank"]),
        (figures.TOTAL, 0.0005, ["malformed"]),
        (figures.TOTAL, 0.003, ["answered"]),
    ]


def test_the_stages_of_a_sample_are_told(handler: RankerHandler) -> None:
    pytest.importorskip("ts")
    context = Context()
    handler._figures = figures.Figures(context)
    handler.handle([{"body": b"one"}] * (2 * figures.SAMPLED + 1), context)
    names = [name for name, _, _ in context.figures]
    assert (names.count(figures.TOTAL), names.count(figures.STAGE)) == (33, 3)


def test_a_worker_without_a_bundle_ends_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    (bundles / POINTER).write_text("{")
    monkeypatch.setenv("SHORTLIST_PATHS__BUNDLES", str(bundles))
    monkeypatch.setenv("SHORTLIST_SERVING__PREDICTOR_START_SECONDS", "5")
    monkeypatch.setattr("shortlist.serving.bundles.Bundles.wait", _wait_for_nothing)
    root = logging.getLogger().level
    handler = RankerHandler()
    try:
        with pytest.raises(NotFoundError, match="pointer"):
            handler.initialize(Context())
    finally:
        handler._bundles.stop()
        logging.getLogger().setLevel(root)


def _wait_for_nothing(self: Any, seconds: float) -> None:
    raise NotFoundError(str(self.fault))


def test_the_metrics_that_are_counted_are_declared() -> None:
    declared = yaml.safe_load((HERE / "metrics.yaml").read_text())["model_metrics"]
    names = {metric["name"] for kind in declared.values() for metric in kind}
    assert names == {figures.TOTAL, figures.STAGE}
    seconds = {metric["name"] for metric in declared["histogram"] if metric["unit"] == "s"}
    assert seconds == {figures.TOTAL, figures.STAGE}


def test_the_archive_holds_the_handler_and_its_sizes(tmp_path: Path) -> None:
    pytest.importorskip("model_archiver")
    settings = ServingSettings(predictor_workers=3, predictor_queue=9, budget_ms=80)
    archive = write_archive(settings, tmp_path / "made")
    assert archive.name == "ranker.mar"
    assert sorted(path.name for path in archive.parent.iterdir()) == ["ranker.mar"]
    with zipfile.ZipFile(archive) as held:
        manifest = json.loads(held.read("MAR-INF/MANIFEST.json"))
        assert manifest["model"]["handler"] == "handler.py"
        assert manifest["model"]["modelName"] == "ranker"
        config = yaml.safe_load(held.read(manifest["model"]["configFile"]))
        assert held.read("handler.py") == (HERE / "handler.py").read_bytes()
    assert config == model_config(settings)
    assert (config["minWorkers"], config["maxWorkers"], config["batchSize"]) == (3, 3, 1)
    assert (config["jobQueueSize"], config["clientTimeoutInMills"]) == (9, 80)


def test_torchserve_finds_one_class_in_the_handler() -> None:
    text = (HERE / "handler.py").read_text()
    assert re.findall(r"^class (\w+)", text, re.MULTILINE) == ["RankerHandler"]


def test_a_worker_finds_the_settings_of_whoever_started_it(tmp_path: Path) -> None:
    given = load(
        environ={"SHORTLIST_CONFIG": ""},
        assignments=[
            f"paths.work={tmp_path}",
            "serving.bundle=00c0ffee",
            "serving.predictor_metrics=false",
            "serving.java=/j/java",
        ],
    ).settings
    ambient = {"PATH": "/bin", "SHORTLIST_SERVING__BUNDLE": "beef", "SHORTLIST_CONFIG": "x.yaml"}
    environ = worker_environment(given, ambient)
    found = load(environ=environ).settings
    assert (found.paths, found.serving) == (given.paths, given.serving)
    assert environ["PATH"] == "/bin"


def test_relative_paths_mean_the_same_in_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = load(environ={"SHORTLIST_CONFIG": ""}).settings
    found = load(environ=worker_environment(given, {})).settings
    assert found.paths.bundles == tmp_path / "work" / "bundles"


def test_the_configuration_closes_what_nobody_needs() -> None:
    lines = (HERE / "config.properties").read_text().splitlines()
    told = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert told["enable_model_api"] == "false"
    assert told["disable_token_authorization"] == "true"
    assert told["install_py_dep_per_model"] == "false"
    assert told["allowed_urls"] == "file:///none"
    assert told["decode_input_request"] == "false"


def test_the_probe_tells_by_its_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def answer(port: int) -> str | None:
        asked.append(port)
        return None if port == 9_086 else "worker 9000 is UNLOADING"

    monkeypatch.setattr(probe, "why_not_ready", answer)
    monkeypatch.setattr("sys.argv", ["probe", "9086"])
    assert probe.main() == 0
    monkeypatch.setattr("sys.argv", ["probe"])
    assert probe.main() == 1
    assert "UNLOADING" in capsys.readouterr().err
    monkeypatch.setenv("SHORTLIST_SERVING__PREDICTOR_MANAGEMENT_PORT", "9086")
    assert probe.main() == 0
    monkeypatch.setattr("sys.argv", ["probe", "port"])
    assert probe.main() == 1
    assert asked == [9_086, 8_086, 9_086]


def test_a_process_that_cannot_become_the_predictor_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def archived(_: ServingSettings, into: Path) -> Path:
        into.mkdir(parents=True)
        return into / "ranker.mar"

    monkeypatch.setattr(server, "write_archive", archived)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("SHORTLIST_SERVING__JAVA", "/nowhere/java")
    assert main() == NotFoundError.exit_code
    assert "no program /nowhere/java" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_worker_gives_large_blocks_back_unless_it_is_told_otherwise() -> None:
    given = load(environ={"SHORTLIST_CONFIG": ""}).settings
    threshold = "MALLOC_MMAP_THRESHOLD_"
    assert worker_environment(given, {})[threshold] == "1048576"
    assert worker_environment(given, {threshold: "65536"})[threshold] == "65536"
