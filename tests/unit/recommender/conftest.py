"""The parts of the stand-in, opened, and requests of its users."""

from collections.abc import Callable

import numpy as np
import pytest

from shortlist.datasets.events import Events, Histories
from shortlist.datasets.interactions import TrainingView
from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.ranker.profile import declared
from shortlist.recommender.parts import Parts
from shortlist.recommender.request import Request


@pytest.fixture(scope="session")
def parts(trained) -> Parts:
    return Parts.open(trained.directories)


@pytest.fixture(scope="session")
def view(trained) -> TrainingView:
    return trained.view


@pytest.fixture(scope="session")
def request_of(view) -> Callable[..., Request]:
    """The request of a user as the judge would make it; 0 is the busiest user, 1 the next."""
    histories = Histories.from_log(view.log, len(view.users))
    said = declared(view.users, view.catalogue)

    busiest = np.argsort(-np.bincount(view.log.user, minlength=len(view.users)), kind="stable")

    def make(rank: int, **changes: object) -> Request:
        user = int(busiest[rank])
        events: Events = histories.of(user)
        values = {
            "history": events,
            "declared": said[user],
            "excluded": np.unique(events.video),
            "context": np.linspace(-1, 1, CONTEXT_WIDTH, dtype=np.float32),
        }
        return Request(**(values | changes))  # type: ignore[arg-type]

    return make
