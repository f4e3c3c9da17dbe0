"""The benchmarks of serving, where nothing runs: timetables, quantiles, searches and requests."""

import argparse
import base64
import importlib
import inspect
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from shortlist import settings
from shortlist.datasets.events import Events
from shortlist.serving import asker, service
from shortlist.serving.breaker import Breaker
from shortlist.serving.client import PredictorClient
from shortlist.wire.rank import PATH, RankRequest, encode_requests

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True, scope="module")
def _benchmarks_can_be_imported():
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


@pytest.fixture
def handler():
    return importlib.import_module("benchmarks.serving.rung_handler")


@pytest.fixture
def timing():
    return importlib.import_module("benchmarks.serving.timing")


@pytest.fixture
def generator():
    return importlib.import_module("benchmarks.serving.generator")


@pytest.fixture
def reporting():
    return importlib.import_module("benchmarks.serving.reporting")


def body(*, degraded=False, videos=(1,), **stages):
    page = {"degraded": degraded, "videos": list(videos), "timings_ms": {**stages, "total": 5.0}}
    return json.dumps({"predictions": [page]}).encode()


def test_latency_counts_from_when_a_request_was_due(timing):
    # Ten a second; the service stalls half a second at the third, and the generator with it.
    sent = [
        timing.Sent(0, 100.0, 0.01, 200, body()),
        timing.Sent(1, 100.1, 0.01, 200, body()),
        timing.Sent(2, 100.2, 0.50, 200, body()),
        timing.Sent(3, 100.7, 0.01, 200, body()),  # due at 100.3
        timing.Sent(4, 100.71, 0.01, 200, body()),  # due at 100.4
    ]
    found = timing.answered(sent, rate=10.0)
    assert [round(one.ms) for one in found] == [10, 10, 500, 410, 320]
    assert [round(one.late_ms) for one in found] == [0, 0, 0, 400, 310]


def test_the_timetable_begins_where_nobody_was_early_whichever_the_first_result_is(timing):
    late_first = [
        timing.Sent(1, 50.5, 0.01, 200, body()),
        timing.Sent(0, 50.2, 0.01, 200, body()),
    ]
    found = timing.answered(late_first, rate=2.0)
    assert [round(one.ms) for one in found] == [10, 210]


def test_without_a_rate_there_is_no_timetable(timing):
    (found,) = timing.answered([timing.Sent(7, 3.0, 0.25, 200, body())], rate=0.0)
    assert (found.ms, found.late_ms) == (250.0, 0.0)


@pytest.mark.parametrize(
    ("status", "told", "whole", "failed", "degraded"),
    [
        (200, body(), 1, 0, 0),
        (200, body(degraded=True), 0, 0, 1),
        (200, body(videos=()), 0, 0, 1),
        (503, b'{"error": {"kind": "not_ready"}}', 0, 1, 0),
        (200, b"<html>", 0, 1, 0),
        (0, b"", 0, 1, 0),
    ],
)
def test_an_answer_is_a_whole_page_a_degraded_one_or_a_failure(
    timing, status, told, whole, failed, degraded
):
    found = timing.answered([timing.Sent(0, 0.0, 0.01, status, told)], rate=1.0)
    tally = timing.Tally.of(found, budget_ms=100.0)
    assert (tally.whole, tally.failed, tally.degraded) == (whole, failed, degraded)
    assert tally.holds is bool(whole)
    assert bool(tally.problems()) is not bool(whole)


def test_a_rate_holds_only_where_99_of_100_are_inside_the_budget(timing):
    def run(slow):
        return [
            timing.Answered(150.0 if number < slow else 20.0, 0.0, 200, page)
            for number in range(200)
        ]

    page = json.loads(body())["predictions"][0]
    assert timing.Tally.of(run(2), 100.0).holds
    assert not timing.Tally.of(run(3), 100.0).holds
    assert not timing.Tally.of([], 100.0).holds


def test_pages_without_recall_are_cached_ones(timing):
    full, cached = (
        timing.answered([timing.Sent(0, 0.0, 0.01, 200, told)], 1.0)[0]
        for told in (body(recall=1.0), body(slate=1.0))
    )
    assert (full.cached, cached.cached) == (False, True)


def test_stages_end_with_what_lies_outside_of_the_page(timing):
    sent = [timing.Sent(0, 0.0, 0.012, 200, body(recall=1.0, slate=2.0))]
    rows = timing.stages(timing.answered(sent, rate=1.0))
    assert list(rows) == ["recall", "slate", "page", "outside", "request"]
    assert rows["outside"]["p99"] == pytest.approx(7.0)
    assert rows["request"]["max"] == pytest.approx(12.0)


def test_quantiles_of_nothing_are_no_numbers(timing):
    assert all(np.isnan(value) for value in timing.quantiles([]).values())


@pytest.mark.parametrize("limit", [3.0, 9.9, 10.0, 44.0, 900.0])
@pytest.mark.parametrize("first", [10.0, 200.0])
def test_the_highest_rate_is_found_from_below_and_from_above(timing, limit, first):
    tried = []

    def holds(rate):
        tried.append(rate)
        return rate <= limit

    found = timing.highest(holds, first, step=1.5, fine=1.05)
    assert found <= limit <= found * 1.05
    assert found in tried


def test_the_search_ends_where_nothing_holds_or_everything_does(timing):
    assert timing.highest(lambda _: False, 10.0, step=2.0, fine=1.1) == 0.0
    assert timing.highest(lambda _: True, 10.0, step=10.0, fine=1.1) == 1_000.0


def test_results_are_read_in_the_order_of_sending_without_the_end_of_the_targets(generator):
    def line(number, error="", told=b"{}"):
        return json.dumps(
            {
                "seq": number,
                "timestamp": f"2026-01-01T00:00:0{number}.5Z",
                "latency": 2_000_000,
                "code": 0 if error else 200,
                "body": base64.b64encode(told).decode(),
                "error": error,
            }
        ).encode()

    lines = [line(1, told=b"b"), line(0, told=b"a"), line(2, error="no targets to attack")]
    sent = generator.read(lines, most=2)
    assert [one.body for one in sent] == [b"a", b"b"]
    assert sent[1].at - sent[0].at == 1.0
    assert sent[0].seconds == 0.002


def test_a_target_is_what_vegeta_reads(generator):
    told = json.loads(generator.Target("http://127.0.0.1:1/v1", {"a": 1}, "secret").line())
    assert json.loads(base64.b64decode(told["body"])) == {"a": 1}
    assert told["header"]["Authorization"] == ["Bearer secret"]


def test_goals_are_judged_by_a_catalogue_of_the_full_size_alone(reporting, tmp_path, capsys):
    given = argparse.Namespace(out=tmp_path)
    assert settings.load().settings.world.videos == reporting.FULL_VIDEOS == 50_000
    reporting.ended(given, "some", {"videos": 49_999}, [], ["too slow"])
    told = json.loads((tmp_path / "serving-some.json").read_text())
    assert (told["judged"], told["missed"], told["problems"]) == (False, ["too slow"], [])
    assert "not judged: too slow" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        reporting.ended(given, "some", {"videos": 50_000}, [], ["too slow"])
    assert "FAILED: too slow" in capsys.readouterr().out
    assert "NOT JUDGED" in reporting.goal(49_999, "fast")
    assert "NOT JUDGED" not in reporting.goal(50_000, "fast")


def test_what_must_not_be_fails_with_any_catalogue(reporting, tmp_path):
    given = argparse.Namespace(out=tmp_path)
    reporting.ended(given, "some", {"videos": 60}, [])
    with pytest.raises(SystemExit):
        reporting.ended(given, "some", {"videos": 60}, ["a page was degraded"])


def test_load_goes_to_this_machine_alone(generator):
    with pytest.raises(ValueError, match="this machine"):
        generator.attack([generator.Target("http://example.org/", {})], 1.0)


def test_what_the_ladder_replaces_of_the_product_is_there():
    # The module that replaces it is a program: importing it here would read pytest's arguments.
    assert callable(asker.fresh)
    assert service.PredictorClient is PredictorClient
    signature = inspect.signature(PredictorClient._answered)
    assert list(signature.parameters) == ["self", "request", "budget", "reserve_ms"]
    held = PredictorClient("http://127.0.0.1:1", Breaker(1, 1.0))
    assert held._url == "http://127.0.0.1:1" + PATH


def test_a_request_of_plain_numbers_is_the_one_that_crosses_in_binary(handler):
    request = RankRequest.of(
        bundle="b",
        budget_ms=50.0,
        day=20_000.5,
        candidates=np.array([3, 1]),
        history=Events(np.array([2]), np.array([4], np.int8), np.array([19_999.0])),
        profile=np.ones(3, np.float32),
        context=np.zeros(32, np.float32),
        session=np.array([7]),
    )
    arrays = {
        name: getattr(request, name).tolist()
        for name in RankRequest.__slots__
        if isinstance(getattr(request, name), np.ndarray)
    }
    told = {**arrays, "bundle": "b", "budget_ms": 50.0, "day": 20_000.5}
    read = handler.parsed({"instances": [{**told, "features": [[0.5, 1.0], [0.25, 2.0]]}]})
    assert encode_requests([read]) == encode_requests([request])
    with pytest.raises(ValueError, match="every candidate has features"):
        handler.parsed({"instances": [{**told, "features": [[0.5, 1.0]]}]})


def test_a_larger_catalogue_keeps_every_video_and_a_smaller_one_the_most_shown():
    rows_of = importlib.import_module("benchmarks.serving.scaled").rows_of
    shown = np.array([5, 0, 9, 5])
    rows, towards = rows_of(shown, 3, seed=1)
    assert (rows.tolist(), towards.tolist()) == ([0, 2, 3], [-1, -1, -1])
    rows, towards = rows_of(shown, 9, seed=1)
    assert rows[:4].tolist() == [0, 1, 2, 3]
    assert towards[:4].tolist() == [-1] * 4
    assert len(rows) == len(towards) == 9
    assert ((rows >= 0) & (rows < 4)).all()
    assert ((towards[4:] >= 0) & (towards[4:] < 4)).all()
