"""kfp compiles quickly here too."""

import functools
import inspect
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _callers_without_their_source() -> Iterator[None]:
    """To name a method, kfp reads the source of all callers at every call: here, all of pytest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspect, "stack", functools.partial(inspect.stack, 0))
        yield
