from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp

from shortlist.slate.kernel import SlateItems
from shortlist.slate.ranked import Ranked

TAGS = ("birds", "cats", "dogs", "drums", "tea")


@pytest.fixture
def items() -> SlateItems:
    """Forty videos of 8 creators, with 0 to 3 of five tags; the last one has no content."""
    rng = np.random.default_rng(4)
    content = rng.normal(size=(40, 6))
    content /= np.linalg.norm(content, axis=1, keepdims=True)
    content[-1] = 0
    tags = np.zeros((40, len(TAGS)), np.float32)
    main = np.full(40, -1, np.int64)
    for row in range(40):
        own = rng.choice(len(TAGS), rng.integers(0, 4), replace=False)
        tags[row, own] = 1
        main[row] = own[0] if len(own) else -1
    return SlateItems(
        content=content.astype(np.float16),
        tags=sp.csr_array(tags),
        creator=rng.integers(-1, 8, 40),
        main_tag=main,
        upload_day=rng.integers(20_000, 20_030, 40),
        tag_names=TAGS,
        popular=rng.random(40) < 0.3,
    )


@pytest.fixture
def rank() -> Callable[..., Ranked]:
    """Candidates drawn from forty videos, best first."""

    def make(seed: int = 0, count: int = 30) -> Ranked:
        rng = np.random.default_rng(seed)
        return Ranked(
            video=rng.permutation(40)[:count],
            relevance=-np.sort(-rng.random(count).astype(np.float32)),
            diversity=rng.random(count).astype(np.float32),
            sources=rng.integers(0, 16, count).astype(np.uint8),
        )

    return make
