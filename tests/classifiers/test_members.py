"""Several networks in one classifier, ``n_members``."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.metrics import accuracy_score, log_loss
from skorch.callbacks import Callback, EarlyStopping, EpochScoring
from skorch.dataset import Dataset
from torch import nn

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier, load_model, save_model
from ecgbeat.classifiers import MuonAdamW
from ecgbeat.datasets import make_heartbeats
from ecgbeat.networks import BeatCNN, FocalLoss

SMALL = {"n_filters": 2, "max_epochs": 2, "n_members": 3, "random_state": 0}
FULL_BATCHES = {"dropout": 0.0, "augment_noise": 0.0, "augment_shift": 0.0, "batch_size": -1}
AUTO = SMALL | {"n_members": "auto"}
# torch's compiler warns of deprecated parts of torch itself
COMPILED = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
CLASSES = pytest.mark.parametrize("net_class", [ECGCNNClassifier, ECGCNNLSTMClassifier])


@pytest.fixture(scope="module")
def beats():
    options = {"classes": ("N", "V", "A"), "before": 0.2, "after": 0.3, "fs": 100}
    X, y = make_heartbeats(60, **options, random_state=0, return_X_y=True)
    return X.astype(np.float32), y


@pytest.fixture
def large_set(monkeypatch):
    """Any number of beats counts as a large set."""
    monkeypatch.setattr("ecgbeat.classifiers._heuristics._LARGE_SET", 1)


@CLASSES
def test_probabilities_are_the_mean_of_those_of_the_members(net_class, beats):
    net = net_class(**SMALL, fixed_kernels=False).fit(*beats)
    found = net.predict_proba(beats[0])
    rows = torch.from_numpy(beats[0])
    with torch.no_grad():
        parts = [network(rows).softmax(dim=1).numpy() for network in net.module_.members]
    assert_allclose(found, np.mean(parts, axis=0), atol=1e-6)
    assert np.ptp(parts, axis=0).max() > 1e-3  # they differ


@CLASSES
def test_members_share_the_fixed_kernels(net_class, beats):
    net = net_class(**SMALL).fit(*beats)
    found, rows = net.predict_proba(beats[0]), torch.from_numpy(beats[0])
    with torch.no_grad():
        mean = torch.stack([m(rows).softmax(dim=1) for m in net.module_.members]).mean(dim=0)
        fixed = net.module_.kernels(rows).log_softmax(dim=1)
    expected = (0.9 * fixed + 0.1 * mean.log()).softmax(dim=1)
    assert_allclose(found, expected, atol=1e-6)
    assert sum(name.endswith("kernels.weight") for name in net.module_.state_dict()) == 1


@CLASSES
def test_same_seed_gives_equal_bits(net_class, beats):
    first, second = (net_class(**SMALL).fit(*beats).predict_proba(beats[0]) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.usefixtures("large_set")
@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD, MuonAdamW])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_members_train_as_if_each_were_alone(beats, optimizer, class_weight):
    """The first member has the first random weights; without dropout, the batches are equal."""
    options = SMALL | FULL_BATCHES | {"max_epochs": 4, "optimizer": optimizer}
    options |= {"class_weight": class_weight, "fixed_kernels": False}
    weight = np.linspace(1, 2, len(beats[1]))
    together = ECGCNNClassifier(**options).fit(*beats, sample_weight=weight)
    alone = ECGCNNClassifier(**options | {"n_members": 1}).fit(*beats, sample_weight=weight)
    for member in together.module_.members:  # rows of the one batch are in another order
        for name, expected in alone.module_.state_dict().items():
            torch.testing.assert_close(member.state_dict()[name], expected, rtol=1e-3, atol=1e-4)


class _Watch(Callback):
    """Record which members are equal at the end of each epoch."""

    def on_epoch_end(self, net, **kwargs):  # noqa: ARG002
        first, second, third = net.module_.members
        weights = [next(iter(m.parameters())) for m in (first, second, third)]
        are_equal = torch.equal(weights[0], weights[1]) and torch.equal(weights[0], weights[2])
        net.history.record("are_equal", are_equal)


@pytest.mark.usefixtures("large_set")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [True, True, False]),
        ({"max_epochs": 1}, [False]),
        pytest.param({"compile": True, "max_epochs": 2}, [True, False], marks=COMPILED),
        ({"early_stopping": True}, [False] * 3),
        ({"callbacks": [_Watch(), EarlyStopping(monitor="train_loss")]}, [False] * 3),
        ({"weight_averaging": 0.9}, [False] * 3),
    ],
)
def test_first_member_is_trained_for_all_until_they_go_apart(beats, options, expected):
    options = {"max_epochs": 3, "callbacks": [_Watch()]} | options
    net = ECGCNNClassifier(**SMALL | {"fixed_kernels": False} | options).fit(*beats)
    assert net.history[:, "are_equal"] == expected


def test_members_of_small_sets_are_apart_from_the_first_epoch(beats):
    net = ECGCNNClassifier(**SMALL, callbacks=[_Watch()]).fit(*beats)
    assert net.history[:, "are_equal"] == [False, False]


@pytest.mark.usefixtures("large_set")
def test_members_stay_apart_when_training_continues(beats):
    net = ECGCNNClassifier(**SMALL, callbacks=[_Watch()], warm_start=True).fit(*beats)
    net.fit(*beats).partial_fit(*beats)
    assert net.history[:, "are_equal"] == [True] + 5 * [False]


def test_each_member_has_its_own_order_of_the_beats(beats):
    net = ECGCNNClassifier(**SMALL | {"augment_noise": 0, "augment_shift": 0}).fit(*beats)
    seen = [[] for _ in net.module_.members]
    for rows, member in zip(seen, net.module_.members, strict=True):
        member.register_forward_pre_hook(
            lambda _, inputs, rows=rows: rows.extend(inputs[0].numpy().tolist())
        )
    net.partial_fit(*beats, epochs=1)
    assert [sorted(rows) for rows in seen] == 3 * [sorted(beats[0].tolist())]
    assert seen[0] != seen[1] != seen[2] != seen[0]


def test_step_of_a_batch_without_others_trains_all_members_on_it(beats):
    net = ECGCNNClassifier(**SMALL).fit(*beats)
    before = [next(iter(m.parameters())).clone() for m in net.module_.members]
    step = net.train_step((torch.from_numpy(beats[0][:8]), beats[1][:8]))
    assert step["y_pred"].shape == (8, 3)
    for member, weight in zip(net.module_.members, before, strict=True):
        assert not torch.equal(next(iter(member.parameters())), weight)


@pytest.mark.parametrize("augment_amplitude", [0.0, 1e-9])  # the latter changes nothing
def test_weights_are_those_of_the_batch_of_each_member(beats, augment_amplitude):
    """Three times the weight of a beat equals the beat three times, in a batch of all."""
    X, y = beats
    times = np.random.default_rng(0).integers(1, 4, len(y))
    linear = {"module": nn.Linear, "module__in_features": X.shape[1], "module__out_features": 3}
    options = {"batch_size": -1, "optimizer": torch.optim.SGD, "lr": 1.0, "max_epochs": 10}
    options |= {"augment_amplitude": augment_amplitude, "n_members": 3, "random_state": 0}
    net = ECGCNNClassifier(**linear, **options, weight_decay=0.0)
    weighted = clone(net).fit(X, y, sample_weight=times).predict_proba(X)
    repeated = clone(net).fit(X.repeat(times, axis=0), y.repeat(times)).predict_proba(X)
    assert_allclose(weighted, repeated, atol=1e-4)
    assert np.abs(weighted - clone(net).fit(X, y).predict_proba(X)).max() > 0.01


class _Interrupt(Callback):
    def on_batch_end(self, net, **kwargs):  # noqa: ARG002
        if len(net.history) == 2:
            raise KeyboardInterrupt


@pytest.mark.usefixtures("large_set")
def test_members_are_complete_after_an_interrupt(beats):
    options = {"max_epochs": 3, "keep_interrupted": True, "callbacks": [_Interrupt()]}
    net = ECGCNNClassifier(**SMALL | options).fit(*beats)
    weights = [m.head[-1].weight for m in net.module_.members]
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(weights[0], weights[2])


@pytest.mark.parametrize(
    ("options", "n_members"),
    [
        ({}, 1),  # beside fixed kernels
        ({"fixed_kernels": False}, 3),
        ({"early_stopping": True}, 3),
        ({"criterion": FocalLoss}, 3),
        ({"module": BeatCNN, "fixed_kernels": False}, 3),  # that of the class
        ({"module": type("Other", (BeatCNN,), {}), "fixed_kernels": False}, 1),
        ({"module": BeatCNN(3)}, 1),
        ({"fixed_kernels": False, "n_members": 2}, 2),
    ],
)
def test_automatic_number(beats, options, n_members):
    net = ECGCNNClassifier(**AUTO | options).fit(*beats)
    assert net.n_members_ == n_members
    assert not hasattr(clone(net), "n_members_")


def test_automatic_number_is_that_of_the_beats(beats):
    X, y = np.resize(beats[0], (10_001, 12)), np.resize(beats[1], 10_001)
    net = ECGCNNClassifier(**AUTO | {"max_epochs": 1, "n_blocks": 1})
    assert [net.fit(X[:n], y[:n]).n_members_ for n in (10_001, 10_000, 2000)] == [1, 3, 1]
    assert net.fit(Dataset(X[:2000], y[:2000])).n_members_ == 3  # has no fixed kernels
    assert clone(net).partial_fit(X[:2500], y[:2500]).n_members_ == 1


def test_training_continues_with_an_automatic_number(beats):
    net = ECGCNNClassifier(**AUTO, fixed_kernels=False, warm_start=True).fit(*beats)
    weights = net.module_.members[2].head[-1].weight
    before = weights.clone()
    net.partial_fit(*beats)
    net.fit(*beats)
    assert len(net.history) == 6
    assert net.module_.members[2].head[-1].weight is weights
    assert not torch.equal(weights, before)


def test_pickled_net_predicts_the_same_and_its_clone_fits(beats):
    net = ECGCNNClassifier(**SMALL).fit(*beats)
    expected = net.predict_proba(beats[0])
    assert np.array_equal(pickle.loads(pickle.dumps(net)).predict_proba(beats[0]), expected)
    assert np.array_equal(clone(net).fit(*beats).predict_proba(beats[0]), expected)


@CLASSES
@pytest.mark.parametrize("options", [SMALL, AUTO, AUTO | {"fixed_kernels": False}])
def test_model_file(net_class, beats, tmp_path, options):
    net = net_class(**options).fit(*beats)
    save_model(net, tmp_path / "net.ecgbeat")
    loaded = load_model(tmp_path / "net.ecgbeat")
    assert loaded.n_members_ == net.n_members_
    assert np.array_equal(loaded.predict_proba(beats[0]), net.predict_proba(beats[0]))
    assert loaded.partial_fit(*beats).n_members_ == net.n_members_


def test_params_of_skorch(beats, tmp_path):
    net = ECGCNNClassifier(**SMALL).fit(*beats)
    net.save_params(tmp_path / "weights.pt", tmp_path / "optimizer.pt")
    other = ECGCNNClassifier(**SMALL, classes=["A", "N", "V"]).initialize()
    other.load_params(tmp_path / "weights.pt", tmp_path / "optimizer.pt")
    assert np.array_equal(other.predict_proba(beats[0]), net.predict_proba(beats[0]))
    alone = ECGCNNClassifier(**SMALL | {"n_members": 1}, classes=["A", "N", "V"]).initialize()
    with pytest.raises(RuntimeError):
        alone.load_params(tmp_path / "weights.pt")


@CLASSES
@pytest.mark.parametrize("use_safetensors", [False, True])
@pytest.mark.parametrize("fixed_kernels", [False, True])
def test_params_of_skorch_set_an_automatic_number(
    net_class, beats, tmp_path, use_safetensors, fixed_kernels
):
    file = tmp_path / "weights"
    for n_members in (3, 1):
        options = AUTO | {"n_members": n_members, "fixed_kernels": fixed_kernels}
        net = net_class(**options).fit(*beats)
        net.save_params(file, use_safetensors=use_safetensors)
        # the other one has another number of networks before it loads the file
        other = net_class(**AUTO, early_stopping=n_members == 1).fit(*beats)
        assert other.n_members_ == 4 - n_members
        other.load_params(file, use_safetensors=use_safetensors)
        assert other.n_members_ == n_members
        assert np.array_equal(other.predict_proba(beats[0]), net.predict_proba(beats[0]))
        assert other.partial_fit(*beats).n_members_ == n_members


class _Sum(nn.Module):
    """A custom network that has parts of the same name."""

    def __init__(self):
        super().__init__()
        self.members = nn.ModuleList(nn.Linear(50, 3) for _ in range(2))

    def forward(self, rows):
        return sum(member(rows) for member in self.members)


def test_params_of_a_custom_network_do_not_set_the_number(beats, tmp_path):
    net = ECGCNNClassifier(module=_Sum, max_epochs=1, random_state=0).fit(*beats)
    net.save_params(tmp_path / "weights.pt")
    other = clone(net).set_params(random_state=1, classes=net.classes_).initialize()
    other.load_params(tmp_path / "weights.pt")
    assert isinstance(other.module_, _Sum)
    assert np.array_equal(other.predict_proba(beats[0]), net.predict_proba(beats[0]))


def test_params_that_do_not_fit_leave_an_automatic_number(beats, tmp_path):
    net = ECGCNNClassifier(**AUTO | {"n_members": 3, "n_filters": 3}).fit(*beats)
    net.save_params(tmp_path / "weights.pt")
    other = ECGCNNClassifier(**AUTO).fit(*beats)
    expected = other.predict_proba(beats[0])
    with pytest.raises(RuntimeError):
        other.load_params(tmp_path / "weights.pt")
    assert other.n_members_ == 1
    assert np.array_equal(other.predict_proba(beats[0]), expected)


def test_history_has_the_loss_of_the_average_and_callbacks_its_probabilities(beats):
    scores = [
        EpochScoring("accuracy", on_train=True, name="cached"),
        EpochScoring("neg_log_loss", name="valid"),
    ]
    net = ECGCNNClassifier(**SMALL, early_stopping=True, callbacks=scores).fit(*beats)
    last = net.history[-1]
    assert 0 <= last["cached"] <= 1
    assert last["valid_loss"] == pytest.approx(-last["valid"], rel=1e-5)


def test_training_loss_is_the_mean_of_the_members(beats):
    """An lr close to 0 leaves the first weights, and dropout is off."""
    options = SMALL | FULL_BATCHES | {"max_epochs": 1}
    net = ECGCNNClassifier(**options, lr=1e-12, weight_decay=0.0, lr_schedule=None).fit(*beats)
    rows = torch.from_numpy(beats[0])
    losses = [
        log_loss(beats[1], network.train()(rows).double().softmax(dim=1).detach().numpy())
        for network in net.module_.members
    ]
    assert net.history[-1]["train_loss"] == pytest.approx(np.mean(losses), rel=1e-4)


def test_training_continues(beats):
    net = ECGCNNClassifier(**SMALL, weight_averaging=0.9, augment_baseline=0.1).fit(*beats)
    before = net.module_.members[2].head[-1].weight.clone()
    net.partial_fit(*beats)
    net.set_params(warm_start=True).fit(*beats)
    assert len(net.history) == 6
    assert not torch.equal(net.module_.members[2].head[-1].weight, before)


def test_first_partial_fit_of_an_initialized_net_sets_the_classes_of_all_members(beats):
    net = ECGCNNClassifier(**SMALL).initialize().partial_fit(*beats)
    assert [m.head[-1].out_features for m in net.module_.members] == [3, 3, 3]
    assert accuracy_score(beats[1], net.predict(beats[0])) > 0


def test_output_in_training_mode_is_that_of_the_ensemble(beats):
    net = ECGCNNClassifier(**SMALL).fit(*beats)
    (first, *_) = net.forward_iter(beats[0], training=True)
    assert first.shape[1:] == (3,)


def test_class_of_a_custom_network_is_built_for_each_member(beats):
    options = {"module": BeatCNN, "module__n_classes": 3, "module__n_filters": 2}
    net = ECGCNNClassifier(**options, n_members=2, max_epochs=1, random_state=0).fit(*beats)
    assert len(net.module_.members) == 2
    assert_allclose(net.predict_proba(beats[0]).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"module": BeatCNN(3)}, "cannot be built from one object"),
        (
            {"module": nn.Linear, "module__in_features": 50, "module__out_features": 3}
            | {"criterion": nn.NLLLoss},
            "needs a criterion that takes logits",
        ),
        ({"n_members": 0}, "n_members"),
        ({"n_members": True}, "must not be a bool"),
    ],
)
def test_networks_that_cannot_be_averaged_raise(beats, options, message):
    with pytest.raises(ValueError, match=message):
        ECGCNNClassifier(**SMALL | options).fit(*beats)


@pytest.mark.parametrize("fixed_kernels", [True, False])
def test_members_beside_kernels_have_fewer_epochs(fixed_kernels):
    X, y = make_heartbeats(30, classes=("N", "V"), fs=100, random_state=0, return_X_y=True)
    options = {"fixed_kernels": fixed_kernels, "n_filters": 1, "n_blocks": 1}
    nets = [ECGCNNClassifier(n_members=n, **options).fit(X, y) for n in (1, 2)]
    assert (nets[1].max_epochs_ < nets[0].max_epochs_) == fixed_kernels
