"""The line: every step in its order, each on what the steps before it put out.

Whichever step is asked for, those before it are found or done first. So each task of a pipeline
stands on its own: it needs the order and the directory, and nothing that another task remembers.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from shortlist.bundle import Bundle, BundleStore
from shortlist.bundle.shared import SharedStore
from shortlist.datasets.interactions import TrainingView
from shortlist.datasets.named import datasets_directory
from shortlist.datasets.split import Split, split
from shortlist.datasets.store import Dataset
from shortlist.errors import RefusedError
from shortlist.evaluation.gate import Verdict
from shortlist.evaluation.stages import Stages
from shortlist.settings.tree import Settings
from shortlist.slate.settled import PART
from shortlist.steps import recall
from shortlist.steps.data import generate_share, make_data
from shortlist.steps.encode import Content, encode, encode_share
from shortlist.steps.engine import Engine
from shortlist.steps.evaluate import Candidate, evaluate
from shortlist.steps.gate import gate, read_verdict
from shortlist.steps.index import index
from shortlist.steps.items import items
from shortlist.steps.order import Order
from shortlist.steps.output import Output
from shortlist.steps.publish import bundled, publish
from shortlist.steps.reference import reference
from shortlist.steps.rival import rival_of
from shortlist.steps.slate import tune
from shortlist.steps.train import train
from shortlist.steps.view import learned_view


@dataclass(frozen=True)
class Line:
    """The steps of one run, each done at most once.

    Attributes:
        settings: in force.
        stages: told of each step.
    """

    settings: Settings
    stages: Stages

    @classmethod
    def ordered(cls, settings: str, key: str, work: str) -> Self:
        """The line of a task of a pipeline: as ordered, below ``work``, told on stdout.

        Whoever runs tasks may ask every library for all it can say. Only warnings and errors are
        let through from here on.

        Raises:
            InputError: the settings cannot be read.
            RefusedError: the order was given with other code.
        """
        logging.getLogger().setLevel(logging.WARNING)
        return cls(Order(settings, key).taken(Path(work)), Stages(say=print))

    @cached_property
    def engine(self) -> Engine:
        """Runs the steps that keep their own output."""
        return Engine(self.settings, self.stages)

    @cached_property
    def dataset(self) -> Dataset:
        """The log: generated, imported or found."""
        return make_data(self.settings, self.stages)

    @cached_property
    def content(self) -> Content:
        """Content vectors of the videos."""
        settings = self.settings
        return encode(
            self.dataset,
            settings.encoders,
            settings.paths.cache,
            settings.pipeline.shards,
            self.stages,
        )

    @cached_property
    def cut(self) -> Split:
        """Where the log is cut."""
        return split(self.dataset, self.settings.datasets)

    @cached_property
    def view(self) -> TrainingView:
        """What is learned from: the history, and no later day."""
        settings = self.settings
        return learned_view(
            self.dataset,
            self.cut,
            self.content.vectors,
            wanted=settings.evaluation.target,
            seed=settings.seed,
        )

    @cached_property
    def recalled(self) -> Output:
        """Tables of the sources that learn from the log."""
        return recall.fit(self.engine, self._learned_from(), lambda: self.view)

    @cached_property
    def ranker(self) -> Output:
        """The trained ranker's artefacts."""
        tables = self.recalled
        inputs = {**self._learned_from(), "recall": tables.digest}
        return train(self.engine, inputs, tables.path, lambda: self.view)

    @cached_property
    def indexed(self) -> Output:
        """Recall as it serves: the tables, and the index of the ranker's vectors."""
        tables, ranker = self.recalled, self.ranker
        inputs = {
            "data": self.dataset.record.digest,
            "recall": tables.digest,
            "ranker": ranker.digest,
        }
        return index(self.engine, inputs, tables.path, ranker.path, lambda: self.view)

    @cached_property
    def items(self) -> Output:
        """The videos of the bundle, and their content vectors."""
        return items(self.engine, self._learned_from(), self.dataset, self.content.vectors)

    @cached_property
    def trained(self) -> Candidate:
        """The trained recommender, in parts, before its slate is settled."""
        return _candidate({"items": self.items, "ranker": self.ranker, "recall": self.indexed})

    @cached_property
    def tuned(self) -> Output | None:
        """The trade-off of the slate; None where the settings give a number."""
        if self.settings.slate.trade_off != "auto":
            return None
        trained = self.trained
        inputs = {"data": self.dataset.record.digest, "candidate": trained.digest}
        return tune(self.engine, inputs, trained.directories, lambda: self.view)

    @cached_property
    def candidate(self) -> Candidate:
        """The trained recommender, in parts, and the trade-off where it was measured."""
        parts = {"items": self.items, "ranker": self.ranker, "recall": self.indexed}
        tuned = self.tuned
        return _candidate(parts if tuned is None else {**parts, PART: tuned})

    @cached_property
    def evaluated(self) -> Output:
        """The judgement and its report."""
        inputs = {**self._learned_from(), "candidate": self.candidate.digest}
        return evaluate(self.engine, inputs, self.dataset, self.content, self.cut, self.candidate)

    @cached_property
    def reference(self) -> Output:
        """A sample of what was learned from."""
        trained = self.trained
        inputs = {"data": self.dataset.record.digest, "candidate": trained.digest}
        return reference(
            self.engine, inputs, self.dataset, self.cut, trained.directories, lambda: self.view
        )

    @cached_property
    def bundle(self) -> Bundle:
        """The candidate as a bundle; published or not."""
        evaluated, sampled = self.evaluated, self.reference
        before = {one.id for one in BundleStore(self.settings.paths.bundles).bundles()}
        with self.stages.stage("bundle") as stage:
            written = bundled(
                self.settings,
                self.candidate,
                sampled.path,
                self.dataset,
                self.cut,
                self.content.encoder,
                evaluated.path,
                {one.name: one.seconds for one in self.stages.finished},
            )
            stage.done(str(written.path), reused=written.id in before)
        return written

    @cached_property
    def gated(self) -> Output:
        """Whether the bundle may be published; see `verdict`."""
        inputs = {**self._learned_from(), "evaluated": self.evaluated.digest}
        rival, remark = rival_of(self.store, self.bundle.id)
        return gate(
            self.engine,
            inputs,
            self.dataset,
            self.content,
            self.cut,
            self.evaluated.path,
            rival,
            remark,
        )

    @property
    def verdict(self) -> Verdict:
        """What the gate said."""
        return read_verdict(self.gated.path)

    @cached_property
    def published(self) -> Bundle:
        """The bundle, published.

        Raises:
            GateError: the gate did not let it through; the sentences say why.
        """
        bundle, verdict = self.bundle, self.verdict
        with self.stages.stage("publish") as stage:
            stood = publish(self.store, bundle, verdict)
            stage.done(f"bundle {bundle.id}", reused=stood)
        return bundle

    @cached_property
    def store(self) -> BundleStore:
        """Where bundles lie, and what is published: in the object store, where there is one."""
        paths, remote = self.settings.paths, self.settings.remote
        if remote.url is None:
            return BundleStore(paths.bundles)
        return SharedStore.at(paths.bundles, remote)

    def generate_share(self, shard: int) -> int:
        """Write one share of a world's days; a real log is imported whole.

        Returns:
            How many days were written here.
        """
        settings = self.settings
        if settings.datasets.source != "world":
            return 0
        directory = datasets_directory(settings.paths.work)
        shards = settings.pipeline.shards
        return len(generate_share(settings.world, settings.seed, directory, shard, shards))

    def encode_share(self, shard: int) -> int:
        """Encode one share of the videos.

        Returns:
            How many texts were encoded here.
        """
        settings = self.settings
        shards = settings.pipeline.shards
        return encode_share(self.dataset, settings.encoders, settings.paths.cache, shard, shards)

    def _learned_from(self) -> dict[str, str]:
        return {"data": self.dataset.record.digest, "content": self.content.digest}


def _candidate(parts: Mapping[str, Output]) -> Candidate:
    told = repr(sorted((name, part.digest) for name, part in parts.items()))
    return Candidate(
        {name: part.path for name, part in parts.items()},
        hashlib.sha256(told.encode()).hexdigest(),
    )


def expect(step: str, found: str, wanted: str) -> None:
    """Hold that a step's output is the one that an earlier task of the same run has seen.

    Raises:
        RefusedError: somebody has made it anew meanwhile.
    """
    if found != wanted:
        raise RefusedError(
            f"the output of step {step} has changed since the run began ({found[:12]}, not "
            f"{wanted[:12]}); start the run again, and give runs of other settings another "
            "directory"
        )
