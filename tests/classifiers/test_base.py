"""Training and prediction of the classifiers."""

import functools
import pickle

import numpy as np
import pytest
import skorch.dataset
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import Parallel, cpu_count, delayed
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback
from torch import nn

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat.classifiers import _heuristics
from ecgbeat.classifiers._batches import TensorBatches
from ecgbeat.networks import FocalLoss

SMALL = {"n_filters": 2, "max_epochs": 1, "batch_size": 16, "random_state": 0}


@settings(max_examples=20, deadline=None)
@given(
    n_times=st.one_of(st.integers(8, 300), st.sampled_from([2_000, 10_000])),
    n_leads=st.integers(1, 12),
    lstm=st.booleans(),
)
def test_fit_for_any_length_and_number_of_leads(n_times, n_leads, lstm):
    X = np.random.default_rng(0).normal(size=(4, n_leads, n_times))
    net = ECGCNNLSTMClassifier(hidden_size=2, **SMALL) if lstm else ECGCNNClassifier(**SMALL)
    probabilities = net.fit(X, ["N", "V"] * 2).predict_proba(X)
    assert probabilities.shape == (4, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert net.n_leads_ == n_leads


def test_flattened_and_3d_beats_give_equal_models(beats):
    X, y = beats
    waves = np.stack([X, -X], axis=1)
    flat = ECGCNNClassifier(**SMALL, n_leads=2).fit(waves.reshape(len(X), -1), y)
    deep = ECGCNNClassifier(**SMALL).fit(waves, y)
    expected = flat.predict_proba(waves)
    for net in (flat, deep):
        np.testing.assert_array_equal(net.predict_proba(waves), expected)
        np.testing.assert_array_equal(net.predict_proba(waves.reshape(len(X), -1)), expected)
        np.testing.assert_array_equal(net.predict_proba(waves.tolist()), expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int16, object])
def test_any_dtype_is_converted_to_float32(beats, dtype):
    X, y = beats
    net = ECGCNNClassifier(**SMALL).fit(X.astype(dtype), y)
    assert net.predict_proba(X.astype(dtype)).dtype == np.float32


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_leads": 5}, "n_leads=5 does not divide X: its rows hold 64 samples"),
        ({"n_aux_features": 64}, "n_aux_features=64 leaves no waveform: X has 64 columns"),
        ({"n_leads": 2, "n_aux_features": 3}, "rows hold 61 samples"),
    ],
)
def test_rows_not_divisible_into_leads_raise(beats, parameters, message):
    with pytest.raises(ValueError, match=message):
        ECGCNNClassifier(**SMALL, **parameters).fit(*beats)


def test_number_of_leads_that_differs_from_n_leads_raises(beats):
    X, y = beats
    with pytest.raises(ValueError, match="beats of 4 leads, by its shape, but n_leads=2"):
        ECGCNNClassifier(**SMALL, n_leads=2).fit(X.reshape(len(X), 4, -1), y)
    net = ECGCNNClassifier(**SMALL).fit(X.reshape(len(X), 2, -1), y)
    with pytest.raises(ValueError, match="4 leads, by its shape, but the network was fitted on 2"):
        net.predict(X.reshape(len(X), 4, -1))


def test_auxiliary_features_with_3d_beats_raise(beats):
    X, y = beats
    with pytest.raises(ValueError, match="n_aux_features=1 needs 2-D rows"):
        ECGCNNClassifier(**SMALL, n_aux_features=1).fit(X.reshape(len(X), 2, -1), y)


def test_auxiliary_features_alone_separate_classes():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    X = np.column_stack([rng.normal(size=(200, 32)), y])
    net = ECGCNNClassifier(**SMALL | {"max_epochs": 15}, n_aux_features=1).fit(X, y)
    assert net.score(X, y) == 1


def test_nan_and_infinity_raise_with_count_and_position(beats):
    X, y = beats
    for value, name in ((np.nan, "NaN"), (-np.inf, "infinity")):
        spoilt = X.copy()
        spoilt[3, 5:7] = value
        with pytest.raises(ValueError, match=rf"X contains {name}: 2 of 7680 values .* X\[3, 5\]"):
            ECGCNNClassifier(**SMALL).fit(spoilt, y)


def test_one_row_is_predicted_but_not_fitted(beats):
    X, y = beats
    with pytest.raises(ValueError, match="1 class"):
        ECGCNNClassifier(**SMALL).fit(X[:1], y[:1])
    net = ECGCNNClassifier(**SMALL).fit(X, y)
    assert net.predict(X[:1]).shape == (1,)
    net.partial_fit(X[:1], y[:1])


def test_class_weights_increase_recall_of_rare_class():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 16)), np.repeat(["N", "V"], [380, 20])
    X[y == "V"] += 0.6
    recalls = {}
    for weight in (None, "balanced", {"V": 19.0}):
        net = ECGCNNClassifier(
            **SMALL | {"max_epochs": 10, "batch_size": 50},
            class_weight=weight,
            fixed_kernels=False,
        ).fit(X, y)
        recalls[str(weight)] = np.mean(net.predict(X)[y == "V"] == "V")
    assert recalls["balanced"] > recalls["None"] + 0.3
    assert recalls["{'V': 19.0}"] > recalls["None"] + 0.3


def test_class_weight_of_unknown_label_raises(beats):
    with pytest.raises(ValueError, match=r"class_weight contains the labels \['Q'\]"):
        ECGCNNClassifier(**SMALL, class_weight={"Q": 2.0}).fit(*beats)


def test_early_stopping_stops_after_patience_epochs():
    X, y = np.random.default_rng(0).normal(size=(200, 16)), np.arange(200) % 2  # nothing to learn
    net = ECGCNNClassifier(
        **SMALL | {"max_epochs": 60, "n_filters": 8},
        early_stopping=True,
        patience=3,
        validation_fraction=0.3,
        lr_schedule=None,
    ).fit(X, y)
    losses = net.history[:, "valid_loss"]
    assert len(losses) == int(np.argmin(losses)) + 1 + 3
    _, validation = net.get_split_datasets(X, y)  # another split: only its size is compared
    assert len(validation) == 60


def test_early_stopping_holds_out_patients(beats):
    X, y = beats
    groups = np.arange(len(X)) // 10
    seen = {}
    original = ECGCNNClassifier.get_split_datasets

    class Spy(ECGCNNClassifier):
        def get_split_datasets(self, *args, **kwargs):
            seen["split"] = original(self, *args, **kwargs)
            return seen["split"]

    Spy(**SMALL, early_stopping=True, validation_fraction=0.25).fit(X, y, groups=groups)
    training, validation = (set(groups[part.indices]) for part in seen["split"])
    assert training
    assert validation
    assert not training & validation


def test_bfloat16_reaches_high_accuracy(beats):
    net = ECGCNNClassifier(**SMALL | {"max_epochs": 15}, precision="bfloat16").fit(*beats)
    assert net.score(*beats) > 0.8
    assert net.predict_proba(beats[0]).dtype == np.float32


def test_predictions_do_not_depend_on_the_number_of_rows(beats):
    X, y = beats
    net = ECGCNNClassifier(**SMALL).fit(X, y)
    many = np.tile(X, (20, 1))
    np.testing.assert_allclose(
        net.predict_proba(many)[-len(X) :], net.predict_proba(X), rtol=0, atol=1e-6
    )


# --- inference ------------------------------------------------------------------------


def test_arrays_bypass_dataloader(beats, monkeypatch):
    seen = []
    original = TensorBatches.__iter__
    monkeypatch.setattr(TensorBatches, "__iter__", lambda self: seen.append(1) or original(self))
    monkeypatch.setattr(torch.utils.data.DataLoader, "__init__", None)
    ECGCNNClassifier(**SMALL, n_members=1, early_stopping=True).fit(*beats).predict(beats[0])
    assert len(seen) == 2  # training and validation; prediction takes slices itself


@pytest.mark.parametrize(
    "changed",
    [
        {"iterator_valid": torch.utils.data.DataLoader},
        {"iterator_valid__batch_size": 5},
    ],
)
def test_predictions_do_not_depend_on_loading(beats, changed):
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


def test_prediction_sets_every_layer_to_evaluation_mode(beats):
    X, y = beats
    net = ECGCNNClassifier(**SMALL, dropout=0.5).fit(X, y)
    expected = net.predict_proba(X)
    net.module_.head.train()  # one layer is enough to spoil a prediction
    np.testing.assert_array_equal(net.predict_proba(X), expected)


def test_callbacks_get_detached_logits_and_loss(beats):
    class Seen(Callback):
        def on_batch_end(self, net, batch, y_pred, loss, **kwargs):  # noqa: ARG002
            seen.append((len(batch[0]), tuple(y_pred.shape), y_pred.grad_fn, loss.grad_fn))

    seen = []
    ECGCNNClassifier(**SMALL, callbacks=[Seen()]).fit(*beats)
    assert seen
    assert seen == [(n_beats, (n_beats, 3), None, None) for n_beats, *_ in seen]


@pytest.mark.parametrize("found", ["float32", "bfloat16"])
def test_automatic_precision_is_chosen_in_fit(beats, monkeypatch, found):
    X, y = beats
    monkeypatch.setattr(_heuristics, "faster_precision", lambda *_: found)
    net = ECGCNNClassifier(**SMALL, precision="auto").fit(X, y)
    assert net.precision_ == found
    expected = ECGCNNClassifier(**SMALL, precision=found).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(net.predict_proba(X), expected)


def test_processes_share_the_cores_of_the_machine():
    n_threads = Parallel(n_jobs=2)(delayed(torch.get_num_threads)() for _ in range(2))
    assert all(n <= max(cpu_count() // 2, 1) for n in n_threads)


# --- loss and optimizer ---------------------------------------------------------------


def net(**parameters):
    return ECGCNNClassifier(**SMALL | {"max_epochs": 2} | parameters)


class OwnAdamW(torch.optim.AdamW):
    def __init__(self, params, **options):
        super().__init__(params, **options)


class OwnLoss(nn.Module):
    def forward(self, logits, targets):
        return nn.functional.cross_entropy(logits, targets)


# --- weight decay -----------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD, OwnAdamW])
def test_weight_decay_is_passed_to_the_optimizer(beats, optimizer):
    fitted = net(weight_decay=0.3, optimizer=optimizer).fit(*beats)
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == 0.3


@pytest.mark.parametrize(
    ("optimizer", "decay"), [(torch.optim.AdamW, 0.1), (torch.optim.SGD, 0), (OwnAdamW, 0.1)]
)
def test_automatic_weight_decay_depends_on_the_optimizer(beats, optimizer, decay):
    fitted = net(optimizer=optimizer).fit(*beats)
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == decay
    fitted.set_params(weight_decay=0.3).set_params(weight_decay="auto")
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == decay


@pytest.mark.parametrize("optimizer", [torch.optim.LBFGS, torch.optim.Rprop])
def test_weight_decay_is_not_passed_to_optimizers_without_it(beats, optimizer):
    fitted = net(weight_decay=0.3, optimizer=optimizer).fit(*beats)
    assert "weight_decay" not in fitted.set_params(weight_decay=0.2).optimizer_.param_groups[0]


def test_weight_decay_shrinks_weights(beats):
    sizes = [
        sum(
            weight.square().sum().item()
            for weight in net(weight_decay=d).fit(*beats).module_.parameters()
        )
        for d in (0.0, 10.0)
    ]
    assert sizes[1] < 0.8 * sizes[0]


def test_optimizer__weight_decay_takes_precedence(beats):
    fitted = net(weight_decay=0.3, optimizer__weight_decay=0.1).fit(*beats)
    fitted.set_params(weight_decay=0.2)
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == 0.1


def test_weight_decay_bound_by_partial_takes_precedence(beats):
    fitted = net(optimizer=functools.partial(torch.optim.SGD, weight_decay=0.1)).fit(*beats)
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == 0.1


def test_weight_decay_of_a_parameter_group_takes_precedence(beats):
    groups = [("head*", {"weight_decay": 0.0})]
    fitted = net(weight_decay=0.3, optimizer__param_groups=groups).fit(*beats)
    assert [group["weight_decay"] for group in fitted.optimizer_.param_groups] == [0.0, 0.3]


def test_set_params_changes_weight_decay_of_fitted_net(beats):
    fitted = pickle.loads(pickle.dumps(net().fit(*beats)))
    fitted.set_params(weight_decay=0.3)
    assert fitted.get_params()["weight_decay"] == 0.3
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == 0.3


# --- label smoothing --------------------------------------------------------------------


@pytest.mark.parametrize("criterion", [nn.CrossEntropyLoss, FocalLoss])
def test_label_smoothing_is_passed_to_the_loss(beats, criterion):
    fitted = net(label_smoothing=0.2, criterion=criterion).fit(*beats)
    assert fitted.criterion_.label_smoothing == 0.2


def test_label_smoothing_lowers_probabilities(beats):
    largest = [
        net(label_smoothing=s, max_epochs=20, fixed_kernels=False)
        .fit(*beats)
        .predict_proba(beats[0])
        .max(axis=1)
        .mean()
        for s in (0.0, 0.3)
    ]
    assert largest[1] < largest[0] - 0.05


def test_criterion__label_smoothing_takes_precedence(beats):
    fitted = net(label_smoothing=0.2, criterion__label_smoothing=0.1).fit(*beats)
    assert fitted.criterion_.label_smoothing == 0.1


@pytest.mark.parametrize("criterion", [nn.NLLLoss, nn.MultiMarginLoss, OwnLoss, FocalLoss(gamma=5)])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_label_smoothing_with_unsupported_loss_raises(beats, criterion, method):
    with pytest.raises(
        ValueError, match=r"label_smoothing=0.2 needs a criterion with that argument"
    ):
        getattr(net(label_smoothing=0.2, criterion=criterion), method)(*beats)


@pytest.mark.parametrize("criterion", [nn.NLLLoss, OwnLoss, FocalLoss(gamma=5)])
def test_loss_without_label_smoothing_is_accepted(beats, criterion):
    assert len(net(criterion=criterion).fit(*beats).history) == 2


# --- focal loss -------------------------------------------------------------------------


def test_focal_loss_gives_probabilities(beats):
    fitted = net(criterion=FocalLoss, criterion__gamma=3, max_epochs=20).fit(*beats)
    assert fitted.criterion_.gamma == 3
    np.testing.assert_allclose(fitted.predict_proba(beats[0]).sum(axis=1), 1, atol=1e-5)
    assert fitted.score(*beats) > 0.8


def test_class_weights_are_passed_to_focal_loss(beats):
    fitted = net(criterion=FocalLoss, class_weight={"V": 5.0}).fit(*beats)
    assert fitted.criterion_.weight.tolist() == [1, 1, 5]


def test_focal_loss_with_gamma_0_equals_cross_entropy(beats):
    weighted = net(class_weight="balanced", label_smoothing=0.1)
    focal = clone(weighted).set_params(criterion=FocalLoss, criterion__gamma=0)
    probabilities = [each.fit(*beats).predict_proba(beats[0]) for each in (weighted, focal)]
    np.testing.assert_array_equal(*probabilities)


def test_custom_network_gives_probabilities_with_focal_loss(beats):
    network = nn.Sequential(nn.Linear(64, 3))
    probabilities = net(module=network, criterion=FocalLoss).fit(*beats).predict_proba(beats[0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_net_with_focal_loss_is_saved_and_loaded(beats, tmp_path):
    X, _ = beats
    parameters = {"criterion": FocalLoss, "criterion__gamma": 3, "class_weight": "balanced"}
    fitted = net(**parameters).fit(*beats)
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(restored.predict(X), fitted.predict(X))
    assert len(restored.partial_fit(*beats).history) == 4
    fitted.save_params(f_params=tmp_path / "params", f_criterion=tmp_path / "criterion")
    loaded = net(**parameters, classes=["N", "S", "V"]).initialize()
    loaded.load_params(f_params=tmp_path / "params")
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))


# --- all of them ------------------------------------------------------------------------

NEW = {
    "weight_decay": 1.0,
    "label_smoothing": 0.1,
    "augment_amplitude": 0.1,
    "augment_baseline": 0.1,
    "augment_noise": 0.2,
    "augment_shift": 0.1,
    "weight_averaging": 0.9,
    "class_weight": "sqrt_balanced",
}


@pytest.mark.parametrize("net_class", [ECGCNNClassifier, ECGCNNLSTMClassifier])
def test_all_options_survive_cloning_and_pickling(beats, net_class):
    twin = clone(
        net_class(**SMALL | {"max_epochs": 20, "n_filters": 4, "batch_size": 30, "lr": 0.02}, **NEW)
    )
    assert twin.get_params().items() >= NEW.items()
    assert all(f"{name}={value!r}" in repr(twin) for name, value in NEW.items())
    fitted = twin.fit(*beats)
    assert fitted.score(*beats) > 0.8
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(restored.predict_proba(beats[0]), fitted.predict_proba(beats[0]))


@pytest.mark.parametrize("name", [*NEW, "criterion__gamma"])
def test_grid_search_over_every_option(beats, name):
    values = [clone(net()).get_params().get(name, 0), NEW.get(name, 2.0)]
    search = GridSearchCV(
        net(criterion=FocalLoss), {name: values}, cv=2, scoring="neg_log_loss", error_score="raise"
    )
    scores = search.fit(*beats).cv_results_["mean_test_score"]
    assert scores[0] != scores[1]


@pytest.mark.parametrize("method", ["predict", "predict_proba", "partial_fit"])
@pytest.mark.parametrize("n_leads", [None, 1])
def test_net_of_one_lead_refuses_two(beats, method, n_leads):
    X, y = beats
    net = ECGCNNClassifier(**SMALL, n_leads=n_leads).fit(X, y)
    with pytest.raises(ValueError, match="beats of 2 leads, by its shape, but the network was"):
        getattr(net, method)(X.reshape(-1, 2, 32), *([y] if method == "partial_fit" else []))
    if n_leads:
        with pytest.raises(ValueError, match="beats of 2 leads, by its shape, but n_leads=1"):
            net.fit(X.reshape(-1, 2, 32), y)


def test_number_of_leads_is_learned_again(beats):
    X, y = beats
    net = ECGCNNClassifier(**SMALL).fit(X.reshape(-1, 2, 32), y)
    assert net.n_leads_ == 2
    assert net.fit(X, y).n_leads_ == 1
