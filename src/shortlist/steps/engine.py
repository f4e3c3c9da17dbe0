"""Doing a step once: what was made from the same code, libraries, settings, inputs is found again.

Below the work directory, for each step and key::

    steps/<step>/<first 16 of the key>/finished/step.json    the record
    steps/<step>/<first 16 of the key>/finished/run.json     times and host, not hashed
    steps/<step>/<first 16 of the key>/finished/output/      what the step wrote
    steps/<step>/<first 16 of the key>/scratch/              what it wants to find after a kill

`finished` appears in one rename, so whatever kills a run, the next one finds it whole or not at
all. Runs of the same key wait for one another; others have nothing in common.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO, Final

from shortlist.errors import CorruptError
from shortlist.evaluation.stages import Stages
from shortlist.files import make_directory, staged_directory, storage_errors, sweep_staging
from shortlist.settings.tree import Settings
from shortlist.steps.output import FILES, Output, find, note_run, seal
from shortlist.steps.prune import FOLDER, in_use
from shortlist.steps.step import Dependencies, Step

Body = Callable[[Path, Path], str]
"""Writes a step's files into the first directory, keeps what should outlive a kill (checkpoints)
in the second, and returns what it did in a few words."""

_FINISHED: Final = "finished"
_SCRATCH: Final = "scratch"
_LOCK: Final = ".lock"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engine:
    """Runs steps under one tree of settings and reports each.

    Attributes:
        settings: in force; outputs lie below its ``paths.work``.
        stages: told of each step.
    """

    settings: Settings
    stages: Stages

    def run(self, step: Step, inputs: Mapping[str, str], body: Body) -> Output:
        """Do a step, or find it done.

        Args:
            step: what it depends on.
            inputs: digests of what earlier steps put out, by name.
            body: does it.

        Raises:
            StorageError: the disk refused.
            CorruptError: what was just written cannot be read back.
        """
        dependencies = step.dependencies(self.settings, inputs)
        steps = self.settings.paths.work / FOLDER
        _keep(steps.absolute())
        home = steps / step.name / dependencies.key[:16]
        with self.stages.stage(step.name) as stage, self._held(home, step.name) as alone:
            output = find(home / _FINISHED, dependencies.key, step.sidecars)
            if output is None:
                if (home / _FINISHED).exists():
                    _log.warning("%s differs from its record; made again", home / _FINISHED)
                if alone:
                    sweep_staging(home)
                output = _made(step, dependencies, home, body)
            shutil.rmtree(home / _SCRATCH, ignore_errors=True)
            stage.done(output.said, reused=output.reused)
        return output

    @contextlib.contextmanager
    def _held(self, home: Path, name: str) -> Iterator[bool]:
        """Hold one key for this run; whether nobody else can be writing there.

        The lock ends with the process. Some network file systems have none: there two runs of one
        key at once both do the work, and the last rename wins.
        """
        make_directory(home)
        with storage_errors(home):
            stream = (home / _LOCK).open("ab")
            os.utime(home / _LOCK)  # Pruning keeps what was used last.
        with stream:
            yield self._locked(stream, name)

    def _locked(self, stream: IO[bytes], name: str) -> bool:
        try:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.stages.say(f"{name}: another run is at it, waiting")
                fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError:
            return False
        return True


@cache
def _keep(steps: Path) -> IO[bytes]:
    """Keep what is found in ``steps`` from being pruned until this process ends."""
    return in_use(steps)


def _made(step: Step, dependencies: Dependencies, home: Path, body: Body) -> Output:
    began = time.perf_counter()
    with staged_directory(home / _FINISHED) as aside:
        (home / _SCRATCH).mkdir(exist_ok=True)
        (aside / FILES).mkdir()
        said = body(aside / FILES, home / _SCRATCH)
        seal(aside, dependencies, step.sidecars)
        note_run(aside, step.sidecars, said, time.perf_counter() - began)
    made = find(home / _FINISHED, dependencies.key, step.sidecars)
    if made is None:
        raise CorruptError(f"{home / _FINISHED} is not what was written to it; run this again")
    return replace(made, reused=False)
