"""Drawings: inline SVG with ids of their own, text as text, names that are no formulas."""

import re

from shortlist.evaluation.report.exhibits.canvas import Canvas, draw, fitted, text_width


def paint(canvas: Canvas) -> None:
    canvas.set_height(80)
    axes = canvas.axes(40, 10, canvas.width - 50, 50)
    axes.plot([0, 1], [0, 1], marker="o", color="#0072b2")
    canvas.text(0, 10, 'costs $5_{ <b id="x">: #0072b2 font-family: serif')


def test_two_plots_of_one_page_share_no_id() -> None:
    first, second = draw("first", paint), draw("second", paint)
    svgs = [first.wide, first.narrow, second.wide, second.narrow]
    ids = [set(re.findall(r'<[^>]* id="([^"]+)"', svg)) for svg in svgs]
    assert all(ids)
    assert len(set.union(*ids)) == sum(map(len, ids))
    for svg, own in zip(svgs, ids, strict=True):
        references = set(re.findall(r'<[^>]*(?:href="#|url\(#)([^")]+)', svg))
        assert references <= own


def test_text_is_kept_letter_by_letter() -> None:
    svg = draw("text", paint).wide
    assert 'costs $5_{ &lt;b id="x"&gt;: #0072b2 font-family: serif' in svg


def test_a_drawing_is_one_element_without_a_style_sheet_or_a_date() -> None:
    svg = draw("plain", paint).narrow
    assert svg.startswith("<svg viewBox=")
    assert svg.endswith("</svg>")
    assert "<style" not in svg
    assert "metadata" not in svg
    assert not re.search(r"20\d\d-", svg)


def test_the_same_drawing_has_the_same_bytes() -> None:
    assert draw("same", paint) == draw("same", paint)


def test_a_fitted_name_takes_no_more_room_than_it_has() -> None:
    name = fitted("a-rather-long-name-of-a-model", 100)
    assert text_width(name, weight="bold") <= 100
    assert name.startswith("a-r")
    assert name.endswith("el")
    assert fitted("short", 100) == "short"
