"""The sealed side: it answers as the world itself would, and refuses what is not its own."""

import datetime as dt
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit

from shortlist.errors import CorruptError, NotFoundError
from shortlist.world.context import standard_context
from shortlist.world.truth import Truth, session_tiredness
from shortlist.world.world import World

DATE = dt.date(2026, 1, 6)


@pytest.fixture
def sealed(made: SimpleNamespace, tmp_path: Path) -> Path:
    copy = tmp_path / "sealed"
    shutil.copytree(made.sealed, copy)
    return copy


def test_the_truth_on_disk_is_that_of_the_world(made: SimpleNamespace, world: World) -> None:
    users, context = np.arange(5), standard_context()
    expected = expit(world.law.catalogue(users, 1, context))
    assert made.truth.click(users, DATE, context).tolist() == expected.tolist()
    assert made.truth.day(DATE) == 1


def test_the_latents_on_disk_are_what_is_asked(sealed: Path, made: SimpleNamespace) -> None:
    # Loading must not make the world anew from its settings and call that the truth.
    world = made.truth.world
    bolder = replace(world, law=replace(world.law, dayparts=world.law.dayparts + 1))
    Truth(bolder, made.truth.key).save(sealed)
    context = standard_context()
    loaded = Truth.load(sealed, made.truth.key)
    rise = loaded.law.catalogue(np.array([0]), 1, context) - world.law.catalogue(
        np.array([0]), 1, context
    )
    np.testing.assert_allclose(rise, 1, atol=1e-9)


def test_outcomes_of_logged_rows_are_those_by_which_they_were_drawn(
    made: SimpleNamespace, world: World
) -> None:
    said = made.truth.outcomes(made.log).click
    drawn = []
    for day in range(world.settings.days):
        _, slots = world.slots(day)
        order = np.lexsort((slots.position, slots.session))
        drawn.append(slots.logit[order])
    np.testing.assert_allclose(said, expit(np.concatenate(drawn)), rtol=1e-12)


def test_outcomes_agree_with_the_log_they_explain(made: SimpleNamespace) -> None:
    said = made.truth.outcomes(made.log)
    for name in ("click", "long_view", "like", "skip"):
        p, seen = getattr(said, name), getattr(made.log, name)
        spread = np.sqrt((p * (1 - p)).sum())
        assert abs(seen.sum() - p.sum()) < 4 * spread, name


def test_a_page_is_worth_its_clicks_with_fatigue_inside_it(made: SimpleNamespace) -> None:
    law, settings = made.truth.law, made.truth.world.settings
    users = np.array([3, 8])
    pages = np.array([[4, 9, 17, 30], [100, 3, 50, 51]])
    pages[1, :] = np.flatnonzero(law.videos.tag == np.bincount(law.videos.tag).argmax())[:4]
    context = standard_context()
    value = made.truth.page_value(users, pages, DATE, context)
    for row, user in enumerate(users):
        by_hand, tags = 0.0, law.videos.tag[pages[row]]
        for place, video in enumerate(pages[row]):
            tired = sum(
                settings.recovery ** (place - earlier - 1)
                for earlier in range(place)
                if tags[earlier] == tags[place]
            )
            logit = law.pairs(
                np.array([user]), np.array([video]), 1, context[None], np.array([tired])
            )
            by_hand += float(expit(logit)[0])
        assert value[row] == pytest.approx(by_hand, rel=1e-9)


def test_a_page_of_one_tag_is_worth_less_than_its_parts(made: SimpleNamespace) -> None:
    tag = made.truth.law.videos.tag
    same = np.flatnonzero(tag == np.bincount(tag).argmax())[:4]
    context, user = standard_context(), np.array([5])
    page = made.truth.page_value(user, same[None], DATE, context)
    alone = made.truth.click(user, DATE, context)[0, same].sum()
    assert page[0] < 0.95 * alone


def test_session_tiredness_equals_a_loop_over_sessions(made: SimpleNamespace) -> None:
    rng = np.random.default_rng(0)
    rows = made.log.take(rng.permutation(len(made.log)))
    tag, recovery = made.truth.law.videos.tag, made.truth.world.settings.recovery
    found = session_tiredness(rows, tag, recovery)
    for session in np.unique(rows.session):
        mine = np.flatnonzero(rows.session == session)
        mine = mine[np.argsort(rows.position[mine])]
        state = np.zeros(60)
        for row in mine:
            assert found[row] == pytest.approx(state[tag[rows.video[row]]], abs=1e-9)
            state *= recovery
            state[tag[rows.video[row]]] += 1


def test_many_sessions_are_cut_into_blocks_without_a_seam(made: SimpleNamespace) -> None:
    first = made.log.take(made.log.day == made.log.day[0])
    copies = 5_000 // len(np.unique(first.session)) + 1
    rows = first.take(np.tile(np.arange(len(first)), copies))
    shift = np.repeat(np.arange(copies), len(first)) * 10**9
    rows = replace(rows, session=rows.session + shift)
    tag = made.truth.law.videos.tag
    found = session_tiredness(rows, tag, 0.85).reshape(copies, len(first))
    assert (found == session_tiredness(first, tag, 0.85)).all()
    assert len(np.unique(rows.session)) > 4_096


def test_a_session_with_a_gap_is_refused(made: SimpleNamespace) -> None:
    hole = made.log.take(~((made.log.position == 1) & (made.log.day == made.log.day[0])))
    with pytest.raises(CorruptError, match="a session in the log has a gap"):
        session_tiredness(hole, made.truth.law.videos.tag, 0.85)


def test_of_a_gap_nothing_is_known_and_a_row_without_a_session_is_alone(
    made: SimpleNamespace,
) -> None:
    tag = made.truth.law.videos.tag
    whole = made.log.take(made.log.day == made.log.day[0])
    later = replace(whole, position=3 * whole.position + 2)
    found = session_tiredness(later, tag, 0.85, gaps=True)
    assert found.tolist() == session_tiredness(whole, tag, 0.85).tolist()
    assert found.any()
    alone = replace(whole, session=np.full(len(whole), -1))
    assert not session_tiredness(alone, tag, 0.85, gaps=True).any()


def test_no_rows_have_no_outcomes(made: SimpleNamespace) -> None:
    none = made.log.take(np.zeros(len(made.log), bool))
    assert made.truth.outcomes(none).click.shape == (0,)


def test_only_the_owner_may_read_the_latents(made: SimpleNamespace) -> None:
    assert made.sealed.stat().st_mode & 0o777 == 0o700
    for file in made.sealed.iterdir():
        assert file.stat().st_mode & 0o077 == 0
    assert made.sealed not in made.dataset.path.parents


def spoil_latents(sealed: Path) -> None:
    latents = sealed / "latents.npz"
    content = bytearray(latents.read_bytes())
    content[len(content) // 2] ^= 1
    latents.write_bytes(content)


def drop_latents(sealed: Path) -> None:
    (sealed / "latents.npz").unlink()


def tear_record(sealed: Path) -> None:
    record = sealed / "truth.json"
    os.truncate(record, record.stat().st_size // 2)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (spoil_latents, r"latents\.npz differs from its record; make the world again"),
        (drop_latents, r"latents\.npz differs from its record; make the world again"),
        (tear_record, r"truth\.json is damaged; make the world again"),
    ],
)
def test_a_damaged_truth_is_refused_by_name(
    sealed: Path, made: SimpleNamespace, harm: Callable[[Path], None], sentence: str
) -> None:
    harm(sealed)
    with pytest.raises(CorruptError, match=sentence) as refusal:
        Truth.load(sealed, made.truth.key)
    assert str(sealed) in str(refusal.value)


def test_the_truth_of_another_dataset_is_refused_by_both_keys(
    sealed: Path, made: SimpleNamespace
) -> None:
    with pytest.raises(CorruptError, match="belongs to another dataset") as refusal:
        Truth.load(sealed, "f" * 64)
    assert made.truth.key[:12] in str(refusal.value)
    assert "f" * 12 in str(refusal.value)


def test_a_missing_truth_is_refused_with_the_verb_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no truth at .*nowhere; .*shortlist world make"):
        Truth.load(tmp_path / "nowhere", "f" * 64)
