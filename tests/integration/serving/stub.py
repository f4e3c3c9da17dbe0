"""A service of the wire's own types in this process: just enough of one for the page to talk to.

By hand: ``python tests/integration/serving/stub.py 8080``.
"""

import itertools
import socket
import sys
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Self

import pyarrow as pa
import uvicorn
from fastapi import FastAPI, Request, Response

from model_handlers.transformer.feed import feed_router
from shortlist.datasets.catalogue import Catalogue
from shortlist.datasets.schema import VIDEOS
from shortlist.errors import ShortlistError
from shortlist.serving.cards import cards_of
from shortlist.wire.causes import Cause
from shortlist.wire.events import (
    EVENTS_PATH,
    TAKEDOWN_PATH,
    Event,
    Receipt,
    TakedownAnswer,
    answer_to_body,
    events_from_body,
    id_from_path,
    receipts_to_body,
)
from shortlist.wire.recommend import (
    V1_PATH,
    Page,
    RecommendRequest,
    ShownVideo,
    pages_to_v1,
    requests_from_v1,
)
from shortlist.wire.refusals import UnauthorisedError, encode_refusal
from shortlist.wire.videos import VIDEOS_PATH, ids_from_query, videos_to_body

KEY = "the-operators-key"
BUNDLE = "f598ba743feeae5079c56a9ba6258c71"
LARGE = 2**63 - 1
"""An id that no double holds."""

_TOPICS = {
    "baking": "dough whisk buttery frosting",
    "birds": "nest hawk feather plumage",
    "chess": "gambit endgame blunder rook",
    "cycling": "gravel peloton derailleur climb",
    "pottery": "kiln glaze wheel stoneware",
    "street food": "dumpling skillet lantern market",
}
_LANGUAGES = ("en", "es", "id", "pt")
_STAGES = {"store": 1.42, "recall": 3.1, "predictor": 8.7, "slate": 1.9, "reply": 0.4}


def catalogue(each: int = 16) -> Catalogue:
    """Videos of six tags, some with a second one; the last has the largest id there is."""
    rows: list[dict[str, Any]] = []
    tags = list(_TOPICS)
    for number in range(each * len(tags)):
        first = tags[number % len(tags)]
        words = _TOPICS[first].split()
        turn = number // len(tags)
        title = [*words[turn % 4 :], *words[: turn % 4]][: 2 + number % 3]
        second = [tags[(number + 1 + turn) % len(tags)]] if number % 3 == 0 else []
        rows.append(
            {
                "video_id": 1_000_000 + number,
                "title": " ".join(title).capitalize(),
                "tags": list(dict.fromkeys([first, *second])),
                "creator_id": 20 + number % 17,
                "duration_seconds": 12.0 + number * 7 % 60,
                "language": _LANGUAGES[number % 4],
            }
        )
    rows[-1]["video_id"] = LARGE
    return Catalogue.from_table(pa.Table.from_pylist(rows, VIDEOS))


@dataclass
class Stub:
    """The service: what it was asked and told, and what it is to do wrong.

    Attributes:
        requests: for pages, in order.
        events: that were accepted, in order.
        reports: bodies of events that came, how many events each had.
        taken_down: ids.
        faults: HTTP status to answer to the next requests of a path, one each.
        causes: of the pages that come.
        lost_answers: how many of the next answers to events get lost, after the events were kept.
        need_key: whether events ask for a key.
    """

    videos: Catalogue = field(default_factory=catalogue)
    requests: list[RecommendRequest] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    reports: list[int] = field(default_factory=list)
    taken_down: set[int] = field(default_factory=set)
    faults: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    causes: tuple[Cause, ...] = ()
    lost_answers: int = 0
    need_key: bool = False

    def __post_init__(self) -> None:
        self._shown: dict[tuple[int, str], list[int]] = defaultdict(list)
        self._numbers = itertools.count(1)
        rows = self.videos.table.select(["video_id", "tags"]).to_pylist()
        self._tags = {row["video_id"]: row["tags"] for row in rows}

    def page(self, asked: RecommendRequest) -> Page:
        """Ten videos by the tags of what was liked, watched and skipped."""
        self.requests.append(asked)
        mine = [event for event in self.events if event.user_id == asked.user_id]
        taste: Counter[str] = Counter()
        liked: set[str] = set()
        for event in mine:
            weight = {"like": 3, "watch": 1, "skip": -2}.get(event.kind, 0)
            for tag in self._tags[event.video_id]:
                taste[tag] += weight
            if event.kind == "like":
                liked.update(self._tags[event.video_id])
        shown = self._shown[asked.user_id, asked.session_id or ""]
        done = {event.video_id for event in mine if event.kind in ("watch", "skip", "like")}
        done = set() if asked.again else done
        gone = {*shown, *done, *self.taken_down, *asked.exclude}
        scores = {
            one: sum(taste[tag] for tag in tags) / len(tags) - place / 1000
            for place, (one, tags) in enumerate(self._tags.items())
            if one not in gone
        }
        chosen = sorted(scores, key=lambda one: (one != LARGE or bool(mine), -scores[one]))
        chosen = chosen[: asked.page_size]
        position = len(shown)
        shown.extend(chosen)
        causes = self.causes or (() if mine else (Cause.UNKNOWN_USER,))
        return Page(
            user_id=asked.user_id,
            request_id=f"request-{next(self._numbers)}",
            bundle=BUNDLE,
            degraded=any(cause.degrades for cause in causes),
            degraded_by=causes,
            videos=tuple(
                ShownVideo(
                    video_id=one,
                    position=position + place,
                    score=round(scores[one], 4),
                    source=("tags", "vector") if mine else ("popularity",),
                    reason=self._reason(one, liked, bool(mine)),
                    propensity=round(0.97**place, 4),
                )
                for place, one in enumerate(chosen)
            ),
            next_page=asked.page + 1 if len(scores) > len(chosen) else None,
            timings_ms={**_STAGES, "total": sum(_STAGES.values())},
        )

    def _reason(self, video: int, liked: set[str], known: bool) -> str:
        shared = [tag for tag in self._tags[video] if tag in liked]
        if shared:
            return f"You liked a video tagged {shared[0]}"
        return "Suggested by what you watched" if known else "Popular now"

    def told(self, events: tuple[Event, ...]) -> list[Receipt]:
        """Keep events, each id once."""
        self.reports.append(len(events))
        found = []
        for event in events:
            known = any(one.event_id == event.event_id for one in self.events)
            if event.video_id not in self._tags:
                found.append(Receipt.UNKNOWN_VIDEO)
            elif known:
                found.append(Receipt.DUPLICATE)
            else:
                self.events.append(event)
                found.append(Receipt.ACCEPTED)
        return found

    def app(self) -> FastAPI:
        """Its routes."""
        app = FastAPI()
        app.include_router(feed_router())

        @app.middleware("http")
        async def fail(request: Request, call_next: Any) -> Any:
            if waiting := self.faults.get(request.url.path):
                status = waiting.pop(0)
                body = b'{"error":{"kind":"not_ready","message":"no bundle is served yet"}}'
                return Response(body, status, media_type="application/json")
            return await call_next(request)

        @app.exception_handler(ShortlistError)
        async def refuse(_: Request, error: ShortlistError) -> Response:
            status, body = encode_refusal(error)
            return Response(body, status, media_type="application/json")

        @app.post(V1_PATH)
        async def predict(request: Request) -> Response:
            pages = [self.page(one) for one in requests_from_v1(await request.body())]
            return Response(pages_to_v1(pages), media_type="application/json")

        @app.get(VIDEOS_PATH)
        async def cards(request: Request) -> Response:
            ids = ids_from_query(request.query_params.get("ids"))
            body = videos_to_body(*cards_of(self.videos, ids))
            return Response(body, media_type="application/json")

        @app.post(EVENTS_PATH)
        async def report(request: Request) -> Response:
            if self.need_key:
                _hold_key(request)
            events = events_from_body(await request.body())
            body = receipts_to_body(events, self.told(events))
            if self.lost_answers:
                self.lost_answers -= 1
                return Response(b"upstream is gone", 502)
            return Response(body, media_type="application/json")

        @app.api_route(TAKEDOWN_PATH, methods=["POST", "DELETE"])
        async def take_down(id: str, request: Request) -> Response:  # noqa: A002
            _hold_key(request)
            video = id_from_path(id, "video_id")
            down = request.method == "POST"
            (self.taken_down.add if down else self.taken_down.discard)(video)
            body = answer_to_body(TakedownAnswer(video, down))
            return Response(body, media_type="application/json")

        return app


def _hold_key(request: Request) -> None:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        raise UnauthorisedError("this route asks for a key that this service knows")


class Served:
    """The stub behind a free port of this machine, in a thread."""

    def __init__(self, stub: Stub, port: int = 0) -> None:
        self.stub = stub
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        config = uvicorn.Config(stub.app(), log_level="warning", lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()


if __name__ == "__main__":
    with Served(Stub(), int(sys.argv[1]) if len(sys.argv) > 1 else 0) as served:
        sys.stdout.write(f"{served.address}\n")
        threading.Event().wait()
