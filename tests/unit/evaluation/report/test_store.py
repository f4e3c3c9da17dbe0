"""A scorecard comes back from disk as it went, and a broken file says what is wrong."""

import json
import math
from pathlib import Path

import pytest

from shortlist.errors import CorruptError, NotFoundError
from shortlist.evaluation.report.store import read_json, write_json
from shortlist.evaluation.scorecard import Scorecard


def test_a_scorecard_comes_back_as_it_was_written(world_card: Scorecard, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "scorecard.json"
    write_json(world_card, path)
    assert read_json(path) == world_card


def test_unknown_figures_are_null_on_disk_and_nan_in_memory(
    log_card: Scorecard, tmp_path: Path
) -> None:
    path = tmp_path / "scorecard.json"
    write_json(log_card, path)
    raw = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert raw["models"][-1]["logged"]["content_distance@10"]["value"] is None
    figure = read_json(path).models[-1].logged["content_distance@10"]
    assert math.isnan(figure.value)


def test_a_missing_scorecard_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no scorecard at .*absent"):
        read_json(tmp_path / "absent.json")


@pytest.mark.parametrize("content", ["", "{", '{"title": 3}', "[]"])
def test_a_broken_scorecard_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "scorecard.json"
    path.write_text(content)
    with pytest.raises(CorruptError, match="is not a scorecard") as caught:
        read_json(path)
    assert "\n" not in str(caught.value)


def test_an_unknown_field_is_refused_by_name(world_card: Scorecard, tmp_path: Path) -> None:
    path = tmp_path / "scorecard.json"
    content = json.loads(world_card.model_dump_json()) | {"titel": "x"}
    path.write_text(json.dumps(content))
    with pytest.raises(CorruptError, match="titel"):
        read_json(path)
