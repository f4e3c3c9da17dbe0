"""What is told stays, what is not is chosen, and what is printed can be copied into a shell."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import model_handlers.local
from model_handlers.local.plan import Plan, plan
from model_handlers.local.service import begin_logs
from model_handlers.local.told import examples, feed_address
from shortlist.cli import main as cli
from shortlist.settings import load

MINE = "mine:0123456789abcdef"


def planned(*assignments: str, once: bool = False) -> Plan:
    known = load(environ={"SHORTLIST_CONFIG": ""}, assignments=assignments, default_preset="demo")
    return plan(known, once=once)


def test_where_nothing_is_told_all_parts_are_our_own() -> None:
    made = planned()
    assert (made.redis, made.predictor) == (True, True)
    assert made.settings.online.url == "redis://127.0.0.1:6390/0"
    assert made.settings.serving.predictor_url == "http://127.0.0.1:8085"
    assert made.settings.serving.clock == "bundle"
    assert made.address == "http://127.0.0.1:8080"
    assert {name: port for name, (_, port) in made.ports().items()} == {
        "online.embedded_port": 6390,
        "serving.predictor_port": 8085,
        "serving.predictor_management_port": 8086,
        "serving.predictor_metrics_port": 8087,
        "serving.transformer_port": 8080,
    }


def test_a_redis_and_a_predictor_that_are_told_are_used_as_they_are() -> None:
    made = planned("online.url=redis://h:1/2", "serving.predictor_url=http://p:3")
    assert (made.redis, made.predictor) == (False, False)
    assert made.settings.online.url == "redis://h:1/2"
    assert made.settings.serving.predictor_url == "http://p:3"
    assert list(made.ports()) == ["serving.transformer_port"]


def test_the_transformer_has_a_process_for_each_core_but_no_more_than_four(monkeypatch) -> None:
    def workers(*assignments: str, cores: int, once: bool = False) -> int:
        monkeypatch.setattr("model_handlers.local.plan._cores", lambda: cores)
        return planned(*assignments, once=once).settings.serving.transformer_workers

    assert [workers(cores=cores) for cores in (1, 2, 4, 64)] == [1, 2, 4, 4]
    assert workers("serving.transformer_workers=7", cores=2) == 7
    assert workers(cores=4, once=True) == 1


def test_a_key_is_made_where_none_is_told_and_one_is_needed() -> None:
    first, second = planned(), planned()
    assert first.key is not None
    assert first.key != second.key
    keys = first.settings.serving.keys
    assert keys is not None
    assert keys.get_secret_value() == f"local:{first.key}"
    assert first.key not in repr(first.settings)
    assert planned(f"serving.keys={MINE}").key is None
    assert planned("serving.guarded=false").key is None


def test_tried_once_it_takes_free_ports_and_has_time_unless_told() -> None:
    made = planned("serving.transformer_port=8099", "serving.budget_ms=77", once=True)
    serving = made.settings.serving
    assert (serving.transformer_port, serving.budget_ms) == (8099, 77)
    ports = [port for _, port in made.ports().values()]
    assert len(set(ports)) == 5
    assert not {6390, 8085, 8086, 8087} & set(ports)
    assert serving.predictor_url == f"http://127.0.0.1:{serving.predictor_port}"
    assert made.settings.online.url.endswith(f":{made.settings.online.embedded_port}/0")
    assert made.settings.online.timeout_ms == 500


@pytest.mark.parametrize(
    ("told", "reached"),
    [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "[::1]"), ("10.0.0.7", "10.0.0.7")],
)
def test_an_address_that_nobody_can_call_is_reached_from_here(told: str, reached: str) -> None:
    address = f"serving.transformer_address={told}"
    assert planned(address).address == f"http://{reached}:8080"


def test_the_link_holds_the_key_where_only_the_browser_sees_it() -> None:
    made = planned()
    assert feed_address(made, 7) == f"http://127.0.0.1:8080/?viewer=7#key={made.key}"
    assert feed_address(planned(f"serving.keys={MINE}"), 7) == "http://127.0.0.1:8080/?viewer=7"


@pytest.mark.parametrize("told", [(), (f"serving.keys={MINE}",), ("serving.guarded=false",)])
def test_the_examples_are_lines_of_a_shell(tmp_path: Path, told: tuple[str, ...]) -> None:
    curl = tmp_path / "curl"
    curl.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    curl.chmod(0o755)
    made = planned(*told)
    bodies, headers = [], []
    for line in map(str, examples(made, -7, 41)):
        command = line[line.index("curl") :]
        ran = subprocess.run(
            ["sh", "-c", command],
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            capture_output=True,
            check=True,
        )
        arguments = json.loads(ran.stdout)
        assert arguments[1].startswith("http://127.0.0.1:8080/v1/")
        bodies.append(json.loads(arguments[-1]))
        headers.append([one for one in arguments if one.startswith("authorization")])
    assert bodies[0] == {"instances": [{"user_id": -7, "page_size": 10}]}
    (event,) = bodies[1]["events"]
    assert (event["user_id"], event["video_id"], event["kind"]) == (-7, 41, "click")
    assert event["at"] > 1.7e9
    assert event["event_id"].startswith("e-")
    assert MINE.split(":")[1] not in str(headers)
    guarded = "serving.guarded=false" not in told
    assert [len(one) for one in headers] == [0, 1 if guarded else 0]


def test_the_verb_comes_by_its_entry_point() -> None:
    (verb,) = [verb for verb in cli.brought() if verb.name == "up"]
    assert verb.module == "model_handlers.cli"


def test_without_the_servers_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The package is imported anew, which puts it on its parent: there too the old one comes back.
    monkeypatch.setattr(model_handlers, "local", model_handlers.local)
    for name in [name for name in sys.modules if name.startswith("model_handlers.local")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "shortlist.online.client", raising=False)
    monkeypatch.delitem(sys.modules, "shortlist.online.store", raising=False)
    for name in ["redis", *(one for one in sys.modules if one.startswith("redis."))]:
        monkeypatch.setitem(sys.modules, name, None)
    assert cli.run(["up"]) == 1
    assert "install `shortlist[local]`" in capsys.readouterr().err


def test_logs_of_the_run_before_are_kept_and_older_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "predictor").mkdir()
    logs = [tmp_path / "redis.log", tmp_path / "predictor" / "output.log"]
    begin_logs(tmp_path)
    for run in ("first", "second"):
        for log in logs:
            log.write_text(run)
        begin_logs(tmp_path)
    assert sorted(tmp_path.rglob("*log*")) == sorted(Path(f"{log}.before") for log in logs)
    assert {Path(f"{log}.before").read_text() for log in logs} == {"second"}
