import copy
import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, EpochScoring, ProgressBar

from ecgbeat import ECGCNNClassifier
from ecgbeat.classifiers._callbacks import OneCycle

X = np.random.default_rng(0).normal(size=(40, 8))
SMALL = {"n_filters": 2, "max_epochs": 2, "batch_size": 16, "random_state": 0}


def test_the_optimizer_has_its_own_rate_back_after_training():
    net = ECGCNNClassifier(**SMALL, lr=0.02).fit(X, np.arange(40) % 2)
    assert [group["lr"] for group in net.optimizer_.param_groups] == [0.02]


def test_groups_keep_their_own_peaks():
    net = ECGCNNClassifier(**SMALL, lr=0.02, optimizer__param_groups=[("head*", {"lr": 0.1})])
    net.fit(X, np.arange(40) % 2)
    assert [group["lr"] for group in net.optimizer_.param_groups] == [0.1, 0.02]


def test_a_schedule_is_not_copied_with_the_net():
    callback = OneCycle()
    callback.scheduler_ = object()
    assert copy.deepcopy(callback).scheduler_ is None


def test_a_loader_with_more_batches_than_rows_tell_is_survived():
    sampler = torch.utils.data.RandomSampler(range(40), replacement=True, num_samples=400)
    net = ECGCNNClassifier(**SMALL, iterator_train__sampler=sampler).fit(X, np.arange(40) % 2)
    assert len(net.history) == 2


def test_one_step_is_enough():
    net = ECGCNNClassifier(**SMALL | {"max_epochs": 1, "batch_size": -1})
    assert len(net.fit(X, np.arange(40) % 2).history) == 1


def test_an_optimizer_without_momentum_cycles_its_rate_alone():
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


def test_the_epoch_that_stops_has_its_scores():
    net = stopped_early(callbacks=[EpochScoring("f1_macro", lower_is_better=False)])
    assert len(net.history[:, "f1_macro"]) == len(net.history)


def test_the_epoch_that_stops_is_printed(capsys):
    net = stopped_early(verbose=1)
    lines = capsys.readouterr().out.splitlines()
    epochs = [line.split()[0] for line in lines if line.split()[0].isdigit()]
    assert epochs == [str(epoch) for epoch in net.history[:, "epoch"]]
    assert lines[-2:] == [
        "Stopping since valid_loss has not improved in the last 3 epochs.",
        f"Restoring best model from epoch {len(net.history) - 3}.",
    ]


def test_early_stopping_can_watch_the_score_of_another_callback():
    net = stopped_early(
        callbacks=[EpochScoring("f1_macro", lower_is_better=False)],
        callbacks__early_stopping__monitor="f1_macro",
        callbacks__early_stopping__lower_is_better=False,
    )
    scores = net.history[:, "f1_macro"]
    assert len(scores) == int(np.argmax(scores)) + 1 + 3


@pytest.mark.parametrize("monitored", ["valid_loss", "f1_macro"])
def test_the_best_weights_are_back_before_callbacks_learn_of_the_end(monitored):
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


def test_progress_is_shown_while_training_and_leaves_the_table(capsys):
    net = ECGCNNClassifier(**SMALL, verbose=1).fit(X, np.arange(40) % 2)
    out, err = capsys.readouterr()
    drawn = err.replace("\r", "\n").splitlines()
    assert [line for line in drawn if "1/2" in line]
    assert drawn[-1].strip() == ""  # wiped out
    assert "training" not in out
    net.partial_fit(X, np.arange(40) % 2, epochs=3)
    assert "2/3" in capsys.readouterr().err
    assert pickle.loads(pickle.dumps(net)).predict(X).shape == (40,)


def test_nothing_is_shown_unasked(capsys):
    ECGCNNClassifier(**SMALL).fit(X, np.arange(40) % 2)
    assert capsys.readouterr() == ("", "")


def test_a_progress_bar_of_the_users_takes_its_place(capsys):
    net = ECGCNNClassifier(**SMALL, verbose=1, callbacks=[ProgressBar(detect_notebook=False)])
    net.fit(X, np.arange(40) % 2)
    assert "epoch/s" not in capsys.readouterr().err
    assert "progress" not in dict(net.callbacks_)


def test_an_epoch_without_a_training_around_it_needs_no_bar():
    net = ECGCNNClassifier(**SMALL, lr_schedule=None, callbacks__print_log=None).initialize()
    net.fit_loop(X.astype(np.float32), np.arange(40) % 2, epochs=1)
    assert len(net.history) == 1
