"""What pydantic-settings' own sources make of the text in the table of decision 0001."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)


class _Room(BaseModel):
    model: str = "none"
    rates: tuple[float, ...] = ()


class _Stock(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="SHORTLIST_", env_nested_delimiter="__", extra="forbid"
    )
    room: _Room = _Room()


def from_environment(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> _Stock:
    monkeypatch.setenv(name, text)
    sources: tuple[PydanticBaseSettingsSource, ...] = (EnvSettingsSource(_Stock),)
    return _Stock(_build_sources=(sources, {}))


def from_yaml(tmp_path: Path, text: str) -> _Stock:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    return _Stock(_build_sources=((YamlConfigSettingsSource(_Stock, yaml_file=file),), {}))


def test_the_stock_environment_ignores_a_misspelt_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_environment(monkeypatch, "SHORTLIST_RROM__MODEL", "x") == _Stock()


def test_the_stock_file_refuses_what_the_stock_environment_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert from_environment(monkeypatch, "SHORTLIST_ROOM__MODEL", "007").room.model == "007"
    with pytest.raises(ValidationError, match="should be a valid string"):
        from_yaml(tmp_path, "room:\n  model: 007\n")


def test_the_stock_environment_wants_json_where_the_file_wants_yaml(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert from_yaml(tmp_path, "room:\n  rates: [.1]\n").room.rates == (0.1,)
    with pytest.raises(Exception, match='error parsing value for field "room"'):
        from_environment(monkeypatch, "SHORTLIST_ROOM__RATES", "[.1]")
