"""Estimators as modules in torch, compared without an export, which takes seconds."""

import numpy as np
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch.dataset import Dataset

from ecgbeat import (
    BandpassFilter,
    BeatAnnotator,
    ECGCNNClassifier,
    ECGCNNLSTMClassifier,
    RPeakSegmenter,
    ZScoreScaler,
)
from ecgbeat.datasets import make_recording
from ecgbeat.export._graph import build_graph

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 120)).cumsum(axis=1).astype(np.float32)
Y = np.resize(["N", "S", "V"], 40)
TINY = {"n_filters": 4, "max_epochs": 2, "random_state": 0}


def cnn(**parameters):
    return ECGCNNClassifier(**(TINY | parameters))


def assert_equal_in_torch(estimator, X=X):
    graph = build_graph(estimator)
    rows = torch.from_numpy(X.reshape(len(X), -1))
    with torch.no_grad():
        found = graph.module(rows).numpy()
    np.testing.assert_allclose(found, estimator.predict_proba(X), rtol=0, atol=2e-6)
    np.testing.assert_array_equal(graph.classes, estimator.classes_)
    assert rows.shape[1] == graph.n_features == graph.n_leads * graph.n_times + graph.n_aux
    return graph


@pytest.mark.parametrize(
    "classifier",
    [
        cnn(),
        cnn(n_leads=3, n_blocks=2, kernel_size=4),
        cnn(n_aux_features=7, weight_averaging=0.5),
        cnn(n_leads=2, n_aux_features=4),
        cnn(precision="float32", predict_nonlinearity=torch.sigmoid),
        ECGCNNLSTMClassifier(**TINY, hidden_size=6, n_layers=2, bidirectional=True),
    ],
)
def test_classifiers(classifier):
    assert_equal_in_torch(classifier.fit(X, Y))


def test_beats_of_three_axes():
    beats = X.reshape(40, 3, 40)
    assert assert_equal_in_torch(cnn().fit(beats, Y), beats)[2:5] == (120, 3, 40)


@pytest.mark.parametrize("width", [1, 9, 17])
def test_beats_that_the_network_pads(width):
    assert_equal_in_torch(cnn().fit(X[:, :width], Y), X[:, :width].copy())


def test_pipeline_with_sampler():
    pipeline = make_sampling_pipeline(
        BandpassFilter(fs=125, high=30, n_leads=2),
        RPeakSegmenter(fs=125, before=0.1, after=0.2, n_times=21, n_leads=2),
        RandomOverSampler(random_state=0),
        "passthrough",
        ZScoreScaler(n_leads=2),
        cnn(n_leads=2),
    ).fit(X, Y)
    graph = assert_equal_in_torch(pipeline)
    assert graph[2:] == (120, 2, 60, 0, 125)


def test_wave_and_rhythm():
    steps = make_pipeline(RPeakSegmenter(fs=50, before=0.2, after=0.3), ZScoreScaler())
    columns = ColumnTransformer(
        [("wave", steps, slice(0, -20)), ("rhythm", StandardScaler(), slice(-20, None))]
    )
    graph = assert_equal_in_torch(make_pipeline(columns, cnn(n_aux_features=20)).fit(X, Y))
    assert graph[2:] == (120, 1, 100, 20, 50)


def test_search_gives_its_best_estimator():
    pipeline = make_pipeline(ZScoreScaler(), cnn())
    search = GridSearchCV(pipeline, {"ecgcnnclassifier__n_filters": [2, 3]}, cv=2)
    assert_equal_in_torch(search.fit(X, Y))
    unfitted = GridSearchCV(pipeline, {}, refit=False)
    with pytest.raises(NotFittedError, match="refit=True"):
        build_graph(unfitted)


def test_annotator_gives_the_classifier_of_its_beats():
    recording = make_recording(30, random_state=0)
    annotator = BeatAnnotator(make_pipeline(ZScoreScaler(), cnn()), fs=360, rr_features=False)
    with pytest.raises(NotFittedError):
        build_graph(annotator)
    annotator.fit([recording.signal], [recording.annotation])
    beats = RNG.normal(size=(3, annotator.n_features_)).astype(np.float32)
    with torch.no_grad():
        found = build_graph(annotator).module(torch.from_numpy(beats)).numpy()
    np.testing.assert_allclose(found, annotator.classifier_.predict_proba(beats), rtol=0, atol=2e-6)
    assert build_graph(annotator).fs == 360


def test_estimator_stays_as_it_was():
    classifier = cnn().fit(X, Y)
    classifier.module_.train()
    build_graph(classifier)
    assert classifier.module_.training
    assert classifier.module_.front[0].weight.requires_grad


def test_length_of_rows_that_the_classifier_does_not_know():
    classifier = cnn().fit(Dataset(X, np.resize([0, 1], 40)), None)
    with pytest.raises(ValueError, match="pass n_times="):
        build_graph(classifier)
    assert build_graph(classifier, n_times=99).n_features == 99


@pytest.mark.parametrize("n_times", [0, 59, 120, 60.0, "60"])
def test_wrong_n_times_raises(n_times):
    classifier = cnn(n_leads=2).fit(X, Y)
    assert build_graph(classifier, n_times=60).n_times == 60
    with pytest.raises(ValueError, match=f"n_times.*{n_times}"):
        build_graph(classifier, n_times=n_times)


@pytest.mark.parametrize("estimator", [cnn(), make_pipeline(ZScoreScaler(), cnn())])
def test_unfitted_estimator_raises(estimator):
    with pytest.raises(NotFittedError):
        build_graph(estimator)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (DummyClassifier(), "estimator must be .* got DummyClassifier"),
        (make_pipeline(ZScoreScaler(), DummyClassifier()), "dummyclassifier must be"),
        (CalibratedClassifierCV(cnn(), cv=2), "got CalibratedClassifierCV"),
        (make_pipeline(FunctionTransformer(np.abs), cnn()), "'functiontransformer' cannot"),
        (make_pipeline("passthrough", None), "estimator must be .* got NoneType"),
    ],
)
def test_estimator_without_counterpart_raises(estimator, message):
    with pytest.raises(ValueError, match=message):
        build_graph(estimator.fit(X, Y))


def test_object_that_is_no_estimator_raises():
    with pytest.raises(ValueError, match="got int"):
        build_graph(3)
