"""What goes past the application, and what does not."""

import asyncio

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from model_handlers.transformer.front import Front


def named(name):
    async def endpoint(request):
        body = await request.body()
        return PlainTextResponse(f"{name} {body.decode()}")

    return endpoint


def asked(front, method, path):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"said", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
    }
    asyncio.run(front(scope, receive, send))
    return sent[0]["status"], sent[1]["body"].decode()


def test_a_path_without_parameters_goes_past_the_application_and_others_do_not():
    routes = [
        Route("/v1/pages", named("ours"), methods=["POST"]),
        Route("/v1/users/{id}", named("ours"), methods=["GET"]),
    ]
    behind = Starlette(
        routes=[
            Route("/v1/pages", named("theirs"), methods=["POST"]),
            Route("/v1/users/{id}", named("theirs"), methods=["GET"]),
        ]
    )
    front = Front(behind, routes)

    assert asked(front, "POST", "/v1/pages") == (200, "ours said")
    assert asked(front, "GET", "/v1/users/7") == (200, "theirs said")
    assert asked(front, "GET", "/v1/pages")[0] == 405
    assert asked(front, "GET", "/v1/other")[0] == 404
