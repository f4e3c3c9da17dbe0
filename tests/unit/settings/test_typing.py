"""Kinds of settings that a room may declare later: lists, values that may be absent, secrets."""

import pytest
from pydantic import Field, SecretStr

from shortlist.errors import SettingsError
from shortlist.settings import sources
from shortlist.settings.base import Branch
from shortlist.settings.loading import load
from shortlist.settings.tree import Settings, leaves, shown


class _Room(Branch):
    rates: tuple[float, ...] = Field((0.5,), description="Rates.")
    limit: int | None = Field(3, description="Limit.")
    verbose: bool = Field(False, description="Verbose.")
    token: SecretStr = Field(SecretStr(""), description="Token.")


class _Tree(Settings):
    room: _Room = _Room()


@pytest.fixture(autouse=True)
def _with_a_room(monkeypatch: pytest.MonkeyPatch) -> None:
    sources._fields.cache_clear()
    monkeypatch.setattr(sources, "leaves", lambda: leaves(_Tree))
    monkeypatch.setattr("shortlist.settings.loading.leaves", lambda: leaves(_Tree))
    monkeypatch.setattr("shortlist.settings.loading.Settings", _Tree)
    yield
    sources._fields.cache_clear()


def room(**variables: str) -> _Room:
    environ = {f"SHORTLIST_ROOM__{name}": text for name, text in variables.items()}
    settings = load(environ={"SHORTLIST_CONFIG": "", **environ}).settings
    assert isinstance(settings, _Tree)
    return settings.room


@pytest.mark.parametrize("text", ["[0.1, 1e-3]", "[.1, 0.001]"])
def test_a_list_is_written_in_brackets(text: str) -> None:
    assert room(RATES=text).rates == (0.1, 0.001)


def test_a_list_without_brackets_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^room.rates cannot be '0.1, 1e-3'"):
        room(RATES="0.1, 1e-3")


def test_a_list_with_an_open_bracket_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^room.rates cannot be '\[0.1'"):
        room(RATES="[0.1")


@pytest.mark.parametrize(("text", "value"), [("null", None), ("", None), ("none", None), ("4", 4)])
def test_a_value_that_may_be_absent_can_be_written_so(text: str, value: int | None) -> None:
    assert room(LIMIT=text).limit == value


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("true", True), ("0", False)])
def test_a_truth_value_has_its_usual_spellings(text: str, value: bool) -> None:
    assert room(VERBOSE=text).verbose is value


def test_a_secret_is_never_shown() -> None:
    assert "hunter2" not in repr(room(TOKEN="hunter2"))


def test_a_refused_secret_is_not_quoted(tmp_path: object) -> None:
    with pytest.raises(SettingsError) as caught:
        load(
            environ={"SHORTLIST_CONFIG": "", "SHORTLIST_ROOM__TOKEN": "x"},
            assignments=["room.rates=[hunter2]", "room.token=hunter3"],
        )
    assert "hunter3" not in str(caught.value)


def test_text_of_the_tree_hides_secrets() -> None:
    settings = _Tree(room=_Room(token=SecretStr("hunter2")))
    assert "hunter2" not in str(shown(settings))
