"""Progress, learning rate, early stopping, and the moving average of weights."""

import copy
import pickle
from typing import ClassVar

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, Checkpoint, EpochScoring, ProgressBar
from torch import nn

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat.classifiers._callbacks import OneCycle, WeightAverage

X = np.random.default_rng(0).normal(size=(40, 8))
SMALL = {"n_filters": 2, "max_epochs": 2, "batch_size": 16, "random_state": 0}
SMALL_3_EPOCHS = SMALL | {"max_epochs": 3}


def test_learning_rate_is_restored_after_training():
    net = ECGCNNClassifier(**SMALL, lr=0.02).fit(X, np.arange(40) % 2)
    assert [group["lr"] for group in net.optimizer_.param_groups] == [0.02]


def test_parameter_groups_have_separate_maximum_rates():
    net = ECGCNNClassifier(**SMALL, lr=0.02, optimizer__param_groups=[("head*", {"lr": 0.1})])
    net.fit(X, np.arange(40) % 2)
    assert [group["lr"] for group in net.optimizer_.param_groups] == [0.1, 0.02]


def test_schedule_is_not_copied_with_the_net():
    callback = OneCycle()
    callback.scheduler_ = object()
    assert copy.deepcopy(callback).scheduler_ is None


def test_loader_with_more_batches_than_the_schedule():
    sampler = torch.utils.data.RandomSampler(range(40), replacement=True, num_samples=400)
    net = ECGCNNClassifier(**SMALL, iterator_train__sampler=sampler).fit(X, np.arange(40) % 2)
    assert len(net.history) == 2


def test_training_of_one_step():
    net = ECGCNNClassifier(**SMALL | {"max_epochs": 1, "batch_size": -1})
    assert len(net.fit(X, np.arange(40) % 2).history) == 1


def test_one_cycle_with_an_optimizer_without_momentum():
    net = ECGCNNClassifier(**SMALL, optimizer=torch.optim.Adagrad).fit(X, np.arange(40) % 2)
    assert np.isfinite(net.history[-1, "train_loss"])


def stopped_early(**parameters):
    """A net that had nothing to learn and was stopped."""
    rows = np.random.default_rng(0).normal(size=(200, 16))
    net = ECGCNNClassifier(
        **SMALL | {"max_epochs": 60, "n_filters": 8},
        early_stopping=True,
        patience=3,
        validation_fraction=0.3,
        lr_schedule=None,
        **parameters,
    ).fit(rows, np.arange(200) % 2)
    assert len(net.history) < 60
    return net


def test_scores_of_the_last_epoch_are_recorded():
    net = stopped_early(callbacks=[EpochScoring("f1_macro", lower_is_better=False)])
    assert len(net.history[:, "f1_macro"]) == len(net.history)


def test_last_epoch_is_printed(capsys):
    net = stopped_early(verbose=1)
    lines = capsys.readouterr().out.splitlines()
    epochs = [line.split()[0] for line in lines if line.split()[0].isdigit()]
    assert epochs == [str(epoch) for epoch in net.history[:, "epoch"]]
    assert lines[-2:] == [
        "Stopping since valid_loss has not improved in the last 3 epochs.",
        f"Restoring best model from epoch {len(net.history) - 3}.",
    ]


def test_early_stopping_monitors_score_of_another_callback():
    net = stopped_early(
        callbacks=[EpochScoring("f1_macro", lower_is_better=False)],
        callbacks__early_stopping__monitor="f1_macro",
        callbacks__early_stopping__lower_is_better=False,
    )
    scores = net.history[:, "f1_macro"]
    assert len(scores) == int(np.argmax(scores)) + 1 + 3


@pytest.mark.parametrize("monitored", ["valid_loss", "f1_macro"])
def test_best_weights_are_restored_before_on_train_end(monitored):
    class Recorder(Callback):
        def __init__(self):
            self.epochs = []

        def on_epoch_end(self, net, **_):
            self.epochs.append(copy.deepcopy(net.module_.state_dict()))

        def on_train_end(self, net, **_):
            self.end = copy.deepcopy(net.module_.state_dict())

    recorder = Recorder()
    net = stopped_early(
        callbacks=[EpochScoring("f1_macro", lower_is_better=False), recorder],
        callbacks__early_stopping__monitor=monitored,
        callbacks__early_stopping__lower_is_better=monitored == "valid_loss",
    )
    curve = np.array(net.history[:, monitored])
    best = int(np.argmin(curve) if monitored == "valid_loss" else np.argmax(curve))
    for weights in (recorder.end, net.module_.state_dict()):
        for name, kept in recorder.epochs[best].items():
            assert torch.equal(weights[name], kept), name
    assert any(
        not torch.equal(recorder.epochs[-1][name], kept) for name, kept in recorder.end.items()
    )


def test_progress_bar_is_removed_after_training(capsys):
    net = ECGCNNClassifier(**SMALL, verbose=1).fit(X, np.arange(40) % 2)
    out, err = capsys.readouterr()
    drawn = err.replace("\r", "\n").splitlines()
    assert [line for line in drawn if "1/2" in line]
    assert drawn[-1].strip() == ""  # wiped out
    assert "training" not in out
    net.partial_fit(X, np.arange(40) % 2, epochs=3)
    assert "2/3" in capsys.readouterr().err
    assert pickle.loads(pickle.dumps(net)).predict(X).shape == (40,)


def test_no_output_by_default(capsys):
    ECGCNNClassifier(**SMALL).fit(X, np.arange(40) % 2)
    assert capsys.readouterr() == ("", "")


def test_custom_progress_bar_replaces_the_default(capsys):
    net = ECGCNNClassifier(**SMALL, verbose=1, callbacks=[ProgressBar(detect_notebook=False)])
    net.fit(X, np.arange(40) % 2)
    assert "epoch/s" not in capsys.readouterr().err
    assert "progress" not in dict(net.callbacks_)


def test_fit_loop_without_fit_has_no_bar():
    net = ECGCNNClassifier(**SMALL, lr_schedule=None, callbacks__print_log=None).initialize()
    net.fit_loop(X.astype(np.float32), np.arange(40) % 2, epochs=1)
    assert len(net.history) == 1


# --- moving average of weights --------------------------------------------------------


def state_of(net):
    return {name: tensor.clone() for name, tensor in net.module_.state_dict().items()}


def assert_same(first, second):
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


class Interrupt(Callback):
    """Press Ctrl-C, or fail, in the middle of the second epoch."""

    def __init__(self, exception=KeyboardInterrupt):
        self.exception = exception

    def on_batch_end(self, net, training, **kwargs):  # noqa: ARG002
        if training and len(net.history) == 2 and len(net.history[-1, "batches"]) == 3:
            raise self.exception


class ByHand(Callback):
    """The average as one would write it down, beside that of the net."""

    def on_train_begin(self, net, **kwargs):  # noqa: ARG002
        self.average = {k: v.double() for k, v in state_of(net).items()}
        self.n_steps = 0

    def on_batch_end(self, net, training, **kwargs):  # noqa: ARG002
        if training:
            decay = min(0.8, (1 + self.n_steps) / (10 + self.n_steps))
            self.n_steps += 1
            for name, tensor in state_of(net).items():
                self.average[name] = decay * self.average[name] + (1 - decay) * tensor.double()


@pytest.mark.parametrize("interrupt", [False, True])
@pytest.mark.parametrize("net_class", [ECGCNNClassifier, ECGCNNLSTMClassifier])
def test_model_is_the_average_over_all_steps(beats, net_class, interrupt):
    callbacks = [by_hand := ByHand(), Interrupt()] if interrupt else [by_hand := ByHand()]
    net = net_class(**SMALL_3_EPOCHS, weight_averaging=0.8, callbacks=callbacks)
    net.set_params(keep_interrupted=True).fit(*beats)
    averaged = {k: v for k, v in state_of(net).items() if v.is_floating_point()}
    assert any("running_var" in name for name in averaged)
    for name, tensor in averaged.items():
        torch.testing.assert_close(tensor.double(), by_hand.average[name], rtol=1e-4, atol=1e-6)
    assert by_hand.n_steps == (8 + 3 if interrupt else 3 * 8)


def test_averaging_does_not_change_training(beats):
    losses = [
        ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=decay)
        .fit(*beats)
        .history[:, "train_loss"]
        for decay in (None, 0.9)
    ]
    assert losses[0] == losses[1]


def test_decay_of_0_equals_no_averaging(beats):
    plain, forgetful = (
        ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=decay).fit(*beats)
        for decay in (None, 0.0)
    )
    assert_same(state_of(plain), state_of(forgetful))


def test_average_differs_from_the_last_weights(beats):
    plain, averaged = (
        ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=decay).fit(*beats)
        for decay in (None, 0.9)
    )
    assert not np.allclose(plain.predict_proba(beats[0]), averaged.predict_proba(beats[0]))


def test_validation_and_callbacks_use_the_average(beats, tmp_path):
    class Watch(Callback):
        def on_epoch_end(self, net, dataset_valid=None, **kwargs):  # noqa: ARG002
            net.module_.eval()
            loss = net.get_loss(
                net.infer(torch.stack([torch.as_tensor(x) for x, _ in dataset_valid])),
                np.array([y for _, y in dataset_valid]),
            )
            losses.append(loss.item())
            states.append(state_of(net))

    losses, states = [], []
    checkpoint = Checkpoint(dirname=tmp_path, monitor=None)
    net = ECGCNNClassifier(
        **SMALL_3_EPOCHS,
        weight_averaging=0.9,
        early_stopping=True,
        callbacks=[checkpoint, ("watch", Watch())],
    ).fit(*beats)
    np.testing.assert_allclose(net.history[:, "valid_loss"], losses, rtol=1e-5)
    saved = torch.load(tmp_path / "params.pt", weights_only=True)
    assert_same(saved, states[-1])


def test_early_stopping_restores_the_best_average():
    X, y = np.random.default_rng(0).normal(size=(200, 16)), np.arange(200) % 2

    class Keep(Callback):
        def on_epoch_end(self, net, **kwargs):  # noqa: ARG002
            states.append(state_of(net))

    states = []
    net = ECGCNNClassifier(
        **SMALL_3_EPOCHS | {"max_epochs": 60, "n_filters": 8},
        early_stopping=True,
        patience=3,
        weight_averaging=0.9,
        callbacks=[Keep()],
    ).fit(X, y)
    best = int(np.argmin(net.history[:, "valid_loss"]))
    assert best < len(states) - 1
    assert_same(state_of(net), states[best])


def test_averaging_keeps_the_tensors_of_the_optimizer(beats):
    net = ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=0.9).fit(*beats)
    held = [id(weight) for group in net.optimizer_.param_groups for weight in group["params"]]
    assert held == [id(weight) for weight in net.module_.parameters()]


@pytest.mark.parametrize(
    "between",
    [
        lambda net: net,
        lambda net: pickle.loads(pickle.dumps(net)),
        copy.deepcopy,
    ],
    ids=["as it is", "pickle", "deepcopy"],
)
@pytest.mark.parametrize("goes_on", ["partial_fit", "fit"])
def test_training_in_two_parts_equals_training_at_once(beats, between, goes_on):
    parameters = SMALL_3_EPOCHS | {"weight_averaging": 0.9, "lr_schedule": None, "warm_start": True}
    parameters["fixed_kernels"] = False
    whole = ECGCNNClassifier(**parameters | {"max_epochs": 4}).fit(*beats)
    parts = between(ECGCNNClassifier(**parameters | {"max_epochs": 2}).fit(*beats))
    getattr(parts, goes_on)(*beats)
    assert_same(state_of(parts), state_of(whole))


def test_training_continues_from_loaded_weights(beats, tmp_path):
    X, y = beats
    other = ECGCNNClassifier(**SMALL_3_EPOCHS | {"random_state": 1}).fit(X, y)
    other.save_params(f_params=tmp_path / "params")
    net = ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=0.9, lr_schedule=None).fit(X, y)
    net.load_params(f_params=tmp_path / "params")
    net.set_params(lr=1e-9).partial_fit(X, y)
    expected, found = state_of(other), state_of(net)
    for name, _ in net.module_.named_parameters():
        torch.testing.assert_close(found[name], expected[name], rtol=1e-5, atol=1e-6)


def test_refit_discards_the_average(beats):
    X, y = beats
    once = ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=0.9).fit(X, y)
    twice = ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=0.9).fit(-X[:50], y[:50]).fit(X, y)
    assert_same(state_of(once), state_of(twice))


def test_averaging_is_disabled_and_enabled_again(beats):
    net = ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=0.9).fit(*beats)
    net.set_params(weight_averaging=None).partial_fit(*beats)
    net.set_params(weight_averaging=0.9).partial_fit(*beats)
    assert net.score(*beats) > 0.3
    assert np.isfinite(net.history[-1, "train_loss"])


def test_failed_fit_keeps_the_old_average(beats):
    X, y = beats
    net = ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=0.9, lr_schedule=None).fit(X, y)
    twin = copy.deepcopy(net)
    before = state_of(net)
    net.set_params(callbacks=[Interrupt(RuntimeError)])
    with pytest.raises(RuntimeError):
        net.fit(-X, y)
    assert_same(state_of(net), before)
    for each in (net.set_params(callbacks=None), twin):
        each.partial_fit(X, y)
    assert_same(state_of(net), state_of(twin))


@pytest.mark.parametrize("exception", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("decay", [None, 0.8])
def test_failed_partial_fit_changes_nothing(beats, decay, exception):
    net = ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=decay).fit(*beats)
    twin = copy.deepcopy(net)
    net.module_.register_forward_hook(fail := Fail(exception, after=10))
    with pytest.raises(exception):
        net.partial_fit(*beats)
    fail.after = 1000
    assert_same(state_of(net), state_of(twin))
    assert len(net.history) == len(twin.history) == 3
    for each in (net, twin):
        each.partial_fit(*beats)
    assert_same(state_of(net), state_of(twin))
    assert net.history[:, "train_loss"] == twin.history[:, "train_loss"]


class Fail:
    """Hook of a network that raises after some batches."""

    def __init__(self, exception, after):
        self.exception, self.after = exception, after

    def __call__(self, *_):
        self.after -= 1
        if self.after < 0:
            raise self.exception


@pytest.mark.parametrize("search", [False, True])
def test_interrupt_is_raised_and_the_old_model_stays(beats, search):
    net = ECGCNNClassifier(**SMALL_3_EPOCHS).fit(*beats)
    before = state_of(net)
    net.set_params(callbacks=[Interrupt()], max_epochs=4)
    with pytest.raises(KeyboardInterrupt):
        (GridSearchCV(net, {"lr": [0.1]}, cv=2) if search else net).fit(*beats)
    assert_same(state_of(net), before)
    assert len(net.history) == 3


class InterruptAt(Callback):
    """Interrupt the training at the event of a name, from the second training on."""

    def __init__(self, event):
        self.event = event
        self.is_armed = False

    def notified(self, event, training):
        if self.is_armed and self.event == (f"{event} of validation" if not training else event):
            raise KeyboardInterrupt


EVENTS = {
    "on_train_begin",
    "on_train_end",
    "on_epoch_begin",
    "on_epoch_end",
    "on_batch_begin",
    "on_batch_end",
    "on_grad_computed",
}
for name in EVENTS:
    setattr(
        InterruptAt,
        name,
        lambda self, *_, name=name, training=True, **__: self.notified(name, training),
    )


@pytest.mark.parametrize("event", sorted(EVENTS | {"on_batch_end of validation"}))
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_interrupt_at_any_event_changes_nothing(beats, event, method):
    callback = InterruptAt(event)
    net = ECGCNNClassifier(
        **SMALL | {"batch_size": 50}, callbacks=[callback], early_stopping=True
    ).fit(*beats)
    before, history = state_of(net), list(net.history)
    callback.is_armed = True
    with pytest.raises(KeyboardInterrupt):
        getattr(net, method)(*beats)
    assert_same(state_of(net), before)
    assert list(net.history) == history


class InvalidInValidation(nn.CrossEntropyLoss):
    def forward(self, logits, targets):
        return super().forward(logits, targets) / int(torch.is_grad_enabled())


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_validation_loss_that_is_not_finite_raises(beats, method):
    net = ECGCNNClassifier(**SMALL, criterion=InvalidInValidation, early_stopping=True)
    with pytest.raises(ValueError, match="the loss of a validation batch in epoch 1 is inf"):
        getattr(net, method)(*beats)
    assert not net.initialized_


def test_interrupt_can_end_training(beats):
    net = ECGCNNClassifier(**SMALL_3_EPOCHS, callbacks=[Interrupt()], keep_interrupted=True)
    assert len(net.fit(*beats).history) == 2
    assert net.predict(beats[0]).shape == beats[1].shape


class Copy(Callback):
    """Pickle the net after every batch, in the middle of an epoch."""

    copies: ClassVar[list] = []

    def on_batch_end(self, net, training, **kwargs):  # noqa: ARG002
        self.copies.append((pickle.dumps(net), state_of(net)))


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_copy_made_within_an_epoch_continues_from_there(beats, decay, monkeypatch):
    monkeypatch.setattr(Copy, "copies", [])
    ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=decay, callbacks=[Copy()]).fit(*beats)
    stored, weights = Copy.copies[12]
    restored = pickle.loads(stored)
    assert_same(state_of(restored), weights)
    restored.set_params(callbacks=None, lr_schedule=None, lr=1e-9).partial_fit(*beats)
    for name, weight in restored.module_.named_parameters():
        torch.testing.assert_close(weight.detach(), weights[name], rtol=1e-5, atol=1e-6)


def test_trimming_discards_the_average(beats):
    sizes = []
    for decay in (None, 0.9):
        net = ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=decay).fit(*beats)
        net.trim_for_prediction()
        sizes.append(len(pickle.dumps(net)))
    assert sizes[1] < sizes[0] + 100


def test_custom_network_is_averaged(beats):
    network = nn.Sequential(nn.Linear(64, 3))
    callbacks = [by_hand := ByHand()]
    net = ECGCNNClassifier(
        **SMALL_3_EPOCHS, module=network, weight_averaging=0.8, callbacks=callbacks
    )
    net.fit(*beats)
    torch.testing.assert_close(net.module_[0].weight.double(), by_hand.average["0.weight"])


def test_weights_of_several_dtypes_are_averaged():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).double(), nn.BatchNorm1d(2))
    before = copy.deepcopy(network)
    average = WeightAverage()
    with average.epoch(network):
        for tensor in network.state_dict().values():
            tensor += 10
        average.step(decay=0.99)
    for name, tensor in network.state_dict().items():
        gained = tensor - before.state_dict()[name]
        expected = 9.0 if tensor.is_floating_point() else 10
        torch.testing.assert_close(gained, torch.full_like(gained, expected))


def test_step_outside_an_epoch_is_ignored():
    average = WeightAverage()
    average.step(0.9)
    assert average.n_steps == 0


@pytest.mark.parametrize("decay", [1.0, -0.1, "much"])
def test_invalid_decays_raise(beats, decay):
    with pytest.raises(ValueError, match="'weight_averaging' parameter"):
        ECGCNNClassifier(**SMALL_3_EPOCHS, weight_averaging=decay).fit(*beats)
