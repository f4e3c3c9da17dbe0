"""A stage is told when it ends, with what it took; one that fails is not told at all."""

import os
import time

import numpy as np
import pytest

from shortlist.evaluation.memory import peak_memory
from shortlist.evaluation.stages import Stages


def test_each_stage_says_its_line_and_is_remembered():
    lines = []
    stages = Stages(say=lines.append)
    with stages.stage("load") as stage:
        time.sleep(0.02)
        stage.done("3 rows")
    with stages.stage("als") as stage:
        stage.done("fitted", reused=True)
    assert lines == ["load: 3 rows (0.0 s)", "als: fitted (unchanged, reused)"]
    assert [stage.name for stage in stages.finished] == ["load", "als"]
    assert [stage.reused for stage in stages.finished] == [False, True]
    assert stages.finished[0].seconds >= 0.02
    assert stages.finished[0].peak_memory_mb > 1


def test_a_stage_that_fails_is_no_finished_stage():
    lines = []
    stages = Stages(say=lines.append)
    with pytest.raises(KeyboardInterrupt), stages.stage("als"):
        raise KeyboardInterrupt
    assert lines == []
    assert stages.finished == []


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="the mark cannot be reset here"
)
def test_memory_that_was_given_back_still_counts_for_the_peak():
    with peak_memory() as before:
        pass
    with peak_memory() as during:
        np.ones(25_000_000)  # 200 MB, gone at once.
    assert during.megabytes > before.megabytes + 150
