"""The page's files, without a browser."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from model_handlers.transformer.feed import FILES, feed_router

LARGEST_BYTES = 60 * 1024


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(feed_router())
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
    missing = client.get("/feed/nothing.js")
    assert (missing.status_code, missing.json()["error"]["kind"]) == (404, "unknown")
    assert client.get("/feed/..%2ffeed.py").status_code == 404


def test_a_browser_that_has_a_file_is_told_so(client: TestClient):
    tag = client.get("/").headers["etag"]
    again = client.get("/", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/", headers={"If-None-Match": '"other"'}).status_code == 200
