"""Training learns, agrees with itself to the last digit, and goes on where it was killed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from shortlist.errors import InputError, RefusedError, SettingsError
from shortlist.ranker.batching import EpochOrder, in_order
from shortlist.ranker.company import Companion
from shortlist.ranker.fit import Fitted, fit
from shortlist.ranker.lists import Pools
from shortlist.ranker.outcomes import OutcomeTraining
from shortlist.ranker.together import Processes, announce
from shortlist.ranker.trainer import MONITORED
from shortlist.ranker.windows import Windows


class KilledError(Exception):
    """Stands in for a kill in the middle of an epoch."""


def train(micro, scratch: Path, **changes) -> Fitted:
    settings = micro.settings.model_copy(update=changes)
    fitted = fit(micro.view, micro.recalled, settings, scratch)
    assert fitted is not None
    return fitted


def assert_same(one: Fitted, other: Fitted) -> None:
    """To the last digit: weights and curves."""
    weights, others = one.cascade.state_dict(), other.cascade.state_dict()
    assert weights.keys() == others.keys()
    for name, weight in weights.items():
        assert torch.equal(weight, others[name]), name
    assert one.curves.points == other.curves.points


@pytest.fixture
def epochs(monkeypatch) -> list[int]:
    """The epochs that are trained."""
    trained: list[int] = []
    begin = OutcomeTraining.on_train_epoch_start

    def counted(self):
        trained.append(self.current_epoch)
        begin(self)

    monkeypatch.setattr(OutcomeTraining, "on_train_epoch_start", counted)
    return trained


@pytest.fixture
def scripted(monkeypatch):
    """Let validation say what a test wants, epoch by epoch."""

    def script(*losses: float) -> None:
        def said(self, batch, _):
            self.log(MONITORED, torch.tensor(losses[self.current_epoch]), batch_size=1)

        monkeypatch.setattr(OutcomeTraining, "validation_step", said)

    return script


def test_losses_on_what_is_learned_and_on_what_is_held_out_fall(fitted, micro):
    points = fitted[0].curves.points
    for name in (MONITORED, "validation/towers", "train/outcome", "train/towers", "train/lists"):
        assert sorted(points[name]) == list(range(micro.settings.epochs))
        assert points[name][micro.settings.epochs - 1] < points[name][0] - 0.02, name
    # A guess by the rate alone costs .69 here.
    assert points[MONITORED][micro.settings.epochs - 1] < 0.6


def test_two_runs_with_one_seed_agree_to_the_last_digit(fitted, micro, tmp_path):
    torch.manual_seed(999)
    np.random.seed(999)  # noqa: NPY002  no global stream has a say
    assert_same(train(micro, tmp_path), fitted[0])


def test_another_seed_is_another_run(fitted, micro, tmp_path):
    other = replace(micro, view=replace(micro.view, seed=8))
    weights = train(other, tmp_path, epochs=1).cascade.history.start
    assert not torch.equal(weights, fitted[0].cascade.history.start)


def test_a_run_killed_inside_an_epoch_ends_as_if_it_had_not_been(
    fitted, micro, tmp_path, monkeypatch, epochs
):
    step = OutcomeTraining.training_step

    def killed(self, batch, which):
        if (self.current_epoch, which) == (2, 1):
            raise KilledError
        return step(self, batch, which)

    with monkeypatch.context() as patch:
        patch.setattr(OutcomeTraining, "training_step", killed)
        with pytest.raises(KilledError):
            train(micro, tmp_path)
    assert epochs == [0, 1, 2]
    resumed = train(micro, tmp_path)
    assert epochs == [0, 1, 2, 2]
    assert_same(resumed, fitted[0])


def test_a_run_killed_after_its_last_epoch_trains_no_more(fitted, micro, epochs):
    again = train(micro, fitted[1])
    assert epochs == []
    assert_same(again, fitted[0])


@pytest.mark.parametrize("torn", ["last.ckpt", "best.ckpt"])
def test_a_damaged_checkpoint_is_thrown_away_and_said(micro, tmp_path, caplog, epochs, torn):
    first = train(micro, tmp_path, epochs=1)
    path = tmp_path / "checkpoints" / torn
    path.write_bytes(path.read_bytes()[:-1000])
    again = train(micro, tmp_path, epochs=1)
    assert epochs == [0, 0]
    assert_same(again, first)
    (said,) = [record.getMessage() for record in caplog.records]
    assert f"{torn} is damaged" in said
    assert said.endswith("training begins anew")


def test_training_stops_early_and_keeps_the_best_epoch(micro, tmp_path, epochs, scripted):
    scripted(0.9, 0.5, 0.6, 0.7, 0.1, 0.1)
    stopped = train(micro, tmp_path / "stopped", epochs=6, patience=2)
    assert epochs == [0, 1, 2, 3]
    best = torch.load(tmp_path / "stopped/checkpoints/best.ckpt", weights_only=True)
    assert best["epoch"] == 1
    last = torch.load(tmp_path / "stopped/checkpoints/last.ckpt", weights_only=True)
    weights = stopped.cascade.items.content.weight
    in_best, in_last = (
        [value for name, value in kept["state_dict"].items() if "items.content.weight" in name]
        for kept in (best, last)
    )
    assert any(torch.equal(weights, value) for value in in_best)
    assert not any(torch.equal(weights, value) for value in in_last)
    # Who stopped stays so: a resumed run does not go on.
    assert_same(train(micro, tmp_path / "stopped", epochs=6, patience=2), stopped)
    assert epochs == [0, 1, 2, 3]


def test_a_run_whose_losses_are_no_numbers_is_refused(micro, tmp_path, scripted):
    scripted(float("nan"), float("nan"))
    with pytest.raises(SettingsError, match=r"diverged.*ranker\.learning_rate"):
        train(micro, tmp_path)


def test_gradients_are_clipped_to_the_norm_that_is_set(micro, tmp_path, monkeypatch):
    norms: list[float] = []

    def seen(self, optimizer):
        gradients = [p.grad for p in self.parameters() if p.grad is not None]
        if gradients:
            norms.append(float(torch.stack([g.norm() for g in gradients]).norm()))

    monkeypatch.setattr(OutcomeTraining, "on_before_zero_grad", seen)
    train(micro, tmp_path, epochs=1, gradient_clip=0.01)
    assert norms == pytest.approx([0.01] * len(norms), rel=1e-3)
    assert len(norms) > 2


def test_tensorboard_finds_every_loss_of_every_epoch(fitted):
    events = EventAccumulator(str(fitted[1] / "tensorboard"))
    events.Reload()
    points = fitted[0].curves.points
    assert MONITORED in points
    assert set(points) <= set(events.Tags()["scalars"])
    values = [scalar.value for scalar in events.Scalars(MONITORED)]
    assert values == pytest.approx([points[MONITORED][epoch] for epoch in range(len(values))])
    assert len(values) == len(points[MONITORED])


def test_who_is_held_out_is_not_learned(fitted, micro):
    held = torch.cat([batch.at[batch.predicted] for batch in fitted[0].held_out])
    assert len(held.unique()) == len(held)
    # The last events of two users in five, a fifth of each.
    assert 0.02 < len(held) / len(micro.rows) < 0.2
    users = micro.rows.user[held].unique().tolist()
    for user in users:
        mine = held[micro.rows.user[held] == user]
        end = int(micro.rows.borders[user + 1])
        assert mine.tolist() == list(range(end - len(mine), end))


def test_a_log_that_knows_nothing_of_the_target_is_refused(micro, tmp_path):
    log = replace(micro.view.log, click=np.full(len(micro.view.log), np.nan, np.float32))
    with pytest.raises(InputError, match="knows the click of no row"):
        train(replace(micro, view=replace(micro.view, log=log)), tmp_path)


def test_more_processes_than_run_are_refused_with_the_command(micro, tmp_path):
    with pytest.raises(SettingsError, match="torchrun --nproc-per-node 2 -m shortlist"):
        train(micro, tmp_path, processes=2)


def test_processes_are_numbered_as_torchrun_says(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert Processes.found() == Processes(0, 1, 1)
    for name, value in (("RANK", "3"), ("WORLD_SIZE", "4"), ("LOCAL_WORLD_SIZE", "2")):
        monkeypatch.setenv(name, value)
    assert Processes.found() == Processes(3, 4, 2)
    with pytest.raises(SettingsError, match=r"or set ranker\.processes to 4"):
        Processes.found().expect(1)


def test_only_training_is_run_by_several_processes(monkeypatch):
    announce("nobody else is here")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RefusedError, match="only `train` is run by several processes"):
        announce("nobody listens")


def some_windows(count: int) -> Windows:
    low = np.arange(count) * 3
    return Windows(np.arange(count), low, low, low + 3)


@pytest.mark.parametrize(("count", "ranks"), [(20, 1), (20, 2), (21, 2), (23, 3)])
def test_processes_take_equal_shares_of_an_epoch_and_no_batch_twice(count, ranks):
    orders = [EpochOrder(some_windows(count), 2, 5, rank, ranks) for rank in range(ranks)]
    shares = [[part.tolist() for part in order] for order in orders]
    assert len({len(share) for share in shares}) == 1
    assert [len(share) for share in shares] == [len(order) for order in orders]
    taken = [window for share in shares for part in share for window in part]
    assert len(set(taken)) == len(taken)
    # At most a batch less than each process would need is left out.
    assert count - len(taken) <= 2 * (ranks - 1)


def test_the_order_of_an_epoch_follows_from_its_number():
    order = EpochOrder(some_windows(20), 2, 5, 0, 1)
    first = [part.tolist() for part in order]
    order.set_epoch(1)
    second = [part.tolist() for part in order]
    order.set_epoch(0)
    assert [part.tolist() for part in order] == first != second


@pytest.mark.parametrize(("count", "ranks"), [(7, 1), (7, 2), (1, 2)])
def test_every_process_validates_and_together_they_leave_nothing_out(count, ranks):
    windows = some_windows(count)
    seen = [
        {int(user) for batch in in_order(windows, 3, rank, ranks) for user in batch.user}
        for rank in range(ranks)
    ]
    assert all(seen)
    assert set.union(*seen) == set(range(count))


def a_training(micro, **changes) -> OutcomeTraining:
    settings = micro.settings.model_copy(update=changes)
    torch.manual_seed(0)
    pools = Pools(micro.recalled, micro.live, np.zeros(40, np.int64), micro.features.tags)
    companion = Companion([], micro.rows.profile, 0.0, pools, nearest=2)
    return OutcomeTraining(micro.cascade(), micro.rows, companion, settings, steps=100, seed=1)


def test_the_rate_warms_up_and_falls_by_a_cosine(micro):
    training = a_training(micro, learning_rate=0.01)
    chosen = training.configure_optimizers()
    optimizer, schedule = chosen["optimizer"], chosen["lr_scheduler"]["scheduler"]
    assert isinstance(optimizer, torch.optim.AdamW)
    assert chosen["lr_scheduler"]["interval"] == "step"
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    top = int(np.argmax(rates))
    assert rates[top] == pytest.approx(0.01)
    assert 1 <= top <= 10
    assert np.all(np.diff(rates[: top + 1]) > 0)
    assert np.all(np.diff(rates[top:]) < 0)
    # Half of the way down in the middle of the way.
    assert rates[(top + 100) // 2] == pytest.approx(0.005, rel=0.05)
    assert rates[-1] < 1e-4


def test_priors_hold_videos_and_creators_and_decay_holds_the_rest(micro):
    training = a_training(micro, weight_decay=0.3)
    optimizer = training.configure_optimizers()["optimizer"]
    decay = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    items = training.cascade.items
    held = {id(items.residual.weight), id(items.creator.weight)}
    for weight in training.parameters():
        if weight.requires_grad:
            assert decay[id(weight)] == (0.0 if id(weight) in held else 0.3)


def test_the_means_of_validation_weigh_rows_alike(fitted, micro):
    """Batches of unequal size: the epoch's figure is that of all rows together."""
    cascade, rows = fitted[0].cascade.eval(), micro.rows
    losses = []
    with torch.no_grad():
        for batch in fitted[0].held_out:
            read = cascade.read(rows, batch)
            logit = cascade(rows, batch, read).logit[batch.predicted]
            target = rows.target[batch.at[batch.predicted]]
            known = ~target.isnan()
            losses.append(
                torch.nn.functional.binary_cross_entropy_with_logits(
                    logit[known], target[known], reduction="none"
                )
            )
    best = min(fitted[0].curves.points[MONITORED].values())
    assert torch.cat(losses).mean().item() == pytest.approx(best, rel=1e-5)


def test_the_loss_weighs_its_parts_as_set(micro):
    """The derivative of the loss in each weight is that part of it."""

    def loss(**changes) -> float:
        training = a_training(micro, **changes).eval()
        training.log_dict = lambda *args, **kwargs: None
        training.rng = np.random.default_rng(0)
        with torch.no_grad():
            return float(training.training_step(micro.batch(*range(6)), 0))

    plain = dict.fromkeys(("beta", "tower_weight", "watch_weight", "video_prior"), 0.0)
    plain = {**plain, "creator_prior": 0.0, "alpha": 1.0}
    base = loss(**plain)
    assert loss(**{**plain, "alpha": 2.0}) == pytest.approx(2 * base, rel=1e-5)
    for name in ("tower_weight", "watch_weight", "video_prior", "creator_prior"):
        more = loss(**{**plain, name: 1.0}) - base
        assert more > 0, name
        assert loss(**{**plain, name: 3.0}) - base == pytest.approx(3 * more, rel=1e-3)
    # Distance is a gain.
    gained = base - loss(**{**plain, "beta": 1.0})
    assert gained > 0
    assert base - loss(**{**plain, "beta": 2.0}) == pytest.approx(2 * gained, rel=1e-3)
