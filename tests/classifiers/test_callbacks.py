import copy

import numpy as np
import torch

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
