"""Tables: the best marked, ties marked, dashes for what is unknown, nothing invented."""

import math
from collections.abc import Callable

from shortlist.evaluation.report import tables
from shortlist.evaluation.report.blocks import Table
from shortlist.evaluation.scorecard import Fact, Scorecard, Stage

Make = Callable[..., Scorecard]


def column(table: Table, label: str) -> dict[str, object]:
    at = [head.label for head in table.head].index(label)
    return {row[0].text: row[at] for row in table.rows}


def test_each_metric_stands_in_the_table_of_its_topic(world_card: Scorecard) -> None:
    found = {table.caption: len(table.head) - 1 for table in tables.metric_tables(world_card)}
    assert found == {
        "Against the world's own probabilities": 3,
        "Order of the held-out log": 4,
        "Predicted probabilities": 4,
        "Breadth of the lists": 4,
    }


def test_one_best_a_column_is_marked_and_its_ties(small_card: Make) -> None:
    card = small_card(
        {"ndcg@10": {"a": 0.30, "b": 0.29, "c": 0.2, "random": 0.01}},
        differences=[("ndcg@10", "a", "b", 0.01, -0.01, 0.03)],
    )
    [table] = tables.metric_tables(card)
    marks = {name: cell.mark for name, cell in column(table, "NDCG@10").items()}
    assert marks == {"a": "best", "b": "tied", "c": "", "random": ""}


def test_unknown_and_missing_figures_are_dashes_without_intervals(small_card: Make) -> None:
    [table] = tables.metric_tables(
        small_card({"ndcg@10": {"a": math.nan, "b": 0.2}, "mrr": {"b": 0.1}})
    )
    cell = column(table, "NDCG@10")["a"]
    assert (cell.text, cell.interval, cell.mark) == ("\N{EM DASH}", "", "")
    assert column(table, "MRR")["a"].text == "\N{EM DASH}"


def test_a_share_is_shown_in_percent(small_card: Make) -> None:
    [table] = tables.metric_tables(small_card({"coverage@10": {"a": 0.25}}))
    cell = column(table, "Coverage@10")["a"]
    assert (cell.text, cell.interval) == ("25.0", "[24.0, 26.0]")


def test_the_sample_is_counted_in_users_also_where_rows_are_predicted(small_card: Make) -> None:
    card = small_card({"auc_random": {"a": 0.7, "b": 0.6}, "ndcg@10": {"a": 0.3, "b": 0.2}})
    fewer = card.models[1].logged["auc_random"].model_copy(update={"n": 7})
    card.models[1].logged["auc_random"] = fewer
    lists, rows = tables.metric_tables(card)
    count = card.models[0].logged["ndcg@10"].n
    assert lists.notes == (f"Over {count:,} users.",)
    assert rows.notes == (f"Over the rows of 7 to {count:,} users.",)


def test_facts_show_only_the_columns_that_somebody_filled(small_card: Make) -> None:
    bare = tables.fact_table(small_card(facts=[Fact(name="f", value=0.5, expected="any")]))
    assert bare is not None
    assert [head.label for head in bare.head] == ["Property", "Here", "Expected"]
    facts = [
        Fact(name="f", value=0.5, expected="0.4 to 0.6", holds=True, real_log=0.55),
        Fact(name="g", value=math.nan, expected="1", holds=False),
    ]
    full = tables.fact_table(small_card(facts=facts))
    assert full is not None
    assert [[cell.text for cell in row] for row in full.rows] == [
        ["f", "0.500", "0.4 to 0.6", "yes", "0.550"],
        ["g", "\N{EM DASH}", "1", "no", "\N{EM DASH}"],
    ]


def test_the_run_counts_no_stage_that_was_reused(small_card: Make) -> None:
    stages = [
        Stage(name="make", seconds=30.0, peak_memory_mb=100.0),
        Stage(name="encode", seconds=900.0, peak_memory_mb=2048.0, reused=True),
        Stage(name="judge", seconds=10.0, peak_memory_mb=math.nan),
    ]
    assert tables.stage_finding(small_card(stages=stages)) == (
        "The run took 40.0 s, of which make 30.0 s. It held at most 2.0 GB of memory, in encode."
    )


def test_bars_are_shares_of_the_longest(small_card: Make) -> None:
    stages = [Stage(name=str(s), seconds=s, peak_memory_mb=math.nan) for s in (2.0, 8.0)]
    table = tables.stage_table(small_card(stages=stages))
    assert table is not None
    assert [row[1].bar for row in table.rows] == [0.25, 1.0]
    assert [row[2].bar for row in table.rows] == [None, None]


def test_each_metric_is_explained_once(world_card: Scorecard) -> None:
    terms = [term for term, _ in tables.metric_meanings(world_card)]
    assert len(terms) == len(set(terms)) == 13
