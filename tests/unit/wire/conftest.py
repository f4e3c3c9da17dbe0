"""Bodies that are wrong in every way that a seed can think of."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

HOSTILE = [
    None, True, False, 0, -1, 1, 51, 0.5, 1e300, -1e300, 2**31, 2**63, 2**64 - 1, -(2**63),
    "", " ", "a", "AAAA", "AAAAAAAAAAA=", "////", "AAD/fw==", "AAAAAAAA8H8=", "A" * 9_000,
    "\x00", "\x7f", "\u00e9", "\U0001f600", "{}", "null", "NaN", "{u:1}", "1", "\n",
    [], [[]], [None], [1, 2], ["a"], {}, {"a": 1}, {"": {}}, [{}] * 40, [0] * 2_000,
]  # fmt: skip
Place = tuple[Any, Any]
Bodies = Callable[[list[dict[str, Any]], int], Iterator[bytes]]


def places(value: Any) -> Iterator[Place]:
    """Every container in a value with each of its keys."""
    keys: Any = ()
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    for key in keys:
        yield value, key
        yield from places(value[key])


def wrong_value(draw: random.Random, value: dict[str, Any]) -> bytes:
    container, key = draw.choice(list(places(value)))
    how = draw.randrange(5)
    if how < 2 or isinstance(container, list):
        container[key] = draw.choice(HOSTILE)
    elif how == 2:
        del container[key]
    elif how == 3:
        container[key + draw.choice("sx_")] = container.pop(key)
    else:
        container[draw.choice(["", "a", "user", "\u00e9", "x" * 300])] = draw.choice(HOSTILE)
    return orjson.dumps(value)


def wrong_bytes(draw: random.Random, value: dict[str, Any]) -> bytes:
    body = bytearray(orjson.dumps(value))
    how, at = draw.randrange(4), draw.randrange(len(body))
    if how == 0:
        body[at] = draw.randrange(256)
    elif how == 1:
        del body[at : at + draw.randrange(1, 9)]
    elif how == 2:
        body[at:at] = draw.randbytes(draw.randrange(1, 9))
    else:
        del body[at:]
    return bytes(body)


def bodies(examples: list[dict[str, Any]], seed: int) -> Iterator[bytes]:
    draw, texts = random.Random(seed), [orjson.dumps(example) for example in examples]
    while True:
        value = orjson.loads(draw.choice(texts))
        how = draw.randrange(10)
        if how == 0:
            yield draw.randbytes(draw.randrange(40))
        elif how < 4:
            yield wrong_bytes(draw, value)
        else:
            yield wrong_value(draw, value)


@pytest.fixture
def wrong_bodies() -> Bodies:
    return bodies
