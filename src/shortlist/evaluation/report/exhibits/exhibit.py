"""One plot as the page shows it: the finding above, the drawing, how to read it below."""

from dataclasses import dataclass

from shortlist.evaluation.report.exhibits.canvas import Drawing
from shortlist.evaluation.report.exhibits.palette import Mark


@dataclass(frozen=True)
class Exhibit:
    """A plot with its words.

    Attributes:
        key: unique on the page, fit for an anchor.
        finding: what the plot shows, as one sentence computed from the data.
        reading: one sentence that teaches how to read the plot.
        alternative: what someone who cannot see the plot should be told beyond the finding.
        drawing: the plot, for wide and narrow screens; None where there is nothing to draw.
        legend: marks and what they stand for.
        notes: sentences that belong to the plot, such as refusals of a verdict.
    """

    key: str
    finding: str
    reading: str
    alternative: str
    drawing: Drawing | None
    legend: tuple[tuple[Mark, str], ...] = ()
    notes: tuple[str, ...] = ()
