"""The verdict on a model of this system in a few sentences, each computed from its goals."""

import math

from shortlist.evaluation.report import numerals, wording
from shortlist.evaluation.report.exhibits.words import percent, sentence
from shortlist.evaluation.scorecard import Estimate, Goal, Study

Goals = dict[str, Goal]


def verdict(study: Study) -> tuple[str, ...]:
    """Against the baselines, against the informed observer, and of the page; what is known."""
    goals: Goals = {goal.key: goal for goal in study.goals if math.isfinite(goal.measured.value)}
    found = [_ahead(study.model, goals), _near(study.model, goals), _page(study.model, goals)]
    return tuple(sentence(text) for text in found if text)


def _ahead(model: str, goals: Goals) -> str:
    """Whether every baseline is beaten, by lists and by pages, and what share of the ceiling."""
    if "ahead" not in goals:
        return ""
    text = f"{model} {_lead(goals['ahead'])}"
    if "lift" in goals:
        text += (
            f"; it reaches {percent(goals['lift'].measured.value)} of the informed observer's "
            "lift over random lists"
        )
    if "page_ahead" in goals:
        text += f"; on the log, its page {_lead(goals['page_ahead'])}"
    return text


def _lead(goal: Goal) -> str:
    found = goal.measured
    decimals = numerals.decimals_for([found])
    if found.value < 0:
        # Told as the lead of the other, interval and all.
        found = Estimate(value=-found.value, low=-found.high, high=-found.low, n=found.n)
    size = numerals.number(found.value, decimals)
    told = f"{size} {numerals.interval(found, decimals)}".rstrip()
    if goal.holds:
        return f"beats every baseline, the hardest ({goal.against}) by {told}"
    if goal.measured.high < 0:
        return f"does not beat every baseline: {goal.against} is ahead by {told}"
    side = "ahead of" if goal.measured.value >= 0 else "behind"
    return f"does not beat every baseline beyond chance: it is {side} {goal.against} by {told}"


def _near(model: str, goals: Goals) -> str:
    """Recall and AUC beside the observer's."""
    parts = []
    if "recall" in goals:
        parts.append(
            f"finds {percent(goals['recall'].measured.value)} as many of the oracle's best videos "
            "among its first 1,000"
        )
    gaps = []
    for key, words in (("auc_logged", "logged"), ("auc_random", "random")):
        if key in goals:
            gap = goals[key].measured.value
            side = "below" if gap >= 0 else "above"
            gaps.append(f"{numerals.number(abs(gap), 3)} {side} on {words} rows")
    if gaps:
        parts.append(f"has an AUC {' and '.join(gaps)}")
    return f"Beside the observer, {model} {' and '.join(parts)}" if parts else ""


def _page(model: str, goals: Goals) -> str:
    """What the slate changes."""
    if "tags" not in goals:
        return ""
    text = f"The page of {model} has {_change(goals['tags'].measured.value)} distinct tags"
    if "distance" in goals:
        text += f" and {_change(goals['distance'].measured.value)} content distance"
    text += " against its plain list"
    if "value_loss" in goals:
        loss = goals["value_loss"].measured.value
        text += f", and {_change(-loss, 1)} expected clicks"
    return text


def _change(share: float, decimals: int = 0) -> str:
    sign = "+" if share >= 0 else ""
    return f"{sign}{numerals.number(100 * share, decimals)}\N{NO-BREAK SPACE}%"


def goal_words(goal: Goal) -> tuple[str, str]:
    """A goal's figure and interval as text: in percent where it is a share, else as it is."""
    shares = ("lift", "recall", "tags", "value_loss", "distance")
    factor = 100.0 if goal.key in shares else 1.0
    decimals = numerals.decimals_for([goal.measured], factor)
    sign = "\N{NO-BREAK SPACE}%" if goal.key in shares else ""
    value = numerals.number(goal.measured.value * factor, decimals)
    return value + sign, numerals.interval(goal.measured, decimals, factor)


def goal_name(goal: Goal) -> str:
    """A goal's name with its metric in a reader's words."""
    for word in goal.name.split():
        if "@" in word and wording.metric(word).topic != "other":
            return goal.name.replace(word, wording.metric(word).label)
    return goal.name
