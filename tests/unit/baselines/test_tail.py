"""The tail of a history, held out by days or by events."""

import datetime as dt

import numpy as np

from shortlist.baselines.tail import hold_out_tail


def test_the_last_days_are_held_out_and_the_early_view_ends_before_them(blocks):
    view = blocks.view
    early, late = hold_out_tail(view, days=2, events=5)
    border = (early.as_of - dt.date(1970, 1, 1)).days
    assert early.as_of == view.as_of - dt.timedelta(days=2)
    assert (early.log.day < border).all()
    assert (late.day >= border).all()
    assert len(early.log) + len(late) == len(view.log)


def test_a_day_stays_however_many_are_asked_for(blocks):
    early, _ = hold_out_tail(blocks.view, days=99, events=5)
    assert len(np.unique(early.log.day)) == 1


def test_of_a_single_day_each_user_gives_the_last_events_but_at_most_half(view_of):
    view = view_of([0] * 7 + [1] * 3, [*range(7), 0, 1, 2], [1.0] * 10, users=2, videos=7)
    early, late = hold_out_tail(view, days=2, events=2)
    assert late.video[late.user == 0].tolist() == [5, 6]
    assert late.video[late.user == 1].tolist() == [2]
    assert len(early.log) == 7


def test_an_empty_history_has_an_empty_tail(view_of):
    view = view_of([], [], [], users=1, videos=1)
    early, late = hold_out_tail(view, days=1, events=1)
    assert len(early.log) == len(late) == 0
