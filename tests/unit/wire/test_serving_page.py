"""The page docs/serving.md says what the code does."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from shortlist.telemetry.metrics import ServingMetrics
from shortlist.wire.causes import Cause
from shortlist.wire.events import Event
from shortlist.wire.recommend import RecommendRequest
from shortlist.wire.refusals import KINDS

PAGE = (Path(__file__).parents[3] / "docs/serving.md").read_text()
GOLDEN = Path(__file__).with_name("golden")
EXAMPLES = dict(re.findall(r"<!-- golden: (\S+) -->\n```json\n(.*?)```", PAGE, re.DOTALL))


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir()))
def test_every_message_is_shown_as_it_is(name: str) -> None:
    assert json.loads(EXAMPLES[name]) == json.loads((GOLDEN / name).read_bytes())


def test_every_refusal_is_there_with_its_status() -> None:
    shown = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", PAGE, re.MULTILINE)
    assert {kind: int(status) for kind, status in shown} == {
        kind: refusal.http_status for kind, refusal in KINDS.items()
    }


def test_every_cause_of_a_degraded_page_is_there() -> None:
    sentence = PAGE.split("`degraded_by` says why: ")[1].split(".")[0]
    assert re.findall(r"`(\w+)`", sentence) == [cause for cause in Cause if cause.degrades]


@pytest.mark.parametrize(
    ("kind", "heading"), [(RecommendRequest, "### A page"), (Event, "### Events")]
)
def test_every_field_is_there(kind: type[RecommendRequest | Event], heading: str) -> None:
    table = PAGE.split(heading)[1].split("###")[0]
    first = " ".join(re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE))
    assert re.findall(r"`(\w+)`", first) == list(kind.model_fields)


def test_every_metric_is_there_with_its_labels() -> None:
    rows = re.findall(r"^\| `(shortlist_\w+)` \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
    shown = {name: (re.findall(r"`(\w+)`", labels), text) for name, labels, text in rows}
    counted = {}
    for metric in vars(ServingMetrics(CollectorRegistry())).values():
        if hasattr(metric, "describe") and hasattr(metric, "_labelnames"):
            (family,) = metric.describe()
            name = family.name + ("_total" if family.type == "counter" else "")
            counted[name] = (list(metric._labelnames), family.documentation)
    assert shown == counted
