"""Beats in, a network trained on them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier

SMALL = {"n_filters": 2, "max_epochs": 1, "batch_size": 16, "random_state": 0}


@settings(max_examples=20, deadline=None)
@given(
    n_times=st.one_of(st.integers(8, 300), st.sampled_from([2_000, 10_000])),
    n_leads=st.integers(1, 12),
    lstm=st.booleans(),
)
def test_any_length_and_number_of_leads_is_learned(n_times, n_leads, lstm):
    X = np.random.default_rng(0).normal(size=(4, n_leads, n_times))
    net = ECGCNNLSTMClassifier(hidden_size=2, **SMALL) if lstm else ECGCNNClassifier(**SMALL)
    probabilities = net.fit(X, ["N", "V"] * 2).predict_proba(X)
    assert probabilities.shape == (4, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert net.n_leads_ == n_leads


def test_flattened_and_three_dimensional_beats_are_one(beats):
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
def test_the_caller_never_has_to_cast(beats, dtype):
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
def test_rows_that_do_not_divide_are_an_error(beats, parameters, message):
    with pytest.raises(ValueError, match=message):
        ECGCNNClassifier(**SMALL, **parameters).fit(*beats)


def test_leads_of_the_array_must_be_those_announced(beats):
    X, y = beats
    with pytest.raises(ValueError, match="that is 4 leads, but n_leads=2"):
        ECGCNNClassifier(**SMALL, n_leads=2).fit(X.reshape(len(X), 4, -1), y)
    net = ECGCNNClassifier(**SMALL).fit(X.reshape(len(X), 2, -1), y)
    with pytest.raises(ValueError, match="that is 4 leads, but n_leads=2"):
        net.predict(X.reshape(len(X), 4, -1))


def test_auxiliary_features_ask_for_flat_rows(beats):
    X, y = beats
    with pytest.raises(ValueError, match="n_aux_features=1 needs 2-D rows"):
        ECGCNNClassifier(**SMALL, n_aux_features=1).fit(X.reshape(len(X), 2, -1), y)


def test_auxiliary_features_alone_can_decide():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    X = np.column_stack([rng.normal(size=(200, 32)), y])
    net = ECGCNNClassifier(**SMALL | {"max_epochs": 15}, n_aux_features=1).fit(X, y)
    assert net.score(X, y) == 1


def test_nan_and_infinity_are_counted_and_placed(beats):
    X, y = beats
    for value, name in ((np.nan, "NaN"), (-np.inf, "infinity")):
        spoilt = X.copy()
        spoilt[3, 5:7] = value
        with pytest.raises(ValueError, match=rf"X contains {name}: 2 of 7680 values .* X\[3, 5\]"):
            ECGCNNClassifier(**SMALL).fit(spoilt, y)


def test_one_row_cannot_be_fitted_and_can_be_predicted(beats):
    X, y = beats
    with pytest.raises(ValueError, match="1 class"):
        ECGCNNClassifier(**SMALL).fit(X[:1], y[:1])
    net = ECGCNNClassifier(**SMALL).fit(X, y)
    assert net.predict(X[:1]).shape == (1,)
    net.partial_fit(X[:1], y[:1])


def test_balanced_weights_favour_rare_classes():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 16)), np.repeat(["N", "V"], [380, 20])
    X[y == "V"] += 0.6
    recalls = {}
    for weight in (None, "balanced", {"V": 19.0}):
        net = ECGCNNClassifier(**SMALL | {"max_epochs": 10}, class_weight=weight).fit(X, y)
        recalls[str(weight)] = np.mean(net.predict(X)[y == "V"] == "V")
    assert recalls["balanced"] > recalls["None"] + 0.3
    assert recalls["{'V': 19.0}"] > recalls["None"] + 0.3


def test_weights_of_unknown_labels_are_an_error(beats):
    with pytest.raises(ValueError, match=r"class_weight names the labels \['Q'\]"):
        ECGCNNClassifier(**SMALL, class_weight={"Q": 2.0}).fit(*beats)


def test_early_stopping_stops_and_keeps_the_best():
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


def test_callbacks_meet_numbers_where_auto_was_asked(beats):
    from skorch.callbacks import Callback

    seen = []

    class Sizes(Callback):
        def on_train_begin(self, net, **kwargs):  # noqa: ARG002
            seen.append((net.batch_size, net.max_epochs))

    net = ECGCNNClassifier(n_filters=2, callbacks=[Sizes()]).fit(*beats, epochs=1)
    assert seen == [(16, 1)]
    assert (net.batch_size, net.max_epochs) == ("auto", "auto")


def test_bfloat16_learns_too(beats):
    net = ECGCNNClassifier(**SMALL | {"max_epochs": 15}, precision="bfloat16").fit(*beats)
    assert net.score(*beats) > 0.8
    assert net.predict_proba(beats[0]).dtype == np.float32


def test_predictions_do_not_depend_on_their_number(beats):
    X, y = beats
    net = ECGCNNClassifier(**SMALL).fit(X, y)
    many = np.tile(X, (20, 1))
    np.testing.assert_allclose(
        net.predict_proba(many)[-len(X) :], net.predict_proba(X), rtol=0, atol=1e-6
    )
