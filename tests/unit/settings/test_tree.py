"""The tree is closed, frozen, and made of the rooms' own classes."""

import pytest
from pydantic import ValidationError

from shortlist.settings import Settings
from shortlist.settings.tree import leaves, shown


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Settings(wrold={})  # type: ignore[call-arg]


def test_a_tree_in_force_does_not_change() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.seed = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.world.users = 1  # type: ignore[misc]


def test_text_of_the_tree_has_every_setting() -> None:
    assert list(shown(Settings())) == [name for name, _ in leaves()]


@pytest.mark.parametrize(
    "branch", ["paths", "world", "datasets", "encoders", "baselines", "evaluation"]
)
def test_each_room_has_its_own_branch(branch: str) -> None:
    assert type(getattr(Settings(), branch)).__module__ == f"shortlist.settings.{branch}"
