"""What processes count is told as if one had counted it, whoever of them is asked."""

import subprocess
import sys
from pathlib import Path

import pytest

from shortlist.telemetry.shared import forget

COUNT = """
import sys
from enum import Enum
from pathlib import Path
from shortlist.telemetry.shared import share
directory, place = Path(sys.argv[1]), int(sys.argv[2])
share(directory, place)
from prometheus_client import CollectorRegistry
from shortlist.telemetry.metrics import ServingMetrics
metrics = ServingMetrics(CollectorRegistry(), shared=directory)
State = Enum("State", {"CLOSED": 0, "OPEN": 2})
exec(sys.argv[3])
print(metrics.exposition()[1].decode())
"""
PAGE = 'metrics.page({"recall": 2.0}, 30.0, cached=False, degraded=False)'


def told(directory: Path, place: int, counting: str) -> dict[str, float]:
    """What a process tells after it has counted, by series."""
    ran = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", COUNT, directory, str(place), counting],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.rsplit(" ", 1) for line in ran.stdout.splitlines() if line[:1] not in ("#", "")]
    return {series: float(value) for series, value in lines}


def test_counts_are_summed_and_a_restart_forgets_none(tmp_path: Path) -> None:
    told(tmp_path, 1, PAGE)
    told(tmp_path, 2, f"{PAGE}; {PAGE}")
    found = told(tmp_path, 1, PAGE)
    assert found['shortlist_pages_total{degraded="false",path="full"}'] == 4
    assert found['shortlist_page_seconds_sum{path="full"}'] == pytest.approx(0.12)
    assert found['shortlist_page_seconds_bucket{le="0.03",path="full"}'] == 4
    assert found['shortlist_page_seconds_bucket{le="0.025",path="full"}'] == 0
    assert found['shortlist_pages_total{degraded="true",path="cached"}'] == 0
    assert len(list(tmp_path.iterdir())) == 2 * 3, "files are named by place"


def test_of_states_the_worst_is_told_and_the_dead_have_none(tmp_path: Path) -> None:
    series = 'shortlist_breaker_state{part="store"}'
    told(tmp_path, 1, 'metrics.breaker("store", State.OPEN)')
    assert told(tmp_path, 2, 'metrics.breaker("store", State.CLOSED)')[series] == 2
    forget(tmp_path, 1)
    assert told(tmp_path, 2, "")[series] == 0
    forget(tmp_path, 9)


def test_a_bundle_is_told_while_one_of_them_holds_it(tmp_path: Path) -> None:
    def held(found: dict[str, float]) -> set[str]:
        return {one.split("{")[1] for one in found if one.startswith("shortlist_bundle_info")}

    current, previous = ('bundle="{}",standing="' + one + '"}}' for one in ("current", "previous"))
    assert held(told(tmp_path, 1, 'metrics.bundles("a", None)')) == {current.format("a")}
    both = held(told(tmp_path, 2, 'metrics.bundles("a", None); metrics.bundles("b", "a")'))
    assert both == {current.format("a"), current.format("b"), previous.format("a")}
    forget(tmp_path, 1)
    assert held(told(tmp_path, 2, "")) == {current.format("b"), previous.format("a")}
