"""Whether the workers of one server are ready: what one of them says is true of them all.

A probe reaches any worker. So a worker is ready when all that answer are; and one that comes later,
since another died, answers nobody before it is ready itself, unless none is.
"""

from pathlib import Path
from typing import Final

from shortlist.serving.siblings import Siblings, told_by

_WAITS: Final = "waits"
_ANSWERS: Final = "answers"
_READY: Final = "ready"


class Company:
    """One worker among those that share a directory.

    Attributes:
        directory: that all of them know, and nobody else.
    """

    def __init__(self, directory: Path) -> None:
        """Tell nothing yet."""
        self.directory = directory
        self._siblings = Siblings(directory)
        self._ready = self._all_ready = False

    def may_answer(self, *, ready: bool) -> bool:
        """Whether this worker may begin to answer; asked again until it may.

        Args:
            ready: whether it is.
        """
        if ready:
            self.tell_ready()
            return True
        if not self._one_is_ready():
            # Told first and looked again after: no other becomes ready in between unseen.
            self._siblings.tell((_ANSWERS,))
            if not self._one_is_ready():
                return True
        self._siblings.tell((_WAITS,))
        return False

    def tell_ready(self) -> None:
        """Tell the others that this worker is ready, which it stays."""
        self._ready = True
        self._siblings.tell((_ANSWERS, _READY))
        self.all_ready()

    def all_ready(self) -> bool:
        """Whether all workers that answer are ready; once they were, it is not asked again."""
        if not self._all_ready:
            self._all_ready = self._ready and all(
                _READY in told for told in self._siblings.others() if _ANSWERS in told
            )
        return self._all_ready

    def _one_is_ready(self) -> bool:
        return any(_READY in told for told in self._siblings.others())


def answers(directory: Path, pid: int) -> bool:
    """Whether the worker with this process id answers."""
    return _ANSWERS in told_by(directory, pid)
