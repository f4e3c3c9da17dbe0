"""`shortlist bundle` acts by id, says what it did, and refuses in one line."""

import datetime as dt
from pathlib import Path

import pytest

from shortlist.bundle import (
    Bundle,
    BundleRecord,
    BundleStore,
    CardFacts,
    DataFacts,
    RunRecord,
    write_bundle,
)
from shortlist.cli import main as cli

ROOT = Path("work/bundles")


def make(text: str, minute: int, **changes: object) -> Bundle:
    part = Path("parts") / text / "recall"
    part.mkdir(parents=True)
    (part / "table.npy").write_text(text)
    day = dt.date(2026, 1, 5)
    values = {
        "data": DataFacts(
            name="world-[tiny]",
            digest="d" * 64,
            users=300,
            videos=600,
            impressions=24_000,
            first_day=day,
            last_day=day,
            fitted_to=day,
        ),
        "encoder": "hashing-768",
        "seed": 7,
        "settings": {"slate.size": "10"},
        "measured": {"NDCG@10": 0.81234},
        "headline": "NDCG@10",
    }
    card = CardFacts("A model.", [], [], "On users.", [], [])
    made_at = dt.datetime(2026, 2, 1, 12, minute, tzinfo=dt.UTC)
    run = RunRecord(made_at=made_at, host="laptop", run_id="run-1")
    return write_bundle(ROOT, {"recall": part}, BundleRecord(**(values | changes)), card, run)


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def two() -> list[Bundle]:
    """Two bundles, published one after the other."""
    bundles = [make("old", 0), make("newer", 1, settings={"slate.size": "9"})]
    for bundle in bundles:
        BundleStore(ROOT).publish(bundle.id)
    return bundles


@pytest.fixture
def run(capsys):
    """What a verb printed, squeezed; it must have ended with the given code."""

    def ended(*arguments: str, code: int = 0) -> str:
        assert cli.run(["bundle", *arguments]) == code
        out, err = capsys.readouterr()
        assert err.count("\n") == (code != 0)
        return " ".join((err if code else out).split())

    return ended


def damage(bundle: Bundle) -> None:
    (bundle.path / "recall" / "table.npy").unlink()


def test_bundles_are_listed_with_their_standing_size_dataset_and_headline(run, two):
    old, new = two
    BundleStore(ROOT).pin(old.id)
    out = run("list")
    row_of = {one.id: f"{one.id[:12]} │ {{}} │ 5 B │ world-[tiny] │ NDCG@10 0.8123" for one in two}
    assert row_of[new.id].format("current │ 2026-02-01 12:01") in out
    assert row_of[old.id].replace("5 B", "3 B").format("previous, pinned │ 2026-02-01 12:00") in out
    assert out.index(new.id[:12]) < out.index(old.id[:12])


def test_a_bundle_that_was_rolled_back_from_is_marked(run, two):
    run("rollback")
    assert f"{two[1].id[:12]} │ rolled back │" in run("list")


def test_a_bundle_whose_manifest_is_damaged_is_listed_with_its_fault(run, two):
    (two[0].path / "bundle.json").write_text("{}")
    out = run("list")
    assert "bundle.json is refused: it is no manifest" in out
    assert two[1].id[:12] in out


def test_no_bundle_is_said_with_the_verb_that_makes_one(run):
    for verb in ("list", "verify"):
        assert run(verb) == "no bundle in work/bundles; make one with `shortlist demo`"
    assert run("prune") == "nothing to prune"


def test_the_published_bundle_is_shown_by_default_and_another_by_its_beginning(run, two):
    out = run("show")
    assert f"bundle ┃ {two[1].id}" in out
    for line in (
        "standing │ current",
        "made │ 2026-02-01 12:01 on laptop, run run-1",
        "dataset │ world-[tiny] (dddddddddddddddd)",
        "impressions │ 24,000",
        "NDCG@10 │ 0.8123",
        f"model card │ work/bundles/{two[1].id}/model_card.md",
        "recall │ 1 │ 5 B",
        "slate.size │ 9",
    ):
        assert line in out
    assert f"bundle ┃ {two[0].id}" in run("show", two[0].id[:6])
    assert f"bundle ┃ {two[0].id}" in run("show", str(two[0].path))


def test_every_bundle_is_verified_and_a_damaged_one_named_with_its_file(run, two, capsys):
    old, new = two
    assert (
        run("verify")
        == f"{new.id} is whole, files compared: 1 {old.id} is whole, files compared: 1"
    )
    assert run("verify", "current") == f"{new.id} is whole, files compared: 1"
    damage(old)
    assert f"work/bundles/{old.id}/recall/table.npy is missing" in run("verify", code=70)
    assert f"{old.id}/recall/table.npy is missing" in run("verify", old.id[:12], code=70)
    assert run("verify", new.id[:12]) == f"{new.id} is whole, files compared: 1"
    damage(new)
    assert "(and 1 more)" in run("verify", code=70)


def test_a_published_bundle_that_is_gone_is_a_fault(run, two):
    two[1].path.rename("elsewhere")
    assert f"bundle {two[1].id} is published, but is not in" in run("verify", code=70)
    assert run("verify", "./elsewhere") == f"{two[1].id} is whole, files compared: 1"


def test_what_differs_between_two_bundles_is_shown(run, two):
    old, new = two
    out = run("diff", old.id[:12], "current")
    assert f"setting ┃ {old.id[:12]} ┃ {new.id[:12]}" in out
    assert "slate.size │ 10 │ 9" in out
    assert "recall/table.npy │ changed │ 3 B │ 5 B" in out
    assert "measured" not in out
    assert run("diff", "current", new.id) == f"both are bundle {new.id}"


def test_a_rollback_says_from_what_to_what(run, two):
    old, new = two
    assert run("rollback") == f"rolled back from {new.id} to {old.id}"
    assert BundleStore(ROOT).pointer().current == old.id
    assert run("rollback", old.id[:12]) == f"{old.id} is published already"
    assert "nothing to roll back to" in run("rollback", code=66)
    assert run("rollback", new.id[:12]) == f"rolled back from {old.id} to {new.id}"


def test_a_rollback_to_a_damaged_bundle_is_refused_and_changes_nothing(run, two):
    damage(two[0])
    assert "recall/table.npy is missing" in run("rollback", code=70)
    assert BundleStore(ROOT).pointer().current == two[1].id


def test_a_rollback_to_what_was_never_published_is_refused(run, two):
    third = make("third", 2)
    assert f"bundle {third.id} was never published" in run("rollback", third.id[:12], code=3)


def test_pruning_says_what_goes_and_a_dry_run_deletes_nothing(run):
    bundles = [make(f"{minute}", minute) for minute in range(3)]
    out = run("prune", "--keep", "2", "--dry-run")
    assert f"{bundles[0].id[:12]} │ 2026-02-01 12:00 │ 1 B" in out
    assert out.endswith("1 of them, 1 B: would go")
    assert bundles[0].path.exists()
    assert run("prune", "--keep", "2").endswith("1 of them, 1 B: gone")
    assert not bundles[0].path.exists()
    assert run("prune", "--keep", "2") == "nothing to prune"


def test_a_pinned_bundle_is_not_pruned(run):
    old, _ = make("old", 0), make("new", 1)
    assert run("pin", old.id[:12]) == f"{old.id} is pinned"
    assert run("prune", "--keep", "1") == "nothing to prune"
    assert run("unpin", old.id[:12]) == f"{old.id} is not pinned"
    assert run("prune", "--keep", "1").endswith("gone")


def test_the_bundle_that_the_service_is_held_to_is_not_pruned(run, monkeypatch):
    old, _ = make("old", 0), make("new", 1)
    monkeypatch.setenv("SHORTLIST_SERVING__BUNDLE", old.id[:12])
    assert run("prune", "--keep", "1") == "nothing to prune"
    monkeypatch.delenv("SHORTLIST_SERVING__BUNDLE")
    assert run("prune", "--keep", "1").endswith("gone")


def test_a_pin_can_be_taken_off_a_bundle_that_is_gone(run):
    old = make("old", 0)
    run("pin", old.id)
    old.path.rename("elsewhere")
    assert run("unpin", old.id) == f"{old.id} is not pinned"


def test_an_ambiguous_beginning_names_both(run):
    twins = [f"{'ab' * 15}{end}" for end in ("00", "01")]
    for twin in twins:
        (ROOT / twin).mkdir(parents=True)
    for verb in ("show", "verify", "rollback", "pin"):
        assert run(verb, "ab", code=65) == (
            f"error: 'ab' may be bundle {twins[0]} or {twins[1]}; write more of the id"
        )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["show"], 66, "no bundle in work/bundles is the current one"),
        (["show", "zz"], 66, "no bundle 'zz' in work/bundles; make one with `shortlist demo`"),
        (["show", "./none"], 66, "no bundle at none"),
        (["rollback"], 66, "no bundle is published in work/bundles: nothing to roll back"),
        (["prune", "--keep", "0"], 2, "greater than or equal to 1"),
        (["diff", "a"], 2, "Missing argument 'B'"),
    ],
)
def test_what_does_not_exist_is_one_line(run, arguments, code, message):
    assert message in run(*arguments, code=code)


def test_bundles_may_lie_elsewhere(run, two):
    ROOT.rename("elsewhere")
    assert two[1].id in run("verify", "current", "--set", "paths.bundles=elsewhere")
