import itertools

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline

from ecgbeat import ECGCNNClassifier, ZScoreScaler
from ecgbeat.annotation._classification import classify, fit_with_groups, in_batches


def pieces(*lengths):
    edges = np.cumsum([0, *lengths])
    return [np.arange(a, b)[:, None] for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ((), []),
        ((3,), [3]),
        ((2, 2, 2), [4, 2]),
        ((9, 1), [9, 1]),
        ((1, 9, 4, 1), [10, 4, 1]),
    ],
)
def test_pieces_are_joined_to_batches(lengths, expected):
    batches = list(in_batches(iter(pieces(*lengths)), 4))
    assert [len(batch) for batch in batches] == expected
    joined = [int(x) for batch in batches for x in batch.ravel()]
    assert joined == list(range(sum(lengths)))


class Stubborn(ClassifierMixin, BaseEstimator):
    """Predicts a class that it thinks improbable."""

    def fit(self, X, y):  # noqa: ARG002
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.tile([0.9, 0.1], (len(X), 1))

    def predict(self, X):
        return np.repeat(self.classes_[1:], len(X))


def test_a_classifier_has_the_last_word_on_its_labels():
    classifier = make_pipeline(Stubborn()).fit(np.zeros((2, 3)), ["a", "b"])
    label, probability = classify(classifier, classifier.classes_, np.zeros((4, 3)))
    assert label.tolist() == ["b"] * 4
    assert probability.shape == (4, 2)


def test_without_probabilities_there_are_labels(beats):
    X, y = beats
    classifier = RidgeClassifier().fit(X, y)
    label, probability = classify(classifier, classifier.classes_, X)
    np.testing.assert_array_equal(label, classifier.predict(X))
    assert probability is None


@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: make_pipeline(ZScoreScaler(), c)])
def test_our_classifiers_compute_once_and_say_the_same(beats, wrap, monkeypatch):
    X, y = beats
    net = wrap(ECGCNNClassifier(n_filters=2, max_epochs=1, random_state=0)).fit(X, y)
    expected = net.predict(X)

    def predict(*_):
        pytest.fail("computed twice")

    predict.__module__ = ECGCNNClassifier.predict.__module__
    monkeypatch.setattr(ECGCNNClassifier, "predict", predict)
    label, _ = classify(net, net.classes_, X)
    np.testing.assert_array_equal(label, expected)


class Grouped(LogisticRegression):
    def fit(self, X, y, groups):
        self.groups_ = groups
        return super().fit(X, y)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_groups_reach_what_is_trained_in_the_end(beats, depth):
    X, y = beats
    classifier = Grouped()
    for _ in range(depth):
        classifier = make_pipeline(ZScoreScaler(), classifier)
    groups = np.arange(len(X))
    fit_with_groups(classifier, X, y, groups)
    for _ in range(depth):
        classifier = classifier[-1]
    np.testing.assert_array_equal(classifier.groups_, groups)
