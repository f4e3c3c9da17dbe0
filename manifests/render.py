"""The chart rendered for users of Kustomize: `make manifests`.

What only Helm needs is left out: its labels, the pod of `helm test`. PodMonitors are a component of
their own, since not every cluster knows them.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml
from helm_python import Chart

HERE: Final = Path(__file__).parent
CHART: Final = HERE.parent / "helm" / "shortlist"
NAME: Final = "shortlist"
MONITORS: Final = "PodMonitor"
_OF_HELM: Final = ("helm.sh/chart", "app.kubernetes.io/managed-by")
_HEAD: Final = "# Written by `make manifests` from helm/shortlist and manifests/values.yaml.\n"


def pages() -> dict[Path, str]:
    """Every file, by the place it belongs in."""
    objects = [cleaned(one) for one in rendered()]
    base = [one for one in objects if one["kind"] != MONITORS]
    monitors = [one for one in objects if one["kind"] == MONITORS]
    return {
        HERE / "base" / "shortlist.yaml": written(base),
        HERE / "components" / "monitoring" / "podmonitors.yaml": written(monitors),
    }


def rendered() -> list[dict[str, Any]]:
    """Objects of the chart, in the order of their kinds and names; no hooks."""
    values = yaml.safe_load((HERE / "values.yaml").read_text(encoding="utf-8"))
    with Chart.load(CHART) as chart:
        chart.validate_schema(values)
        files = chart.render(values, name=NAME, namespace="default")
    objects = [
        one
        for path, text in files.items()
        if path.endswith(".yaml")
        for one in yaml.safe_load_all(text)
        if one and "helm.sh/hook" not in one["metadata"].get("annotations", {})
    ]
    return sorted(objects, key=lambda one: (one["kind"], one["metadata"]["name"]))


def cleaned(tree: Any) -> Any:
    """The same without Helm's labels."""
    if isinstance(tree, dict):
        return {name: cleaned(part) for name, part in tree.items() if name not in _OF_HELM}
    return [cleaned(part) for part in tree] if isinstance(tree, list) else tree


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else "")


_Dumper.add_representer(str, _text)


def written(objects: Iterable[dict[str, Any]]) -> str:
    """One file of them."""
    return _HEAD + yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, width=100)


def main() -> int:
    """Write them."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
