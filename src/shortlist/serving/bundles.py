"""The bundles that a process serves: the published one and the one before, exchanged as it runs.

Two kinds of process load bundles and roll on their own, so each holds two and takes the one that a
request names. A new bundle is opened aside, every byte of it verified, while the old one goes on; a
torn or foreign one is refused, and the old one goes on for good.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from shortlist.bundle import Bundle, BundleStore
from shortlist.errors import CorruptError, NotFoundError, ShortlistError

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_LONGEST_PAUSE: Final = 60.0


@dataclass(slots=True)
class Held(Generic[T]):
    """A bundle that is ready to be served from.

    Attributes:
        id: of the bundle.
        parts: what was loaded from it.
        used_at: when it was last asked for, by the clock of its `Bundles`.
    """

    id: str
    parts: T
    used_at: float


@dataclass(slots=True)
class _Refused:
    """A bundle that could not be loaded, and when to try again."""

    reason: str
    again_at: float
    pause: float


class Bundles(Generic[T]):
    """The published bundle, the one before it, and a thread that follows the pointer.

    What is held is one mapping that is exchanged whole, so asking takes no lock and never waits for
    a bundle that loads. Whoever holds parts keeps them alive; dropping a bundle here takes nothing
    away from a request that is under way.
    """

    def __init__(
        self,
        store: BundleStore,
        load: Callable[[Bundle], T],
        *,
        pinned: str | None = None,
        poll_seconds: float = 1.0,
        linger_seconds: float = 60.0,
        may_switch: Callable[[str], bool] = lambda _: True,
        told: Callable[[str, float], None] = lambda *_: None,
        holding: Callable[[tuple[str, ...]], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Hold nothing yet.

        Args:
            store: where bundles lie, with the pointer.
            load: opens the parts of a verified bundle, and warms them: what it returns is asked at
                once.
            pinned: the bundle to serve whatever is published: an id, or the beginning of one.
            poll_seconds: between two looks at the pointer.
            linger_seconds: how long a bundle that is neither the current nor the previous one stays
                after it was last asked for.
            may_switch: whether a bundle that is held may become the current one; asked again at
                every look until it may.
            told: what became of a bundle that the pointer came to name (``switched``, ``refused``
                or ``rolled_back``), and how many seconds after that was seen; a pointer that cannot
                be read is refused too.
            holding: told after every look which ids can be asked for.
            clock: seconds, never going back.
        """
        self._store = store
        self._load = load
        self._pinned = pinned
        self._poll, self._linger = poll_seconds, linger_seconds
        self._may_switch = may_switch
        self._told, self._holding = told, holding
        self._clock = clock
        self._held: Mapping[str, Held[T]] = {}
        self._current: Held[T] | None = None
        self._previous: str | None = None
        self._wanted: str | None = None
        self._wanted_at = 0.0
        self._backward = self._counted = self._unreadable = False
        self._refused: dict[str, _Refused] = {}
        self._fault: str | None = None
        self._reason: str | None = None
        self._changing = threading.Lock()
        self._stopping = threading.Event()
        self._soon = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def current(self) -> Held[T] | None:
        """The bundle that new requests are served from; None where none could be loaded yet."""
        held = self._current
        if held is not None:
            held.used_at = self._clock()
        return held

    @property
    def wanted(self) -> str | None:
        """The id that the pointer, or the pin, asks for; not the current one while that loads."""
        return self._wanted

    @property
    def fault(self) -> str | None:
        """Why the bundle that is wanted is not served; None where it is, or still loads.

        Callers are told it, so it names no path and no address; the log does.
        """
        return self._fault

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the bundles that can be asked for, the current one first."""
        current = self._current
        first = () if current is None else (current.id,)
        return (*first, *(one for one in self._held if one not in first))

    def get(self, bundle_id: str) -> T | None:
        """The parts of a bundle by its full id; None where it is not held."""
        held = self._held.get(bundle_id)
        if held is None:
            return None
        held.used_at = self._clock()
        return held.parts

    def look(self) -> None:
        """Look at the pointer once, and load, switch and drop what it asks for.

        Raises nothing for what is wrong with the store or a bundle: `fault` says it.
        """
        with self._changing:
            try:
                wanted, others = self._asked_for()
            except ShortlistError as error:
                self._complain(str(error), self._missing(error))
                self._count_unreadable(error)
                return
            self._unreadable = False
            if wanted != self._wanted:
                self._wanted, self._wanted_at, self._counted = wanted, self._clock(), False
            if self._bring(wanted):
                self._fault = self._reason = None
            if self._current is None or len(self._held) == 1:
                # A process that starts late is asked for the bundle before by those slow to follow,
                # and serves from it where the published one is torn.
                for other in others:
                    if other in self._held or self._bring(other):
                        break
            self._switch(wanted, others)
            self._drop(wanted)
            self._refused = {
                one: why for one, why in self._refused.items() if one in (wanted, *others)
            }
            self._holding(self.ids)

    def start(self) -> None:
        """Look now, in this thread, and go on looking in another."""
        self.look()
        self._thread = threading.Thread(target=self._watch, name="bundles", daemon=True)
        self._thread.start()

    def hurry(self) -> None:
        """Let the thread look at once: somebody asks for what is not held."""
        self._soon.set()

    def stop(self) -> None:
        """Stop looking; what is held stays."""
        self._stopping.set()
        self._soon.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wait(self, seconds: float) -> Held[T]:
        """The current bundle, looked for until there is one.

        Args:
            seconds: to wait at most.

        Raises:
            NotFoundError: there was none all the while; the message says why.
        """
        ends = self._clock() + seconds
        while (held := self.current) is None:
            if self._clock() >= ends:
                why = self._reason or "none yet"
                raise NotFoundError(f"no bundle could be served within {seconds:.0f} s: {why}")
            if self._stopping.wait(min(self._poll, 0.1)):
                raise NotFoundError("no bundle could be served before the end")
            if self._thread is None:
                self.look()
        return held

    def _watch(self) -> None:
        while True:
            self._soon.wait(self._poll)
            self._soon.clear()
            if self._stopping.is_set():
                return
            try:
                self.look()
            except Exception:  # A watcher that ends would serve one bundle for ever.
                _LOG.exception("looking at the pointer failed; looking again")

    def _asked_for(self) -> tuple[str, tuple[str, ...]]:
        """The bundle to serve, and those that may be held beside it, best first."""
        if self._pinned is not None:
            return self._store.find(self._pinned), ()
        pointer = self._store.pointer()
        if pointer.current is None:
            raise NotFoundError(
                f"no bundle is published in {self._store.root}; publish one with `shortlist demo`"
            )
        self._backward = pointer.left in pointer.withdrawn
        return pointer.current, pointer.beside

    def _bring(self, bundle_id: str) -> bool:
        """Hold a bundle, loading it where need be; False where it is refused."""
        if bundle_id in self._held:
            return True
        refused = self._refused.get(bundle_id)
        if refused is not None and self._clock() < refused.again_at:
            return False
        try:
            parts = self._load(self._store.open(bundle_id))
        except Exception as error:  # Whatever is wrong with a bundle, the old one goes on.
            reason = str(error) if isinstance(error, ShortlistError) else repr(error)
            pause = self._poll if refused is None else min(2 * refused.pause, _LONGEST_PAUSE)
            self._refused[bundle_id] = _Refused(reason, self._clock() + pause, pause)
            if bundle_id == self._wanted:
                self._complain(reason, _unusable(bundle_id, error))
                self._count("refused")
            return False
        self._refused.pop(bundle_id, None)
        self._held = {**self._held, bundle_id: Held(bundle_id, parts, self._clock())}
        _LOG.info("bundle %s is loaded", bundle_id)
        return True

    def _switch(self, wanted: str, others: tuple[str, ...]) -> None:
        current = self._current
        if current is not None:
            if current.id == wanted or wanted not in self._held or not self._may_switch(wanted):
                return
            target = wanted
        else:
            ready = [one for one in (wanted, *others) if one in self._held]
            if not ready:
                return
            target = next(filter(self._may_switch, ready), ready[0])
        self._previous = None if current is None else current.id
        self._current = self._held[target]
        if current is not None:
            self._counted = False
            self._count("rolled_back" if self._backward else "switched")
        _LOG.info("bundle %s is served", target)

    def _drop(self, wanted: str) -> None:
        """Drop what is of no use to anybody: one mapping takes the place of another."""
        kept = {wanted, self._previous, self._current.id if self._current else None}
        if self._previous is None:
            kept.update(self._held)  # held since the start for those who are slow to follow
        now = self._clock()
        self._held = {
            one: held
            for one, held in self._held.items()
            if one in kept or now - held.used_at <= self._linger
        }

    def _count(self, outcome: str) -> None:
        """Tell an outcome, once until something else is wanted."""
        if not self._counted:
            self._counted = True
            self._told(outcome, self._clock() - self._wanted_at)

    def _count_unreadable(self, error: ShortlistError) -> None:
        """Tell a pointer that cannot be read as refused, once until it can be read again."""
        nothing = self._pinned is not None or isinstance(error, NotFoundError)
        if not (nothing or self._unreadable):
            self._unreadable = True
            self._told("refused", 0.0)

    def _missing(self, error: ShortlistError) -> str:
        """What callers are told where nobody knows which bundle to serve."""
        if self._pinned is not None:
            return "the pinned bundle cannot be found"
        if isinstance(error, NotFoundError):
            return "no bundle is published"
        return "the pointer to the published bundle cannot be read"

    def _complain(self, reason: str, fault: str) -> None:
        if reason != self._reason:
            _LOG.warning("serving goes on without what the pointer asks for: %s", reason)
        self._reason, self._fault = reason, fault


def _unusable(bundle_id: str, error: Exception) -> str:
    """What callers are told of a bundle that could not be loaded."""
    torn = isinstance(error, CorruptError | NotFoundError)
    return f"bundle {bundle_id} {'is not whole' if torn else 'cannot be loaded'}"
