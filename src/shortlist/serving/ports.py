"""Whether ports that settings name are free, said by the setting's name."""

import socket
from collections.abc import Mapping

from shortlist.errors import SettingsError


def check_free(wanted: Mapping[str, tuple[str, int]]) -> None:
    """See that ports are free, and each named once.

    Args:
        wanted: address and port by dotted name of the setting.

    Raises:
        SettingsError: one is in use, cannot be had, or is named twice.
    """
    taken: dict[int, str] = {}
    for name, (address, port) in wanted.items():
        if port in taken:
            raise SettingsError(f"{name} and {taken[port]} are both {port}")
        taken[port] = name
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            with socket.create_server((address, port), family=family):
                pass
        except OSError as error:
            raise SettingsError(
                f"{name} cannot be {port} at {address} ({error.strerror or error}); stop what "
                f"uses it, or choose another with --set {name}=PORT"
            ) from error
