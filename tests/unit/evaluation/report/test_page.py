"""The page: whole, self-contained, accessible, escaped, the same for the same scorecard."""

import re
from html.parser import HTMLParser
from importlib import resources

import matplotlib as mpl

from shortlist.evaluation.report.page import render_html
from shortlist.evaluation.report.sections import SECTIONS
from shortlist.evaluation.scorecard import (
    Ablation,
    Fact,
    ModelResult,
    PairedDifference,
    Scorecard,
    Study,
)

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """What a browser would see: tags in order, all nested well, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def test_the_page_asks_for_nothing_from_outside(world_page: str) -> None:
    page = Page(world_page)
    assert not page.all("script")
    for _, attrs in page.tags:
        for name, value in attrs.items():
            if name in ("src", "href", "xlink:href", "data", "action"):
                assert value is not None
                assert value.startswith(("#", "data:,"))
    assert "@import" not in world_page
    assert re.findall(r"url\((?!#)", world_page) == []


def test_the_page_of_a_model_has_its_sections_and_asks_for_nothing_from_outside(
    model_page: str,
) -> None:
    page = Page(model_page)
    sections = [attrs["id"] for attrs in page.all("section")]
    assert {"goals", "slate", "parts", "errors", "training"} <= set(sections)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in page.tags:
        for name in ("src", "href", "xlink:href"):
            assert (attrs.get(name) or "#").startswith(("#", "data:,"))
    assert re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", model_page) == []
    assert "nan" not in re.findall(r"[a-z]+", " ".join(page.text).lower())


def test_every_anchor_has_one_target(world_page: str) -> None:
    page = Page(world_page)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    references = set(re.findall(r'href="#([^"]+)"', world_page))
    references |= set(re.findall(r"url\(#([^)]+)\)", world_page))
    assert references
    assert references <= set(ids)


def test_every_section_of_a_full_scorecard_is_there(model_page: str) -> None:
    assert len(Page(model_page).all("section")) == len(SECTIONS)


def test_a_real_log_leaves_out_what_needs_the_truth(log_page: str) -> None:
    shown = {attrs["id"] for attrs in Page(log_page).all("section")}
    assert {"judged", "result", "metrics", "variety", "breadth", "trust"} <= shown
    assert not shown & {"page", "off-policy", "data", "compared"}


def test_every_plot_has_a_finding_words_for_the_blind_and_how_to_read_it(world_page: str) -> None:
    page = Page(world_page)
    figures = world_page.count("<figure ")
    assert figures == 10
    assert world_page.count("<figcaption>") == figures
    labels = [attrs["aria-label"] for attrs in page.all("div") if attrs.get("role") == "img"]
    assert len(labels) == figures
    assert all(label and len(label) > 40 for label in labels)
    for figure in re.findall(r"<figure .*?</figure>", world_page, flags=re.DOTALL):
        assert re.search(r"<h3>\S.*\.</h3>", figure)
        assert figure.count('<div class="wide"><svg') == 1
        assert figure.count('<div class="narrow"><svg') == 1


def test_no_figure_reads_nan(world_page: str, log_page: str) -> None:
    for source in (world_page, log_page):
        words = re.findall(r"[a-z]+", " ".join(Page(source).text).lower())
        assert "nan" not in words
        assert "none" in words  # a model's features; proves that the words were read


def test_plots_take_their_colours_from_the_page(world_page: str) -> None:
    drawings = "".join(re.findall(r"<svg.*?</svg>", world_page, flags=re.DOTALL))
    assert "var(--blue)" in drawings
    assert re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", drawings) == []


def test_equal_scorecards_give_equal_pages_whatever_style_is_in_force(
    log_card: Scorecard, log_page: str
) -> None:
    with mpl.rc_context({"font.size": 40, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert render_html(log_card.model_copy(deep=True)) == log_page


HOSTILE = "<script>alert('x')</script>\"&$\\frac{ --> ]]> {{ 7 * 7 }} \x1b[31m\x00\ud800 \u65e5"


def test_hostile_names_are_shown_and_never_obeyed(log_card: Scorecard) -> None:
    def rename(model: ModelResult) -> ModelResult:
        words = {
            "name": model.name + HOSTILE,
            "description": HOSTILE,
            "details": {HOSTILE: HOSTILE},
        }
        return model.model_copy(update=words | {"off_policy": {HOSTILE: HOSTILE}})

    pair = PairedDifference(
        metric=HOSTILE,
        first=HOSTILE,
        second="b",
        difference=log_card.models[0].logged["mrr"],
    )
    source = render_html(
        log_card.model_copy(
            update={
                "title": HOSTILE,
                "dataset": HOSTILE,
                "dataset_digest": HOSTILE,
                "protocol": [HOSTILE],
                "settings": {HOSTILE: HOSTILE},
                "models": [rename(log_card.models[1]), rename(log_card.models[2])],
                "differences": [pair],
                "study": Study(
                    model=HOSTILE,
                    ablations=[Ablation(part=HOSTILE, differences={"mrr": pair.difference})],
                    facts=[Fact(name=HOSTILE, value=0.0, expected=HOSTILE)],
                ),
            }
        )
    )
    page = Page(source)
    source.encode("utf-8")
    assert not page.all("script")
    assert not [char for char in source if char in "\x00\x1b"]
    text = " ".join(page.text)
    assert "<script>alert('x')</script>" in text
    assert "{{ 7 * 7 }}" in text
    assert "default-src 'none'" in str(page.all("meta"))


def test_an_empty_scorecard_is_a_page_all_the_same(log_card: Scorecard) -> None:
    empty = log_card.model_copy(
        update={"models": [], "protocol": [], "stages": [], "settings": {}, "differences": []}
    )
    page = Page(render_html(empty))
    assert not page.all("section")
    assert log_card.title in page.text


def test_the_templates_travel_with_the_package() -> None:
    templates = resources.files("shortlist.evaluation.report") / "templates"
    names = {entry.name for entry in templates.iterdir()}
    assert {"report.html.j2", "blocks.html.j2", "report.css"} <= names
