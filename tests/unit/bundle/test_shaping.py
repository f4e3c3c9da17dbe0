"""A bundle remembers the settings that shape it, and none that differ between hosts."""

from shortlist.bundle import shaping_settings
from shortlist.bundle.shaping import BRANCHES, SHAPELESS
from shortlist.settings import Settings
from shortlist.settings.tree import shown


def test_the_named_branches_and_settings_exist():
    names = shown(Settings())
    assert {name.split(".")[0] for name in names} >= set(BRANCHES)
    assert names.keys() >= SHAPELESS


def test_no_path_and_no_source_enters():
    found = shaping_settings(shown(Settings()))
    assert "ranker.history" in found
    assert "encoders.width" in found
    assert not [name for name in found if name.startswith("paths.") or name in SHAPELESS]
    assert list(found) == sorted(found)


def test_every_setting_of_a_bundle_is_text_that_settings_read_back():
    assert shaping_settings({"recall.candidates": "9", "seed": "1", "preset": "tiny"}) == {
        "recall.candidates": "9"
    }
