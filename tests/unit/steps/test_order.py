"""An order brings the same settings to another machine, and only to one with the same code."""

from pathlib import Path

import pytest

from shortlist.errors import InputError, RefusedError
from shortlist.settings import Settings
from shortlist.settings.loading import preset_settings
from shortlist.settings.paths import PathsSettings
from shortlist.steps import order as module
from shortlist.steps.order import Order


@pytest.mark.parametrize("preset", ["tiny", "demo", "full"])
def test_settings_arrive_as_they_were_sent_but_for_the_places(preset: str, tmp_path: Path):
    settings = preset_settings(preset)  # type: ignore[arg-type]
    here = PathsSettings(work=tmp_path)
    taken = Order.of(settings).taken(tmp_path)
    assert taken == settings.model_copy(update={"paths": here})


def test_on_this_machine_places_that_were_moved_stay_where_they_are(tmp_path: Path):
    moved = PathsSettings(work=tmp_path, bundles=tmp_path / "b", truth=Path("elsewhere"))
    order = Order.of(Settings(paths=moved), here=True)
    taken = order.taken(tmp_path / "work").paths
    assert (taken.work, taken.bundles) == (tmp_path / "work", tmp_path / "b")
    assert taken.truth == Path("elsewhere").absolute()
    assert taken.cache == tmp_path / "work/cache"
    # Elsewhere there are no such places; and where none was moved, it is the same order.
    assert Order.of(Settings(paths=moved)) == Order.of(Settings())
    assert Order.of(Settings(paths=PathsSettings(work=tmp_path)), here=True) == Order.of(Settings())


def test_the_key_changes_with_settings_and_code_and_not_with_places(
    monkeypatch: pytest.MonkeyPatch,
):
    def key(settings: Settings) -> str:
        return Order.of(settings).key

    keys = [key(Settings()), key(Settings(seed=7))]
    assert key(Settings(paths=PathsSettings(work=Path("elsewhere")))) == keys[0]
    monkeypatch.setattr(module, "source_digest", lambda names: "other code")
    keys.append(key(Settings()))
    assert len(set(keys)) == 3


def test_an_order_of_other_code_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    order = Order.of(Settings())
    monkeypatch.setattr(module, "source_digest", lambda names: "other code")
    with pytest.raises(RefusedError, match="build the image from the code that submits"):
        order.taken(tmp_path)


@pytest.mark.parametrize(
    ("text", "named"),
    [('{"recall":{"candidates":0}}', "recall.candidates"), ("[]", "settings"), ("{", "settings")],
)
def test_a_text_that_is_no_settings_is_refused_by_name(text: str, named: str, tmp_path: Path):
    with pytest.raises(InputError, match=named):
        Order.sealed(text).taken(tmp_path)
