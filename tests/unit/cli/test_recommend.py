"""`shortlist recommend` prints a page, where each video came from, and what is true of it."""

import datetime as dt
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from shortlist.bundle import BundleStore
from shortlist.cli import main as cli
from shortlist.cli.page_truth import truth_of_page
from shortlist.errors import InputError, NotFoundError
from shortlist.world.context import standard_context
from shortlist.world.truth import Truth

USER = 7


@pytest.fixture
def run(trained, capsys):
    """What the verb printed, squeezed; it must have ended with the given code."""

    def ended(*arguments: str, code: int = 0, work: Path | None = None) -> str:
        place = f"paths.work={work or trained.settings.paths.work}"
        assert cli.run(["recommend", "--set", place, *arguments]) == code
        out, err = capsys.readouterr()
        assert err.count("\n") == (code != 0)
        return " ".join((err if code else out).split())

    return ended


@pytest.fixture
def asked(run):
    """The same as values."""
    return lambda *arguments, **named: json.loads(run(*arguments, "--json", **named))


def test_a_page_says_who_what_why_and_what_is_true(run, asked, trained):
    page = asked("--user", f"{USER}")
    said = run("--user", f"{USER}")
    for slot in page["page"]:
        assert f"│ {slot['slot']} │ {slot['video_id']} │ {slot['title']} │" in said
        assert slot["reason"] in said
        assert f"{slot['probability']:.3f}" in said
    assert f"page for │ {USER}" in said.replace("┃", "│")
    assert f"The truth expects {page['truth']['page_value']:.2f} clicks" in said
    assert trained.bundle.id in said
    assert [slot["slot"] for slot in page["page"]] == list(range(1, 11))
    assert page["dataset"] == "small"
    assert page["candidates"] == 60
    assert set(page["sources"]) == {"popularity", "tags", "collaborative", "vector"}
    assert page["target"] == "click"
    stages = ["open", "encode", "recall", "pre-rank", "rank", "slate"]
    assert list(page["milliseconds"]) == stages
    assert all(stage in said for stage in stages)


def test_the_scores_are_those_of_the_stages(asked):
    for slot in asked("--user", f"{USER}")["page"]:
        assert 1 <= slot["preranked"] <= 15
        assert 1 <= slot["ranked"] <= 15
        assert 1 <= slot["recalled"] <= 60
        assert slot["recall"]
        assert 0 < slot["prerank"] < 1
        assert 0 < slot["probability"] < 1
        assert slot["propensity"] == 1
        assert not slot["explored"]


def test_the_history_ends_where_the_bundle_was_cut(asked, trained):
    page = asked("--user", f"{USER}")
    as_of = trained.view.as_of
    rows = trained.dataset.impressions(["user_id", "video_id", "day"])
    mine = [row for row in rows.to_pylist() if row["user_id"] == USER]
    before = [row for row in mine if row["day"] < as_of]
    assert 0 < len(before) < len(mine)
    assert page["date"] == as_of.isoformat()
    assert page["events"] == len(before)
    assert [event["video_id"] for event in page["recent"]] == [
        row["video_id"] for row in before[-8:]
    ]
    assert all(dt.date.fromisoformat(event["date"]) < as_of for event in page["recent"])
    shown = {slot["video_id"] for slot in page["page"]}
    assert not shown & {row["video_id"] for row in before}


def test_the_truth_is_the_worlds_own(asked, trained):
    page = asked("--user", f"{USER}")
    truth = Truth.load(trained.settings.paths.truth / "small", trained.dataset.record.key)
    row = trained.view.users.row(USER)
    ids = trained.view.catalogue.ids
    video = np.searchsorted(ids, [slot["video_id"] for slot in page["page"]])
    click = truth.click(np.array([row]), trained.view.as_of, standard_context())[0]
    told = page["truth"]
    np.testing.assert_allclose(told["probability"], click[video])
    value = truth.page_value(np.array([row]), video[None], trained.view.as_of, standard_context())
    assert told["page_value"] == pytest.approx(value[0])
    seen = trained.view.log.video[trained.view.log.user == row]
    allowed = trained.view.catalogue.uploaded_before(trained.view.as_of)
    allowed[seen] = False
    assert told["videos"] == allowed.sum()
    better = [int((click[allowed] > click[place]).sum()) for place in video]
    assert told["rank"] == [count + 1 for count in better]
    assert told["best_value"] >= told["page_value"]


def test_the_truth_of_a_long_view_is_asked_for_where_that_is_the_target(trained):
    truth = Truth.load(trained.settings.paths.truth / "small", trained.dataset.record.key)
    allowed, page = np.ones(200, np.bool_), np.array([3, 5])
    day, context = trained.view.as_of, standard_context()
    told = truth_of_page(truth, 2, page, allowed, day, context, "long_view")
    view = truth.long_view(np.array([2]), day, context)[0]
    np.testing.assert_allclose(told.probability, view[page])
    assert told.rank == [1 + int((view > view[video]).sum()) for video in page]


def test_the_context_may_be_named(asked):
    usual = asked("--user", f"{USER}")
    assert usual["context"]["evening"] == 1
    night = asked("--user", f"{USER}", "--context", "night, session_depth=0.5")
    assert night["context"] == {"night": 1.0, "session_depth": 0.5}
    assert night["page"] != usual["page"]
    assert night["truth"]["probability"] != usual["truth"]["probability"]


def test_somebody_new_gets_a_page_without_a_dataset(run, asked, trained, tmp_path):
    # Only the bundles are there.
    shutil.copytree(trained.settings.paths.bundles, tmp_path / "bundles")
    page = asked("--new", work=tmp_path)
    assert (page["user_id"], page["dataset"], page["truth"]) == (None, None, None)
    assert (page["events"], page["recent"], page["context"]) == (0, [], {})
    assert page["sources"]["tags"] == 0
    tag = trained.view.catalogue.tag_names[0]
    eager = asked("--new", "--interests", f"{tag}, ", work=tmp_path)
    assert eager["user"] == {"interests": [tag]}
    assert eager["sources"]["tags"] > 0
    said = run("--new", "--interests", tag, work=tmp_path)
    assert "somebody new" in said
    assert "truth" not in said
    assert "events │ 0" in said


def test_somebody_new_in_a_world_comes_on_the_evening_that_users_do(asked):
    usual = asked("--user", f"{USER}")
    page = asked("--new")
    assert (page["user_id"], page["dataset"], page["truth"]) == (None, None, None)
    assert page["context"] == usual["context"]
    assert asked("--new", "--context", "night")["context"] == {"night": 1.0}


def test_what_somebody_new_chose_is_the_reason_where_the_video_has_it(asked, trained):
    chosen = trained.view.catalogue.tag_names[:3]
    page = asked("--new", "--interests", ",".join(chosen), "--set", "slate.trade_off=0")
    reasons = {slot["reason"]: set(slot["tags"]) for slot in page["page"]}
    named = {text.removeprefix("Because you chose ") for text in reasons if "chose" in text}
    assert named
    assert named <= set(chosen)
    for slot in page["page"]:
        shared = set(slot["tags"]) & set(chosen)
        assert slot["reason"].startswith("Because you chose") == bool(shared)


def test_exploration_is_asked_for_by_a_seed(run, asked):
    drawn = asked("--user", f"{USER}", "--seed", "3", "--set", "slate.epsilon=0.8")
    assert any(slot["explored"] for slot in drawn["page"])
    odds = [slot["propensity"] for slot in drawn["page"] if slot["explored"]]
    assert min(odds) < 0.5
    assert max(odds) <= 0.8 + 1e-9
    assert "explored" in run("--user", f"{USER}", "--seed", "3", "--set", "slate.epsilon=0.8")
    again = asked("--user", f"{USER}", "--seed", "3", "--set", "slate.epsilon=0.8")
    assert again["page"] == drawn["page"]


def test_the_bundles_own_slate_is_used_unless_the_command_line_says_otherwise(
    asked, trained, monkeypatch, tmp_path
):
    settings = dict(trained.bundle.manifest.settings) | {"slate.size": "4"}
    manifest = trained.bundle.manifest.model_copy(update={"settings": settings})
    store = BundleStore.serving
    monkeypatch.setattr(
        BundleStore,
        "serving",
        lambda *told: type(trained.bundle)(store(*told).path, manifest),
    )
    assert len(asked("--user", f"{USER}")["page"]) == 4
    assert len(asked("--user", f"{USER}", "--set", "slate.size=3")["page"]) == 3


def test_settings_of_a_measurement_that_is_not_made_here_are_said_to_change_nothing(run, asked):
    usual = asked("--user", f"{USER}")
    assert usual["remarks"] == []
    vain = ("--set", "slate.more_tags=3", "--set", "slate.tuning_users=5")
    page = asked("--user", f"{USER}", *vain)
    assert page["page"] == usual["page"]
    (remark,) = page["remarks"]
    assert remark == (
        "Of a bundle that is made, slate.more_tags and slate.tuning_users change nothing: this "
        "page is drawn at the trade-off 0.67; set slate.trade_off for another."
    )
    assert remark in run("--user", f"{USER}", *vain)


def test_what_the_rules_did_is_said(run, asked, trained):
    strict = ("--user", f"{USER}", "--set", "slate.tag_limit=1", "--set", "slate.creator_limit=1")
    notes = asked(*strict)["notes"]
    assert notes
    assert notes[0] in run(*strict)
    assert {int(note.split()[-1]) for note in notes} <= set(trained.view.catalogue.ids)


def test_a_bundle_that_is_not_published_is_said_to_be(run, asked, trained, tmp_path):
    assert asked("--user", f"{USER}")["standing"] == ""
    assert "not published" not in run("--user", f"{USER}")
    work = copied(trained, tmp_path)
    (work / "bundles" / "current.json").unlink()
    named = ("--user", f"{USER}", "--bundle", trained.bundle.id)
    assert asked(*named, work=work)["standing"] == "not published"
    said = run(*named, work=work)
    assert "page by a bundle that is not published" in said
    assert f"{trained.bundle.id} (not published)" in said


def test_a_bundle_may_be_named(asked, trained):
    assert asked("--user", f"{USER}", "--bundle", trained.bundle.id[:6])["bundle"]
    assert asked("--user", f"{USER}", "--bundle", f"{trained.bundle.path}/")["bundle"]


def test_the_pinned_bundle_is_taken_before_the_published_one(asked, trained, tmp_path):
    work = copied(trained, tmp_path)
    (work / "bundles" / "current.json").unlink()
    pinned = ("--set", f"serving.bundle={trained.bundle.id[:8]}")
    assert asked("--user", f"{USER}", *pinned, work=work)["bundle"] == trained.bundle.id


def copied(trained, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained.settings.paths.work, tmp_path / "work"))


def test_a_dataset_that_changed_is_served_and_its_truth_not_asked(asked, run, trained, tmp_path):
    work = copied(trained, tmp_path)
    record = work / "datasets" / "small" / "dataset.json"
    told = json.loads(record.read_text())
    day = next(name for name in told["files"] if "/" in name)
    told["files"][day] = "0" * 64
    record.write_text(json.dumps(told))
    page = asked("--user", f"{USER}", work=work)
    assert len(page["page"]) == 10
    assert page["truth"] is None
    assert "so the truth is not asked" in page["remarks"][0]
    assert page["remarks"][0] in run("--user", f"{USER}", work=work)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ([], InputError.exit_code, "say for whom: a user by --user, or somebody"),
        (["--user", "7", "--new"], InputError.exit_code, "say for whom"),
        (["--user", "7", "--interests", "x"], InputError.exit_code, "belongs to --new"),
        (["--new", "--interests", "no-tag"], InputError.exit_code, "no tag is called 'no-tag'"),
        (["--user", "99999"], NotFoundError.exit_code, "no user 99999 in this dataset (ids run"),
        (["--user", "seven"], NotFoundError.exit_code, "no user 'seven' in this dataset"),
        (["--user", "7", "--bundle", "zz"], NotFoundError.exit_code, "no bundle 'zz'"),
        (["--user", "7", "--dataset", "smal"], NotFoundError.exit_code, "did you mean small?"),
        (["--user", "7", "--context", "wify"], InputError.exit_code, "did you mean wifi?"),
        (["--user", "7", "--context", "wifi=x"], InputError.exit_code, "wifi cannot be 'x'"),
        (["--user", "7", "--context", "wifi=inf"], InputError.exit_code, "write a number"),
        (["--user", "7", "--seed", "-1"], cli.USAGE, "--seed"),
    ],
)
def test_a_wrong_call_is_one_sentence(run, arguments, code, sentence):
    assert sentence in run(*arguments, code=code)


def test_without_a_published_bundle_the_remedy_is_named(run, tmp_path):
    said = run("--user", "7", code=NotFoundError.exit_code, work=tmp_path)
    assert "no bundle is published" in said
    assert "shortlist demo" in said


def test_without_its_dataset_the_remedy_is_named(run, trained, tmp_path):
    shutil.copytree(trained.settings.paths.bundles, tmp_path / "bundles")
    said = run("--user", "7", code=NotFoundError.exit_code, work=tmp_path)
    assert "no dataset 'small'" in said
    assert "shortlist world make" in said


def test_what_the_bundle_has_no_name_for_says_nothing(asked, trained, tmp_path):
    import pyarrow.parquet as pq

    work = copied(trained, tmp_path)
    (path,) = (work / "datasets" / "small").glob("data-*/users.parquet")
    users = pq.read_table(path)
    place = users.schema.get_field_index("language")
    one = users.schema.field(place)
    pq.write_table(users.set_column(place, one, [["xx"] * len(users)]), path)
    page = asked("--user", "7", work=work)
    assert page["user"]["language"] == "xx"
    assert len(page["page"]) == 10
