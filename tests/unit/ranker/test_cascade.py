"""The network in training: it reads no future, and says what the graphs of serving say."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from shortlist.datasets.events import Events, Histories
from shortlist.ranker.graphs import HistoryGraph, PrerankGraph
from shortlist.ranker.inputs import padded
from shortlist.ranker.profile import tallies
from shortlist.ranker.windows import batch_of


@torch.no_grad()
def said(cascade, rows, batch):
    read = cascade.read(rows, batch)
    return read, cascade(rows, batch, read)


def full_window(micro) -> int:
    """A window of a user with a past, as long as windows get."""
    return int(np.argmax(micro.windows.length * (micro.windows.low > micro.windows.start)))


@pytest.mark.parametrize("what", ["kind", "video", "day"])
def test_a_later_event_changes_nothing_that_is_said_before_it(micro, what):
    cascade = micro.cascade(encoder_layers=2)
    batch = micro.batch(full_window(micro))
    place = 9
    row = batch.at[0, place]
    changed = getattr(micro.rows, what).clone()
    changed[row] = {"kind": 4, "video": 3, "day": float(changed[row]) + 0.5}[what]
    other = replace(micro.rows, **{what: changed})
    before, judged = said(cascade, micro.rows, batch)
    after, judged_after = said(cascade, other, batch)
    torch.testing.assert_close(before.user[:, : place + 1], after.user[:, : place + 1])
    torch.testing.assert_close(judged.logit[:, :place], judged_after.logit[:, :place])
    # And it is seen by what follows.
    assert not torch.allclose(before.user[:, place + 1 :], after.user[:, place + 1 :])


def test_the_outcome_of_a_row_is_not_read_when_it_is_predicted(micro):
    cascade = micro.cascade()
    batch = micro.batch(full_window(micro))
    for place in range(batch.at.shape[1]):
        row = batch.at[0, place]
        kind = micro.rows.kind.clone()
        kind[row] = (kind[row] + 1) % 5
        other = replace(micro.rows, kind=kind, target=1 - micro.rows.target)
        _, one = said(cascade, micro.rows, batch)
        _, two = said(cascade, other, batch)
        torch.testing.assert_close(one.logit[0, place], two.logit[0, place])


def test_company_in_a_batch_and_padding_change_nothing(micro):
    cascade = micro.cascade()
    length = micro.windows.length
    short, long = int(np.argmin(length)), int(np.argmax(length))
    assert length[short] < length[long]
    alone, together = micro.batch(short), micro.batch(long, short)
    _, one = said(cascade, micro.rows, alone)
    _, two = said(cascade, micro.rows, together)
    for name in ("logit", "base"):
        a, b = getattr(one, name)[0], getattr(two, name)[1, : length[short]]
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_events_beyond_the_history_are_not_attended(micro):
    cascade = micro.cascade(history=3, encoder_layers=3)
    batch = micro.batch(full_window(micro))
    place = 8
    kind = micro.rows.kind.clone()
    kind[batch.at[0, place - 4]] = (kind[batch.at[0, place - 4]] + 1) % 5
    before, _ = said(cascade, micro.rows, batch)
    after, _ = said(cascade, replace(micro.rows, kind=kind), batch)
    torch.testing.assert_close(before.user[:, place], after.user[:, place])
    kind[batch.at[0, place - 3]] = (kind[batch.at[0, place - 3]] + 1) % 5
    nearer, _ = said(cascade, replace(micro.rows, kind=kind), batch)
    assert not torch.allclose(before.user[:, place], nearer.user[:, place])


@torch.no_grad()
def test_serving_says_what_training_says_of_the_same_moment(micro):
    cascade, rows = micro.cascade(encoder_layers=2), micro.rows
    which = full_window(micro)
    batch = micro.batch(which)
    read, judged = said(cascade, rows, batch)
    user = int(batch.user[0])
    past = Histories.from_log(micro.view.log, len(micro.view.users)).of(user)
    table = cascade.items(torch.arange(40)).half()
    # Rows at full precision: what half of it costs is another matter.
    cascade.items.register_forward_hook(lambda _m, _i, made: made.half().float())
    read, judged = said(cascade, rows, batch)
    for place in range(int(batch.predicted[0].nonzero()[0]), batch.at.shape[1], 3):
        row = int(batch.at[0, place])
        known = row - int(rows.borders[user])
        events = Events(past.video[:known], past.kind[:known], past.day[:known])
        day = float(past.day[known])
        inputs = padded([events], day, cascade.history_length)
        ages, filled = torch.from_numpy(inputs.age), torch.from_numpy(inputs.filled)
        vector, tokens = HistoryGraph(cascade)(
            table[torch.from_numpy(inputs.video)],
            torch.from_numpy(inputs.kind),
            ages,
            filled,
            torch.cat([rows.profile[user], torch.from_numpy(tallies([events])[0])])[None],
        )
        torch.testing.assert_close(vector[0], read.user[0, place], rtol=1e-4, atol=1e-5)
        logit = PrerankGraph(cascade)(
            vector,
            tokens,
            ages,
            filled,
            table[rows.video[row]][None, None],
            rows.context[row][None],
            rows.moment[row][None, None],
        )
        lift = cascade.policy_lift * (1 - rows.random[row])
        torch.testing.assert_close(logit[0, 0] + lift, judged.logit[0, place], rtol=1e-4, atol=1e-5)


def test_what_a_policy_chose_gains_its_lift_and_chance_does_not(micro):
    cascade = micro.cascade()
    batch = micro.batch(*range(6))
    _, before = said(cascade, micro.rows, batch)
    with torch.no_grad():
        cascade.policy_lift += 2.0
    _, after = said(cascade, micro.rows, batch)
    gained = (after.logit - before.logit)[batch.filled]
    by_chance = micro.rows.random[batch.at[batch.filled]]
    torch.testing.assert_close(gained, 2.0 * (1 - by_chance), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_the_start_of_a_history_is_seen_from_everywhere(micro):
    cascade = micro.cascade(history=2)
    batch = micro.batch(full_window(micro))
    before, _ = said(cascade, micro.rows, batch)
    cascade.history.start += torch.randn(micro.settings.width)
    after, _ = said(cascade, micro.rows, batch)
    moved = (before.user - after.user).abs().amax(-1)[0]
    assert (moved > 1e-4).all()


def test_a_window_starts_where_its_user_does(micro):
    windows = micro.windows
    first = np.flatnonzero(windows.low == micro.rows.borders[windows.user])
    batch = batch_of(windows, first[:3])
    read, _ = said(micro.cascade(), micro.rows, batch)
    # Nobody has done anything yet: users differ by their profiles alone.
    user = read.user[:, 0]
    declared = micro.rows.profile[batch.user]
    same = (declared[0] == declared[1]).all() or (declared[0] == declared[2]).all()
    assert not same
    assert not torch.allclose(user[0], user[1])
    silent = replace(micro.rows, profile=torch.zeros_like(micro.rows.profile))
    read, _ = said(micro.cascade(), silent, batch)
    torch.testing.assert_close(read.user[0, 0], read.user[1, 0])
