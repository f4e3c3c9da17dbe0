"""What every test relies on: no setting leaks in from the machine, and the longest tests begin."""

import os
import signal
from pathlib import Path

import pytest

# Files whose few tests take longest: begun last, one of them would keep one core busy alone.
LONGEST = ("ranker/test_processes.py", "test_pipeline.py", "test_demo.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    of_files = tuple(Path(__file__).parent / "integration" / name for name in LONGEST)
    items.sort(key=lambda item: item.path not in of_files)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.startswith("SHORTLIST_"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("SHORTLIST_CONFIG", "")


# A shell that starts the tests in the background makes them ignore Ctrl-C, and their children too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
