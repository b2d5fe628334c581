import copy

import numpy as np
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from torch import nn

from ecgbeat import BeatAnnotator, ECGCNNClassifier, ECGCNNLSTMClassifier, ZScoreScaler
from ecgbeat.plotting import saliency
from ecgbeat.plotting._saliency import METHODS

pytest.importorskip("captum", reason="the extra 'plot' is not installed")


class Linear(nn.Module):
    """Scores that are weighted sums of samples, whose saliency is known."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights, dtype=torch.float32))

    def forward(self, rows):
        return rows @ self.weights.T


@pytest.fixture
def linear(simulated):
    """A network with known weights, and these weights."""
    weights = np.random.default_rng(0).normal(size=(5, 50))
    net = ECGCNNClassifier(module=Linear, module__weights=weights, max_epochs=0)
    return net.fit(simulated.data, simulated.target), weights


@pytest.fixture(scope="module")
def bump_net(beats):
    X, y = beats
    return ECGCNNClassifier(n_filters=8, max_epochs=30, random_state=0).fit(X, y)


def scores(net, rows):
    with torch.no_grad():
        return net.module_(torch.as_tensor(np.asarray(rows, np.float32))).numpy()


# --- values -----------------------------------------------------------------


def test_gradient_of_a_linear_network_is_its_weights(linear, simulated):
    net, weights = linear
    found = saliency(net, simulated.data[:3], ["A", "V", "N"], method="gradient")
    np.testing.assert_allclose(found, weights[[0, 4, 2]], rtol=1e-6)


def test_integrated_gradients_of_a_linear_network_are_weights_times_samples(linear, simulated):
    net, weights = linear
    found = saliency(net, simulated.data[:3], "V")
    np.testing.assert_allclose(found, weights[4] * simulated.data[:3], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("target", ["N", "V"])
@pytest.mark.parametrize(("fixed_kernels", "n_steps"), [(True, None), (False, 1024)])
def test_integrated_gradients_add_up_to_the_score(simulated, target, fixed_kernels, n_steps):
    net = ECGCNNClassifier(
        n_filters=4, max_epochs=3, n_members=1, fixed_kernels=fixed_kernels, random_state=0
    ).fit(simulated.data, simulated.target)
    X = simulated.data[:10]
    found = saliency(net, X, target, n_steps=n_steps)
    code = net.classes_.tolist().index(target)
    gain = scores(net, X)[:, code] - scores(net, np.zeros_like(X))[:, code]
    np.testing.assert_allclose(found.sum(axis=1), gain, atol=0.02)


def test_gradients_equal_numerical_derivatives(net, simulated):
    found = saliency(net, simulated.data[:1], "V", method="gradient")[0]
    network = copy.deepcopy(net.module_).double()
    steps = 1e-7 * torch.eye(50, dtype=torch.float64)
    x = torch.tensor(simulated.data[:1].astype(np.float32)).double()
    with torch.no_grad():
        slopes = (network(x + steps) - network(x - steps))[:, 4] / 2e-7
    np.testing.assert_allclose(found, slopes, atol=1e-4)


def test_relevance_is_largest_where_the_classes_differ(bump_net, beats):
    X, y = beats
    assert bump_net.score(X, y) > 0.95
    X, y = X[::5], y[::5]
    place = 10 + 20 * np.searchsorted(["N", "S", "V"], y)
    found = saliency(bump_net, X, y)
    is_near = np.abs(found.argmax(axis=1) - place) <= 4
    assert is_near.mean() > 0.8


class BumpFinder(nn.Module):
    """A convolution that responds to bumps, in favor of one class and against the other."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv1d(1, 1, 5, padding=2, bias=False)
        nn.init.ones_(self.convolution.weight)

    def forward(self, rows):
        found = self.convolution(rows.unsqueeze(1)).mean(dim=(1, 2))
        return torch.stack([-found, found], dim=1)


def test_grad_cam_is_largest_where_the_convolution_responds():
    place = np.array([5, 20, 40, 58])
    X = np.exp(-0.5 * (np.arange(64) - place[:, np.newaxis]) ** 2).astype(np.float32)
    net = ECGCNNClassifier(module=BumpFinder, max_epochs=0).fit(X, np.arange(4) % 2)
    found = saliency(net, X, [1] * 4, method="grad_cam")
    np.testing.assert_array_equal(found.argmax(axis=1), place)
    assert not saliency(net, X, [0] * 4, method="grad_cam").any()


def scores_and_responses(network, rows):
    """Return the scores of rows and the output of the convolutional front."""
    responses = []
    hook = network.front.register_forward_hook(lambda *call: responses.append(call[-1]))
    found = network(rows)
    hook.remove()
    return found, responses[0]


def test_grad_cam_is_the_front_weighted_by_mean_gradients(net, simulated):
    rows = torch.tensor(simulated.data[:5].astype(np.float32))
    network = copy.deepcopy(net.module_).eval()
    scores, responses = scores_and_responses(network, rows)
    gradients = torch.autograd.grad(scores[:, 4].sum(), responses)[0]
    weights = gradients.flatten(2).mean(dim=2, keepdim=True)
    expected = (weights * responses.detach().flatten(2)).sum(dim=1).relu().numpy()
    found = saliency(net, simulated.data[:5], "V", method="grad_cam")
    cell = network.min_times - 1
    centers = (np.arange(expected.shape[1]) + 0.5) * cell - 0.5
    fine = [np.interp(np.arange(50), centers, row) for row in expected]
    np.testing.assert_allclose(found, fine, rtol=1e-4, atol=1e-6)


def test_grad_cam_is_coarse_and_never_negative(net, simulated):
    found = saliency(net, simulated.data[:5], "V", method="grad_cam")
    assert found.shape == (5, 50)
    assert found.min() >= 0
    assert np.abs(np.diff(found, axis=1)).max() < 0.2 * found.max()


@pytest.mark.parametrize("method", METHODS)
def test_relevance_is_independent_of_the_batch(net, simulated, method):
    many = saliency(net, simulated.data[:70], method=method)  # more than go at once
    alone = np.concatenate(
        [saliency(net, simulated.data[[row]], method=method) for row in (0, 63, 64, 69)]
    )
    np.testing.assert_allclose(many[[0, 63, 64, 69]], alone, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_results_are_reproducible(net, simulated, method):
    once, twice = (saliency(net, simulated.data[:3], method=method) for _ in range(2))
    np.testing.assert_array_equal(once, twice)


# --- targets ----------------------------------------------------------------------------


def test_default_target_is_the_predicted_class(net, simulated):
    X = simulated.data[:8]
    np.testing.assert_array_equal(saliency(net, X), saliency(net, X, net.predict(X)))


def test_single_target_for_all_beats(net, simulated):
    X = simulated.data[:3]
    np.testing.assert_array_equal(saliency(net, X, "V"), saliency(net, X, ["V"] * 3))


def test_numeric_labels(simulated):
    y = np.where(simulated.target == "V", 7, 3)
    net = ECGCNNClassifier(n_filters=4, max_epochs=1, random_state=0).fit(simulated.data, y)
    assert not np.array_equal(
        saliency(net, simulated.data[:2], 7), saliency(net, simulated.data[:2], 3)
    )


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("X", r"of the classes \['A', 'L', 'N', 'R', 'V'\], got \['X'\]"),
        (3, r"got \['3'\]"),
        (["N", "V"], r"one for each of the 3 beats, got shape \(2,\)"),
    ],
)
def test_invalid_target_raises(net, simulated, target, message):
    with pytest.raises(ValueError, match=message):
        saliency(net, simulated.data[:3], target)


# --- networks and pipelines -----------------------------------------------


def test_pipeline_explains_the_input_of_the_network(simulated):
    net = ECGCNNClassifier(n_filters=4, max_epochs=2, random_state=0)
    sampler = RandomOverSampler(random_state=0)
    pipeline = make_imblearn_pipeline(ZScoreScaler(), sampler, net)
    pipeline.fit(simulated.data, simulated.target)
    rows = pipeline[0].transform(simulated.data[:4])
    np.testing.assert_allclose(
        saliency(pipeline, simulated.data[:4]), saliency(net, rows), atol=1e-6
    )


def test_grid_search(simulated):
    net = ECGCNNClassifier(n_filters=4, max_epochs=1, random_state=0)
    search = GridSearchCV(make_pipeline(ZScoreScaler(), net), {}, cv=2)
    search.fit(simulated.data, simulated.target)
    found = saliency(search, simulated.data[:2])
    np.testing.assert_array_equal(found, saliency(search.best_estimator_, simulated.data[:2]))


@pytest.mark.parametrize("method", METHODS)
def test_recurrent_network(simulated, method):
    net = ECGCNNLSTMClassifier(n_filters=4, hidden_size=8, max_epochs=1, random_state=0)
    net.fit(simulated.data, simulated.target)
    found = saliency(net, simulated.data[:2], "N", method=method)
    assert found.shape == (2, 50)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("method", METHODS)
def test_relevance_for_an_ensemble_is_the_mean_over_its_members(simulated, method):
    options = {"n_filters": 2, "max_epochs": 1, "n_members": 2, "fixed_kernels": False}
    net = ECGCNNClassifier(**options, random_state=0).fit(simulated.data, simulated.target)
    found = saliency(net, simulated.data[:3], target="N", method=method)
    ensemble, parts = net.module_, []
    for member in ensemble.members:
        net.module_ = member
        parts.append(saliency(net, simulated.data[:3], target="N", method=method))
    np.testing.assert_allclose(found, np.mean(parts, axis=0), atol=1e-6)
    assert np.ptp(parts, axis=0).max() > 1e-4


def test_relevance_for_an_ensemble_includes_its_fixed_kernels(simulated):
    net = ECGCNNClassifier(n_filters=2, max_epochs=1, n_members=2, random_state=0)
    net.fit(simulated.data, simulated.target)
    rows = torch.from_numpy(np.float32(simulated.data[:3])).requires_grad_()
    net.module_.eval()(rows)[:, list(net.classes_).index("N")].sum().backward()
    found = saliency(net, simulated.data[:3], target="N", method="gradient")
    np.testing.assert_allclose(found, rows.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_flattened_leads(two_leads, method):
    net = ECGCNNClassifier(n_filters=4, max_epochs=1, random_state=0)
    net.fit(two_leads.data, two_leads.target)
    found = saliency(net, two_leads.data[:3], "N", method=method)
    flat = saliency(net, two_leads.data[:3].reshape(3, -1), "N", method=method)
    assert found.shape == (3, 2, 50)
    np.testing.assert_allclose(found.reshape(3, -1), flat, atol=1e-6)


def test_auxiliary_columns(simulated):
    X = np.c_[simulated.data, simulated.target == "V"]
    net = ECGCNNClassifier(n_filters=4, max_epochs=5, n_aux_features=1, random_state=0)
    net.fit(X, simulated.target)
    found = saliency(net, X[:4], "V")
    assert found.shape == (4, 51)
    assert np.isfinite(found).all()
    cam = saliency(net, X[:4], "V", method="grad_cam")
    assert np.isnan(cam[:, 50]).all()
    assert np.isfinite(cam[:, :50]).all()


class OneDimensional(nn.Module):
    """A custom network that returns more than the scores."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv1d(1, 4, 5)
        self.dense = nn.Linear(4, 5)

    def forward(self, rows):
        features = self.convolution(rows.unsqueeze(1)).relu()
        return self.dense(features.mean(dim=2)), features


@pytest.mark.parametrize("method", METHODS)
def test_custom_network(simulated, method):
    net = ECGCNNClassifier(module=OneDimensional, max_epochs=0, random_state=0)
    net.fit(simulated.data, simulated.target)
    assert saliency(net, simulated.data[:2], "N", method=method).shape == (2, 50)


def test_grad_cam_without_convolutions_raises(linear, simulated):
    with pytest.raises(ValueError, match="needs a network with convolutions, got Linear"):
        saliency(linear[0], simulated.data[:2], method="grad_cam")


# --- side effects ---------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_network_and_input_are_not_modified(simulated, method):
    net = ECGCNNClassifier(n_filters=4, max_epochs=2, random_state=0)
    net.fit(simulated.data, simulated.target)
    X = simulated.data[:5].copy()
    before = {k: v.clone() for k, v in net.module_.state_dict().items()}
    gradients = [p.grad.clone() for p in net.module_.parameters()]
    state = torch.get_rng_state()
    saliency(net, X, method=method)
    assert all(torch.equal(v, before[k]) for k, v in net.module_.state_dict().items())
    for parameter, gradient in zip(net.module_.parameters(), gradients, strict=True):
        assert parameter.requires_grad
        assert torch.equal(parameter.grad, gradient)
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(layer._forward_hooks for layer in net.module_.modules())
    np.testing.assert_array_equal(X, simulated.data[:5])


# --- invalid input ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "lime"}, "method must be one of .*got 'lime'"),
        ({"n_steps": 0}, "n_steps must be a positive integer or None, got 0"),
        ({"n_steps": 1.5}, "n_steps must be a positive integer or None, got 1.5"),
    ],
)
def test_invalid_parameters_raise(net, simulated, options, message):
    with pytest.raises(ValueError, match=message):
        saliency(net, simulated.data[:2], **options)


@pytest.mark.parametrize("X", [np.ones((2, 49)), np.full((2, 50), np.nan), np.ones(50)])
def test_invalid_rows_raise(net, X):
    with pytest.raises(ValueError, match=r"X|array"):
        saliency(net, X)


def test_unfitted_network_raises(simulated):
    with pytest.raises(NotFittedError):
        saliency(ECGCNNClassifier(), simulated.data)


def test_estimator_without_network_raises(simulated, patient):
    model = LogisticRegression(max_iter=500).fit(simulated.data, simulated.target)
    with pytest.raises(TypeError, match="must end in a network, got LogisticRegression"):
        saliency(model, simulated.data)
    annotator = BeatAnnotator(model, fs=250).fit([patient.signal], [patient.annotation])
    with pytest.raises(TypeError, match=r"Pass annotator\.classifier_"):
        saliency(annotator, [patient.signal])
