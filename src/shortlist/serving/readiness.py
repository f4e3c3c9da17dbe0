"""Whether TorchServe's workers are really ready, asked of its management.

Its own `/ping` and `/v1/models/...` say healthy while workers crash again and again. Management
stays on 127.0.0.1, so a probe in a cluster is a program that runs inside the pod; this module loads
nothing but the standard library, so that it costs little every few seconds.
"""

import http.client
import json
from typing import Final

MODEL: Final = "ranker"
_READY: Final = "READY"
_SECONDS: Final = 2.0


def why_not_ready(port: int, *, model: str = MODEL, seconds: float = _SECONDS) -> str | None:
    """None where every worker is ready, else what is not.

    Args:
        port: of the management, on 127.0.0.1.
        model: whose workers.
        seconds: to wait for an answer.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", f"/models/{model}")
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"management at 127.0.0.1:{port} does not answer ({error})"
    finally:
        connection.close()
    if answer.status != 200:
        return f"model {model} is not there (HTTP {answer.status})"
    return _unready(body)


def _unready(body: bytes) -> str | None:
    """The same from what management describes: a list of versions, each with its workers.

    >>> _unready(b'[{"minWorkers": 1, "workers": [{"id": "9000", "status": "READY"}]}]')
    >>> _unready(b'[{"minWorkers": 1, "workers": [{"id": "9000", "status": "UNLOADING"}]}]')
    'worker 9000 is UNLOADING'
    >>> _unready(b'[{"minWorkers": 2, "workers": [{"id": "9000", "status": "READY"}]}]')
    '1 of 2 workers are there'
    """
    try:
        (described,) = json.loads(body)
        workers, wanted = described["workers"], int(described["minWorkers"])
        states = [(worker["id"], worker["status"]) for worker in workers]
    except (ValueError, KeyError, TypeError) as error:
        return f"management answers something else than a model ({error!r})"
    for name, state in states:
        if state != _READY:
            return f"worker {name} is {state}"
    if len(states) < max(wanted, 1):
        return f"{len(states)} of {max(wanted, 1)} workers are there"
    return None
