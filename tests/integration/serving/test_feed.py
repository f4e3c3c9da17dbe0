"""The page in a real browser, against a service of the wire's own types."""

from collections.abc import Iterator

import pytest
from browsing import Feed  # type: ignore[import-not-found]
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from stub import BUNDLE, KEY, LARGE, Served, Stub  # type: ignore[import-not-found]

from shortlist.wire.causes import Cause
from shortlist.wire.events import Event
from shortlist.wire.recommend import V1_PATH
from shortlist.wire.videos import VIDEOS_PATH


@pytest.fixture
def feed(driver: webdriver.Chrome) -> Iterator[Feed]:
    stub = Stub()
    with Served(stub) as served:
        page = Feed(driver, served.address, stub)
        yield page
        page.offline(False)
        page.emulate()
        page.leave()


def test_watching_skipping_and_liking_are_told_as_they_happen(feed: Feed):
    feed.open("7")
    feed.until(lambda: feed.told("impression"))
    first = feed.stub.events[0]
    assert (first.user_id, first.position, first.request_id) == (7, 0, "request-1")
    assert first.propensity == 1.0
    assert first.video_id == LARGE  # as the id of 64 bits that it is
    feed.click("play")
    feed.until(lambda: feed.says("clock")[:4] >= "0:04")
    feed.click("like")
    feed.until(lambda: feed.told("like"))
    assert feed["like"].get_attribute("aria-pressed") == "true"
    feed.click("like")  # a second time says nothing new
    feed.click("next")
    feed.until(lambda: feed.told("watch"))
    (watched,) = feed.told("watch")
    assert watched.video_id == LARGE
    assert watched.watch_seconds is not None
    assert 4 <= watched.watch_seconds <= 60
    feed.until(lambda: len(feed.told("impression")) == 2)
    feed.click("skip")
    feed.until(lambda: feed.told("skip"))
    (skipped,) = feed.told("skip")
    assert (skipped.position, skipped.propensity) == (1, 0.97)
    assert skipped.watch_seconds is not None
    assert len(feed.told("like")) == len(feed.told("click")) == 1
    assert len({event.event_id for event in feed.stub.events}) == len(feed.stub.events)
    assert feed.rows(".did")[0].startswith("liked, watched 0:")
    assert feed.rows(".did")[1] == "skipped"


def test_a_video_watched_to_its_end_is_told_whole_and_stops(feed: Feed):
    feed.open("7")
    feed.run(
        "arguments[0].value = '32'; arguments[0].dispatchEvent(new Event('change'))", feed["speed"]
    )
    feed.click("play")
    feed.until(lambda: feed["play"].get_attribute("aria-label") == "Watch again")
    feed.until(lambda: feed.told("watch"))
    duration = feed.stub.videos.table.column("duration_seconds")[-1].as_py()
    assert feed.told("watch")[0].watch_seconds == pytest.approx(duration, abs=0.1)
    assert feed["bar"].get_attribute("aria-valuenow") == str(int(duration))
    assert "Watched to the end" in feed.says("live")


def test_the_next_page_follows_what_was_done_and_its_changes_are_marked(feed: Feed):
    feed.open("7")
    before = feed.rows("b")
    assert set(feed.rows(".mark")) == {""}
    feed.click("like")
    assert feed["next-page"].get_attribute("data-actions") == "1"
    feed.turn()
    first, second = feed.stub.requests
    assert (first.page, second.page) == (0, 1)
    assert first.session_id == second.session_id is not None
    assert first.context["web"] == 1
    assert set(feed.rows(".mark")) == {"new"}
    assert feed.says("changed") == "10 of 10 places changed"
    assert set(feed.rows(".reason")) == {"You liked a video tagged street food"}
    assert "street food 2 → 10" in [
        shift.text for shift in feed["shifts"].find_elements(By.TAG_NAME, "li")
    ]
    assert feed.rows("b") != before
    assert "Page 2: 10 videos. 10 of 10 places changed." in feed.says("live")


def test_places_are_compared_where_videos_may_come_back(feed: Feed):
    feed.open("7")
    feed.click("options")
    feed.click("repeats")
    feed.turn()
    feed.turn()
    first, *others = feed.stub.requests
    # Each page is of a session of its own: without a name they would be one, and repeat nothing.
    assert len({first.session_id, *(one.session_id for one in others)} - {None}) == 3
    assert [one.page for one in others] == [0, 0]
    assert set(feed.rows(".mark")) == {"same"}
    assert feed.says("changed") == "0 of 10 places changed"
    feed.click("skip")
    feed.until(lambda: feed.told("skip"))
    feed.turn()
    assert feed.rows(".mark").count("new") >= 1
    assert any(mark.startswith("up from ") for mark in feed.rows(".mark"))


def test_a_viewer_who_has_seen_all_may_let_videos_come_back(feed: Feed):
    every = [
        Event.model_validate(
            {"event_id": f"e{video}", "user_id": 7, "video_id": video, "kind": "skip", "at": 1.0}
        )
        for video in feed.stub.videos.ids.tolist()
    ]
    feed.stub.events.extend(every)
    feed.driver.get(f"{feed.address}?viewer=7")
    feed.see("empty")
    assert "has seen every video" in feed["empty"].text
    assert "let seen videos come back" in feed.says("live")
    feed.click("anew")
    feed.until(lambda: len(feed.stub.requests) == 2)
    feed.see("empty")
    assert not feed.stub.requests[-1].again
    feed.click("again")
    feed.see("card")
    assert feed.stub.requests[-1].again
    feed.turn()
    assert feed.stub.requests[-1].again, "also on the pages that follow"


def test_marks_and_shifts_are_those_worked_by_hand(feed: Feed):
    feed.open()
    found = feed.driver.execute_async_script(
        """const done = arguments[arguments.length - 1];
        import("/feed/marks.js").then(({ marks, shifts }) => done([
          marks(["a", "b", "c", "d"], ["b", "a", "c", "e"]),
          shifts([["x", "x"], ["y"]], [["y", "z"], ["y"]]),
        ]));"""
    )
    assert found == [
        [
            {"kind": "up", "from": 1},
            {"kind": "down", "from": 0},
            {"kind": "same"},
            {"kind": "new"},
        ],
        [
            {"tag": "x", "before": 1, "now": 0},
            {"tag": "y", "before": 1, "now": 2},
            {"tag": "z", "before": 0, "now": 1},
        ],
    ]


def test_the_feed_is_worked_by_keys_alone(feed: Feed):
    feed.open()
    feed.run("document.getElementById('user').focus()")
    feed.press("7l n", Keys.ENTER)  # letters are letters where one types
    assert "whole number" in feed.says("user-wrong")
    feed["user"].send_keys(Keys.CONTROL + "a", Keys.NULL, "7", Keys.ENTER)
    feed.see("card")
    assert feed.driver.switch_to.active_element.get_attribute("id") == "stage"
    assert feed.run("return getComputedStyle(arguments[0]).outlineStyle", feed["stage"]) == "solid"
    feed.press(" ")
    feed.until(lambda: feed["play"].get_attribute("aria-label") == "Pause")
    feed.press("l")
    feed.until(lambda: feed.told("like"))
    feed.press(Keys.ARROW_RIGHT)
    feed.until(lambda: feed.told("skip"))
    feed.press(Keys.ARROW_DOWN)
    assert feed.says("place") == "3 of 10"
    feed.press(Keys.ARROW_UP)
    assert feed.says("place") == "2 of 10"
    assert feed.says("live").startswith("2 of 10: ")
    feed.press("n")
    feed.until(lambda: feed.says("page-name") == "Page 2")
    # Each thing that can be pressed has a name, and Tab reaches it.
    nameless = feed.run(
        """return [...document.querySelectorAll("button, input, select, summary")]
        .filter((one) => one.checkVisibility() && !one.textContent.trim()
          && !one.getAttribute("aria-label") && !one.labels?.length)
        .map((one) => one.id)"""
    )
    assert nameless == []
    feed.run(
        """window.reached = [];
        document.addEventListener("focusin", (event) => window.reached.push(event.target.id));
        document.getElementById("user").focus();"""
    )
    feed.press(Keys.TAB * 12)
    reached = set(feed.run("return window.reached"))
    assert {"newcomer", "stage", "play", "like", "skip", "next", "speed", "takedown"} <= reached


def test_the_next_video_plays_by_itself_and_is_not_said_to_be_chosen(feed: Feed):
    feed.open("7", autoplay=True)
    assert feed["play"].get_attribute("aria-label") == "Play"
    feed.press(Keys.ARROW_DOWN)
    feed.until(lambda: feed["bar"].get_attribute("aria-valuenow") != "0")
    feed.press(Keys.ARROW_DOWN)
    feed.until(lambda: feed.told("watch"))
    assert not feed.told("click")


def test_past_the_last_video_comes_the_next_page(feed: Feed):
    feed.open("7")
    feed.press(Keys.ARROW_DOWN * 9)
    assert feed.says("place") == "10 of 10"
    feed.press(Keys.ARROW_DOWN)
    feed.until(lambda: feed.says("page-name") == "Page 2")
    assert feed.says("place") == "1 of 10"


def test_a_new_viewer_is_told_that_nobody_knows_them(feed: Feed):
    feed.open()
    feed.click("start")
    feed.see("card")
    (asked,) = feed.stub.requests
    assert asked.user_id >= 5_000_000_000
    assert asked.context["new_user"] == 1
    assert "Nobody knows this viewer" in feed.says("causes")
    assert feed.says("quality") == "Complete"


def test_how_a_page_was_made_is_shown(feed: Feed):
    feed.stub.causes = (Cause.PREDICTOR_SLOW, Cause.OVER_BUDGET)
    feed.open("7")
    assert feed.says("quality") == "Degraded"
    assert "ranker did not answer in time" in feed.says("causes")
    assert feed.says("bundle") == BUNDLE
    lines = [line.text.split() for line in feed["timings"].find_elements(By.TAG_NAME, "tr")]
    assert lines[:2] == [["Store", "1.4"], ["Recall", "3.1"]]
    assert lines[-2] == ["Total", "16"]
    bars = feed.run(
        "return [...document.querySelectorAll('#timings i')].map((one) => one.offsetWidth)"
    )
    assert bars[2] == max(bars[:5])
    assert bars[0] * 2 < bars[2]
    assert feed.says("reason") == "Popular now"
    assert feed.says("sources") == "Popularity"
    assert feed.says("propensity") == "1"


def test_an_error_says_what_to_do_and_trying_again_works(feed: Feed):
    feed.expected = ["503"]
    feed.stub.faults[V1_PATH] = [503]
    feed.open()
    feed.run("document.getElementById('user').value = '7'")
    feed["choose"].find_element(By.TAG_NAME, "button").click()
    feed.see("failed")
    assert "not ready" in feed.says("failed")
    assert "“shortlist demo” makes one" in feed.says("failed")
    feed["failed"].find_element(By.TAG_NAME, "button").click()
    feed.see("card")


def test_a_service_that_is_gone_is_said_to_be(feed: Feed):
    feed.expected = ["ERR_INTERNET_DISCONNECTED"]
    feed.open("7")
    feed.until(lambda: feed.told("impression"))
    feed.offline(True)
    feed.click("next-page")
    feed.see("failed")
    assert "“shortlist up” still runs" in feed.says("failed")
    feed.offline(False)
    feed["failed"].find_element(By.TAG_NAME, "button").click()
    feed.until(lambda: feed.says("page-name") == "Page 2")


def test_titles_that_cannot_be_had_leave_a_feed_of_ids(feed: Feed):
    feed.expected = ["503"]
    feed.stub.faults[VIDEOS_PATH] = [503]
    feed.open("7")
    assert feed.says("title") == f"Video {LARGE}"
    assert "titles of this page could not be loaded" in feed.says("notice")


def test_an_event_whose_answer_is_lost_is_sent_once_more_and_counts_once(feed: Feed):
    feed.expected = ["502"]
    feed.stub.lost_answers = 1
    feed.open("7")
    feed.until(lambda: len(feed.stub.reports) == 2)
    assert [event.kind for event in feed.stub.events] == ["impression"]
    feed.until(lambda: "known already" in feed.says("events"))
    assert not feed["notice"].is_displayed()


def test_events_wait_while_the_network_is_away(feed: Feed):
    feed.expected = ["ERR_INTERNET_DISCONNECTED"]
    feed.open("7")
    feed.until(lambda: feed.told("impression"))
    feed.offline(True)
    feed.click("like")
    feed.see("notice")
    assert "1 event waiting" in feed.says("notice")
    assert not feed.told("like")
    feed.offline(False)
    feed["notice"].find_element(By.TAG_NAME, "button").click()
    feed.until(lambda: feed.told("like"))
    feed.until(lambda: not feed["notice"].is_displayed())


def test_a_service_that_asks_for_a_key_gets_the_events_with_it(feed: Feed):
    feed.expected = ["401"]
    feed.stub.need_key = True
    feed.open("7")
    feed.see("notice")
    feed["notice"].find_element(By.TAG_NAME, "button").click()
    feed.press(KEY, Keys.ENTER)
    feed.until(lambda: feed.told("impression"))


def test_a_key_in_the_address_is_used_and_taken_out_of_it(feed: Feed):
    feed.stub.need_key = True
    feed.driver.get(f"{feed.address}?viewer=7#key={KEY}")
    feed.see("card")
    feed.click("like")
    feed.until(lambda: feed.told("like"))
    assert not feed["notice"].is_displayed()
    assert KEY not in feed.driver.current_url


def test_a_page_that_is_loaded_again_still_has_its_key(feed: Feed):
    feed.stub.need_key = True
    feed.driver.get(f"{feed.address}?viewer=7#key={KEY}")
    feed.see("card")
    feed.driver.refresh()
    feed.see("card")
    feed.click("like")
    feed.until(lambda: feed.told("like"))
    assert not feed["notice"].is_displayed()


def test_an_operator_takes_a_video_down_with_a_key(feed: Feed):
    feed.expected = ["401"]
    feed.open("7")
    title = feed.says("title")
    feed.click("takedown")
    assert title in feed.says("asks-text")
    feed.press("not-the-key", Keys.ENTER)
    feed.until(lambda: "not accepted" in feed.says("asks-wrong"))
    assert not feed.stub.taken_down
    feed["key"].send_keys(Keys.CONTROL + "a", Keys.NULL, KEY, Keys.ENTER)
    feed.until(lambda: feed.stub.taken_down == {LARGE})
    feed.until(lambda: feed.says("takedown") == "Bring this video back")
    assert feed.rows(".did")[0] == "taken down"
    feed.click("takedown")
    feed.press(Keys.ENTER)  # the key is known by now
    feed.until(lambda: not feed.stub.taken_down)


def test_what_was_watched_is_told_when_the_page_is_left(feed: Feed):
    feed.open("7")
    feed.click("play")
    feed.until(lambda: feed.says("clock")[:4] >= "0:04")
    feed.driver.get("about:blank")
    feed.until(lambda: feed.told("watch"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_and_can_be_read(feed: Feed, theme: str):
    feed.emulate(prefers_color_scheme=theme)
    feed.open("7")
    feed.click("like")
    feed.turn()
    for width in (360, 820, 1440):
        feed.emulate(width, prefers_color_scheme=theme)
        assert feed.run("return document.documentElement.scrollWidth") <= width
    contrasts = feed.run(
        """const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        const light = (colour) => {
          canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
          const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((one) =>
            one / 255 <= .04045 ? one / 255 / 12.92 : ((one / 255 + .055) / 1.055) ** 2.4);
          return .2126 * r + .7152 * g + .0722 * b;
        };
        const contrast = (one, other) => {
          const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
          return (high + .05) / (low + .05);
        };
        const root = getComputedStyle(document.documentElement);
        const of = (name) => root.getPropertyValue("--" + name);
        const found = {};
        for (const ground of ["paper", "raised", "tint"])
          for (const text of ["ink", "muted", "blue", "green", "amber", "red"])
            found[text + " on " + ground] = contrast(of(text), of(ground));
        found["ink on grid"] = contrast(of("ink"), of("grid"));
        found["muted on grid"] = contrast(of("muted"), of("grid"));
        found["button"] = contrast(of("on-blue"), of("blue"));
        for (let hue = 0; hue < 360; hue += 3)
          found["white on " + hue] = contrast("white", `oklch(.53 .12 ${hue})`);
        return found;"""
    )
    assert {pair: value for pair, value in contrasts.items() if value < 4.5} == {}


def test_nothing_moves_by_itself_for_who_asks_for_that(feed: Feed):
    feed.emulate(prefers_reduced_motion="reduce")
    feed.open("7", autoplay=True)
    assert not feed["autoplay"].is_selected()
    feed.press(Keys.ARROW_DOWN)
    assert feed["play"].get_attribute("aria-label") == "Play"
    assert feed.run("return document.getAnimations().length") == 0
    feed.click("play")
    feed.until(lambda: feed["bar"].get_attribute("aria-valuenow") != "0")
