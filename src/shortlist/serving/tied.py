"""Runs a command that ends with whoever started it, even where that one is killed.

``python -m shortlist.serving.tied PARENT COMMAND...`` asks Linux for SIGTERM at the death of its
parent, and becomes the command. Elsewhere it only becomes the command.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

_SET_PARENT_DEATH_SIGNAL: Final = 1


def tied(command: Sequence[str]) -> list[str]:
    """The command that runs ``command`` tied to this process."""
    return [sys.executable, "-m", __spec__.name, str(os.getpid()), *command]


def main() -> None:
    """Become the command of the arguments."""
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != int(parent):  # It died before it could be asked for.
            sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
