"""Bodies that a client spoils: something is wrong with each, and what it is is drawn."""

import json
import random
from collections.abc import Iterator

UNKNOWN_VIDEO = 10**15
PATHS = (
    "/v1/models/shortlist:predict",
    "/v2/models/shortlist/infer",
    "/v2/models/shortlist/infer",
    "/v1/events",
)
BODIES = (
    {"instances": [{"user_id": 7, "page_size": 5, "context": {"wifi": 1}, "exclude": [1, 2]}]},
    {
        "id": "mine",
        "inputs": [
            {"name": "user_id", "shape": [1], "datatype": "INT64", "data": [7]},
            {"name": "page_size", "shape": [1], "datatype": "INT64", "data": [5]},
        ],
    },
    # More users than one body may have, in one row.
    {
        "inputs": [
            {
                "name": "user_id",
                "shape": [300, 1],
                "datatype": "INT64",
                "data": [[*range(300)]],
            }
        ]
    },
    {
        "events": [
            {
                "event_id": "one",
                "user_id": 7,
                "video_id": UNKNOWN_VIDEO,
                "kind": "watch",
                "at": "2026-01-31T12:00:00Z",
                "watch_seconds": 3.5,
                "position": 2,
            }
        ]
    },
)
WRONG = (None, True, -1, 0.5, "", "x" * 70, [], {}, [[]], 2**63, 1e300, {"a": 1}, "2026", "\ud800")


def spoilt(draw: random.Random, body: object) -> bytes:
    """A body with something wrong: other signs, another type somewhere, another name, an end."""
    kind = draw.randrange(4)
    if kind == 0:
        raw = bytearray(json.dumps(body).encode())
        for _ in range(draw.randint(1, 4)):
            place = draw.randrange(len(raw))
            match draw.randrange(3):
                case 0:
                    raw[place] = draw.randrange(256)
                case 1:
                    del raw[place]
                case _:
                    raw[place:place] = draw.choice([b"nan", b"-", b'"', b"[", b"1e400", b"\xff"])
        return bytes(raw)
    if kind == 1:
        raw = bytearray(json.dumps(body).encode())
        return bytes(raw[: draw.randrange(len(raw))])
    copied = json.loads(json.dumps(body))
    places = list(inside(copied))
    holder, key = draw.choice(places)
    if kind == 2:
        holder[key] = draw.choice(WRONG)
    elif isinstance(holder, dict):
        holder[f"{key}s"] = holder.pop(key)
    else:
        holder[key] = [holder[key]]
    return json.dumps(copied).encode()


def inside(value: object) -> Iterator[tuple]:
    """Every place of a JSON value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
    for key, one in list(entries):
        yield value, key
        if isinstance(one, dict | list):
            yield from inside(one)
