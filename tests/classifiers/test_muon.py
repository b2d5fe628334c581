import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

import ecgbeat
from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat.classifiers import MuonAdamW
from ecgbeat.classifiers._heuristics import epochs_for
from ecgbeat.classifiers._muon import orthogonalized
from ecgbeat.networks import BeatCNN, BeatCNNLSTM

LARGE = {"n_filters": 1, "n_blocks": 1, "max_epochs": 1, "batch_size": -1, "random_state": 0}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def many():
    X = np.random.default_rng(0).normal(size=(20_000, 16)).astype(np.float32)
    return X, np.arange(20_000) % 2


# --- the optimizer ------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(16, 80), (64, 16), (5, 5)])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e10])
def test_singular_values_become_nearly_equal(shape, scale):
    matrix = scale * torch.randn(shape)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    (found,) = orthogonalized([matrix])
    values = (left.T @ found @ right.T).diag()
    assert values.min() > 0.3
    assert values.max() < 1.3


def test_gradient_of_zero_changes_nothing():
    assert torch.equal(orthogonalized([torch.zeros(3, 4)])[0], torch.zeros(3, 4))


def test_matrices_do_not_depend_on_each_other():
    matrices = [torch.randn(shape) for shape in [(8, 2, 1, 5), (8, 30), (30, 8), (4, 4), (8, 8)]]
    for found, matrix in zip(orthogonalized(matrices), matrices, strict=True):
        torch.testing.assert_close(found, orthogonalized([matrix])[0], rtol=1e-4, atol=1e-5)


def gradient_steps(optimizer, weights, gradients):
    for gradient in gradients:
        for weight in weights:
            weight.grad = gradient.expand_as(weight).clone()
        optimizer.step()


def test_vectors_and_dense_layers_are_updated_by_adamw():
    start = [nn.Parameter(torch.randn(shape)) for shape in [(7,), (3, 7)]]
    twin = copy.deepcopy(start)
    options = {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.2}
    gradients = torch.randn(5, 7)
    gradient_steps(MuonAdamW(start, **options), start, gradients)
    gradient_steps(torch.optim.AdamW(twin, **options), twin, gradients)
    for weight, expected in zip(start, twin, strict=True):
        torch.testing.assert_close(weight, expected)


def test_step_of_a_convolution():
    kernel, head = (nn.Parameter(torch.randn(shape)) for shape in [(8, 4, 1, 5), (3, 8)])
    before, gradient = kernel.detach().clone(), torch.randn(8, 4, 1, 5)
    kernel.grad, head.grad = gradient, torch.zeros(3, 8)
    MuonAdamW([kernel, head], lr=0.5, betas=(0.9, 0.999), weight_decay=0.2).step()
    expected = orthogonalized([gradient])[0].reshape(gradient.shape)
    torch.testing.assert_close(
        kernel.data, 0.9 * before - 0.5 * 0.2 * 20**0.5 * expected, rtol=1e-4, atol=1e-5
    )


def test_only_convolutions_have_orthogonal_steps():
    network = BeatCNNLSTM(n_classes=5)
    weights = dict(network.named_parameters())
    optimizer = MuonAdamW(weights.values())
    for weight in weights.values():
        weight.grad = torch.randn_like(weight)
    optimizer.step()
    by_muon = {name for name, w in weights.items() if "average_square" not in optimizer.state[w]}
    convolutions = {n for n, m in network.named_modules() if isinstance(m, nn.Conv2d)}
    assert by_muon == {f"{name}.weight" for name in convolutions}


def test_frozen_weights_stay():
    network = BeatCNN(n_classes=2)
    network.front.requires_grad_(False)
    before = copy.deepcopy(network.front.state_dict())
    optimizer = MuonAdamW(network.parameters())
    network.eval()(torch.randn(4, 64)).sum().backward()
    optimizer.step()
    assert all(torch.equal(v, before[k]) for k, v in network.front.state_dict().items())


def test_closure_is_called_with_gradients():
    weight = nn.Parameter(torch.ones(2))
    optimizer = MuonAdamW([weight])

    def closure():
        optimizer.zero_grad()
        loss = weight.sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 2
    assert weight.sum() < 2


@pytest.mark.parametrize(
    "options", [{"lr": -1.0}, {"betas": (0.9, 1.0)}, {"eps": -1.0}, {"weight_decay": float("nan")}]
)
def test_invalid_parameters_raise(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))}="):
        MuonAdamW([nn.Parameter(torch.ones(2))], **options)


# --- in the classifiers -------------------------------------------------------------------


@pytest.mark.parametrize("net_class", [ECGCNNClassifier, ECGCNNLSTMClassifier])
def test_trains(beats, net_class):
    X, y = beats
    net = net_class(n_filters=4, optimizer=MuonAdamW, random_state=0, fixed_kernels=False)
    net.fit(X, y)
    assert net.score(X, y) > 0.9
    assert net.max_epochs_ == epochs_for(len(X), with_muon=True)


@pytest.mark.parametrize(
    ("n_beats", "parameters", "expected"),
    [
        (20_000, {}, MuonAdamW),
        (19_999, {}, torch.optim.AdamW),
        (20_000, {"optimizer__betas": (0.8, 0.9)}, MuonAdamW),
        (20_000, {"optimizer__amsgrad": True}, torch.optim.AdamW),
        (20_000, {"optimizer": torch.optim.AdamW}, torch.optim.AdamW),
        (20_000, {"module": nn.Sequential(nn.Linear(16, 2))}, torch.optim.AdamW),
    ],
)
def test_automatic_optimizer(many, n_beats, parameters, expected):
    net = ECGCNNClassifier(**LARGE | parameters).fit(*(part[:n_beats] for part in many))
    assert type(net.optimizer_) is expected
    assert net.optimizer_.param_groups[0]["weight_decay"] == 0.1
    assert net.optimizer == parameters.get("optimizer", "auto")


def test_further_training_keeps_the_optimizer(many):
    X, y = many
    net = ECGCNNClassifier(**LARGE, warm_start=True).fit(X, y)
    optimizer = net.optimizer_
    net = pickle.loads(pickle.dumps(net)).partial_fit(X[:50], y[:50]).fit(X[:50], y[:50])
    assert type(net.optimizer_) is MuonAdamW
    assert len(net.optimizer_.state) == len(optimizer.state)
    net.set_params(weight_decay=0.3)
    assert net.optimizer_.param_groups[0]["weight_decay"] == 0.3
    net.set_params(warm_start=False).fit(X[:50], y[:50])
    assert type(net.optimizer_) is torch.optim.AdamW


def test_unknown_optimizer_raises(beats):
    with pytest.raises(ValueError, match="'optimizer' parameter of ECGCNNClassifier must be"):
        ECGCNNClassifier(**LARGE, optimizer="adam").fit(*beats)


def test_partial_fit_begins_with_adamw(many):
    assert type(ECGCNNClassifier(**LARGE).partial_fit(*many).optimizer_) is torch.optim.AdamW


def test_failed_fit_keeps_the_optimizer(many):
    X, y = many
    net = ECGCNNClassifier(**LARGE).fit(X[:50], y[:50])
    net.set_params(lr=1e30)
    with pytest.raises(ValueError, match=r"loss|not finite"):
        net.fit(np.float32(1e30) * X, y)
    assert type(net.optimizer_) is torch.optim.AdamW
    assert net.set_params(weight_decay="auto").optimizer_.param_groups[0]["weight_decay"] == 0.1


def test_model_file_names_the_optimizer(beats, tmp_path):
    net = ECGCNNClassifier(**LARGE, optimizer=MuonAdamW).fit(*beats)
    ecgbeat.save_model(net, tmp_path / "net.ecgbeat")
    assert ecgbeat.load_model(tmp_path / "net.ecgbeat").optimizer is MuonAdamW


def test_state_of_the_optimizer_is_saved(many, tmp_path):
    X, y = many
    net = ECGCNNClassifier(**LARGE, optimizer=MuonAdamW).fit(X, y)
    net.save_params(f_params=tmp_path / "p.pt", f_optimizer=tmp_path / "o.pt")
    twin = ECGCNNClassifier(**LARGE, optimizer=MuonAdamW).fit(X[:50], y[:50])
    twin.load_params(f_params=tmp_path / "p.pt", f_optimizer=tmp_path / "o.pt")
    for trained in (net, twin):
        trained._rng_state = None
        trained.set_params(random_state=1).partial_fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X[:9]), twin.predict_proba(X[:9]))
