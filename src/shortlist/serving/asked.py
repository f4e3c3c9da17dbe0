"""One request on its way to a page: what was asked, when, and what is known of who asks."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shortlist.datasets.interactions import Ints
from shortlist.online.packing import digest
from shortlist.online.store import UserState
from shortlist.serving.budget import Budget
from shortlist.wire.causes import Cause
from shortlist.wire.recommend import RecommendRequest


@dataclass(frozen=True)
class Asked:
    """A request, and what came with it.

    Attributes:
        request: of the client.
        id: of the page to be made.
        at: when it was asked for, in seconds since 1970-01-01.
        budget: of its time.
        state: what the store knows of the user.
        failed: why the store knows nothing, where it is to blame; None where it answered.
        trace: the W3C ``traceparent`` of the caller.
    """

    request: RecommendRequest
    id: str
    at: float
    budget: Budget
    state: UserState
    failed: Cause | None = None
    trace: str | None = None

    @property
    def session(self) -> str:
        """As the client calls it; empty is a session too."""
        return self.request.session_id or ""

    @property
    def first(self) -> int:
        """Videos that the session has shown already."""
        return self.state.shown_before + len(self.state.shown)

    @cached_property
    def shape(self) -> int:
        """What shapes a ranked list besides user and bundle, as a number.

        The context is left out: half an hour of one session sees it change, and its list stays
        good. Exclusions are left out too, since they are applied when a page is drawn.
        """
        parts = [(self.request.experiment or "").encode(), *([b"again"] * self.request.again)]
        return digest(*parts)

    @cached_property
    def exclude(self) -> Ints:
        """Ids that the client will not have, int64 [e]."""
        return np.array(self.request.exclude, np.int64)
