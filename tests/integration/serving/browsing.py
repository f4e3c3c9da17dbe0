"""A real browser, and the page in it as a person uses it."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from shortlist.wire.events import Event

PATIENCE = 30
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1440,1000",
)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    browser, control = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or control is None:
        pytest.skip("no browser: install Debian's chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(control))
    started.set_script_timeout(PATIENCE)
    yield started
    started.quit()


class Feed:
    """The page as a person uses it."""

    def __init__(self, driver: webdriver.Chrome, address: str, stub: Any = None) -> None:
        self.driver, self.address, self.stub = driver, address, stub
        self.expected: list[str] = []
        driver.get_log("browser")

    def __getitem__(self, name: str) -> WebElement:
        return self.driver.find_element(By.ID, name)

    def open(self, viewer: str = "", *, autoplay: bool = False) -> None:
        self.driver.get(self.address + (f"?viewer={viewer}" if viewer else ""))
        if not autoplay:  # what plays by itself is watched, and changes the page
            self.run("document.getElementById('autoplay').checked = false")
        if viewer:
            self.see("card")

    def click(self, name: str) -> None:
        self[name].click()

    def press(self, *keys: str) -> None:
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def until(self, holds: Callable[[], object]) -> None:
        WebDriverWait(self.driver, PATIENCE, 0.1).until(lambda _: holds())

    def see(self, name: str) -> None:
        self.until(self[name].is_displayed)

    def rows(self, part: str) -> list[str]:
        found: list[str] = self.run(
            "return [...document.querySelectorAll('#list ' + arguments[0])]"
            ".map((one) => one.textContent)",
            part,
        )
        return found

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def says(self, name: str) -> str:
        return str(self[name].get_attribute("textContent"))

    def told(self, kind: str) -> list[Event]:
        return [event for event in self.stub.events if event.kind == kind]

    def turn(self) -> None:
        before = self.says("page-name")
        self.click("next-page")
        self.until(lambda: self.says("page-name") != before)

    def leave(self) -> None:
        """Leave the page; nothing may have been complained of that was not expected."""
        complaints = [line["message"] for line in self.driver.get_log("browser")]
        self.driver.get("about:blank")  # what is still to be reported goes to this service
        assert [one for one in complaints if not any(known in one for known in self.expected)] == []

    def offline(self, offline: bool) -> None:
        conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions", {"offline": offline, **conditions}
        )

    def emulate(self, width: int = 1440, **features: str) -> None:
        told = [
            {"name": name.replace("_", "-"), "value": value} for name, value in features.items()
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": told})
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
