"""Tests of pipelines with a filter, a segmenter, a scaler, SMOTE and a classifier."""

from typing import ClassVar

import numpy as np
import pytest
from imblearn.base import BaseSampler
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedGroupKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.preprocessing import StandardScaler

from ecgbeat import (
    BandpassFilter,
    ECGCNNClassifier,
    ECGCNNLSTMClassifier,
    RPeakSegmenter,
    ZScoreScaler,
)
from ecgbeat.datasets import make_heartbeats


@pytest.fixture(scope="module")
def heartbeats():
    return make_heartbeats(400, n_patients=9, classes=("N", "L", "V"), random_state=0)


def pipeline(**parameters):
    settings = {"n_filters": 4, "max_epochs": 6, "random_state": 0} | parameters
    return make_pipeline(
        BandpassFilter(fs=360),
        RPeakSegmenter(fs=360, n_times=96),
        ZScoreScaler(),
        SMOTE(k_neighbors=2, random_state=0),
        ECGCNNClassifier(**settings),
    )


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_grid_search_by_patient_matches_cross_validate(heartbeats, n_jobs):
    search = GridSearchCV(
        pipeline(max_epochs=3),
        {"ecgcnnclassifier__dropout": [0.0, 0.3], "rpeaksegmenter__after": [0.4]},
        cv=StratifiedGroupKFold(3),
        scoring="f1_macro",
        n_jobs=n_jobs,
        error_score="raise",
    )
    search.fit(heartbeats.data, heartbeats.target, groups=heartbeats.groups)
    scores = search.cv_results_["mean_test_score"]
    expected = [
        cross_validate(
            clone(search.estimator).set_params(**parameters),
            heartbeats.data,
            heartbeats.target,
            groups=heartbeats.groups,
            cv=StratifiedGroupKFold(3),
            scoring="f1_macro",
        )["test_score"].mean()
        for parameters in search.cv_results_["params"]
    ]
    np.testing.assert_allclose(scores, expected, atol=0.02)
    assert search.best_estimator_.predict(heartbeats.data[:5]).shape == (5,)


def test_recall_is_above_chance_level(heartbeats):
    predicted = cross_val_predict(
        pipeline(max_epochs=15, n_filters=8),
        heartbeats.data,
        heartbeats.target,
        groups=heartbeats.groups,
        cv=StratifiedGroupKFold(3),
    )
    recalls = [np.mean(predicted[heartbeats.target == c] == c) for c in ("N", "L", "V")]
    assert np.mean(recalls) > 0.6  # chance level: 1/3


class RecordingTransformer(TransformerMixin, BaseEstimator):
    """Transformer that stores the first column of the rows passed to ``fit``."""

    seen: ClassVar[list[set]] = []

    def fit(self, X, y=None):  # noqa: ARG002
        RecordingTransformer.seen.append(set(X[:, 0]))
        return self

    def transform(self, X):
        return X


class RecordingSampler(RandomOverSampler):
    """Sampler that stores the first column of its input."""

    seen: ClassVar[list[set]] = []

    def _fit_resample(self, X, y, **params):
        RecordingSampler.seen.append(set(X[:, 0]))
        return super()._fit_resample(X, y, **params)


def test_samplers_and_transformers_are_fitted_on_training_rows_only():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 20))
    X[:, 0] = np.arange(90)  # row number
    y, groups = np.arange(90) % 3, np.arange(90) // 10
    RecordingTransformer.seen.clear()
    RecordingSampler.seen.clear()
    assert issubclass(RecordingSampler, BaseSampler)
    model = make_pipeline(
        RecordingTransformer(),
        RecordingSampler(random_state=0),
        ECGCNNClassifier(n_filters=2, max_epochs=1),
    )
    folds = list(StratifiedGroupKFold(3).split(X, y, groups))
    cross_validate(model, X, y, groups=groups, cv=folds)
    for seen in (RecordingTransformer.seen, RecordingSampler.seen):
        assert seen == [set(X[training, 0]) for training, _ in folds]


def test_scaler_is_fitted_on_training_rows_only(heartbeats):
    X, y, groups = heartbeats.data, heartbeats.target, heartbeats.groups
    training, validation = next(StratifiedGroupKFold(3).split(X, y, groups))
    scaled_up = X.copy()
    scaled_up[validation] *= 1000
    means = [ZScoreScaler(axis="dataset").fit(data[training]).mean_ for data in (X, scaled_up)]
    np.testing.assert_array_equal(*means)


def test_column_transformer_with_aux_features(heartbeats):
    X = heartbeats.data
    aux = np.column_stack([X.max(axis=1), X.min(axis=1)])
    wave = make_pipeline(BandpassFilter(fs=360), RPeakSegmenter(fs=360, n_times=64), ZScoreScaler())
    columns = ColumnTransformer(
        [("wave", wave, slice(0, 720)), ("aux", StandardScaler(), slice(720, None))]
    )
    model = make_pipeline(
        columns,
        SMOTE(k_neighbors=2, random_state=0),
        ECGCNNClassifier(n_filters=2, max_epochs=2, n_aux_features=2),
    )
    model.fit(np.column_stack([X, aux]), heartbeats.target)
    assert model[-1].n_features_in_ == 66


@pytest.mark.parametrize("estimator", [ECGCNNClassifier, ECGCNNLSTMClassifier])
def test_smote_with_flattened_leads(estimator):
    beats = make_heartbeats(150, n_patients=6, classes=("N", "V"), n_leads=2, random_state=0)
    model = make_pipeline(
        BandpassFilter(fs=360, n_leads=2),
        RPeakSegmenter(fs=360, n_times=64, n_leads=2),
        ZScoreScaler(n_leads=2),
        SMOTE(k_neighbors=2, random_state=0),
        estimator(n_leads=2, n_filters=2, max_epochs=2, random_state=0),
    )
    model.fit(beats.data.reshape(len(beats.data), -1), beats.target)
    assert model[-1].n_leads_ == 2
    assert model[-1].n_features_in_ == 128
