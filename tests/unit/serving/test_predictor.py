"""The predictor ranks as the recommender in process does, and refuses in the wire's words."""

import dataclasses

import numpy as np
import orjson
import pytest

from shortlist.bundle import BundleStore
from shortlist.datasets.events import Histories
from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.errors import CorruptError
from shortlist.ranker.profile import declared, tallies
from shortlist.recommender.cascade import Cascade
from shortlist.recommender.parts import Parts
from shortlist.recommender.request import Request
from shortlist.serving.bundles import Bundles
from shortlist.serving.predictor import ANSWERED, Predictor, RankingParts, Reply
from shortlist.serving.siblings import Siblings
from shortlist.wire.rank import RankAnswer, RankRequest, decode_answers, encode_requests
from shortlist.wire.refusals import MalformedError, decode_refusal


@pytest.fixture(scope="module")
def parts(trained) -> RankingParts:
    return RankingParts.of_bundle(trained.bundle)


@pytest.fixture(scope="module")
def bundles(trained) -> Bundles[RankingParts]:
    found = Bundles(BundleStore(trained.settings.paths.bundles), RankingParts.of_bundle)
    found.look()
    return found


@pytest.fixture
def predictor(bundles) -> Predictor:
    return Predictor(bundles)


@pytest.fixture(scope="module")
def asked(trained) -> list[Request]:
    """Requests of some users, with and without a session."""
    view = trained.view
    histories = Histories.from_log(view.log, len(view.users))
    said = declared(view.users, view.catalogue)
    busy = np.argsort(-np.bincount(view.log.user, minlength=len(view.users)))[[0, 1, -1]]
    context = np.linspace(-1, 1, CONTEXT_WIDTH, dtype=np.float32)
    requests = []
    for user in busy.tolist():
        history = histories.of(user)
        seen = np.unique(history.video)
        requests.append(Request(history, said[user], seen, context, history.video[-4:]))
    return requests


def crossing(trained, request: Request, candidates, /, **changes) -> RankRequest:
    profile = np.concatenate([request.declared, tallies([request.history])[0]])
    made = RankRequest.of(
        bundle=trained.bundle.id,
        budget_ms=10_000.0,
        day=trained.view.as_of_day + 0.25,
        candidates=candidates,
        history=request.history,
        profile=profile,
        context=request.context,
        session=request.session,
    )
    return dataclasses.replace(made, **changes)


def answers(reply: Reply, requests: list[RankRequest]) -> list[RankAnswer]:
    return decode_answers(reply.status, reply.body, requests)


def test_it_says_to_the_last_digit_what_the_recommender_says_in_process(
    trained, predictor, asked
) -> None:
    cascade = Cascade(Parts.of_bundle(trained.bundle))
    day = trained.view.as_of_day + 0.25
    for request in asked:
        expected = cascade.answer(request, day)
        sent = [crossing(trained, request, expected.recalled.video)]
        reply = predictor.reply(encode_requests(sent))
        (answer,) = answers(reply, sent)
        np.testing.assert_array_equal(answer.listed, expected.listed)
        np.testing.assert_array_equal(answer.click, expected.click)
        np.testing.assert_array_equal(answer.diversity, expected.diversity)
        assert (reply.kind, set(reply.milliseconds)) == (ANSWERED, {"encode", "prerank", "rank"})


def test_requests_of_one_body_are_answered_in_their_order(trained, predictor, asked) -> None:
    sent = [crossing(trained, one, np.arange(5 + at)) for at, one in enumerate(asked)]
    found = answers(predictor.reply(encode_requests(sent)), sent)
    assert [len(one.listed) for one in found] == [5, 6, 7]


def test_each_bundle_answers_for_itself(earlier, trained, asked) -> None:
    held = {one.bundle.id: RankingParts.of_bundle(one.bundle) for one in (earlier, trained)}

    class Both:
        ids = tuple(held)
        fault = None
        get = staticmethod(held.get)

    predictor = Predictor(Both())  # type: ignore[arg-type]
    for one in (earlier, trained):
        sent = [crossing(one, asked[0], np.arange(20))]
        sent = [dataclasses.replace(sent[0], history_video=sent[0].history_video % 100)]
        sent = [dataclasses.replace(sent[0], session=sent[0].session % 100)]
        width = held[one.bundle.id].scorer.note.profile_width
        sent = [dataclasses.replace(sent[0], profile=np.zeros(width, np.float32))]
        assert answers(predictor.reply(encode_requests(sent)), sent)[0].bundle == one.bundle.id


@pytest.mark.parametrize(
    ("changes", "status", "kind", "said"),
    [
        ({"bundle": "0" * 32}, 409, "unknown_bundle", "held are"),
        ({"budget_ms": 0.0}, 504, "over_budget", "of the budget"),
        ({"budget_ms": -5.0}, 504, "over_budget", "-"),
        ({"candidates": np.array([3, 200], np.int32)}, 400, "malformed", "row 200"),
        ({"session": np.array([1_000], np.int32)}, 400, "malformed", "instances[0].session"),
        ({"profile": np.zeros(3, np.float32)}, 400, "malformed", "instances[0].profile has 3"),
        ({"context": np.full(CONTEXT_WIDTH, np.nan, np.float32)}, 400, "malformed", "context"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused_by_name(
    trained, predictor, asked, changes, status, kind, said
) -> None:
    sent = crossing(trained, asked[0], np.arange(10), **changes)
    reply = predictor.reply(encode_requests([sent]))
    assert (reply.status, reply.kind) == (status, kind)
    assert said in str(decode_refusal(reply.status, reply.body))
    assert reply.milliseconds == {}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"instances": [1]}', b"\xff\xfe", b"null"])
def test_a_body_that_is_no_request_is_refused(predictor, body) -> None:
    reply = predictor.reply(bytearray(body))
    assert reply.status == 400
    assert isinstance(decode_refusal(reply.status, reply.body), MalformedError)


def test_a_field_of_a_later_request_is_named_by_its_place(trained, predictor, asked) -> None:
    good = crossing(trained, asked[0], np.arange(10))
    bad = crossing(trained, asked[0], np.array([999]))
    refusal = orjson.loads(predictor.reply(encode_requests([good, bad])).body)["error"]
    assert refusal["field"] == "instances[1].candidates"


def test_without_a_bundle_it_is_not_ready(tmp_path, trained, asked) -> None:
    empty = Bundles(BundleStore(tmp_path), RankingParts.of_bundle)
    empty.look()
    sent = crossing(trained, asked[0], np.arange(10))
    reply = Predictor(empty).reply(encode_requests([sent]))
    assert (reply.status, reply.kind) == (503, "not_ready")
    assert b"no bundle is published" in reply.body


def test_a_budget_that_no_ranking_keeps_is_refused_at_once_but_not_for_ever(
    trained, predictor, asked, monkeypatch
) -> None:
    from shortlist.serving import predictor as module

    slow = {"encode": 10.0, "prerank": 20.0, "rank": 30.0}
    real, took = module.rank, [slow] * 40

    def measured(parts, request):
        answer = real(parts, request)
        return dataclasses.replace(answer, milliseconds=took.pop()) if took else answer

    monkeypatch.setattr(module, "rank", measured)
    patient = encode_requests([crossing(trained, asked[0], np.arange(10))])
    for _ in range(40):
        predictor.reply(patient)
    hasty = encode_requests([crossing(trained, asked[0], np.arange(10), budget_ms=59.0)])
    kinds = [predictor.reply(hasty).kind for _ in range(33)]
    assert kinds == ["over_budget"] * 32 + [ANSWERED]


def test_a_fault_of_ours_is_logged_and_tells_the_caller_nothing(
    trained, predictor, asked, monkeypatch, caplog
) -> None:
    from shortlist.serving import predictor as module

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(module, "rank", broken)
    sent = crossing(trained, asked[0], np.arange(10))
    reply = predictor.reply(encode_requests([sent]))
    assert (reply.status, reply.kind) == (500, "internal")
    assert b"secret" not in reply.body
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    ("trace", "said"),
    [(f"00-{'ab' * 16}-{'cd' * 8}-01", f"(trace_id {'ab' * 16})"), ("no trace", "failed\n")],
)
def test_a_fault_of_ours_is_logged_with_the_trace_of_its_request(
    trained, predictor, asked, monkeypatch, caplog, trace, said
) -> None:
    from shortlist.serving import predictor as module

    monkeypatch.setattr(module, "rank", lambda *_: 1 / 0)
    sent = crossing(trained, asked[0], np.arange(10), trace=trace)
    predictor.reply(encode_requests([sent]))
    assert said in caplog.text
    assert "no trace" not in caplog.text


def test_parts_of_different_runs_are_refused(trained, earlier) -> None:
    class Mixed:
        id = "mixed"

        def part(self, name: str):
            return (earlier if name == "ranker" else trained).bundle.part(name)

    with pytest.raises(CorruptError, match="different runs"):
        RankingParts.of_bundle(Mixed())  # type: ignore[arg-type]


def test_a_bundle_that_another_worker_lacks_is_refused(bundles, trained, asked, tmp_path) -> None:
    siblings = Siblings(tmp_path)
    predictor = Predictor(bundles, siblings)
    body = encode_requests([crossing(trained, asked[0], np.arange(3))])
    reply = predictor.reply(body)
    refusal = decode_refusal(reply.status, reply.body)
    assert (reply.status, refusal.kind) == (409, "unknown_bundle")
    siblings.tell(bundles.ids)
    assert predictor.reply(body).status == 200
