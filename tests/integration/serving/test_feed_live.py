"""The page in a real browser, against the whole service: what a person does changes what comes."""

from collections.abc import Iterator

import pytest
from browsing import Feed  # type: ignore[import-not-found]
from running import KEY  # type: ignore[import-not-found]
from selenium import webdriver
from whole import Whole  # type: ignore[import-not-found]

USER = 501


@pytest.fixture(scope="module")
def service(store, redis_server, tmp_path_factory) -> Iterator[Whole]:
    with Whole(store.root, tmp_path_factory.mktemp("whole")) as whole:
        whole.whole(USER)
        yield whole


@pytest.fixture
def feed(driver: webdriver.Chrome, service: Whole) -> Iterator[Feed]:
    page = Feed(driver, f"http://127.0.0.1:{service.port}/")
    yield page
    page.leave()


def test_a_person_watches_skips_likes_and_takes_down(feed: Feed, service: Whole):
    def history() -> list[dict]:
        events: list[dict] = service.ask("GET", f"/v1/users/{USER}/history").body["events"]
        return events

    before = len(history())
    feed.driver.get(f"{feed.address}?viewer={USER}#key={KEY}")
    feed.see("card")
    feed.run("document.getElementById('autoplay').checked = false")
    assert KEY not in feed.driver.current_url
    assert feed.says("quality") == "Complete"
    assert feed.says("bundle") == service.page(USER)["bundle"]
    assert len(feed.rows(".reason")) == 10
    assert all(feed.rows(".reason"))
    assert not any(title.startswith("Video ") for title in feed.rows("b"))
    feed.click("play")
    feed.until(lambda: feed.says("clock")[:4] >= "0:04")
    feed.click("like")
    feed.click("next")
    feed.click("skip")
    feed.until(lambda: len(history()) >= before + 2)
    assert feed.rows(".did")[0].startswith("liked, watched 0:")
    assert feed.rows(".did")[1] == "skipped"
    feed.until(lambda: {one["kind"] for one in history()[before:]} >= {"like", "skip"})

    feed.turn()
    assert set(feed.rows(".mark")) == {"new"}, "a session repeats nothing"
    assert not feed["notice"].is_displayed()

    feed.click("options")
    feed.click("repeats")
    feed.turn()
    feed.turn()
    assert set(feed.rows(".mark")) - {"new"}, "places can be compared"
    titles = feed.rows("b")
    feed.click("takedown")
    feed.see("asks-yes")
    feed.click("asks-yes")
    feed.until(lambda: feed.says("takedown") == "Bring this video back")
    feed.turn()
    assert titles[0] not in feed.rows("b"), "gone from the next page on"
