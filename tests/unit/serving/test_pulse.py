import asyncio
import time

from shortlist.serving.pulse import BEAT_SECONDS, STANDING_SECONDS, Pulse


def _beats(pulse: Pulse, *lates: float) -> list[bool]:
    found, now = [], 100.0
    for late in lates:
        now += BEAT_SECONDS + late
        pulse.beat(late, now)
        found.append(pulse.standing)
    return found


def test_a_queue_stands_when_no_beat_of_the_interval_was_in_time() -> None:
    # Of 0.05 s each and 0.01 between: the fifth comes 0.24 s after the first.
    assert _beats(Pulse(0.02), *[0.05] * 6) == [False] * 4 + [True, True]


def test_one_beat_in_time_and_it_stands_no_longer() -> None:
    lates = [0.05] * 5 + [0.02] + [0.05] * 4
    assert _beats(Pulse(0.02), *lates) == [False] * 4 + [True] + [False] * 5


def test_a_single_stall_however_long_is_no_standing_queue() -> None:
    assert _beats(Pulse(0.02), 5.0, 0.0, 0.0) == [False] * 3


def test_it_hears_a_loop_that_is_held_again_and_again_and_one_that_is_free() -> None:
    async def look() -> tuple[bool, bool]:
        pulse = Pulse(0.02)
        pulse.start()
        heard = False
        for _ in range(40):
            time.sleep(4 * BEAT_SECONDS)
            await asyncio.sleep(0)
            heard = heard or pulse.standing
        # Free for as long as it takes: a machine may be busy.
        for _ in range(1_000):
            if not pulse.standing:
                break
            await asyncio.sleep(BEAT_SECONDS)
        free = pulse.standing
        pulse.stop()
        return heard, free

    assert 40 * 4 * BEAT_SECONDS > STANDING_SECONDS
    assert asyncio.run(look()) == (True, False)
