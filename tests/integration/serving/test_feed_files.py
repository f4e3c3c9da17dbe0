"""The page's files and its route to videos, without a browser."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from stub import LARGE, catalogue  # type: ignore[import-not-found]

from model_handlers.transformer.feed import FILES, feed_router
from shortlist.wire.videos import VIDEOS_PATH, VideoCard, videos_from_body

LARGEST_BYTES = 60 * 1024


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(feed_router(catalogue))
    return TestClient(app)


def test_the_page_is_small_and_asks_nobody_else():
    texts = {path.name: path.read_text(encoding="utf-8") for path in FILES.iterdir()}
    assert sum(len(text.encode()) for text in texts.values()) < LARGEST_BYTES
    for name, text in texts.items():
        addresses = set(re.findall(r"(?:https?:)?//[a-z][\w.-]+\.[a-z]+[^\s\"']*", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, name
    page = texts["index.html"]
    assert not re.search(r"\s(on[a-z]+|style)=|<style|<script(?![^>]*\bsrc=)", page)


def test_every_file_is_served_with_its_type_and_a_strict_policy(client: TestClient):
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    named = set(re.findall(r"(?:src|href)=\"(feed/[^\"]+)\"", page.text))
    modules = {f"feed/{path.name}" for path in FILES.glob("*.js")}
    for path in named | modules:
        found = client.get(f"/{path}")
        assert found.status_code == 200, path
        assert found.headers["x-content-type-options"] == "nosniff"
        policy = found.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    assert client.get("/feed/app.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/feed/nothing.js").status_code == 404
    assert client.get("/feed/..%2ffeed.py").status_code == 404


def test_a_browser_that_has_a_file_is_told_so(client: TestClient):
    tag = client.get("/").headers["etag"]
    again = client.get("/", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/", headers={"If-None-Match": '"other"'}).status_code == 200


def test_videos_come_in_the_order_asked_and_strangers_are_named(client: TestClient):
    found = videos_from_body(client.get(f"{VIDEOS_PATH}?ids={LARGE},5,1000000,{LARGE}").content)
    assert [video.video_id for video in found.videos] == [LARGE, 1_000_000]
    assert found.unknown == (5,)
    assert found.videos[1] == VideoCard(
        1_000_000, "Dough whisk", ("baking", "birds"), 20, 12.0, "en"
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "ids"),
        ("?ids=", "ids"),
        ("?ids=1,,2", "ids[1]"),
        ("?ids=1,two", "ids[1]"),
        (f"?ids={2**63}", "ids[0]"),
        ("?ids=" + ",".join(map(str, range(51))), "ids"),
    ],
)
def test_ids_that_are_none_are_refused_by_name(client: TestClient, query: str, field: str):
    answer = client.get(VIDEOS_PATH + query)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


def test_without_a_bundle_the_videos_are_not_ready():
    app = FastAPI()
    app.include_router(feed_router(lambda: None))
    answer = TestClient(app).get(f"{VIDEOS_PATH}?ids=1")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "not_ready")
