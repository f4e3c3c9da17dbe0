"""Where and with what the tasks of a run are placed on a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from components.image import IMAGE
from shortlist.errors import InputError


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
            InputError: a node's label is not ``key=value``.

        >>> Placement.told(cpu="4", nodes=["pool=train"]).nodes
        {'pool': 'train'}
        """
        labels = {}
        for label in nodes:
            key, equals, value = label.partition("=")
            if not key or not equals:
                raise InputError(f"a node's label cannot be {label!r}; write KEY=VALUE")
            labels[key] = value
        usual = cls()
        return cls(
            image=image or usual.image,
            cpu=cpu or usual.cpu,
            memory=memory or usual.memory,
            volume=volume or usual.volume,
            nodes=labels,
            tolerations=tuple(tolerations),
        )
