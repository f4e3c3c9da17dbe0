"""What every test relies on: no setting leaks in from the machine."""

import os
import signal

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.startswith("SHORTLIST_"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("SHORTLIST_CONFIG", "")


# A shell that starts the tests in the background makes them ignore Ctrl-C, and their children too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
