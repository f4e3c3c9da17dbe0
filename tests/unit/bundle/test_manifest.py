"""The wire format of ``bundle.json``, and what its id hangs on.

After a change that was decided (and a new schema version), write the golden file anew with
`python tests/unit/bundle/test_manifest.py`.
"""

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from shortlist.bundle import BundleRecord, DataFacts, Manifest
from shortlist.bundle.manifest import BundleFile, Contents

GOLDEN = Path(__file__).with_name("bundle.golden.json")
FACTS: dict[str, Any] = {
    "name": "world",
    "digest": "d" * 64,
    "users": 300,
    "videos": 600,
    "impressions": 24_000,
    "first_day": dt.date(2026, 1, 5),
    "last_day": dt.date(2026, 1, 18),
    "fitted_to": dt.date(2026, 1, 14),
    "tuned_from": None,
    "judged_from": dt.date(2026, 1, 15),
}
FILES = (
    BundleFile(path="items/videos.parquet", size=3, sha256="a" * 64),
    BundleFile(path="ranker/prerank.onnx", size=0, sha256="b" * 64),
)
VALUES: dict[str, Any] = {
    "data": DataFacts(**FACTS),
    "encoder": "hashing-768",
    "seed": 7,
    "settings": {"slate.size": "10", "encoders.model": "k\u00e4tzchen \N{CAT FACE}"},
    "measured": {"recall@1000": 0.5, "catalogue": 600.0},
    "headline": "recall@1000",
    "files": FILES,
}
CARD = "c" * 64


def manifest(**changes: Any) -> Manifest:
    return Manifest.of(Contents(**(VALUES | changes)), CARD)


def test_the_wire_format_is_the_golden_file():
    assert manifest().wire() == GOLDEN.read_bytes()


def test_what_is_written_is_read_back():
    assert Manifest.parse(manifest().wire()) == manifest()


def test_the_id_is_the_hash_of_everything_but_id_and_card_in_canonical_json():
    values = json.loads(manifest().wire())
    assert values.pop("card_sha256") == CARD
    found = values.pop("id")
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode("utf-8")).hexdigest()[:32] == found


OTHERS: list[tuple[str, Any]] = [
    *(
        ("data", DataFacts(**(FACTS | {name: other})))
        for name, other in {
            "name": "word",
            "digest": "e" * 64,
            "users": 301,
            "videos": 601,
            "impressions": 24_001,
            "first_day": dt.date(2026, 1, 4),
            "last_day": dt.date(2026, 1, 19),
            "fitted_to": dt.date(2026, 1, 13),
            "tuned_from": dt.date(2026, 1, 12),
            "judged_from": None,
        }.items()
    ),
    ("encoder", "hashing-64"),
    ("seed", 8),
    ("settings", VALUES["settings"] | {"slate.size": "11"}),
    ("measured", VALUES["measured"] | {"recall@1000": 0.5000000000000001}),
    ("headline", None),
    ("files", FILES[:1]),
    ("files", (FILES[0], BundleFile(path="ranker/prerank.onnx", size=0, sha256="c" * 64))),
    ("files", (FILES[0], BundleFile(path="ranker/prerank.onnx", size=1, sha256="b" * 64))),
    ("files", (FILES[0], BundleFile(path="ranker/prerank2.onnx", size=0, sha256="b" * 64))),
]


def test_every_value_enters_the_id():
    ids = {manifest(**{name: other}).id for name, other in OTHERS}
    assert len(ids | {manifest().id}) == len(OTHERS) + 1
    covered = {name for name, _ in OTHERS} | {"schema_version"}
    assert covered == set(Contents.model_fields)
    assert set(FACTS) == set(DataFacts.model_fields)


def test_neither_the_order_of_names_nor_the_kind_of_number_enters_the_id():
    reversed_settings = dict(reversed(VALUES["settings"].items()))
    other = manifest(
        settings=reversed_settings, measured={"catalogue": 600, "recall@1000": np.float64(0.5)}
    )
    assert other.wire() == manifest().wire()


def test_the_card_changes_the_manifest_but_not_the_id():
    other = Manifest.of(Contents(**VALUES), "f" * 64)
    assert other.id == manifest().id
    assert other.wire() != manifest().wire()


@pytest.mark.parametrize(
    "path",
    [
        "../x/y",
        "items/../../x",
        "items/./x",
        "items//x",
        "items/",
        "/etc/passwd",
        "items\\x/y",
        "items/a\nb",
        "items/a\x00b",
        "bundle.json",
        "Items/x",
        ".staging-a/x",
        "",
    ],
)
def test_a_path_that_leaves_its_part_is_refused(path):
    with pytest.raises(ValidationError, match="path"):
        BundleFile(path=path, size=1, sha256="a" * 64)


@pytest.mark.parametrize(
    "changes",
    [
        {"files": ()},
        {"files": FILES[::-1]},
        {"files": (FILES[0], FILES[0])},
        {"measured": {"recall@1000": float("nan")}},
        {"measured": {"recall@1000": float("inf")}},
        {"measured": {}},
        {"seed": -1},
        {"seed": "7"},
        {"settings": {"slate.size": 10}},
        {"unknown": 1},
    ],
)
def test_what_is_not_a_manifest_cannot_be_made(changes):
    with pytest.raises(ValidationError):
        Contents(**(VALUES | changes))


def test_a_record_whose_headline_is_not_measured_cannot_be_made():
    values = {name: VALUES[name] for name in BundleRecord.model_fields}
    with pytest.raises(ValidationError, match="headline 'auc' is not among the measured"):
        BundleRecord(**(values | {"headline": "auc"}))


def wire_with(**changes: Any) -> bytes:
    values = json.loads(manifest().wire()) | changes
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"", "it is no manifest of a bundle"),
        (b"{", "it is no manifest of a bundle"),
        (b"[]", "it is no manifest of a bundle"),
        (b"{}", "it is no manifest of a bundle"),
        (b"\xff", "it is no manifest of a bundle"),
        (wire_with(schema_version=2), "it has schema version 2, this Shortlist reads 1"),
        (wire_with(schema_version="1"), "it has schema version '1', this Shortlist reads 1"),
        (wire_with(seed=8), "is not that of the content"),
        (wire_with(id="0" * 32), "is not that of the content"),
        (wire_with(id="../" + "0" * 29), "id: string should match pattern"),
        (wire_with(more=1), "more: extra inputs are not permitted"),
        (manifest().wire().replace(b"  ", b" "), "its text was edited"),
        (manifest().wire().replace(b'"seed": 7', b'"seed": 8,"seed": 7'), "its text was edited"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused_with_the_reason(wire, reason):
    assert wire != manifest().wire()
    with pytest.raises(ValueError, match=reason):
        Manifest.parse(wire)


def test_the_files_of_a_manifest_are_counted_by_part():
    assert manifest().parts == ("items", "ranker")
    assert manifest().size == 3


if __name__ == "__main__":
    GOLDEN.write_bytes(manifest().wire())
