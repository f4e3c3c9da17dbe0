"""The bundle: one directory, one id, everything that serving needs."""

from shortlist.bundle.card import CardFacts, CardMetric
from shortlist.bundle.manifest import BundleRecord, DataFacts, Manifest
from shortlist.bundle.opened import Bundle
from shortlist.bundle.run import RunRecord
from shortlist.bundle.shaping import shaping_settings
from shortlist.bundle.store import BundleStore
from shortlist.bundle.verify import open_bundle
from shortlist.bundle.write import write_bundle

__all__ = [
    "Bundle",
    "BundleRecord",
    "BundleStore",
    "CardFacts",
    "CardMetric",
    "DataFacts",
    "Manifest",
    "RunRecord",
    "open_bundle",
    "shaping_settings",
    "write_bundle",
]
