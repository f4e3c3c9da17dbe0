"""Where and with what the tasks of a run are placed on a cluster."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from components.image import IMAGE
from shortlist.errors import InputError

_NAME: Final = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_PART: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_DOMAIN: Final = rf"(?=[^/]{{1,253}}(?:/|$)){_PART}(?:\.{_PART})*"
_KEY: Final = rf"(?:{_DOMAIN}/)?{_NAME}"
_RULES: Final = {
    "--image": (r"\S+", "write NAME:TAG"),
    "--cpu": (r"(?=.*[1-9])(?:[0-9]+m|[0-9]*\.?[0-9]+)", "write cores, as in 2, 0.5 or 500m"),
    "--memory": (r"(?=.*[1-9])[0-9]+(?:[KMGTPE]i?)?", "write bytes, as in 8Gi or 512Mi"),
    "--volume": (_DOMAIN, "write the name of a claim: small letters, digits, `-` and `.`"),
    "--node": (rf"{_KEY}=(?:{_NAME})?", "write KEY=VALUE, each as Kubernetes writes labels"),
    "--tolerate": (_KEY, "write the key of a taint, as in dedicated or example.com/gpu"),
}
"""What Kubernetes takes, by option, and what to write where it would not."""


@dataclass(frozen=True)
class Placement:
    """Of every task alike: tasks are few and whole, and the largest decides.

    Attributes:
        image: that tasks run in; a tag of its content, for caches go by the tag.
        cpu: cores asked for and granted.
        memory: the same of memory, as Kubernetes writes it.
        volume: the claim of the volume that all tasks share; `ReadWriteMany`, unless all nodes
            are one.
        nodes: labels that a node must bear.
        tolerations: keys of taints that are tolerated, whatever their values and effects.
        retries: how often a task that failed is tried again; it goes on where it was killed.
    """

    image: str = IMAGE
    cpu: str = "2"
    memory: str = "8Gi"
    volume: str = "shortlist-work"
    nodes: dict[str, str] = field(default_factory=dict)
    tolerations: Sequence[str] = ()
    retries: int = 2

    @classmethod
    def told(
        cls,
        image: str | None = None,
        cpu: str | None = None,
        memory: str | None = None,
        volume: str | None = None,
        nodes: Sequence[str] = (),
        tolerations: Sequence[str] = (),
    ) -> Self:
        """The defaults, but for what a user says.

        Raises:
            InputError: Kubernetes would not take one of them; the message names the option.

        >>> Placement.told(cpu="4", nodes=["pool=train"]).nodes
        {'pool': 'train'}
        >>> Placement.told(memory="8GB")
        Traceback (most recent call last):
        shortlist.errors.InputError: --memory cannot be '8GB'; write bytes, as in 8Gi or 512Mi
        """
        usual = cls()
        labels = [_checked("--node", label).partition("=") for label in nodes]
        return cls(
            image=usual.image if image is None else _checked("--image", image),
            cpu=usual.cpu if cpu is None else _checked("--cpu", cpu),
            memory=usual.memory if memory is None else _checked("--memory", memory),
            volume=usual.volume if volume is None else _checked("--volume", volume),
            nodes={key: value for key, _, value in labels},
            tolerations=tuple(_checked("--tolerate", key) for key in tolerations),
        )


def _checked(option: str, value: str) -> str:
    pattern, remedy = _RULES[option]
    if re.fullmatch(pattern, value) is None:
        raise InputError(f"{option} cannot be {value!r}; {remedy}")
    return value
