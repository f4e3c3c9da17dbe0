"""How a bundle draws its pages: by the settings it was judged with, its trade-off settled."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shortlist.bundle.opened import Bundle
from shortlist.settings.slate import MEASURED_BY, SlateSettings
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
    settings = _unsettled(bundle, instead)
    return settle(settings, bundle.part(PART) if PART in bundle.manifest.parts else None)


def unheard(bundle: Bundle, instead: Mapping[str, object]) -> list[str]:
    """Names of those settings in ``instead`` that no page of the bundle heeds.

    They say how a trade-off is measured, which was done when the bundle was made, by other values.
    """
    made, wanted = _unsettled(bundle, {}), _unsettled(bundle, instead)
    names = (name.removeprefix(_BRANCH) for name in MEASURED_BY)
    return [_BRANCH + name for name in names if getattr(made, name) != getattr(wanted, name)]


def _unsettled(bundle: Bundle, instead: Mapping[str, object]) -> SlateSettings:
    told: dict[str, object] = {
        name.removeprefix(_BRANCH): text
        for name, text in bundle.manifest.settings.items()
        if name.startswith(_BRANCH) and name.removeprefix(_BRANCH) in SlateSettings.model_fields
    }
    return SlateSettings.model_validate({**told, **instead})
