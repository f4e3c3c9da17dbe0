"""How the figures were made, in sentences: whoever reads a figure can judge what it is worth."""

from shortlist.evaluation.arena import Arena
from shortlist.settings.evaluation import EvaluationSettings


def protocol(
    arena: Arena, settings: EvaluationSettings, *, has_truth: bool, own: bool = False
) -> list[str]:
    """Sentences for the report, in reading order.

    Args:
        arena: the arena.
        settings: of the judge.
        has_truth: whether the world behind the log is known.
        own: whether a model of this system is among those judged.
    """
    k, split = settings.k, arena.split
    target = {"click": "a click", "long_view": "a long view"}[arena.view.target]
    live, videos = int(arena.live.sum()), len(arena.catalogue)
    lines = [
        f"Models see the history, {split.history}, and recommend for {split.as_of}; they are "
        f"judged on {split.test}.",
        f"A recommendation should bring about {target}.",
        f"Lists are drawn from all {live:,} videos that exist when the test days begin (of "
        f"{videos:,}); videos that the user's history holds are left out. No metric samples "
        "negatives.",
        f"Against the log: {len(arena.watchers):,} users with at least one such outcome on a video "
        "that is live and new to them; averages are over users.",
        f"Intervals hold 95 %: {settings.bootstrap:,} resamples of users; differences are paired "
        "on the same users.",
    ]
    if arena.test.random_exposure.any():
        lines.append(
            "Odds are judged on the test days' impressions: those that the logging policy chose, "
            "and those drawn at random from all live videos."
        )
    if has_truth:
        lines += [
            f"Against the truth: {len(arena.sample):,} fixed users, the world's own probability of "
            f"{target} at a fixed context in an empty session. Expected-gain NDCG@{k} takes these "
            "probabilities as gains; the oracle's list is 1.",
            f"Page value is the expected clicks of the best {k} seen as one page from top to "
            "bottom, with fatigue inside the page.",
            "Oracle recall is the share of the oracle's best 100 among a model's best 1,000.",
            "Off-policy estimates value one policy per model on the opening slots of sessions: "
            f"draw uniformly from the {settings.policy_share:.0%} of the catalogue that the model "
            "likes best. Where the effective sample is below 1 %, no verdict is given.",
        ]
    if own:
        lines.append(
            f"Models of this system make pages, as they are served but without exploration; their "
            f"lists are judged as all others' are. Parts are blanked for "
            f"{settings.ablation_users:,} users at most, and nothing is trained anew for that."
        )
    return lines
