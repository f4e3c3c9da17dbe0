"""The HTML page: one file that needs nothing from outside and shows everything without scripts."""

import datetime as dt
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from shortlist.evaluation.report import numerals, wording
from shortlist.evaluation.report.cleaning import cleaned
from shortlist.evaluation.report.exhibits.palette import DARK_PALETTE, PALETTE
from shortlist.evaluation.report.sections import sections
from shortlist.evaluation.scorecard import Scorecard

_TEMPLATE: Final = "report.html.j2"


def render_html(scorecard: Scorecard) -> str:
    """The whole report as one HTML document.

    Plots are inline SVG, drawn for wide and for narrow screens, and follow the reader's choice of
    light or dark. Every text of the scorecard is escaped. Equal scorecards give equal text.
    """
    environment = Environment(
        loader=PackageLoader("shortlist.evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    shown = cleaned(scorecard)
    parts = sections(shown)
    return environment.get_template(_TEMPLATE).render(
        card=shown,
        made_at=_moment(shown.made_at),
        sizes=[
            numerals.counted(shown.users, "user"),
            numerals.counted(shown.videos, "video"),
            numerals.counted(shown.impressions, "impression"),
        ],
        target=wording.OUTCOMES[shown.target],
        sections=parts,
        findings=[part for part in parts if part.finding],
        light=PALETTE,
        dark=DARK_PALETTE,
    )


def _moment(moment: dt.datetime) -> str:
    """A time to the minute, in UTC where its zone is known.

    >>> _moment(dt.datetime(2026, 3, 1, 9, 30))
    '1 March 2026, 09:30'
    """
    zone = ""
    if moment.tzinfo is not None:
        moment, zone = moment.astimezone(dt.UTC), " UTC"
    months = (
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    )  # fmt: skip
    return f"{moment.day} {months[moment.month - 1]} {moment.year}, {moment:%H:%M}{zone}"
