"""What the hour showed: what each fault cost, and what processes grew by."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from rich.table import Table

from benchmarks.serving.soak.faults import FAULTS, RECOVERY_SECONDS, TRANSFORMER_KILLED
from benchmarks.serving.soak.hour import SAMPLE_SECONDS
from benchmarks.serving.soak.service import ROLES, Sample, Soak

YOUNG_SECONDS: Final = 120.0
"""A process is warm after that: what Java compiles and loads in its first minutes is no growth."""
FEWEST: Final = 6
"""Samples of a role by which its growth can be told."""
HOUR: Final = 60.0
"""A run of so many minutes must judge every role, by a third of the samples that there could be."""
GROWTH: Final = {"memory": (8 * 2**20, 0.05), "fds": (8, 0.1), "threads": (4, 0.1)}
"""What a process may grow by in the second half: so much, or so much of what it holds."""


def slope(samples: Sequence[Sample], what: str) -> tuple[float, float]:
    """Growth a second within processes, and the mean of what they hold.

    The slope is common to the processes of a role; each has a level of its own.
    """
    by_pid: dict[int, list[Sample]] = defaultdict(list)
    for one in samples:
        by_pid[one.pid].append(one)
    times, values, level = [], [], []
    for group in by_pid.values():
        at = np.array([one.at for one in group])
        held = np.array([float(getattr(one, what)) for one in group])
        times.append(at - at.mean())
        values.append(held - held.mean())
        level.append(held)
    if not times:
        return 0.0, 0.0
    time_, value = np.concatenate(times), np.concatenate(values)
    square = float(time_ @ time_)
    return (float(time_ @ value) / square if square else 0.0), float(np.concatenate(level).mean())


def growth(soak: Soak) -> tuple[Table, list[str], dict[str, Any]]:
    """What processes grew by in the second half."""
    half = soak.given.minutes * 30
    table = Table("process", "what", "held", "grows", "allowed", title="second half of the run")
    problems, told = [], dict[str, Any]()
    hour = soak.given.minutes >= HOUR
    wanted = max(FEWEST, half / SAMPLE_SECONDS / 3) if hour else FEWEST
    for role in ("supervisor", *ROLES.values()):
        warm = [
            one
            for one in soak.samples
            if one.role == role and one.at >= half and one.age >= YOUNG_SECONDS
        ]
        judged = len(warm) >= wanted
        if hour and not judged:
            problems.append(f"{role} was warm and looked at {len(warm)} times, too few to judge it")
        for what, (least, share) in GROWTH.items():
            by, level = slope(warm, what)
            grown, allowed = by * half, max(least, share * level)
            unit = 2**20 if what == "memory" else 1
            name = "MiB" if what == "memory" else what
            limit = f"{allowed / unit:.1f}" if judged else "not judged"
            table.add_row(role, name, f"{level / unit:.1f}", f"{grown / unit:+.2f}", limit)
            told[f"{role} {what}"] = {"held": level, "grown": grown, "allowed": allowed}
            if judged and grown > allowed:
                problems.append(f"{role} grew by {grown / unit:.1f} {name}")
        if role == "redis":
            by, level = slope(warm, "log")
            table.add_row("its event log", "MiB", *_mib(level, by * half), "until it is drained")
            told["redis log"] = {"held": level, "grown": by * half}
    return table, problems, told


def _mib(level: float, grown: float) -> tuple[str, str]:
    return f"{level / 2**20:.1f}", f"{grown / 2**20:+.2f}"


def costs(soak: Soak) -> tuple[Table, list[str]]:
    """What each kind of fault cost, and what must not have been."""
    budget = (soak.given.budget_ms + soak.given.grace_ms) / 1e3
    columns = (
        "fault",
        "times",
        "lasted s",
        "pages",
        "degraded",
        "last after s",
        "cut off",
        "late",
        "worst ms",
    )
    table = Table(*columns, "found", title="what each fault cost")
    problems: list[str] = []
    at = np.array([one.at for one in soak.asked])
    took = np.array([one.took for one in soak.asked])
    bad = np.array([bool(one.causes) for one in soak.asked])
    cut = np.array([one.cut for one in soak.asked])
    may_cut = np.zeros(len(at), np.bool_)
    near = np.zeros(len(at), np.bool_)
    for name, (_, may) in FAULTS.items():
        mine = [done for done in soak.faults if done.name == name]
        lasted, pages, spoilt, last, cuts, late, worst = 0.0, 0, 0, 0.0, 0, 0, 0.0
        found = [problem for done in mine for problem in done.problems]
        for done in mine:
            within = (at >= done.began - budget) & (at <= done.ended + RECOVERY_SECONDS)
            near |= within
            if name == TRANSFORMER_KILLED:
                may_cut |= within
            cuts += int(cut[within].sum())
            lasted += done.ended - done.began
            pages, spoilt = pages + int(within.sum()), spoilt + int(bad[within].sum())
            after = at[within & bad & (at > done.ended)] - done.ended
            last = max(last, float(after.max()) if len(after) else 0.0)
            late += int((took[within] > budget).sum())
            worst = max(worst, float(took[within].max()) if within.any() else 0.0)
        if spoilt and not may:
            found.append(f"{spoilt} degraded pages, where none may be")
        problems += [f"{name}: {one}" for one in dict.fromkeys(found)]
        table.add_row(
            *(name, f"{len(mine)}", f"{lasted:.1f}", f"{pages:,}", f"{spoilt:,}", f"{last:.1f}"),
            *(f"{cuts:,}", f"{late:,}", f"{worst * 1e3:.0f}", "; ".join(dict.fromkeys(found))),
        )
    calm = ~near
    table.add_row(
        *("none", "", "", f"{int(calm.sum()):,}", f"{int(bad[calm].sum()):,}", ""),
        f"{int(cut[calm].sum()):,}",
        *(f"{int((took[calm] > budget).sum()):,}", f"{1e3 * took[calm].max(initial=0):.0f}", ""),
    )
    if bad[calm].any():
        causes = Counter(
            cause
            for one, quiet in zip(soak.asked, calm, strict=True)
            if quiet
            for cause in one.causes
        )
        problems.append(
            f"{int(bad[calm].sum())} degraded pages later than {RECOVERY_SECONDS:.0f} s after any "
            f"fault ({', '.join(f'{name} {count}' for name, count in causes.items())})"
        )
    if (cut & ~may_cut).any():
        problems.append(
            f"{int((cut & ~may_cut).sum())} connections were cut off, where none may be"
        )
    problems += [f"{count} x {error}" for error, count in soak.raised.items()]
    if len(soak.asked) != soak.due:
        problems.append(f"{soak.due:,} pages were due, {len(soak.asked):,} have a result")
    statuses = Counter(one.status for one in soak.asked)
    if set(statuses) != {200}:
        problems.append(f"requests were not answered by a page: {dict(statuses)}")
    if (late_all := int((took > budget).sum())) > 0:
        problems.append(f"{late_all:,} of {len(took):,} answers came after {budget * 1e3:.0f} ms")
    return table, problems
