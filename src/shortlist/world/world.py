"""One world, whole: built from settings and a seed, the same each time."""

from dataclasses import dataclass

import pyarrow as pa

from shortlist.settings.world import WorldSettings
from shortlist.world.context import Sessions, sessions_of_day
from shortlist.world.exposure import LoggingPolicy, logging_policy
from shortlist.world.law import Law, make_law
from shortlist.world.simulate import Slots, impressions_table, join_slots, simulate
from shortlist.world.streams import Streams
from shortlist.world.taste import TasteSpace, make_taste_space
from shortlist.world.users import Users, make_users, users_table
from shortlist.world.videos import Videos, make_videos, videos_table


@dataclass(frozen=True)
class World:
    """Users, videos and the law between them."""

    settings: WorldSettings
    streams: Streams
    space: TasteSpace
    users: Users
    videos: Videos
    law: Law

    def users_table(self) -> pa.Table:
        """What users show of themselves."""
        return users_table(self.users, self.space, self.streams)

    def videos_table(self) -> pa.Table:
        """What videos say of themselves."""
        return videos_table(self.settings, self.videos, self.space, self.streams)

    def policy(self, day: int) -> LoggingPolicy:
        """The logging policy of a day."""
        return logging_policy(
            self.settings, self.users, self.videos, self.space, self.streams, day=day
        )

    def sessions(self, day: int) -> Sessions:
        """The sessions of a day."""
        return sessions_of_day(self.settings, self.users, self.streams, day)

    def slots(self, day: int, streams: Streams | None = None) -> tuple[Sessions, Slots]:
        """Let a day unfold; other ``streams`` redraw exposure and outcomes in the same world."""
        sessions, policy = self.sessions(day), self.policy(day)
        step = self.settings.chunk_sessions
        parts = [
            simulate(
                self.law,
                policy,
                sessions,
                streams or self.streams,
                rows=slice(start, min(start + step, len(sessions))),
                day=day,
            )
            for start in range(0, len(sessions), step)
        ]
        return sessions, join_slots(parts)

    def impressions_table(self, day: int) -> pa.Table:
        """The log of a day."""
        sessions, slots = self.slots(day)
        return impressions_table(self.law, sessions, slots, self.settings.first_day)


def make_world(settings: WorldSettings, seed: int) -> World:
    """Build a world; the same settings and seed give the same world on any number of threads."""
    streams = Streams(seed)
    space = make_taste_space(streams, settings.dimensions)
    users = make_users(settings, space, streams)
    videos = make_videos(settings, space, streams)
    return World(
        settings=settings,
        streams=streams,
        space=space,
        users=users,
        videos=videos,
        law=make_law(settings, users, videos, streams),
    )
