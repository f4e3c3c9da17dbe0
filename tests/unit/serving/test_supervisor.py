"""Parts are started in order, started again when they die, and given up in one sentence."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shortlist.errors import UnavailableError
from shortlist.serving.supervisor import Patience, Supervisor


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Puppet:
    """A part that answers ``slow`` seconds after each start."""

    clock: Clock
    name: str = "puppet"
    slow: float = 1.0
    log: Path = Path("puppet.log")
    pid: int | None = None
    ending: str = "ended with 3"
    starts: list[float] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.starts.append(self.clock.now)
        self.pid = 7

    def why_not_ready(self) -> str | None:
        return None if self.clock.now - self.starts[-1] >= self.slow else "it is slow"

    def stop(self) -> None:
        self.stops.append(self.name)
        self.pid = None

    def last_words(self) -> list[str]:
        return ["one", "two", "three", "  four"]


def supervisor(clock: Clock, said: list[str], **patience: float) -> Supervisor:
    return Supervisor(said.append, Patience(**patience), clock=clock, sleep=clock.sleep)


def turn(watching: Supervisor, clock: Clock, seconds: float) -> None:
    for _ in range(round(seconds / 0.25)):
        watching.look()
        clock.sleep(0.25)


def test_it_waits_until_all_answer_and_stops_the_last_first() -> None:
    clock, said, stops = Clock(), [], []
    with supervisor(clock, said) as watching:
        for name, slow in (("first", 0.5), ("second", 2.0)):
            watching.start(Puppet(clock, name, slow, stops=stops))
        watching.wait()
        assert clock.now == pytest.approx(102, abs=0.3)
    assert [line.split(" (")[0] for line in said] == ["first answers", "second answers"]
    assert stops == ["second", "first"]
    assert watching.parts == []


def test_what_dies_is_started_again_ever_later() -> None:
    clock, said = Clock(), []
    watching, part = supervisor(clock, said), Puppet(clock)
    watching.start(part)
    watching.wait()
    part.pid = None
    died = clock.now
    turn(watching, clock, 3)
    assert part.starts[1:] == [died + 0.5]
    assert said[1] == "puppet ended with 3; it is started again in 0.5 s"
    assert said[2].startswith("puppet answers again (1")
    part.pid = None
    turn(watching, clock, 3)
    assert said[3].endswith("in 1 s")


def test_deaths_are_forgotten_after_a_steady_minute() -> None:
    clock, said = Clock(), []
    watching, part = supervisor(clock, said), Puppet(clock)
    watching.start(part)
    for _ in range(8):
        watching.wait()
        turn(watching, clock, 61)
        part.pid = None
        watching.look()
    assert {line.rsplit("; ")[1] for line in said if ";" in line} == {
        "it is started again in 0.5 s"
    }


def test_what_dies_again_and_again_is_given_up() -> None:
    clock, said = Clock(), []
    watching, part = supervisor(clock, said, deaths=3), Puppet(clock)
    watching.start(part)
    for _ in range(2):
        watching.wait()
        part.pid = None
        watching.look()
    watching.wait()
    part.pid = None
    with pytest.raises(UnavailableError) as raised:
        watching.look()
    assert str(raised.value) == (
        "puppet ended with 3, 3 times in a row; puppet.log ends: two | three | four"
    )


def test_what_never_answered_is_not_tried_again() -> None:
    clock, said = Clock(), []
    watching, part = supervisor(clock, said), Puppet(clock)
    watching.start(part)
    part.pid = None
    with pytest.raises(UnavailableError, match="puppet ended with 3 before it ever answered"):
        watching.wait()
    assert part.stops == ["puppet"]


def test_what_does_not_answer_in_time_is_ended() -> None:
    clock, said = Clock(), []
    watching, part = supervisor(clock, said, start_seconds=5), Puppet(clock, slow=1e9)
    watching.start(part)
    with pytest.raises(UnavailableError, match=r"did not answer within 5 s \(it is slow\)"):
        watching.wait()
    assert part.pid is None
    assert clock.now == pytest.approx(105, abs=0.5)
