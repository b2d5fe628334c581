"""Classifier and annotator of beats of new patients."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ecgbeat._validation import boosted_trees
from ecgbeat.annotation import InterPatientClassifier
from ecgbeat.annotation._inter_patient import (
    _probability_by_line,
    _probability_by_trees,
    _to_normal,
)
from ecgbeat.datasets import make_recording
from ecgbeat.signal import bandpass, beat_features

SHARES = {"N": 0.76, "A": 0.1, "V": 0.1, "F": 0.04}
AAMI = {"N": "N", "A": "S", "V": "V", "F": "F"}


@pytest.fixture(scope="module")
def beats():
    """Return features, classes and patients of simulated patients."""
    parts = []
    for patient in range(4):
        ecg = make_recording(300.0, weights=SHARES, random_state=patient)
        X = beat_features(bandpass(ecg.signal, ecg.fs), ecg.r_peaks, ecg.fs)
        y = np.array([AAMI[symbol] for symbol in ecg.symbols])
        parts.append((X, y, np.full(len(y), patient)))
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


@pytest.fixture(scope="module")
def fitted(beats):
    X, y, groups = beats
    rows = groups < 3
    return InterPatientClassifier(random_state=0).fit(X[rows], y[rows], groups[rows])


def test_new_patient(beats, fitted):
    X, y, groups = beats
    rows = groups == 3
    probability = fitted.predict_proba(X[rows])
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    assert fitted.classes_.tolist() == ["F", "N", "S", "V"]
    predicted = fitted.predict(X[rows])
    np.testing.assert_array_equal(predicted, fitted.classes_[probability.argmax(axis=1)])
    for name in "NV":
        assert np.mean(predicted[y[rows] == name] == name) > 0.9


def test_rhythm_decides_between_normal_and_supraventricular(beats, fitted):
    X = beats[0][beats[1] == "N"][:50].copy()
    for normal, expected in ((0.999, "N"), (0.001, "S")):
        X[:, :3] = normal, 1 - normal, 0
        assert np.mean(fitted.predict(X) == expected) > 0.9


def test_reproducible_cloned_and_pickled(beats, fitted):
    X, y, groups = beats
    rows = groups < 3
    expected = fitted.predict_proba(X)
    again = clone(fitted).fit(X[rows], y[rows], groups[rows])
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), expected)


@pytest.mark.parametrize("n_rows", [1, 2, 7, 128, 129])
def test_rows_beside_a_row_make_no_difference(beats, fitted, n_rows):
    X = beats[0][:300]
    parts = [fitted.predict_proba(X[k : k + n_rows]) for k in range(0, len(X), n_rows)]
    np.testing.assert_array_equal(np.concatenate(parts), fitted.predict_proba(X))


def test_refit_forgets_the_former_models(beats, fitted):
    X, y, groups = beats
    model = clone(fitted).fit(X[groups < 2], y[groups < 2], groups[groups < 2])
    before = model.predict_proba(X)
    model.fit(X[groups < 3], y[groups < 3], groups[groups < 3])
    np.testing.assert_array_equal(model.predict_proba(X), fitted.predict_proba(X))
    assert not np.array_equal(model.predict_proba(X), before)


def test_prediction_leaves_the_pickle_unchanged(beats):
    X, y, groups = beats
    model = InterPatientClassifier(random_state=0).fit(X, y, groups)
    before = pickle.dumps(model)
    model.predict(X)
    assert pickle.dumps(model) == before


def test_models_are_evaluated_as_by_scikit_learn(beats, fitted):
    X = np.concatenate([beats[0], [np.full(beats[0].shape[1], x) for x in (-1e6, 0.0, 1e6)]])
    quantiles = fitted.linear_[0]
    for k, column in enumerate(quantiles.quantiles_.T):
        X[: len(column), k] = column
    for row, nodes in enumerate(boosted_trees(fitted.trees_)[1]):  # equal to thresholds
        X[-row, nodes["feature_idx"]] = nodes["num_threshold"]
    X = X.astype(np.float32)
    expected = fitted.trees_.predict_proba(X)
    np.testing.assert_allclose(_probability_by_trees(fitted.trees_, X), expected, atol=1e-12)
    np.testing.assert_allclose(_to_normal(quantiles, X), quantiles.transform(X), atol=1e-6)
    expected = fitted.linear_.predict_proba(X)
    np.testing.assert_allclose(_probability_by_line(fitted.linear_, X), expected, atol=1e-5)


def test_patients_with_many_beats_count_less(beats):
    X, y, groups = beats
    more = np.concatenate([np.flatnonzero(groups < 3), np.repeat(np.flatnonzero(groups == 0), 9)])
    model = InterPatientClassifier(random_state=0).fit(X[more], y[more], groups[more])
    alone = InterPatientClassifier(random_state=0).fit(X[more], y[more], np.zeros(len(more)))
    assert not np.allclose(model.predict_proba(X), alone.predict_proba(X))


def test_missing_class_raises_and_keeps_the_model(beats, fitted):
    X, y, groups = beats
    model = clone(fitted).fit(X, y, groups)
    expected = model.predict_proba(X)
    with pytest.raises(ValueError, match=r"classes N, S and V, got none of \['S'\]"):
        model.fit(X[y != "S"], y[y != "S"], groups[y != "S"])
    np.testing.assert_array_equal(model.predict_proba(X), expected)


@pytest.mark.parametrize("groups", [[1, 2], None])
def test_invalid_groups_raise(beats, groups):
    with pytest.raises(ValueError, match="groups must contain the patient of each"):
        InterPatientClassifier().fit(beats[0], beats[1], groups)


def test_other_width_and_nan_raise(beats, fitted):
    with pytest.raises(ValueError, match="features"):
        fitted.predict(beats[0][:, :-1])
    with pytest.raises(ValueError, match="NaN"):
        fitted.predict(np.where(np.arange(beats[0].shape[1]) == 5, np.nan, beats[0]))
    with pytest.raises(NotFittedError):
        InterPatientClassifier().predict(beats[0])
