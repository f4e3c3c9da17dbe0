"""The registry names models without loading what they need."""

import subprocess
import sys

import pytest

from shortlist.baselines import registry
from shortlist.errors import NotFoundError
from shortlist.settings.baselines import BaselinesSettings


def test_reading_the_names_loads_no_heavy_library():
    heavy = "implicit lightgbm sklearn torch scipy"
    program = (
        "import sys; from shortlist.baselines.registry import CONSTRUCTORS; "
        f"print([name for name in '{heavy}'.split() if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    # The protocol speaks of the catalogue, and that of sparse matrices.
    assert found.stdout.strip() == "['scipy']"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(NotFoundError, match=r"'esae'; did you mean ease\?"):
        registry.build("esae", BaselinesSettings())
