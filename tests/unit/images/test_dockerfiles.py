"""Every Dockerfile holds to the rules of the images; read, not built."""

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[3]
ROLES = {
    "training": "components/Dockerfile",
    "ranker": "model_handlers/ranker/Dockerfile",
    "transformer": "model_handlers/transformer/Dockerfile",
}
LABELS = {"title", "description", "version", "revision", "licenses"}
UNDERSTOOD_BY_EVERY_BUILDER = {
    "ARG",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "LABEL",
    "RUN",
    "USER",
    "WORKDIR",
}


class Step(NamedTuple):
    """One instruction, its continued lines joined."""

    name: str
    words: str


def steps(text: str) -> list[Step]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [Step(*line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def stages(all_steps: list[Step]) -> list[list[Step]]:
    """The steps of each stage; those before the first are left out."""
    found: list[list[Step]] = []
    for step in all_steps:
        if step.name == "FROM":
            found.append([])
        if found:
            found[-1].append(step)
    return found


def values(stage: list[Step], name: str) -> list[str]:
    return [step.words for step in stage if step.name == name]


def variables(stage: list[Step], name: str = "ENV") -> dict[str, str]:
    return dict(word.split("=", 1) for words in values(stage, name) for word in shlex.split(words))


@pytest.fixture(params=ROLES, name="role")
def _role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="text")
def _text(role: str) -> str:
    return (ROOT / ROLES[role]).read_text()


@pytest.fixture(name="last")
def _last(text: str) -> list[Step]:
    return stages(steps(text))[-1]


def test_every_dockerfile_is_known_here() -> None:
    rooms = ("components", "model_handlers", "pipelines", "src", "images")
    found = {str(one.relative_to(ROOT)) for room in rooms for one in (ROOT / room).rglob("Docker*")}
    assert found == set(ROLES.values())


def test_it_needs_no_builder_of_its_own(text: str) -> None:
    assert {step.name for step in steps(text)} <= UNDERSTOOD_BY_EVERY_BUILDER
    assert "--link" not in text
    assert "<<" not in text
    assert "syntax=" not in text


def test_it_runs_as_a_user_by_number_who_is_not_root(last: list[Step]) -> None:
    *_, user = values(last, "USER")
    assert user == "10001:10001"
    after = last[[step.name for step in last].index("USER") :]
    assert {step.name for step in after} & {"COPY", "ADD"} == set()


def test_it_starts_from_one_image_that_can_be_replaced(text: str) -> None:
    first = steps(text)[0]
    assert first.name == "ARG"
    name, image = first.words.split("=")
    assert [words.split()[0] for words in values(steps(text), "FROM")] == ["${PYTHON}"] * 2
    assert name == "PYTHON"
    assert re.fullmatch(r"docker\.io/library/python:3\.11-slim-\w+", image)


def test_nothing_is_called_latest_or_fetched_past_the_pins(text: str) -> None:
    assert "latest" not in text
    assert not re.search(r"\b(curl|wget|git clone)\b|\bpip install\b|^ADD ", text, re.MULTILINE)
    installs = [words for words in values(steps(text), "RUN") if "images/packages" in words]
    assert len(installs) == 2


def test_what_installs_goes_by_the_constraints() -> None:
    script = (ROOT / "images/packages").read_text()
    lines = script.replace("\\\n", " ").splitlines()
    installs = [line for line in lines if re.match(r"\s+install (?!--dry-run)", line)]
    assert len(installs) == 2
    for line in installs:
        assert "--constraint /tmp/pins" in line or "--build-constraints /tmp/build-pins" in line
    assert re.search(r"^UV_VERSION=\d+\.\d+\.\d+$", script, re.MULTILINE)
    uv_of_make = re.search(r"^UV_VERSION := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert uv_of_make is not None
    assert f"UV_VERSION={uv_of_make[1]}\n" in script


def test_only_the_environment_leaves_the_stage_that_builds(last: list[Step]) -> None:
    assert values(last, "COPY") == [
        "--from=build /opt/venv /opt/venv",
        "--from=build /opt/own /opt/venv",
    ]
    kept = {words.split("=")[0] for words in values(last, "ARG")}
    assert kept == {"VERSION", "REVISION", "LICENCE"}
    for words in values(last, "RUN"):
        assert "apt-get" not in words or "rm -rf /var/lib/apt/lists/*" in words


def test_secrets_and_caches_are_mounts(text: str) -> None:
    installs = [words for words in values(steps(text), "RUN") if "images/packages" in words]
    for words in installs:
        assert "--mount=type=cache,target=/root/.cache" in words
        assert set(re.findall(r"type=secret,id=(\w+)", words)) == {"pip", "uv", "netrc", "ca"}


def test_its_labels_say_what_it_is(role: str, last: list[Step]) -> None:
    labels = variables(last, "LABEL")
    prefix = "org.opencontainers.image."
    assert set(labels) == {prefix + name for name in LABELS}
    assert labels[prefix + "title"] == f"shortlist-{role}"
    for name, argument in (
        ("version", "VERSION"),
        ("revision", "REVISION"),
        ("licenses", "LICENCE"),
    ):
        assert labels[prefix + name] == "${" + argument + "}"


def test_it_writes_nothing_beside_what_is_mounted(last: list[Step]) -> None:
    told = variables(last)
    assert told["PYTHONDONTWRITEBYTECODE"] == "1"
    assert told["HOME"] == "/tmp"
    assert told["SHORTLIST_PATHS__WORK"] == "/data"
    # Else whoever can write to the volume could have his modules imported.
    assert told["PYTHONSAFEPATH"] == "1"


def test_libraries_send_nothing_home(last: list[Step]) -> None:
    # ONNX Runtime tells its maker of every session, unless the variable stands before it is loaded.
    told = variables(last)
    assert told["ORT_DISABLE_TELEMETRY"] == told["DO_NOT_TRACK"] == "1"


def test_a_server_has_one_thread_and_answers_to_others(role: str, last: list[Step]) -> None:
    told = variables(last)
    if role == "training":
        assert "OMP_NUM_THREADS" not in told
        return
    assert told["OMP_NUM_THREADS"] == told["OPENBLAS_NUM_THREADS"] == "1"
    name = {"ranker": "PREDICTOR", "transformer": "TRANSFORMER"}[role]
    assert told[f"SHORTLIST_SERVING__{name}_ADDRESS"] == "0.0.0.0"


def test_the_first_process_reaps_and_hands_signals_on(role: str, last: list[Step]) -> None:
    (entry,) = values(last, "ENTRYPOINT")
    command = {
        "ranker": '"python", "-m", "model_handlers.ranker"]',
        "training": '"shortlist"]',
        "transformer": '"python", "-m", "model_handlers.transformer"]',
    }
    assert entry.startswith('["tini", ')
    assert entry.endswith('"--", ' + command[role])


@pytest.mark.parametrize("wanted", ["src/shortlist/py.typed", "constraints.txt", "LICENSE"])
def test_what_is_installed_reaches_the_builder(wanted: str) -> None:
    assert reaches_the_builder(wanted)


@pytest.mark.parametrize(
    "kept", [".git/config", ".venv/bin/python", "work/bundles/current.json", "tests/unit/x.py"]
)
def test_nothing_else_reaches_the_builder(kept: str) -> None:
    assert not reaches_the_builder(kept)


def reaches_the_builder(path: str) -> bool:
    """By the file's own rule: the last line that fits a path, or a directory above it, decides."""
    parts = Path(path).parts
    above = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    taken = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        if any((fnmatch(one, pattern) and "/" not in one) or one == pattern for one in above):
            taken = line.startswith("!")
    return taken
