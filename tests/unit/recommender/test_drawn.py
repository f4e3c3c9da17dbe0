"""A bundle's pages are drawn as it was judged; an older one, which measured nothing, as it says."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from shortlist.bundle import Bundle
from shortlist.errors import NotFoundError
from shortlist.recommender.drawn import slate_of, unheard
from shortlist.slate.settled import Settled

Make = Callable[..., Bundle]


@pytest.fixture
def bundle(tmp_path: Path) -> Make:
    """Of these settings; with a trade-off that was measured, where one is given."""

    def make(settings: dict[str, str], measured: float | None = None) -> Bundle:
        parts = {"items": tmp_path}
        if measured is not None:
            parts["slate"] = tmp_path
            Settled(trade_off=measured, aim=0.4, reached=0.4, users=1).save(tmp_path)
        manifest = SimpleNamespace(settings=settings, parts=tuple(parts))
        return SimpleNamespace(id="b", manifest=manifest, part=parts.__getitem__)  # type: ignore

    return make


def test_an_older_bundle_goes_on_with_its_number(bundle: Make) -> None:
    old = bundle({"slate.size": "8", "slate.trade_off": "0.67", "slate.gone": "1", "ranker.x": "2"})
    drawn = slate_of(old)
    assert (drawn.size, drawn.trade_off) == (8, 0.67)


def test_auto_is_what_the_bundle_measured(bundle: Make) -> None:
    own = bundle({"slate.trade_off": "auto", "slate.method": "mmr"}, 0.123)
    drawn = slate_of(own)
    assert (drawn.method, drawn.trade_off) == ("mmr", 0.123)


def test_what_is_told_holds_instead(bundle: Make) -> None:
    own = bundle({"slate.trade_off": "auto"}, 0.123)
    assert slate_of(own, {"trade_off": 0.5, "size": 3}).trade_off == 0.5
    old = bundle({"slate.trade_off": "0.67"})
    assert slate_of(old, {"size": 3}).trade_off == 0.67
    with pytest.raises(NotFoundError, match=r"slate.trade_off is auto, and none was measured here"):
        slate_of(old, {"trade_off": "auto"})


def test_how_a_trade_off_is_measured_is_heeded_by_no_page_of_a_bundle_that_is_made(
    bundle: Make,
) -> None:
    own = bundle({"slate.trade_off": "auto", "slate.more_tags": "0.15"}, 0.123)
    assert unheard(own, {"more_tags": 3.0, "tuning_users": 5, "size": 3}) == [
        "slate.more_tags",
        "slate.tuning_users",
    ]
    assert unheard(own, {"more_tags": 0.15, "size": 3}) == []


def test_a_real_bundle_names_its_part(trained) -> None:
    assert trained.bundle.manifest.settings["slate.trade_off"] == "auto"
    assert slate_of(trained.bundle).trade_off == 0.67
