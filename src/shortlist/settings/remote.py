"""Which object store bundles are shared through, where the machines of a service share no disk."""

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from shortlist.settings.base import Branch

_IN_BUCKET: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._=-]+)*/?")
_IN_DIRECTORY: Final = re.compile(r"file:///[^?#]*")


def _place(url: str) -> str:
    if _IN_DIRECTORY.fullmatch(url) is None and _IN_BUCKET.fullmatch(url) is None:
        raise ValueError(
            "write s3://BUCKET/PREFIX or file:///DIRECTORY; keys go into the variables "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return url.rstrip("/")


class RemoteSettings(Branch):
    """Place of the object store and patience with it; its keys come from AWS's variables alone."""

    url: Annotated[str, AfterValidator(_place)] | None = Field(
        None,
        description="Where bundles are shared: `s3://BUCKET/PREFIX`, or `file:///DIRECTORY`. "
        "Default: nowhere, they lie in `paths.bundles` alone.",
    )
    endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^/?#@\s]+$",
        description="Where a store that speaks S3 answers: `https://HOST:PORT`, or `http://`. "
        "Default: AWS's own.",
    )
    region: str | None = Field(
        None,
        pattern=r"^[a-z0-9-]+$",
        description="Region of the bucket. Default: that of AWS_REGION, else us-east-1.",
    )
    tls_ca: Path | None = Field(
        None, description="Certificates that may sign the store's; without them, the system's."
    )
    timeout_seconds: float = Field(
        5.0,
        ge=0.1,
        le=600,
        description="Seconds to wait for a connection to the store, at each attempt.",
    )
    attempts: int = Field(
        3, ge=1, le=20, description="How often one call of the store is tried before it fails."
    )
    poll_seconds: float = Field(
        5.0,
        ge=0.1,
        le=3_600,
        description="Seconds between two looks of `shortlist bundle pull --follow` at the store.",
    )
