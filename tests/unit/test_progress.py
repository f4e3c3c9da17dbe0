"""Progress is seen on terminals only, and never changes what is iterated."""

import io
import sys

import pytest

from shortlist.progress import track


def test_items_pass_unchanged_and_nothing_is_printed_where_nobody_looks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(track([3, 1, 2], "counting")) == [3, 1, 2]
    assert list(track((n for n in range(3)), "counting", total=3)) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_sees_the_description(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(track([1, 2], "encoding titles")) == [1, 2]
    assert "encoding titles" in terminal.getvalue()


def test_an_interrupt_leaves_at_once() -> None:
    seen = []

    def stop() -> None:
        for item in track([1, 2, 3], "counting"):
            seen.append(item)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert seen == [1]
