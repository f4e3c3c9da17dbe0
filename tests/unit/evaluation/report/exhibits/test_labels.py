"""Names in a scatter plot avoid marks, each other and the edge."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.evaluation.report.exhibits.labels import Box, place

FRAME = Box(0, 0, 400, 300)


def mark(x: float, y: float) -> Box:
    return Box(x - 5, y - 5, x + 5, y + 5)


def test_a_lone_name_stands_right_of_its_mark() -> None:
    [box] = place([mark(100, 100)], [(40, 14)], FRAME)
    assert box == Box(109, 93, 149, 107)


def test_a_name_at_the_right_edge_stands_left_of_its_mark() -> None:
    [box] = place([mark(390, 100)], [(40, 14)], FRAME)
    assert box.right < 385


def test_a_name_keeps_off_an_obstacle() -> None:
    line = Box(0, 98, 400, 102)
    [box] = place([mark(100, 100)], [(40, 14)], FRAME, [line])
    assert box.overlap(line) == 0


def test_names_of_a_cluster_overlap_neither_marks_nor_each_other() -> None:
    marks = [mark(200 + 12 * i, 150 + 9 * (i % 3)) for i in range(6)]
    boxes = place(marks, [(70, 14)] * 6, FRAME)
    for i, box in enumerate(boxes):
        assert all(box.overlap(other) == 0 for other in marks)
        assert all(box.overlap(other) == 0 for other in boxes[:i])


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), max_size=6))
def test_every_mark_gets_a_name_of_its_size(points: list[tuple[float, float]]) -> None:
    boxes = place([mark(x, y) for x, y in points], [(50, 14)] * len(points), FRAME)
    assert len(boxes) == len(points)
    for box in boxes:
        assert round(box.right - box.left, 6) == 50
        assert round(box.bottom - box.top, 6) == 14
