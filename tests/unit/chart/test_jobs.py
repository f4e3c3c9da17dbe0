"""What the steps of jobs do, run by a shell with a `shortlist` that only notes what it is asked."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shortlist.errors import GateError, NotFoundError, RefusedError

BUCKET = {"storage": {"s3": {"url": "s3://models/a"}}}
PIN = "00c0ffee"
PUBLISHED = json.dumps({"current": "0123abcd"})
STUB = """#!/bin/sh
echo "$* ${SHORTLIST_SERVING__BUNDLE:-unpinned}" >> "$CALLS"
for one in $CODES; do
    case "$*" in "$(echo "${one%=*}" | tr _ ' ')") exit "${one#*=}" ;; esac
done
case "$*" in "bundle pull") printf %s "$PULLS" > "$BUNDLES/current.json" ;; esac
"""


class Step:
    """One step of a job, and a directory in which it is run."""

    def __init__(self, pod: dict[str, Any], name: str, tmp_path: Path) -> None:
        (one,) = (
            one for one in (*pod["initContainers"], *pod["containers"]) if one["name"] == name
        )
        self._tmp, self.bundles = tmp_path, tmp_path / "bundles"
        self.bundles.mkdir()
        stub = tmp_path / "shortlist"
        stub.write_text(STUB)
        stub.chmod(0o755)
        self._script = (
            one["command"][-1]
            .replace("/opt/venv/bin/shortlist", str(stub))
            .replace("/data/bundles", str(self.bundles))
        )
        self._told = {
            variable["name"]: variable["value"] for variable in one["env"] if "value" in variable
        }

    def run(
        self, codes: Mapping[str, int] | None = None, *, here: str = "", there: str = ""
    ) -> tuple[int, list[str]]:
        """Its exit code, and what it asked for, each with the bundle that it was held to.

        Args:
            codes: with which `shortlist` ends, by its arguments.
            here: the pointer on the claim; none where empty.
            there: the pointer that a pull brings.
        """
        if here:
            (self.bundles / "current.json").write_text(here)
        calls = self._tmp / "calls"
        calls.write_text("")
        told = " ".join(
            f"{asked.replace(' ', '_')}={code}" for asked, code in (codes or {}).items()
        )
        ended = subprocess.run(
            ["/bin/sh", "-ec", self._script],
            env=self._told
            | {"PATH": "/usr/bin:/bin", "CALLS": str(calls), "CODES": told, "PULLS": there}
            | {"BUNDLES": str(self.bundles)},
            check=False,
        )
        return ended.returncode, calls.read_text().splitlines()


def step(render: Any, values: dict[str, Any], job: str, name: str, tmp_path: Path) -> Step:
    return Step(dict(render(values).pods())[job], name, tmp_path)


def test_the_bootstrap_makes_a_bundle_where_none_is_there(render: Any, tmp_path: Path) -> None:
    pipeline = step(render, {}, "bootstrap", "pipeline", tmp_path)
    assert pipeline.run() == (0, ["demo unpinned"])
    assert pipeline.run(here=PUBLISHED) == (0, [])


def test_the_bootstrap_trains_nothing_where_the_bucket_has_a_bundle(
    render: Any, tmp_path: Path
) -> None:
    pipeline = step(render, BUCKET, "bootstrap", "pipeline", tmp_path)
    assert pipeline.run(there=PUBLISHED) == (0, ["bundle pull unpinned"])


@pytest.mark.parametrize("missing", [{}, {f"bundle pull {PIN}": NotFoundError.exit_code}])
def test_a_pin_keeps_no_published_bundle_from_being_found(
    render: Any, tmp_path: Path, missing: dict[str, int]
) -> None:
    """By its id a bundle is brought without the pointer, and whoever sees none trains anew."""
    pinned = BUCKET | {"bundle": {"id": PIN}}
    pipeline = step(render, pinned, "bootstrap", "pipeline", tmp_path)
    wanted = ["bundle pull unpinned", f"bundle pull {PIN} unpinned"]
    assert pipeline.run(missing, there=PUBLISHED) == (0, wanted)


@pytest.mark.parametrize(("job", "name"), [("bootstrap", "pipeline"), ("retrain", "pull")])
def test_what_cannot_be_read_is_not_replaced(
    render: Any, tmp_path: Path, job: str, name: str
) -> None:
    one = step(render, BUCKET, job, name, tmp_path)
    assert one.run({"bundle pull": 69}) == (69, ["bundle pull unpinned"])


def test_retraining_follows_the_bucket_before_all_else(render: Any, tmp_path: Path) -> None:
    values = BUCKET | {"bootstrap": {"enabled": False}, "bundle": {"id": PIN}}
    pod = dict(render(values).pods())["retrain"]
    order = [one["name"] for one in (*pod["initContainers"], *pod["containers"])]
    assert order == ["pull", "refill", "drain", "pipeline", "prune"]
    pull = Step(pod, "pull", tmp_path)
    wanted = ["bundle pull unpinned", f"bundle pull {PIN} unpinned"]
    assert pull.run(there=PUBLISHED) == (0, wanted)
    assert (pull.bundles / "current.json").read_text() == PUBLISHED


def test_retraining_waits_for_the_first_publication_in_a_bucket(
    render: Any, tmp_path: Path
) -> None:
    pull = step(render, BUCKET, "retrain", "pull", tmp_path)
    code, _ = pull.run({"bundle pull": NotFoundError.exit_code})
    assert code == 0


@pytest.mark.parametrize("name", ["refill", "drain", "pipeline", "prune"])
def test_no_step_of_retraining_does_anything_before_a_bundle_is_published(
    render: Any, tmp_path: Path, name: str
) -> None:
    one = step(render, {}, "retrain", name, tmp_path)
    assert one.run() == (0, [])
    code, asked = one.run(here=PUBLISHED)
    assert code == 0
    assert asked


def test_only_the_gates_refusal_ends_retraining_well(render: Any, tmp_path: Path) -> None:
    pipeline = step(render, {}, "retrain", "pipeline", tmp_path)
    ends = {
        code: pipeline.run({"demo": code}, here=PUBLISHED)[0]
        for code in (0, GateError.exit_code, RefusedError.exit_code, 1)
    }
    assert ends == {0: 0, GateError.exit_code: 0, RefusedError.exit_code: 3, 1: 1}
