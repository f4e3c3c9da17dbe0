"""What somebody who has just started the service needs to know of it."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from model_handlers.local.plan import Plan
from shortlist.serving.supervisor import Part
from shortlist.wire.events import EVENTS_PATH
from shortlist.wire.recommend import V1_PATH


def table(plan: Plan, bundle: str, directory: Path, parts: Sequence[Part], user: int) -> Table:
    """Where things are.

    Args:
        plan: what runs.
        bundle: id of the one that is served.
        directory: of data and logs.
        parts: that run.
        user: somebody whose page may be looked at.
    """
    settings = plan.settings
    made = Table(show_header=False, title="the service runs")
    made.add_row("page in the browser", Text(feed_address(plan, user)))
    made.add_row("bundle", bundle)
    made.add_row("predictor", Text(settings.serving.predictor_url or ""))
    made.add_row("redis", Text(settings.online.url))
    made.add_row("metrics, API", Text(f"{plan.address}/metrics, {plan.address}/openapi.json"))
    for part in parts:
        made.add_row(f"log of {part.name}", Text(str(part.log)))
    made.add_row("data and logs", Text(str(directory)))
    made.add_row("to stop", "Ctrl-C")
    return made


def feed_address(plan: Plan, user: int) -> str:
    """Address of the page in the browser.

    The key stands in the fragment, which a browser sends nobody.
    """
    key = "" if plan.key is None else f"#key={plan.key}"
    return f"{plan.address}/?viewer={user}{key}"


def examples(plan: Plan, user: int, video: int) -> list[RenderableType]:
    """Requests that can be copied into a shell, a line each."""
    page = json.dumps({"instances": [{"user_id": user, "page_size": 10}]})
    event = json.dumps(
        {"events": [{"event_id": "ID", "user_id": user, "video_id": video, "kind": "click"}]}
    )
    # The shell writes the time, and by it an id that is new each second.
    event = event.replace('"ID"', "\"e-'$(date +%s)'\"").replace(
        '"click"', '"click", "at": \'$(date +%s)\''
    )
    return [
        f"a page:    curl -s {plan.address}{V1_PATH} -d '{page}'",
        f"an event:  curl -s {plan.address}{EVENTS_PATH}{_key(plan)} -d '{event}'",
    ]


def _key(plan: Plan) -> str:
    if not plan.settings.serving.guarded:
        return ""
    return f" -H 'authorization: Bearer {plan.key or 'KEY'}'"
