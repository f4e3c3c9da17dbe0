"""What users declare, as a row of indicators, and the names of its columns.

Names and their order come from the tables that were learned from. Whoever has the names can make
the row of any user, also of one whom no table knows.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Self

import numpy as np
import pyarrow as pa
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Floats
from shortlist.errors import CorruptError, NotFoundError

DECLARED: Final = "declared.json"


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a name stands there twice")
    return names


Names = Annotated[tuple[str, ...], AfterValidator(_distinct)]


class Vocabulary(BaseModel):
    """Names of the columns of a row, in their order: all interests first, all age bands last."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interests: Names
    """The tags of the catalogue."""
    languages: Names
    activities: Names
    age_bands: Names

    def __len__(self) -> int:
        return len(self._columns)

    @classmethod
    def of(cls, users: Users, catalogue: Catalogue) -> Self:
        """The names that occur in the tables."""
        bands = users.table.column("age_band").unique().to_pylist()
        return cls(
            interests=catalogue.tag_names,
            languages=users.languages,
            activities=users.activities,
            age_bands=tuple(sorted(band for band in bands if band is not None)),
        )

    def save(self, into: Path) -> None:
        """Write to a directory; equal ones to equal bytes."""
        (into / DECLARED).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            NotFoundError: there is no such file.
            CorruptError: it is damaged.
        """
        path = directory / DECLARED
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise NotFoundError(f"{path} is missing; make the items again") from error
        except ValidationError as error:
            raise CorruptError(f"{path} is damaged; make the items again") from error

    def columns(
        self,
        interests: Iterable[str],
        language: str | None,
        activity: str | None,
        age_band: str | None,
    ) -> list[int]:
        """Columns of what one user says; what is unknown or None has none."""
        said: list[tuple[str, str | None]] = [("interests", name) for name in interests]
        said += [("languages", language), ("activities", activity), ("age_bands", age_band)]
        return [self._columns[one] for one in said if one in self._columns]

    @cached_property
    def _columns(self) -> Mapping[tuple[str, str | None], int]:
        named = [
            (field, name) for field in type(self).model_fields for name in getattr(self, field)
        ]
        return {one: place for place, one in enumerate(named)}


def declared_row(
    vocabulary: Vocabulary,
    *,
    interests: Iterable[str] | None = None,
    language: str | None = None,
    activity: str | None = None,
    age_band: str | None = None,
) -> Floats:
    """The row of one user from what he says, float32 [p]; unknown names say nothing.

    >>> said = Vocabulary(interests=("cats", "tea"), languages=("de",), activities=(), age_bands=())
    >>> declared_row(said, interests=["tea", "opera"], language="de").tolist()
    [0.0, 1.0, 1.0]
    """
    row = np.zeros(len(vocabulary), np.float32)
    row[vocabulary.columns(interests or (), language, activity, age_band)] = 1.0
    return row


def declared_rows(vocabulary: Vocabulary, users: pa.Table) -> Floats:
    """The rows of all users of a table, float32 [n_users, p]."""
    names = ("interests", "language", "activity", "age_band")
    rows = np.zeros((len(users), len(vocabulary)), np.float32)
    columns = (users.column(name).to_pylist() for name in names)
    for row, (interests, *said) in zip(rows, zip(*columns, strict=True), strict=True):
        row[vocabulary.columns(interests or (), *said)] = 1.0
    return rows
