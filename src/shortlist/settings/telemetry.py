"""What servers say of themselves."""

from typing import Literal

from pydantic import Field

from shortlist.settings.base import Branch


class TelemetrySettings(Branch):
    """Logs of servers."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning",
        description="Least level of log lines; `info` writes a line for every request.",
    )
