"""Names of the keys: all of a user's share one hash tag with his part of the event log.

So what an event does to a history and to the log is one step, in a Redis Cluster as well.
"""

from dataclasses import dataclass
from typing import Final

SHARDS: Final = 256
"""Parts into which users and the log are divided; written into every key, so it never changes."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys below a prefix.

    >>> keys = Keys("sl")
    >>> keys.history(515), keys.log(keys.shard(515))
    ('{sl:3}:h:515', '{sl:3}:log')
    """

    prefix: str

    def shard(self, user: int) -> int:
        """The part that a user belongs to, 0 to 255."""
        return user % SHARDS

    def history(self, user: int) -> str:
        """What the user did."""
        return self._of(user, "h")

    def declared(self, user: int) -> str:
        """What the user said."""
        return self._of(user, "f")

    def vector(self, user: int) -> str:
        """The encoded history."""
        return self._of(user, "v")

    def event_ids(self, user: int) -> str:
        """Event ids that were seen."""
        return self._of(user, "e")

    def sessions(self, user: int) -> str:
        """Sessions, and their ranked lists."""
        return self._of(user, "s")

    def of_user(self, user: int) -> tuple[str, ...]:
        """All keys of a user."""
        kinds = (self.history, self.declared, self.vector, self.event_ids, self.sessions)
        return tuple(kind(user) for kind in kinds)

    def log(self, shard: int) -> str:
        """The stream of a part."""
        return f"{{{self.prefix}:{shard}}}:log"

    def gone(self, shard: int) -> str:
        """Users of a part who asked to be forgotten, by when."""
        return f"{{{self.prefix}:{shard}}}:gone"

    @property
    def blocked(self) -> str:
        """Videos taken down."""
        return f"{{{self.prefix}:0}}:blocked"

    @property
    def blocked_version(self) -> str:
        """Changes with every takedown."""
        return f"{{{self.prefix}:0}}:blocked:version"

    @property
    def loaded(self) -> str:
        """How far a dataset is loaded."""
        return f"{{{self.prefix}:0}}:loaded"

    def _of(self, user: int, kind: str) -> str:
        return f"{{{self.prefix}:{self.shard(user)}}}:{kind}:{user}"
