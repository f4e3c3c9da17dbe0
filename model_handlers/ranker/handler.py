"""What TorchServe calls in each worker: it hands bodies to the predictor and sends what it returns.

This file alone travels in the archive; TorchServe imports it by its name, outside of any package,
and wants exactly one class in it.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from model_handlers.ranker.figures import Figures, hush
from shortlist.bundle import BundleStore
from shortlist.serving.bundles import Bundles
from shortlist.serving.predictor import Predictor, RankingParts
from shortlist.serving.siblings import Siblings
from shortlist.settings import load


class RankerHandler:
    """One worker: the bundles that it follows, and the predictor on them."""

    def initialize(self, context: Any) -> None:
        """Load the bundle to serve, waiting for one, and follow the pointer from now on.

        A worker that finds none ends by this exception, and TorchServe starts another: it never
        says that it is ready before it is.

        Raises:
            NotFoundError: there was none to serve in time.
        """
        settings = load(environ=os.environ).settings
        serving = settings.serving
        hush()
        siblings = _siblings(context) if serving.predictor_workers > 1 else None
        self._bundles = Bundles(
            BundleStore(settings.paths.bundles),
            RankingParts.of_bundle,
            pinned=serving.bundle,
            poll_seconds=serving.poll_seconds,
            linger_seconds=serving.linger_seconds,
            holding=(lambda _: None) if siblings is None else siblings.tell,
        )
        self._bundles.start()
        self._bundles.wait(0.8 * serving.predictor_start_seconds)
        self._predictor = Predictor(self._bundles, siblings)
        self._figures = Figures(context) if serving.predictor_metrics else None

    def handle(self, data: Sequence[Mapping[str, Any]], context: Any) -> list[bytes]:
        """Answer each body; what is wrong with one is its own answer's status."""
        bodies = []
        for place, request in enumerate(data):
            reply = self._predictor.reply(_body(request))
            context.set_response_status(code=reply.status, idx=place)
            context.set_response_content_type(place, "application/json")
            if self._figures is not None:
                self._figures.add(reply)
            bodies.append(reply.body)
        return bodies


def _siblings(context: Any) -> Siblings:
    """Of the model's directory, which all workers of a server have, and no other server."""
    return Siblings(Path(context.system_properties["model_dir"]))


def _body(request: Mapping[str, Any]) -> bytes | bytearray:
    """The raw body; nothing where the request was a form, or had none."""
    body = request.get("body")
    return body if isinstance(body, bytes | bytearray) else b""
