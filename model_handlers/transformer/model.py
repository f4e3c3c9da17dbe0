"""The model that KServe knows: requests in, pages out; the work is the service's."""

import dataclasses
from typing import Any

from kserve import Model

from shortlist.serving.service import Service
from shortlist.wire.recommend import MODEL, Page, RecommendRequest
from shortlist.wire.tensors import INPUTS, OUTPUTS

Requests = tuple[RecommendRequest, ...]


class ShortlistModel(Model):  # type: ignore[misc]
    """Pages by KServe's protocols.

    Predicting asks the predictor by a client of our own: the SDK's costs more than a millisecond a
    call, and far more under load.
    """

    def __init__(self, service: Service, name: str = MODEL) -> None:
        super().__init__(name)
        self._service = service
        # KServe takes no model that is not ready. Who asks over HTTP is told by `healthy`.
        self.ready = True

    async def healthy(self) -> bool:
        """Whether pages can be made."""
        return self._service.why_not_ready() is None

    def load(self) -> bool:
        """Whether pages can be made; KServe asks for a load where they cannot."""
        return self._service.why_not_ready() is None

    def get_input_types(self) -> list[dict[str, Any]]:
        """The tensors that V2 takes."""
        return [dataclasses.asdict(one) for one in INPUTS]

    def get_output_types(self) -> list[dict[str, Any]]:
        """The tensors that V2 gives."""
        return [dataclasses.asdict(one) for one in OUTPUTS]

    async def predict(
        self,
        payload: Requests,
        headers: dict[str, str] | None = None,
        response_headers: dict[str, str] | None = None,  # noqa: ARG002
    ) -> list[Page]:
        """Make a page for each request."""
        return await self._service.recommender.pages(payload, (headers or {}).get("traceparent"))
