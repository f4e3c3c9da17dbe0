import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from shortlist.errors import SettingsError
from shortlist.serving.callers import Callers, TooManyError
from shortlist.settings.serving import ServingSettings
from shortlist.wire.refusals import UnauthorisedError

KEY = "0123456789abcdef"


def callers(clock=lambda: 0.0, **settings) -> Callers:
    told = {"keys": SecretStr(f"me:{KEY}, you:{KEY[::-1]}"), "rate": 2, "rate_burst": 3}
    return Callers(ServingSettings(**(told | settings)), clock)


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer  {KEY} "])
def test_who_gives_a_key_may_write(header) -> None:
    assert callers().writer(header) == "me"


@pytest.mark.parametrize(
    "header",
    [None, "", KEY, "Bearer ", f"Basic {KEY}", f"Bearer {KEY}x", "Bearer é", "Bearer \udc80"],
)
def test_nobody_else_may(header) -> None:
    with pytest.raises(UnauthorisedError, match="Bearer KEY"):
        callers().writer(header)


def test_without_keys_nobody_may_write_and_one_setting_lets_everybody() -> None:
    with pytest.raises(UnauthorisedError, match="no keys are set"):
        callers(keys=None).writer(f"Bearer {KEY}")
    free = callers(keys=None, guarded=False)
    assert free.writer(None) == ""
    for _ in range(50):
        free.admit(None, "10.0.0.1")


@pytest.mark.parametrize("keys", ["secretsecretsecret", "me:short", ":0123456789abcdef"])
def test_keys_that_cannot_be_read_are_named_by_place_and_never_told(keys) -> None:
    with pytest.raises(SettingsError, match=r"serving\.keys, entry 1") as caught:
        callers(keys=SecretStr(keys))
    assert "secret" not in str(caught.value)
    assert "short" not in str(caught.value)


def test_a_burst_is_let_in_and_then_the_rate_with_the_seconds_to_wait() -> None:
    now = [0.0]
    gate = callers(lambda: now[0])
    for _ in range(3):
        gate.admit(None, "10.0.0.1")
    with pytest.raises(TooManyError) as caught:
        gate.admit(None, "10.0.0.1")
    assert caught.value.retry_after == 1
    gate.admit(None, "10.0.0.2")
    gate.admit(f"Bearer {KEY}", "10.0.0.1")  # a key has a bucket of its own
    now[0] = 0.5
    gate.admit(None, "10.0.0.1")
    with pytest.raises(TooManyError):
        gate.admit(None, "10.0.0.1")


@given(st.lists(st.floats(0, 3), max_size=60))
def test_never_more_than_burst_and_rate_allow(pauses) -> None:
    now = [0.0]
    gate = callers(lambda: now[0])
    let_in = 0
    for pause in pauses:
        now[0] += pause
        try:
            gate.admit(None, "a")
        except TooManyError:
            continue
        let_in += 1
    assert let_in <= 3 + 2 * now[0] + 1e-6


def test_buckets_do_not_grow_without_bound() -> None:
    gate = callers()
    for number in range(10_050):
        gate.admit(None, str(number))
    assert len(gate._buckets) == 10_000
