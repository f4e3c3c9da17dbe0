"""One request to the live service, a click, and the same request again: does the page change?"""

import http.client
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from rich.table import Table
from rich.text import Text

from model_handlers.local.plan import Plan
from shortlist.errors import ShortlistError, UnavailableError
from shortlist.wire.events import EVENTS_PATH
from shortlist.wire.recommend import V1_PATH
from shortlist.wire.videos import VIDEOS_PATH

if TYPE_CHECKING:
    from rich.console import RenderableType

Show = Callable[..., None]

_ASK_SECONDS: Final = 10.0
_WHOLE_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 0.5
_AGENT: Final = "shortlist-up"


def try_it(plan: Plan, user: int, show: Show) -> None:
    """Ask for a page, show it, click its first video, ask again, and show what changed.

    Args:
        plan: what runs.
        user: whose page.
        show: prints.

    Raises:
        UnavailableError: the service did not answer, or only with degraded pages.
        ShortlistError: the click changed nothing.
    """
    first = _page(plan, user)
    show(_table(plan, first, f"page of user {user}, by {plan.address}{V1_PATH}"), _took(first))
    clicked = first["videos"][0]
    _click(plan, user, first, clicked)
    second = _page(plan, user)
    ids = [video["video_id"] for video in first["videos"]]
    later = {video["video_id"] for video in second["videos"]}
    if clicked["video_id"] in later:
        raise ShortlistError(
            f"video {clicked['video_id']} was clicked and stands on the next page all the same"
        )
    title = f"page of user {user} after a click on video {clicked['video_id']}"
    new = len(later - set(ids))
    show(
        _table(plan, second, title, before=ids),
        _took(second),
        f"The click changed the page: {new} of {len(later)} videos are new on it.",
    )


def _page(plan: Plan, user: int) -> dict[str, Any]:
    """A page that is not degraded: what has just started is asked more than once."""
    ends = time.monotonic() + _WHOLE_SECONDS
    while True:
        # Sessions never repeat a video: in one of its own a page changes by the click alone.
        asked = {"user_id": user, "session_id": f"{uuid.uuid4()}"}
        answer = _ask(plan, "POST", V1_PATH, {"instances": [asked]})
        page: dict[str, Any] = answer["predictions"][0]
        if not page["degraded"] and page["videos"]:
            return page
        if time.monotonic() >= ends:
            why = ", ".join(page["degraded_by"]) or "no video"
            raise UnavailableError(
                f"every page was degraded for {_WHOLE_SECONDS:.0f} s: {why}; the machine may be "
                "too busy: raise serving.budget_ms"
            )
        time.sleep(_AGAIN_SECONDS)


def _click(plan: Plan, user: int, page: Mapping[str, Any], video: Mapping[str, Any]) -> None:
    event = {
        "event_id": f"{uuid.uuid4()}",
        "user_id": user,
        "video_id": video["video_id"],
        "kind": "click",
        "at": time.time(),
        "request_id": page["request_id"],
        "position": video["position"],
        "propensity": video["propensity"],
    }
    (receipt,) = _ask(plan, "POST", EVENTS_PATH, {"events": [event]})["events"]
    if receipt["status"] != "accepted":
        raise ShortlistError(f"the click was not accepted: {receipt['status']}")


def _table(
    plan: Plan, page: Mapping[str, Any], title: str, *, before: Sequence[int] | None = None
) -> Table:
    """The page; with the place of each video before, where there was a page before."""
    videos = page["videos"]
    ids = ",".join(str(video["video_id"]) for video in videos)
    known = {
        one["video_id"]: one for one in _ask(plan, "GET", f"{VIDEOS_PATH}?ids={ids}")["videos"]
    }
    columns = ["", "video", "title", "tags", "creator", "why", "from", "score", "odds"]
    table = Table(*columns, *([] if before is None else ["before"]), title=title)
    for column in table.columns[7:]:
        column.justify = "right"
    for place, video in enumerate(videos, 1):
        card = known.get(video["video_id"], {})
        creator = card.get("creator_id")
        cells: list[RenderableType] = [
            f"{place}",
            f"{video['video_id']}",
            Text(card.get("title") or ""),
            Text(", ".join(card.get("tags", ()))),
            "" if creator is None else f"{creator}",
            Text(video["reason"]),
            " ".join(video["source"]),
            f"{video['score']:.3f}",
            f"{video['propensity']:.3g}",
        ]
        if before is not None:
            seen = video["video_id"] in before
            cells.append(f"{before.index(video['video_id']) + 1}" if seen else "new")
        table.add_row(*cells)
    return table


def _took(page: Mapping[str, Any]) -> str:
    stages = ", ".join(f"{name} {ms:.1f} ms" for name, ms in page["timings_ms"].items())
    return f"{stages}; bundle {page['bundle']}"


def _ask(plan: Plan, method: str, path: str, body: object = None) -> Any:
    """The answer of the service, as JSON.

    Raises:
        UnavailableError: there is none, or it is a refusal.
    """
    address = urlsplit(plan.address)
    headers = {"content-type": "application/json", "user-agent": _AGENT}
    if plan.key is not None:
        headers["authorization"] = f"Bearer {plan.key}"
    told = None if body is None else json.dumps(body).encode()
    connection = http.client.HTTPConnection(
        address.hostname or "", address.port, timeout=_ASK_SECONDS
    )
    try:
        connection.request(method, path, told, headers)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"{method} {plan.address}{path}: {error}") from error
    finally:
        connection.close()
    if answer.status != 200:
        said = " ".join(text.decode("utf-8", "replace").split())
        raise UnavailableError(f"{method} {plan.address}{path} answers {answer.status}: {said}")
    return json.loads(text)
