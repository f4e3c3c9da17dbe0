"""What a cluster would not take is refused here, by its option, before anything is compiled."""

from pathlib import Path

import pytest

from pipelines.placement import Placement
from shortlist.cli import main as cli
from shortlist.errors import InputError

REFUSED = {
    "image": ["", " ", "train: 1"],
    "cpu": ["", "banana", "-3", "0", "0.0", "2 ", "1.5m", "2.", "1e3"],
    "memory": ["", "lots", "8GB", "-8Gi", "0Gi", "1.5Gi", "8gi"],
    "volume": ["", "Bad Name", "Claim", "claim_1", "-claim", "claim.", "c" * 254],
    "nodes": ["", "train", "=train", "a=b=c", "a b=c", "-pool=a", "Host/pool=a", "p" * 64 + "=a"],
    "tolerations": ["", "=x", "a b", "dedicated=", "/gpu", "example.com/"],
}
TAKEN = {
    "image": ["registry.example:5000/train:0123abcd", "train@sha256:00"],
    "cpu": ["2", "0.5", ".5", "500m", "16"],
    "memory": ["8Gi", "512Mi", "16G", "1000000000"],
    "volume": ["claim", "claim-1.work", "c" * 253],
    "nodes": ["pool=train", "kubernetes.io/hostname=node-1", "gpu="],
    "tolerations": ["dedicated", "nvidia.com/gpu", "node-role.kubernetes.io/control_plane"],
}
OPTIONS = {"nodes": "--node", "tolerations": "--tolerate"}


def told(name: str, value: str) -> Placement:
    return Placement.told(**{name: [value] if name in OPTIONS else value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", REFUSED)
def test_what_kubernetes_would_not_take_is_refused_by_option_and_value(name: str) -> None:
    for value in REFUSED[name]:
        with pytest.raises(InputError) as caught:
            told(name, value)
        option = OPTIONS.get(name, f"--{name}")
        assert str(caught.value).startswith(f"{option} cannot be {value!r}; write ")


@pytest.mark.parametrize("name", TAKEN)
def test_what_kubernetes_takes_is_taken_as_it_is(name: str) -> None:
    for value in TAKEN[name]:
        found = getattr(told(name, value), name)
        key, _, label = value.partition("=")
        assert found == {"nodes": {key: label}, "tolerations": (value,)}.get(name, value)


def test_what_nobody_says_is_as_usual() -> None:
    assert Placement.told() == Placement()


@pytest.mark.parametrize("verb", ["compile", "submit", "schedule"])
def test_a_wrong_option_is_one_sentence(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "pipeline.yaml"
    others = {
        "compile": ["--output", f"{target}"],
        "submit": ["--host", "http://localhost:1"],
        "schedule": ["--host", "http://localhost:1", "--cron", "0 3 * * *"],
    }
    assert cli.run(["pipeline", verb, "--cpu", "banana", *others[verb]]) == InputError.exit_code
    assert capsys.readouterr().err == (
        "error: --cpu cannot be 'banana'; write cores, as in 2, 0.5 or 500m\n"
    )
    assert not target.exists()
