"""Every setting of the system: one small typed file a room."""

from shortlist.settings.loading import InForce, load, preset_settings
from shortlist.settings.override import overridden
from shortlist.settings.presets import Preset
from shortlist.settings.tree import Settings

__all__ = ["InForce", "Preset", "Settings", "load", "overridden", "preset_settings"]
