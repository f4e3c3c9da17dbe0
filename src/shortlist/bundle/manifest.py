"""What ``bundle.json`` says: every file by its hash, what shaped them, and the id made of both.

The id is a hash of the manifest without the model card, in canonical JSON. So equal ids mean equal
bytes made of equal data and settings, whatever the day, the host and the directories were.
"""

import datetime as dt
import hashlib
import itertools
import json
import re
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

SCHEMA_VERSION: Final = 1
MANIFEST: Final = "bundle.json"
CARD: Final = "model_card.md"
RUN: Final = "run.json"
RESERVED: Final = frozenset({MANIFEST, CARD, RUN})

# 128 bits: no two bundles ever share them by chance, and a Kubernetes label (63 signs) holds them.
ID_LENGTH: Final = 32
SHORT_LENGTH: Final = 12
_RANKER_SEED: Final = "ranker.seed"
_PART: Final = re.compile(r"[a-z][a-z0-9_]*")
_ID: Final = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\\]")


def _is_inside(path: str) -> str:
    names = path.split("/")
    if len(names) < 2 or not is_part(names[0]):
        raise ValueError(f"{path!r} does not lie in a part of the bundle")
    if any(name in ("", ".", "..") for name in names) or _CONTROL.search(path):
        raise ValueError(f"{path!r} is no plain path inside the bundle")
    return path


def _by_name(values: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(values.items()))


PartPath = Annotated[str, AfterValidator(_is_inside)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
BundleId = Annotated[str, Field(pattern=rf"^[0-9a-f]{{{ID_LENGTH}}}$")]
Count = Annotated[int, Field(ge=0)]


class _Checked(BaseModel):
    """Checked when it is made, trusted afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class BundleFile(_Checked):
    """One file of a part."""

    path: PartPath
    """Relative to the bundle, with slashes; its first name is the part."""
    size: Count
    """Bytes."""
    sha256: Sha256


class DataFacts(_Checked):
    """Which log the bundle was made of, and where that was cut."""

    name: str
    digest: str
    """Hash over all files of the dataset."""
    users: Count
    videos: Count
    impressions: Count
    first_day: dt.date
    last_day: dt.date
    fitted_to: dt.date
    """Last day that a model was fitted to."""
    tuned_from: dt.date | None = None
    """First day at the tail of the fitted days on which models were tuned."""
    judged_from: dt.date | None = None
    """First day on which the models were judged; None where nothing was held out."""


class BundleRecord(_Checked):
    """What whoever writes a bundle knows of it beside its files; all of it enters the id."""

    data: DataFacts
    encoder: str
    """Key of the encoder that made the content vectors."""
    seed: Annotated[int, Field(ge=0)]
    settings: Annotated[dict[str, str], AfterValidator(_by_name)]
    """Settings that shape the files, as text by dotted name; see `bundle.shaping`."""
    measured: Annotated[dict[str, float], AfterValidator(_by_name)] = Field(default_factory=dict)
    """Figures of the content by name (the recall of an index); never a time or a speed."""
    headline: str | None = None
    """The name of the measured figure that lists show."""

    @property
    def seeds(self) -> str:
        """The seed, and that of the ranker's training where it had one of its own."""
        own = self.settings.get(_RANKER_SEED, "None")
        return f"{self.seed}" if own == "None" else f"{self.seed}, of the ranker's training {own}"

    @model_validator(mode="after")
    def _headline_is_measured(self) -> Self:
        if self.headline is not None and self.headline not in self.measured:
            raise ValueError(f"the headline {self.headline!r} is not among the measured figures")
        return self


class Contents(BundleRecord):
    """All that the id hashes."""

    schema_version: int = SCHEMA_VERSION
    files: tuple[BundleFile, ...]
    """Ascending by path."""

    @model_validator(mode="after")
    def _files_ascend(self) -> Self:
        paths = [file.path for file in self.files]
        if not paths:
            raise ValueError("files are missing")
        for before, after in itertools.pairwise(paths):
            if before >= after:
                raise ValueError(f"files do not ascend by path at {after!r}")
        return self

    @property
    def content_id(self) -> str:
        """The id: the first 128 bits, in hexadecimal, of the SHA-256 of the canonical JSON."""
        hashed = self.model_dump(mode="json", include=set(Contents.model_fields))
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, ascending."""
        return tuple(sorted({file.path.split("/")[0] for file in self.files}))

    @property
    def size(self) -> int:
        """Bytes of all files of the parts."""
        return sum(file.size for file in self.files)


class Manifest(Contents):
    """The whole of ``bundle.json``; one whose id is not that of its content cannot be made."""

    id: BundleId
    card_sha256: Sha256
    """Of the model card: outside the id, so that the id does not hang on words."""

    @model_validator(mode="after")
    def _id_is_of_content(self) -> Self:
        if self.id != self.content_id:
            raise ValueError(f"the id {self.id} is not that of the content ({self.content_id})")
        return self

    @classmethod
    def of(cls, contents: Contents, card_sha256: str) -> Self:
        """The manifest of ``contents``, with its id."""
        return cls(id=contents.content_id, card_sha256=card_sha256, **_fields(contents))

    @classmethod
    def parse(cls, wire: bytes) -> Self:
        """The manifest written as ``wire``.

        Raises:
            ValueError: it is not one, or not one that `wire` writes; the message says why.
        """
        try:
            version = json.loads(wire)["schema_version"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError("it is no manifest of a bundle") from error
        if version != SCHEMA_VERSION:
            raise ValueError(
                f"it has schema version {version!r}, this Shortlist reads {SCHEMA_VERSION}"
            )
        try:
            manifest = cls.model_validate_json(wire)
        except ValidationError as error:
            raise ValueError(_violation(error)) from error
        if manifest.wire() != wire:
            raise ValueError("its text was edited")
        return manifest

    def wire(self) -> bytes:
        """The bytes of ``bundle.json``: the same for equal manifests."""
        values = self.model_dump(mode="json")
        first = ("schema_version", "id", "card_sha256")
        ordered = {name: values.pop(name) for name in first} | values
        return (json.dumps(ordered, indent=2, ensure_ascii=False) + "\n").encode()


def is_part(name: str) -> bool:
    """Whether a part may be called so: small letters, digits and underlines.

    >>> is_part("recall"), is_part("../recall")
    (True, False)
    """
    return _PART.fullmatch(name) is not None


def is_id(text: str) -> bool:
    """Whether a text has the form of an id.

    >>> is_id("0123456789abcdef0123456789abcdef"), is_id("current")
    (True, False)
    """
    return _ID.fullmatch(text) is not None


def shortened(bundle_id: str) -> str:
    """An id as tables show it.

    >>> shortened("0123456789abcdef0123456789abcdef")
    '0123456789ab'
    """
    return bundle_id[:SHORT_LENGTH]


def figure_text(value: float) -> str:
    """A measured figure as tables show it, in four digits; what falls short of 1 never reads as 1.

    >>> figure_text(0.99996), figure_text(1.0), figure_text(0.123456)
    ('0.9999', '1', '0.1235')
    """
    text = f"{value:.4g}"
    return "0.9999" if value < 1 and text == "1" else text


def _fields(contents: Contents) -> dict[str, Any]:
    return {name: getattr(contents, name) for name in Contents.model_fields}


def _violation(error: ValidationError) -> str:
    detail = error.errors()[0]
    place = ".".join(str(part) for part in detail["loc"])
    reason = detail["msg"].removeprefix("Value error, ")
    return f"{place}: {reason[:1].lower()}{reason[1:]}" if place else reason
