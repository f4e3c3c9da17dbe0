"""Tables of a study show every figure beside the words for it."""

from shortlist.evaluation.report import study_tables
from shortlist.evaluation.report.blocks import Table
from shortlist.evaluation.scorecard import Scorecard, Study

DASH = "\N{EM DASH}"
SPACE = "\N{NO-BREAK SPACE}"


def texts(table: Table | None) -> list[list[str]]:
    assert table is not None
    return [[cell.text for cell in row] for row in table.rows]


def study_of(card: Scorecard) -> Study:
    assert card.study is not None
    return card.study


def test_goals_say_whether_they_hold(model_card: Scorecard) -> None:
    rows = {row[0]: row[2:] for row in texts(study_tables.goal_table(study_of(model_card)))}
    assert rows["Gain in distinct tags"] == [f"at least 40{SPACE}%", "yes"]
    assert rows["Loss of page value"] == [f"at most 1{SPACE}%", "no"]


def test_the_change_by_the_slate_stands_below_the_two_it_compares(model_card: Scorecard) -> None:
    rows = texts(study_tables.page_table(study_of(model_card)))
    assert [row[0] for row in rows] == [
        "shortlist, page", "shortlist, without a slate", "change by the slate", "random",
    ]  # fmt: skip
    assert rows[2][1] == f"\N{MINUS SIGN}1.40{SPACE}%"
    assert rows[2][2] == DASH, "a change that nobody measured"
    assert rows[2][3] == f"+43.0{SPACE}%"


def test_the_default_is_named_among_the_settings(model_card: Scorecard) -> None:
    rows = texts(study_tables.frontier_table(study_of(model_card)))
    assert [row[0] for row in rows] == [
        "dpp, 0.1", "dpp, 0.5 (default)", "dpp, 0.9", "mmr, 0.05", "mmr, 0.2",
    ]  # fmt: skip


def test_what_is_counted_has_no_interval(model_card: Scorecard) -> None:
    table = study_tables.page_table(study_of(model_card))
    assert table is not None
    coverage = [head.label for head in table.head].index("Coverage@10")
    assert [row[coverage].interval for row in table.rows] == ["", "", "", ""]
    assert table.rows[0][1].interval != ""


def test_ablations_tell_lists_from_pages(model_card: Scorecard) -> None:
    table = study_tables.ablation_table(study_of(model_card))
    assert table is not None
    assert [head.label for head in table.head][1:] == [
        "Expected-gain NDCG@10", "page: Distinct tags@10",
    ]  # fmt: skip
    assert texts(table)[0][:2] == ["without history", "\N{MINUS SIGN}0.210"]


def test_a_part_that_changed_nothing_is_said_to_have_instead_of_zeros(
    model_card: Scorecard,
) -> None:
    first, *others = study_of(model_card).ablations

    def row(**same: bool) -> tuple[str, list[str]]:
        idle = first.model_copy(update=same)
        study = study_of(model_card).model_copy(update={"ablations": [idle, *others]})
        table = study_tables.ablation_table(study)
        assert table is not None
        return table.rows[0][0].text, [cell.text for cell in table.rows[0][1:]]

    assert row(same_lists=True, same_pages=True) == (
        "without history (changed no list and no page)", [DASH, DASH],
    )  # fmt: skip
    said, (lists, pages) = row(same_lists=True)
    assert (said, lists) == ("without history (changed no list)", DASH)
    assert pages != DASH
    assert row()[0] == "without history"


def test_a_group_without_a_figure_is_a_dash(model_card: Scorecard) -> None:
    table = study_tables.breakdown_table(study_of(model_card).breakdowns[1])
    assert texts(table) == [["no event yet", DASH], ["0 to 2", "40.0"]]


def test_without_a_study_there_are_no_tables() -> None:
    empty = Study(model="shortlist")
    for make in (
        study_tables.goal_table,
        study_tables.page_table,
        study_tables.frontier_table,
        study_tables.ablation_table,
        study_tables.fact_table,
    ):
        assert make(empty) is None
