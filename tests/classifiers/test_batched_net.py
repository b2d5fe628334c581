"""From arrays to batches and from batches to results."""

import numpy as np
import pytest
import skorch.dataset
import torch
from joblib import Parallel, cpu_count, delayed
from skorch.callbacks import Callback

from ecgbeat import ECGCNNClassifier
from ecgbeat.classifiers import _batched_net
from ecgbeat.classifiers._batches import TensorBatches

SMALL = {"n_filters": 2, "max_epochs": 1, "batch_size": 16, "random_state": 0}


def test_arrays_never_go_through_torchs_loader(beats, monkeypatch):
    seen = []
    original = TensorBatches.__iter__
    monkeypatch.setattr(TensorBatches, "__iter__", lambda self: seen.append(1) or original(self))
    monkeypatch.setattr(torch.utils.data.DataLoader, "__init__", None)
    ECGCNNClassifier(**SMALL, early_stopping=True).fit(*beats).predict(beats[0])
    assert len(seen) == 2  # training and validation; prediction takes slices itself


@pytest.mark.parametrize(
    "changed",
    [
        {"iterator_valid": torch.utils.data.DataLoader},
        {"iterator_valid__batch_size": 5},
    ],
)
def test_every_way_of_loading_predicts_the_same(beats, changed):
    X, y = beats
    expected = ECGCNNClassifier(**SMALL).fit(X, y).predict_proba(X)
    net = ECGCNNClassifier(**SMALL).fit(X, y)
    for batch_size in (7, -1, "auto"):
        found = net.set_params(batch_size=batch_size).predict_proba(X)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    found = net.predict_proba(skorch.dataset.Dataset(X))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    found = ECGCNNClassifier(**SMALL, **changed).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_prediction_without_training_mode_leaves_no_layer_in_it(beats):
    X, y = beats
    net = ECGCNNClassifier(**SMALL, dropout=0.5).fit(X, y)
    expected = net.predict_proba(X)
    net.module_.head.train()  # one layer is enough to spoil a prediction
    np.testing.assert_array_equal(net.predict_proba(X), expected)


def test_callbacks_get_the_logits_of_a_step_without_its_graph(beats):
    class Seen(Callback):
        def on_batch_end(self, net, batch, y_pred, loss, **kwargs):  # noqa: ARG002
            seen.append((len(batch[0]), tuple(y_pred.shape), y_pred.grad_fn, loss.grad_fn))

    seen = []
    ECGCNNClassifier(**SMALL, callbacks=[Seen()]).fit(*beats)
    assert seen
    assert seen == [(n_beats, (n_beats, 3), None, None) for n_beats, *_ in seen]


@pytest.mark.parametrize("found", ["float32", "bfloat16"])
def test_automatic_precision_is_found_in_fit_and_kept(beats, monkeypatch, found):
    X, y = beats
    monkeypatch.setattr(_batched_net, "faster_precision", lambda *_: found)
    net = ECGCNNClassifier(**SMALL, precision="auto").fit(X, y)
    assert net.precision_ == found
    expected = ECGCNNClassifier(**SMALL, precision=found).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(net.predict_proba(X), expected)


def test_processes_share_the_cores_of_the_machine():
    n_threads = Parallel(n_jobs=2)(delayed(torch.get_num_threads)() for _ in range(2))
    assert all(n <= max(cpu_count() // 2, 1) for n in n_threads)
