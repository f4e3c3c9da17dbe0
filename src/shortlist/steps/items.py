"""The items step: what row numbers and columns of a bundle refer to, and vectors of the videos."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.declared import Vocabulary
from shortlist.datasets.interactions import Floats
from shortlist.datasets.store import Dataset
from shortlist.recommender.items import write_items
from shortlist.steps.engine import Engine
from shortlist.steps.output import Output
from shortlist.steps.step import Step

ITEMS: Final = Step(
    "items", sources=("datasets", "recommender/items.py", "steps/items.py"), settings=()
)


def items(engine: Engine, inputs: Mapping[str, str], dataset: Dataset, content: Floats) -> Output:
    """Write the part, or find it.

    Args:
        engine: runs the step.
        inputs: digests of the data and of the content vectors.
        dataset: whose videos.
        content: their vectors, float32 [n_videos, width].

    Raises:
        StorageError: the disk refused.
    """

    def body(into: Path, _: Path) -> str:
        videos, users = dataset.videos(), Users.from_table(dataset.users())
        vocabulary = Vocabulary.of(users, Catalogue.from_table(videos))
        write_items(videos, content, vocabulary, into)
        return f"{len(content):,} videos, {len(vocabulary):,} things that users declare"

    return engine.run(ITEMS, inputs, body)
