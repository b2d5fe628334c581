"""Numbers for "auto", class weights, validation split, device and precision."""

import functools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ecgbeat.classifiers import _heuristics
from ecgbeat.classifiers._heuristics import (
    augmentation_for,
    autocast,
    batch_size_for,
    epochs_for,
    faster_precision,
    prediction_batch_for,
    resolve_device,
    stratified_holdout,
    takes_argument,
    weights_of_classes,
)
from ecgbeat.networks import BeatCNN

# --- sizes of a training --------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_beats", "size"), [(1, 8), (23, 8), (300, 32), (1000, 128), (87554, 256)]
)
def test_batch_size_increases_with_the_training_set(n_beats, size):
    assert batch_size_for(n_beats) == size


@pytest.mark.parametrize(
    ("n_beats", "epochs"), [(1, 100), (23, 85), (1000, 40), (87554, 16), (10**7, 16)]
)
def test_epochs_decrease_with_the_training_set(n_beats, epochs):
    assert epochs_for(n_beats) == epochs
    assert epochs_for(n_beats, with_muon=True) == round(0.7 * epochs)
    assert epochs_for(n_beats, n_members=5) == max(round(epochs / 5**0.4), 16)


@pytest.mark.parametrize(
    ("n_features", "size"), [(1, 1024), (187, 1024), (288, 512), (720, 256), (10**6, 64)]
)
def test_prediction_batch_decreases_with_length(n_features, size):
    assert prediction_batch_for(n_features) == size


@pytest.mark.parametrize("n_beats", [1, 999])
def test_small_sets_are_augmented(n_beats):
    assert min(augmentation_for(n_beats)) > 0


@pytest.mark.parametrize("n_beats", [1000, 87554])
def test_large_sets_are_not_augmented(n_beats):
    assert augmentation_for(n_beats) == (0, 0)


# --- weight decay -----------------------------------------------------------------------


class OwnAdamW(torch.optim.AdamW):
    def __init__(self, params, **options):
        super().__init__(params, **options)


class OwnLoss(nn.Module):
    def forward(self, logits, targets):
        return nn.functional.cross_entropy(logits, targets)


@pytest.mark.parametrize(
    ("factory", "taken"),
    [
        (torch.optim.AdamW, True),
        (torch.optim.SGD, True),
        (OwnAdamW, True),
        (functools.partial(torch.optim.SGD, momentum=0.9), True),
        (functools.partial(torch.optim.SGD, weight_decay=0.5), False),
        (torch.optim.LBFGS, False),
        (torch.optim.Rprop, False),
        (OwnLoss, False),
        (lambda params, **options: torch.optim.LBFGS(params, **options), False),
    ],
)
def test_arguments_are_found_in_signatures(factory, taken):
    assert takes_argument(factory, "weight_decay") is taken


# --- class weights ----------------------------------------------------------------------


def test_balanced_weights_equal_scikit_learns():
    weights = weights_of_classes("balanced", np.array([0, 1]), np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(weights, [4 / 6, 2])


def test_sqrt_balanced_weights_are_1_on_average():
    y = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
    weights = weights_of_classes("sqrt_balanced", np.array([0, 1]), y)
    assert weights[1] / weights[0] == pytest.approx(np.sqrt(8 / 2))
    assert weights[y].mean() == pytest.approx(1)


def test_missing_class_has_sqrt_balanced_weight_1():
    weights = weights_of_classes("sqrt_balanced", np.array([0, 1, 2]), np.array([0, 0, 0, 2]))
    assert weights[1] == 1
    assert weights[2] / weights[0] == pytest.approx(np.sqrt(3))


def test_weights_by_label():
    weights = weights_of_classes({"V": 5.0}, np.array(["N", "V"]), np.array(["N", "V"]))
    assert weights.tolist() == [1, 5]


def test_missing_class_has_balanced_weight_1():
    weights = weights_of_classes("balanced", np.array([0, 1, 2]), np.array([0, 0, 0, 2]))
    assert weights[1] == 1


def test_weight_of_unknown_label_raises():
    with pytest.raises(ValueError, match="class_weight contains the labels"):
        weights_of_classes({"Q": 2.0}, np.array(["N", "V"]), np.array(["N", "V"]))


# --- validation split -----------------------------------------------------------------


@given(
    counts=st.lists(st.integers(1, 40), min_size=2, max_size=5).filter(lambda c: max(c) > 1),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**31 - 1),
)
def test_every_class_keeps_a_training_row(counts, fraction, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    training, validation = stratified_holdout(y, fraction, seed)
    assert sorted([*training, *validation]) == list(range(len(y)))
    assert len(validation) > 0
    assert set(y[training]) == set(y)


def test_holdout_is_stratified():
    y = np.repeat(["N", "V"], [900, 100])
    _, validation = stratified_holdout(y, 0.1, 0)
    assert np.count_nonzero(y[validation] == "V") == 10
    assert len(validation) == 100


def test_different_seeds_give_different_results():
    y = np.repeat([0, 1], 50)
    first, again, other = (stratified_holdout(y, 0.2, seed)[1].tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_groups_are_not_split():
    groups = np.repeat(np.arange(10), 12)
    y = np.tile([0, 0, 1], 40)
    training, validation = stratified_holdout(y, 0.2, 0, groups)
    assert not set(groups[training]) & set(groups[validation])
    assert len(validation) == 24


def test_one_row_per_class_raises():
    with pytest.raises(ValueError, match="2 rows of 2 classes"):
        stratified_holdout(np.array([0, 1]), 0.5, 0)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.zeros(6), "needs at least 2 patients, got 1"),
        (np.arange(5), r"one patient for each of the 6 rows of X, got shape \(5,\)"),
        (np.array([0, 0, 0, 1, 1, 1]), "leaves a class without training rows"),
    ],
)
def test_invalid_groups_raise(groups, message):
    with pytest.raises(ValueError, match=message):
        stratified_holdout(np.array([0, 0, 0, 1, 1, 1]), 0.2, 0, groups)


# --- device and precision -------------------------------------------------------------


@pytest.mark.parametrize("device", ["cpu", "cuda:1", None, torch.device("cpu")])
def test_named_device_is_unchanged(device):
    assert resolve_device(device) is device


@pytest.mark.parametrize(
    ("cuda", "mps", "best"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_is_the_best_available_device(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == best


@pytest.mark.parametrize(
    ("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_autocast_sets_dtype_of_products(precision, dtype):
    with autocast(precision, "cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


@pytest.mark.parametrize(
    ("seconds", "faster"), [(0.5, "bfloat16"), (0.95, "float32"), (2.0, "float32")]
)
def test_bfloat16_must_be_a_tenth_faster(monkeypatch, seconds, faster):
    times = {"float32": 1.0, "bfloat16": seconds}
    monkeypatch.setattr(_heuristics, "_time_of_step", lambda *step: times[step[2]])
    assert faster_precision(BeatCNN(2, n_filters=2), torch.randn(4, 40), "cpu") == faster


def test_single_slow_step_is_ignored(monkeypatch):
    times = {"float32": iter([9.0] + [1.0] * 9), "bfloat16": iter([2.0] * 10)}
    monkeypatch.setattr(_heuristics, "_time_of_step", lambda *step: next(times[step[2]]))
    assert faster_precision(BeatCNN(2, n_filters=2), torch.randn(4, 40), "cpu") == "float32"


@pytest.mark.parametrize("device", ["cpu", None])
def test_faster_precision_leaves_the_network_unchanged(device):
    network = BeatCNN(2, n_filters=2).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert faster_precision(network, torch.randn(4, 40), device) in ("float32", "bfloat16")
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(weights.grad is None for weights in network.parameters())
    assert not network.training


def test_faster_precision_draws_no_random_numbers():
    network, rows = BeatCNN(2, n_filters=2), torch.randn(4, 40)
    before = torch.get_rng_state()
    faster_precision(network, rows, "cpu")
    assert torch.equal(torch.get_rng_state(), before)
