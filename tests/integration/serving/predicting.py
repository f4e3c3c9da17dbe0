"""A predictor in a process of its own, without TorchServe: quick to start, kill and misuse.

``python predicting.py BUNDLES PORT``; ``POST /refuse`` with a kind of refusal makes it refuse all
further requests so, and with an empty body answer again.
"""

import sys
from pathlib import Path

from aiohttp import web

from shortlist.bundle import BundleStore
from shortlist.serving.bundles import Bundles
from shortlist.serving.predictor import Predictor, RankingParts
from shortlist.wire.rank import PATH
from shortlist.wire.refusals import REFUSALS, encode_refusal


def main() -> None:
    """Serve until killed."""
    root, port = Path(sys.argv[1]), int(sys.argv[2])
    bundles: Bundles[RankingParts] = Bundles(
        BundleStore(root), RankingParts.of_bundle, poll_seconds=0.1
    )
    bundles.start()
    bundles.wait(60)
    predictor = Predictor(bundles)
    refusing: list[str] = []

    async def predict(request: web.Request) -> web.Response:
        body = await request.read()
        if refusing:
            status, told = encode_refusal(REFUSALS[refusing[0]]("on purpose"))
            return web.Response(status=status, body=told)
        reply = predictor.reply(body)
        return web.Response(status=reply.status, body=reply.body)

    async def refuse(request: web.Request) -> web.Response:
        refusing[:] = [kind] if (kind := (await request.read()).decode()) else []
        return web.Response()

    app = web.Application(client_max_size=1 << 21)
    app.router.add_post("/refuse", refuse)
    app.router.add_post(PATH.replace(":", "{colon:[:]}"), predict)
    web.run_app(app, host="127.0.0.1", port=port, print=None, handle_signals=True)


if __name__ == "__main__":
    main()
