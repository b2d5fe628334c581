"""Fixed convolutions with a ridge classifier."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat.datasets import make_heartbeats
from ecgbeat.networks import BeatCNN, FixedKernels, FocalLoss
from ecgbeat.networks._kernels import ridge_classifier
from ecgbeat.persistence import load_model, save_model

TINY = {"n_filters": 2, "max_epochs": 1, "random_state": 0, "fixed_kernels": True}


@pytest.fixture(scope="module")
def beats():
    X, y = make_heartbeats(60, classes=("N", "V"), fs=100, random_state=0, return_X_y=True)
    return X.astype(np.float32), y


def test_kernels_separate_classes_without_any_epoch(beats):
    net = ECGCNNClassifier(**TINY | {"max_epochs": 0}).fit(beats[0][:40], beats[1][:40])
    assert net.score(beats[0][40:], beats[1][40:]) > 0.9


def test_probabilities_of_separable_beats_are_not_certain(beats):
    net = ECGCNNClassifier(**TINY).fit(*beats)
    with torch.inference_mode():
        likely = net.module_.kernels(torch.from_numpy(beats[0])).softmax(dim=1).amax(dim=1)
    assert likely.mean() > 0.9
    assert likely.max() < 1 - 1e-4


@pytest.mark.parametrize("classifier", [ECGCNNClassifier, ECGCNNLSTMClassifier])
def test_bfloat16_leaves_kernels_in_float32(beats, classifier):
    net = classifier(**TINY, precision="bfloat16").fit(*beats)
    with torch.inference_mode():
        rows = torch.from_numpy(beats[0])
        expected = net.module_.kernels(rows)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = net.module_.kernels(rows)
    torch.testing.assert_close(found, expected)
    assert net.score(*beats) > 0.9


def test_warm_start_computes_kernels_from_its_beats(beats):
    net = ECGCNNClassifier(**TINY, warm_start=True, weight_averaging=0.9).fit(*beats)
    fresh = ECGCNNClassifier(**TINY).fit(beats[0][30:], beats[1][30:])
    net.fit(beats[0][30:], beats[1][30:])
    expected = fresh.module_.kernels.state_dict()
    torch.testing.assert_close(dict(net.module_.kernels.state_dict()), dict(expected))


@pytest.mark.parametrize("n_members", [1, 2])
def test_partial_fit_goes_on_without_kernels(beats, n_members):
    net = ECGCNNClassifier(**TINY, n_members=n_members).fit(*beats)
    before = net.predict_proba(beats[0])
    with pytest.raises(ValueError, match=r"lr"):  # leaves the estimator unchanged
        net.set_params(lr=1e30).partial_fit(*beats, epochs=3)
    assert net.fixed_kernels_
    np.testing.assert_array_equal(net.predict_proba(beats[0]), before)
    net.set_params(lr=0.01).partial_fit(*beats)
    assert not net.fixed_kernels_
    assert not any("kernels" in name for name in net.module_.state_dict())


def test_beats_of_weight_zero_are_left_out(beats):
    weight = np.repeat([0.0, 1.0], [20, 40])
    weighted = ECGCNNClassifier(**TINY).fit(*beats, sample_weight=weight)
    shorter = ECGCNNClassifier(**TINY).fit(beats[0][20:], beats[1][20:])
    np.testing.assert_array_equal(weighted.predict_proba(beats[0]), shorter.predict_proba(beats[0]))


def test_members_leads_and_auxiliary_columns_in_a_model_file(beats, tmp_path):
    aux = np.linspace(-1, 1, 2 * len(beats[1]), dtype=np.float32).reshape(-1, 2)
    X = np.hstack([beats[0], beats[0][:, ::-1], aux])
    net = ECGCNNClassifier(**TINY, n_leads=2, n_aux_features=2, n_members=2).fit(X, beats[1])
    save_model(net, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    for other in (loaded, pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(other.predict_proba(X), net.predict_proba(X))


@pytest.mark.parametrize("n_times", [1, 9, 17, 300])
def test_features_of_any_length_are_finite(n_times):
    kernels = FixedKernels(3, n_times, n_leads=2, n_aux_features=1)
    rows = torch.randn(6, 2 * n_times + 1, generator=torch.Generator().manual_seed(0))
    kernels.solve(rows, torch.arange(6) % 3, torch.ones(6))
    assert kernels(rows).isfinite().all()


@pytest.mark.parametrize("by_place", [True, False])
def test_moments_tell_the_place_of_a_wave(by_place):
    rng = np.random.default_rng(0)
    codes, peak = rng.integers(2, size=80), np.hanning(15)
    places = 15 + 30 * codes if by_place else rng.integers(60, size=80)
    X = rng.normal(0, 0.05, (80, 90)).astype(np.float32)
    for row, place, code in zip(X, places, codes, strict=True):
        row[place : place + 15] += peak if by_place else peak * (1 - 2 * code)
    kernels = FixedKernels(2, 90)
    rows = torch.from_numpy(X)
    kernels.solve(rows[:40], torch.from_numpy(codes[:40]), torch.ones(40))
    assert kernels.with_moments == by_place
    assert (kernels(rows[40:]).argmax(dim=1).numpy() == codes[40:]).all()
    network, other = BeatCNN(n_classes=2, n_filters=2), BeatCNN(n_classes=2, n_filters=2)
    network.kernels = kernels
    other.load_state_dict(network.state_dict())
    torch.testing.assert_close(other.kernels(rows), kernels(rows), rtol=0, atol=0)


def test_penalty_has_the_smallest_leave_one_out_error_of_refits():
    rng = np.random.default_rng(0)
    features, codes, weight = rng.normal(size=(12, 5)), np.arange(12) % 2, rng.uniform(0.5, 2, 12)
    weight /= weight.mean()
    tensors = [torch.from_numpy(array) for array in (features, codes, weight)]
    coefficients, intercept, _ = ridge_classifier(*tensors[:2], 2, tensors[2])
    deviation = np.sqrt(np.cov(features.T, aweights=weight, ddof=0).diagonal())
    scaled, targets = features / (deviation + 0.01), 2.0 * codes - 1

    def squared_error(penalty):
        error = 0.0
        for i in range(12):
            rest = np.arange(12) != i
            ridge = Ridge(alpha=5 * penalty).fit(scaled[rest], targets[rest], weight[rest])
            error += weight[i] * (ridge.predict(scaled[[i]])[0] - targets[i]) ** 2
        return error

    best = Ridge(alpha=5 * min(10.0 ** np.arange(-5, 0, 0.5), key=squared_error))
    expected = best.fit(scaled, targets, weight).predict(scaled)
    margin = (features @ coefficients.numpy() + intercept.numpy()) @ [-0.5, 0.5]
    np.testing.assert_allclose(margin / expected, margin[0] / expected[0])


@pytest.mark.parametrize("classifier", [ECGCNNClassifier, ECGCNNLSTMClassifier])
@pytest.mark.parametrize("n_members", [1, 2])
def test_saved_parameters_bring_their_kernels(beats, tmp_path, classifier, n_members):
    net = classifier(**TINY, n_members=n_members).fit(*beats)
    net.save_params(f_params=tmp_path / "weights.pt")
    other = classifier(n_filters=2, n_members=n_members, classes=["N", "V"]).initialize()
    other.load_params(f_params=tmp_path / "weights.pt")
    save_model(other, tmp_path / "model.safetensors")
    for loaded in (other, load_model(tmp_path / "model.safetensors")):
        np.testing.assert_array_equal(loaded.predict_proba(beats[0]), net.predict_proba(beats[0]))


def test_fitted_classifier_takes_the_kernels_of_loaded_parameters(beats, tmp_path):
    net, without = (
        ECGCNNClassifier(**TINY | {"fixed_kernels": k}).fit(*beats) for k in (True, False)
    )
    without.save_params(f_params=tmp_path / "weights.pt")
    net.load_params(f_params=tmp_path / "weights.pt")
    assert not net.fixed_kernels_
    save_model(net, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(beats[0]), without.predict_proba(beats[0]))


def test_network_alone_loads_kernels(beats):
    net = ECGCNNClassifier(**TINY).fit(*beats)
    network = BeatCNN(n_filters=2).eval()
    network.load_state_dict(net.module_.state_dict())
    with torch.inference_mode():
        found = network(torch.from_numpy(beats[0])).softmax(dim=1)
    np.testing.assert_array_equal(found.numpy(), net.predict_proba(beats[0]))


@pytest.mark.parametrize("n_thresholds", [0, 100])
def test_kernels_of_a_damaged_model_file_raise(beats, tmp_path, n_thresholds):
    net = ECGCNNClassifier(**TINY).fit(*beats)
    net.module_.kernels.thresholds = net.module_.kernels.thresholds[:1].repeat(n_thresholds, 1)
    save_model(net, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"weights.* its parameters"):
        load_model(tmp_path / "model.safetensors")


def test_loaded_kernels_refuse_rows_of_another_length(beats, tmp_path):
    ECGCNNClassifier(**TINY).fit(*beats).save_params(f_params=tmp_path / "weights.pt")
    loaded = ECGCNNClassifier(n_filters=2, classes=["N", "V"]).initialize()
    loaded.load_params(f_params=tmp_path / "weights.pt")
    n_times = beats[0].shape[1]
    with pytest.raises(ValueError, match=f"{n_times} samples per lead.*got {n_times - 1}"):
        loaded.predict_proba(beats[0][:, :-1])


@pytest.mark.parametrize("n_times", [5, 9, 10, 187, 2000])
def test_small_dilations_have_most_thresholds(n_times):
    kernels = FixedKernels(n_classes=2, n_times=n_times)
    assert sum(kernels.counts) == len(kernels.thresholds)
    assert kernels.counts[0] == max(kernels.counts)
    assert kernels.dilations[0] == 1
    assert 8 * kernels.dilations[-1] == (max(n_times, 9) - 1) // 8 * 8


@pytest.mark.parametrize(
    ("options", "n_beats", "expected"),
    [
        ({"fixed_kernels": "auto"}, 2000, True),
        ({"fixed_kernels": "auto"}, 2001, False),
        ({"fixed_kernels": False}, 60, False),
        ({"fixed_kernels": "auto", "early_stopping": True}, 60, False),
        ({"fixed_kernels": True, "criterion": torch.nn.NLLLoss}, 60, True),
        ({"fixed_kernels": True, "label_smoothing": 0.1}, 60, True),
        ({"fixed_kernels": "auto", "label_smoothing": 0.1}, 60, False),
        ({"fixed_kernels": "auto", "criterion": FocalLoss}, 60, False),
        ({"fixed_kernels": "auto", "criterion": torch.nn.MultiMarginLoss}, 60, False),
        ({"fixed_kernels": "auto", "module": type("Changed", (BeatCNN,), {})}, 60, False),
    ],
)
def test_sets_with_fixed_kernels(beats, options, n_beats, expected):
    rows = np.arange(n_beats) % len(beats[1])
    net = ECGCNNClassifier(**TINY | options).fit(beats[0][rows], beats[1][rows])
    assert net.fixed_kernels_ == expected == (net.module_.kernels is not None)


@pytest.mark.parametrize(("n_times", "expected"), [(166, True), (167, False)])
def test_long_rows_go_without_kernels(n_times, expected):
    X = np.random.default_rng(0).normal(size=(4, 12, n_times))
    net = ECGCNNClassifier(n_filters=2, max_epochs=1).fit(X, [0, 1] * 2)
    assert net.fixed_kernels_ == expected


@pytest.mark.parametrize(
    "options", [{"early_stopping": True}, {"criterion": torch.nn.MultiMarginLoss}]
)
def test_fixed_kernels_that_are_not_possible_raise(beats, options):
    net = ECGCNNClassifier(**TINY, **options)
    with pytest.raises(ValueError, match="fixed_kernels=True needs arrays without a validation"):
        net.fit(*beats)
    assert not net.initialized_
