"""The one tree of settings; its branches are the rooms' own classes."""

from collections.abc import Iterator
from typing import Self, get_args

from pydantic import BaseModel, Field, SecretBytes, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shortlist.settings.base import Branch
from shortlist.settings.baselines import BaselinesSettings
from shortlist.settings.datasets import DatasetsSettings
from shortlist.settings.encoders import EncodersSettings
from shortlist.settings.evaluation import EvaluationSettings
from shortlist.settings.online import OnlineSettings
from shortlist.settings.paths import PathsSettings
from shortlist.settings.pipeline import PipelineSettings
from shortlist.settings.presets import Preset
from shortlist.settings.ranker import RankerSettings
from shortlist.settings.recall import RecallSettings
from shortlist.settings.remote import RemoteSettings
from shortlist.settings.serving import ServingSettings
from shortlist.settings.slate import SlateSettings
from shortlist.settings.telemetry import TelemetrySettings
from shortlist.settings.world import WorldSettings


class Settings(BaseSettings):
    """Every setting. A room is handed its own branch, never the tree.

    Constructed directly it reads no file and no variable: what is not given has its default, so
    ``Settings()`` is the preset ``full``. `shortlist.settings.loading` reads the sources.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, validate_default=True)

    preset: Preset = Field(
        "full", description="Differences from the defaults to start from: tiny, demo or full."
    )
    seed: int = Field(
        20_260_101,
        ge=0,
        le=4_294_967_295,
        description="Seed of every random stream; same seed, same bytes.",
    )
    paths: PathsSettings = PathsSettings()
    remote: RemoteSettings = RemoteSettings()
    world: WorldSettings = WorldSettings()
    datasets: DatasetsSettings = DatasetsSettings()
    encoders: EncodersSettings = EncodersSettings()
    baselines: BaselinesSettings = BaselinesSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    recall: RecallSettings = RecallSettings()
    ranker: RankerSettings = RankerSettings()
    slate: SlateSettings = SlateSettings()
    pipeline: PipelineSettings = PipelineSettings()
    serving: ServingSettings = ServingSettings()
    online: OnlineSettings = OnlineSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing ambient: the sources are handed in by whoever loads the tree."""
        return (init_settings,)

    @classmethod
    def from_sources(cls, *sources: PydanticBaseSettingsSource) -> Self:
        """Merge ``sources``, the first one winning, over the defaults, and check the result."""
        return cls(_build_sources=(sources, {}))


def leaves(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Dotted name and field of every setting, in the order of the tree.

    >>> [name for name, _ in leaves()][:3]
    ['preset', 'seed', 'paths.work']
    """
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Branch):
            yield from leaves(annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def value_of(settings: Settings, name: str) -> object:
    """The value of the setting with this dotted name.

    >>> value_of(Settings(), "encoders.width")
    768
    """
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def shown(settings: Settings) -> dict[str, str]:
    """Every setting as text, by dotted name; secrets stay hidden.

    >>> shown(Settings())["encoders.kind"]
    'hashing'
    """
    return {name: str(value_of(settings, name)) for name, _ in leaves()}


def is_secret(field: FieldInfo) -> bool:
    """Whether a field's value must never be printed: a secret, an optional one, or a list of them.

    >>> from pydantic import BaseModel
    >>> class Keys(BaseModel):
    ...     one: SecretStr | None = None
    ...     many: tuple[SecretStr, ...] = ()
    ...     open: tuple[str, ...] = ()
    >>> {name: is_secret(field) for name, field in Keys.model_fields.items()}
    {'one': True, 'many': True, 'open': False}
    """
    return _holds_secret(field.annotation)


def _holds_secret(annotation: object) -> bool:
    return annotation in (SecretStr, SecretBytes) or any(map(_holds_secret, get_args(annotation)))
