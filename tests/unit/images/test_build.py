"""`make images` names images by what they are made of, and tells the builder what it must know."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """A repository with as much of ours in it as names an image."""
    project = tmp_path / "project"
    (project / "images").mkdir(parents=True)
    shutil.copy(ROOT / "images/build", project / "images/build")
    (project / "pyproject.toml").write_text('version = "1.2.3"\nlicense = "Apache-2.0"\n')
    for name in ("LICENSE", "README.md", "constraints.txt", "notes.txt"):
        (project / name).write_text(name)
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
        git(project, *arguments)
    return project


def git(project: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.test", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *who, *arguments], cwd=project, capture_output=True, text=True, check=True
    ).stdout.strip()


def build(
    project: Path, *arguments: str, check: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "BUILDER": "echo built", **variables}
    return subprocess.run(
        ["sh", str(project / "images/build"), *(arguments or ("shop/sl", "", "ranker"))],
        env=environ,
        capture_output=True,
        text=True,
        check=check,
    )


def told(project: Path, *arguments: str, **variables: str) -> list[str]:
    """What the builder is called with, once for each role."""
    lines = build(project, *arguments, **variables).stdout.splitlines()
    return [line.removeprefix("built ") for line in lines if line.startswith("built ")]


def test_the_tag_is_the_version_and_the_revision(project: Path) -> None:
    revision = git(project, "rev-parse", "--short=12", "HEAD")
    (line,) = told(project)
    assert line.startswith(
        f"-t shop/sl/ranker:1.2.3-{revision} -f model_handlers/ranker/Dockerfile"
    )
    assert f"--build-arg VERSION=1.2.3 --build-arg REVISION={revision} " in line
    assert "--build-arg LICENCE=Apache-2.0" in line
    assert line.endswith(" .")


def test_the_tag_is_said_without_building(project: Path) -> None:
    revision = git(project, "rev-parse", "--short=12", "HEAD")
    assert build(project, "--tag").stdout == f"1.2.3-{revision}\n"


def test_what_is_not_committed_has_another_tag_by_its_content(project: Path) -> None:
    tags = [told(project)[0].split()[1]]
    (project / "README.md").write_text("changed")
    tags.append(told(project)[0].split()[1])
    (project / "images/new").write_text("new")
    tags.append(told(project)[0].split()[1])
    (project / "images/new").write_text("newer")
    tags.append(told(project)[0].split()[1])
    assert len(set(tags)) == 4
    assert tags[-1] == told(project)[0].split()[1]


def test_what_no_image_holds_changes_no_tag(project: Path) -> None:
    before = told(project)
    (project / "notes.txt").write_text("changed")
    assert told(project) == before


def test_all_roles_are_built_for_a_prefix_and_a_tag(project: Path) -> None:
    names = [line.split()[1] for line in told(project, "registry.test/sl", "v7")]
    assert names == [
        f"registry.test/sl/{role}:v7" for role in ("training", "ranker", "transformer")
    ]


def test_the_object_store_of_the_tests_is_built_when_named(project: Path) -> None:
    (line,) = told(project, "sl", "v7", "object-store", TORCH_BACKEND="cu130")
    assert line.startswith("-t sl/object-store:v7 -f tests/e2e/object_store/Dockerfile ")
    assert "TORCH_BACKEND" not in line


def test_the_predictor_never_has_the_cuda_build(project: Path) -> None:
    roles = told(project, "sl", "v7", TORCH_BACKEND="cu130")
    assert "TORCH_BACKEND=cu130" in roles[0]
    assert "TORCH_BACKEND=cpu" in roles[1]
    assert "TORCH_BACKEND" not in roles[2]
    assert all(
        "TORCH_BACKEND= " in line for line in told(project, "sl", "v7", TORCH_BACKEND="")[:2]
    )


def test_places_of_packages_are_handed_on_but_for_directories_of_this_machine(
    project: Path,
) -> None:
    (line,) = told(
        project,
        INDEX_URL="https://index.test/simple",
        EXTRA_INDEX_URL="https://more.test/simple",
        FIND_LINKS="/wheels https://wheels.test",
    )
    assert "--build-arg PIP_INDEX_URL=https://index.test/simple" in line
    assert "--build-arg PIP_EXTRA_INDEX_URL=https://more.test/simple" in line
    assert "--build-arg PIP_FIND_LINKS=https://wheels.test ." in line


@pytest.mark.parametrize("name", ["docker", "podman", "buildah"])
def test_a_builder_is_called_by_its_verb(project: Path, tmp_path: Path, name: str) -> None:
    program = tmp_path / name
    program.write_text('#!/bin/sh\necho built "$@"\n')
    program.chmod(0o755)
    (line,) = told(project, BUILDER=str(program))
    assert line.startswith("build -t ")


def test_a_client_whose_daemon_is_away_is_passed_over(project: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in (("docker", "exit 1"), ("podman", 'echo built podman "$@"')):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    (line,) = told(project, BUILDER="", PATH=f"{programs}:{os.environ['PATH']}")
    assert line.startswith("podman build -t ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("sl", "latest"), "latest"), (("sl", "v7", "oracle"), "there is no image oracle")],
)
def test_what_cannot_be_is_refused(project: Path, arguments: tuple[str, ...], words: str) -> None:
    ended = build(project, *arguments, check=False)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "built" not in ended.stdout
