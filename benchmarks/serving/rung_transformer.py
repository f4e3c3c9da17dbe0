"""The transformer, wired as a rung of the ladder has it: a variable names what is naive.

``features``: candidates' content vectors cross as JSON numbers; ``sdk``: the predictor is asked by
KServe's own client; ``encoding``: a stored user vector is never taken, the history is encoded for
each request. What is not named is the product's.
"""

import os
import sys
from typing import Any, Final

import numpy as np
import orjson
from kserve.inference_client import InferenceRESTClient, RESTConfig

from benchmarks.serving.running import NAIVE
from model_handlers.transformer import starting
from shortlist.bundle import BundleStore
from shortlist.recommender.items import CONTENT
from shortlist.serving import asker, service
from shortlist.serving.budget import Budget
from shortlist.serving.client import PredictorClient
from shortlist.settings import load
from shortlist.wire.rank import RankAnswer, RankRequest, decode_answers, encode_requests

_ARRAYS: Final = (
    *("candidates", "history_video", "history_kind", "history_day", "profile", "context"),
    "session",
)
_DIGITS: Final = 4
"""After the point: all that half precision knows."""


def with_features(request: RankRequest, content: np.ndarray) -> dict[str, Any]:
    """The body that says everything in JSON."""
    rows = content[request.candidates].astype(np.float64)
    told: dict[str, Any] = {
        "bundle": request.bundle,
        "budget_ms": request.budget_ms,
        "day": request.day,
        "features": rows.round(_DIGITS).tolist(),
    }
    told |= {name: getattr(request, name).tolist() for name in _ARRAYS}
    return {"instances": [told]}


class SdkClient(PredictorClient):
    """Asks the predictor as KServe's models do by default."""

    content: np.ndarray | None = None
    """Of all videos, where it crosses."""

    async def _answered(
        self,
        request: RankRequest,
        budget: Budget,  # noqa: ARG002  nobody is hurried here
        reserve_ms: float,  # noqa: ARG002
    ) -> RankAnswer:
        if not hasattr(self, "_sdk"):
            self._sdk = InferenceRESTClient(RESTConfig(protocol="v1", timeout=600))
        if self.content is None:
            body = orjson.loads(encode_requests([request]))
        else:
            body = with_features(request, self.content)
        base = self._url.removesuffix("/v1/models/ranker:predict")
        told = await self._sdk.infer(base, body, model_name="ranker")
        return decode_answers(200, orjson.dumps(told), [request])[0]


def wire(naive: set[str]) -> None:
    """Put what is naive in the place of what is ours.

    Args:
        naive: names as above.

    Raises:
        ValueError: what crosses as JSON needs the SDK's client here.
    """
    if "encoding" in naive:
        asker.fresh = lambda *_: None
    if "features" in naive:
        if "sdk" not in naive:
            raise ValueError("features cross by the SDK's client")
        settings = load(environ=os.environ).settings
        bundle = BundleStore(settings.paths.bundles).serving(settings.serving.bundle, verify=False)
        SdkClient.content = np.load(bundle.part("items") / CONTENT, mmap_mode="r")
    if "sdk" in naive:
        service.PredictorClient = SdkClient


if __name__ == "__main__":
    wire(set(filter(None, os.environ[NAIVE].split(","))))
    sys.exit(starting.main(sys.argv[1:]))
