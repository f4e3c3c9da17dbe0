"""One suite over the ways to pick a page."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.slate.select import METHODS, Method, select

every_method = pytest.mark.parametrize("method", list(METHODS.values()), ids=list(METHODS))


def random_kernel(seed: int, count: int, width: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kernel = (vectors @ vectors.T).astype(np.float32)
    np.fill_diagonal(kernel, 1)
    return kernel


@every_method
@given(seed=st.integers(0, 1_000), count=st.integers(0, 15), size=st.integers(1, 12))
def test_without_trade_off_the_page_is_sorted_by_quality(
    method: Method, seed: int, count: int, size: int
) -> None:
    # Few distinct values, so that ties are met.
    quality = np.random.default_rng(seed).integers(0, 5, count) / 4
    page = select(quality, random_kernel(seed, count), size, method=method, trade_off=0).picked
    assert page == np.argsort(-quality, kind="stable")[:size].tolist()


@every_method
@given(
    seed=st.integers(0, 1_000),
    count=st.integers(0, 15),
    size=st.integers(1, 20),
    trade_off=st.floats(0, 1),
)
def test_a_page_is_full_and_lists_nobody_twice(
    method: Method, seed: int, count: int, size: int, trade_off: float
) -> None:
    quality = np.random.default_rng(seed).random(count)
    # Three dimensions only: most pages hold more than the kernel can span.
    kernel = random_kernel(seed, count, width=3)
    page = select(quality, kernel, size, method=method, trade_off=trade_off).picked
    assert len(page) == min(size, count) == len(set(page))


@every_method
def test_novelty_starts_at_one_and_never_rises(method: Method) -> None:
    left = method(random_kernel(3, 12), 8)
    before = left.novelty()
    assert before.tolist() == [1.0] * 12
    for index in range(8):
        left.add(index)
        after = left.novelty()
        assert (after <= before + 1e-12).all()
        assert after[index] <= 1e-9
        before = after


@every_method
def test_of_two_twins_one_is_enough(method: Method) -> None:
    kernel = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], np.float32)
    quality = np.array([0.9, 0.9, 0.1])
    assert select(quality, kernel, 2, method=method, trade_off=0.1).picked == [0, 1]
    assert select(quality, kernel, 2, method=method, trade_off=0.9).picked == [0, 2]


@every_method
def test_the_first_slot_is_the_most_relevant_at_any_trade_off_below_one(method: Method) -> None:
    quality = np.array([0.3, 0.8, 0.5])
    for trade_off in (0.0, 0.5, 0.99):
        page = select(quality, random_kernel(1, 3), 1, method=method, trade_off=trade_off)
        assert page.picked == [1]


@every_method
def test_more_trade_off_spreads_pages(method: Method) -> None:
    likeness = []
    for trade_off in (0.0, 0.3, 0.7, 1.0):
        inside = []
        for seed in range(30):
            kernel = random_kernel(seed, 30)
            quality = np.random.default_rng(seed).random(30)
            page = select(quality, kernel, 4, method=method, trade_off=trade_off).picked
            inside.append(kernel[np.ix_(page, page)].clip(min=0).sum() - 4)
        likeness.append(np.mean(inside))
    assert likeness == sorted(likeness, reverse=True)
    assert likeness[-1] < 0.7 * likeness[0]


@given(seed=st.integers(0, 1_000), trade_off=st.floats(0.01, 0.99))
def test_the_fast_greedy_page_is_the_greedy_page_of_the_determinant(
    seed: int, trade_off: float
) -> None:
    kernel = random_kernel(seed, 9, width=20).astype(np.float64)
    quality = np.random.default_rng(seed).random(9)
    page: list[int] = []
    worth: list[float] = []
    for _ in range(4):
        gains = np.full(9, -np.inf)
        for index in set(range(9)) - set(page):
            inside = [*page, index]
            volume = np.linalg.slogdet(kernel[np.ix_(inside, inside)])[1]
            gains[index] = (1 - trade_off) * quality[inside].sum() + trade_off * volume / np.log(
                1_000
            )
        page.append(int(gains.argmax()))
        worth.append(float(np.sort(gains)[-1] - np.sort(gains)[-2]))
    fast = select(
        quality, kernel.astype(np.float32), 4, method=METHODS["dpp"], trade_off=trade_off
    ).picked
    # Where two gains agree to the last digits of float32, either may come first.
    assert fast == page or min(worth) < 1e-5


def test_marginal_relevance_by_hand() -> None:
    kernel = np.array([[1, 0.5, 0.2], [0.5, 1, 0.4], [0.2, 0.4, 1]], np.float32)
    quality = np.array([1.0, 0.9, 0.5])
    # After 0: .5 x .9 + .5 x .5 = .7 against .5 x .5 + .5 x .8 = .65.
    assert select(quality, kernel, 3, method=METHODS["mmr"], trade_off=0.5).picked == [0, 1, 2]
    # After 0: .4 x .9 + .6 x .5 = .66 against .4 x .5 + .6 x .8 = .68.
    assert select(quality, kernel, 3, method=METHODS["mmr"], trade_off=0.6).picked == [0, 2, 1]
