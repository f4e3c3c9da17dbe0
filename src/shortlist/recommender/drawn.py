"""How a bundle draws its pages: by the settings it was judged with, its trade-off settled."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shortlist.bundle.opened import Bundle
from shortlist.settings.slate import SlateSettings
from shortlist.slate.settled import PART, settle

_BRANCH: Final = "slate."


def slate_of(bundle: Bundle, instead: Mapping[str, object] = MappingProxyType({})) -> SlateSettings:
    """The settings of a bundle's slate, settled.

    Args:
        bundle: opened; what it does not tell is as it is by default.
        instead: settings by the names of their fields, which hold whatever the bundle says.

    Raises:
        NotFoundError: the trade-off is to be the measured one, and the bundle has none.
        CorruptError: what was measured cannot be read.
    """
    manifest = bundle.manifest
    told: dict[str, object] = {
        name.removeprefix(_BRANCH): text
        for name, text in manifest.settings.items()
        if name.startswith(_BRANCH) and name.removeprefix(_BRANCH) in SlateSettings.model_fields
    }
    settings = SlateSettings.model_validate({**told, **instead})
    return settle(settings, bundle.part(PART) if PART in manifest.parts else None)
