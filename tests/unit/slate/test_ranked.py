from typing import Any

import numpy as np
import pytest

from shortlist.errors import InputError
from shortlist.slate.ranked import Ranked


def ranked(**changes: Any) -> Ranked:
    good: dict[str, Any] = {
        "video": np.array([7, 3, 5]),
        "relevance": np.array([0.9, 0.5, 0.1], np.float32),
        "diversity": np.array([0, 1, 0.5], np.float32),
        "sources": np.array([1, 2, 12], np.uint8),
    }
    return Ranked(**{**good, **changes})


def test_sound_candidates_are_taken_as_they_are() -> None:
    assert len(ranked()) == 3
    assert len(Ranked(*(np.zeros(0, kind) for kind in ("i8", "f4", "f4", "u1")))) == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"video": np.array([7, 3, 7])}, "video 7 is ranked twice"),
        ({"video": np.array([7, -1, 5])}, "video -1 is no row"),
        ({"video": np.array([[7, 3, 5]])}, "video has 2 dimensions"),
        ({"relevance": np.array([0.9, 0.5], np.float32)}, r"relevance has shape \(2,\)"),
        ({"relevance": np.array([0.9, np.nan, 0], np.float32)}, "relevance of video 3 is nan"),
        ({"relevance": np.array([1.5, 0.5, 0], np.float32)}, "relevance of video 7 is 1.5"),
        ({"diversity": np.array([0, 0, np.inf], np.float32)}, "diversity of video 5 is inf"),
        ({"diversity": np.array([0, 0, -0.5], np.float32)}, "diversity of video 5 is -0.5"),
        ({"sources": np.zeros(4, np.uint8)}, r"sources has shape \(4,\)"),
    ],
)
def test_unsound_candidates_are_refused_by_field_and_value(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        ranked(**changes)
