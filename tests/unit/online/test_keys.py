"""All keys of a user lie in one slot of a cluster, and so does his part of the log."""

import re

from hypothesis import given
from hypothesis import strategies as st

from shortlist.online.keys import SHARDS, Keys


def tag(key: str) -> str:
    found = re.search(r"\{(.*?)\}", key)
    assert found is not None
    return found.group(1)


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_users_keys_share_one_tag_with_his_log(user: int) -> None:
    keys = Keys("sl")
    shard = keys.shard(user)
    assert 0 <= shard < SHARDS
    names = [*keys.of_user(user), keys.log(shard), keys.gone(shard)]
    assert {tag(name) for name in names} == {f"sl:{shard}"}
    assert len(set(names)) == len(names)


def test_the_blocklist_shares_a_tag_with_the_log_that_it_writes_to() -> None:
    keys = Keys("sl")
    assert tag(keys.blocked) == tag(keys.blocked_version) == tag(keys.log(0))


def test_prefixes_keep_services_apart() -> None:
    assert not set(Keys("a").of_user(1)) & set(Keys("b").of_user(1))
