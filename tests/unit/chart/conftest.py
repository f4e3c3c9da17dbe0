"""The chart rendered by Helm's own library, so without a cluster and without Helm installed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import Chart

CHART = Path(__file__).parents[3] / "helm" / "shortlist"


@dataclass(frozen=True)
class Rendered:
    """What the chart makes of some values."""

    objects: tuple[dict[str, Any], ...]
    notes: str

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.objects if one["kind"] == kind]

    def one(self, kind: str, name: str) -> dict[str, Any]:
        (found,) = (one for one in self.of(kind) if one["metadata"]["name"] == name)
        return found

    def pods(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every pod's spec, by what it is of."""
        for one in self.objects:
            spec = one.get("spec", {})
            match one["kind"]:
                case "Pod":
                    yield "test", spec
                case "StatefulSet" | "Job" | "Deployment":
                    name = one["metadata"]["labels"]["app.kubernetes.io/component"]
                    yield name, spec["template"]["spec"]
                case "CronJob":
                    yield "retrain", spec["jobTemplate"]["spec"]["template"]["spec"]
                case "InferenceService":
                    yield "predictor", self._run(spec["predictor"])
                    yield "transformer", spec["transformer"]

    def _run(self, predictor: dict[str, Any]) -> dict[str, Any]:
        """The pod's spec that KServe makes of a predictor's model and its runtime."""
        model = predictor["model"]
        runtime = self.one("ServingRuntime", model["runtime"])["spec"]
        (one,) = runtime["containers"]
        container = one | {"resources": model["resources"]}
        return predictor | {"containers": [container], "volumes": runtime["volumes"]}


class Renderer:
    """Renders the chart."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart

    def __call__(self, values: dict[str, Any] | None = None, name: str = "shortlist") -> Rendered:
        files = self._chart.render(values, name=name, namespace="here")
        notes = files.pop("shortlist/templates/NOTES.txt")
        documents = (one for text in files.values() for one in yaml.safe_load_all(text))
        return Rendered(tuple(one for one in documents if one), notes)

    def check(self, values: dict[str, Any]) -> None:
        self._chart.validate_schema(values)


@pytest.fixture(scope="session")
def render() -> Iterator[Renderer]:
    with Chart.load(CHART) as chart:
        yield Renderer(chart)


@pytest.fixture(scope="session")
def default(render: Renderer) -> Rendered:
    return render()


@pytest.fixture(
    scope="session",
    params=[
        pytest.param({}, id="default"),
        *(
            pytest.param(
                yaml.safe_load(path.read_text()), id=path.name.removesuffix("-values.yaml")
            )
            for path in sorted((CHART / "ci").glob("*-values.yaml"))
        ),
    ],
)
def any_rendered(render: Renderer, request: pytest.FixtureRequest) -> Rendered:
    render.check(request.param)
    rendered: Rendered = render(request.param)
    return rendered
