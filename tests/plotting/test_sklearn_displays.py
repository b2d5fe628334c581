"""scikit-learn's displays with the estimators of this package."""

import numpy as np
import pytest
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, PrecisionRecallDisplay, RocCurveDisplay
from sklearn.model_selection import LearningCurveDisplay
from sklearn.pipeline import make_pipeline

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier, ZScoreScaler


@pytest.fixture(scope="module", params=[ECGCNNClassifier, ECGCNNLSTMClassifier])
def normal_or_not(request, simulated):
    """A pipeline that separates normal from abnormal beats, and the data."""
    X, y = simulated.data, np.where(simulated.target == "N", "normal", "abnormal")
    net = request.param(n_filters=4, max_epochs=2, random_state=0)
    return make_pipeline(ZScoreScaler(), net).fit(X, y), X, y


def test_confusion_matrix(normal_or_not):
    pipeline, X, y = normal_or_not
    display = ConfusionMatrixDisplay.from_estimator(pipeline, X, y)
    assert display.confusion_matrix.sum() == len(y)
    assert display.display_labels.tolist() == ["abnormal", "normal"]


def test_confusion_matrix_of_many_classes(net, simulated):
    display = ConfusionMatrixDisplay.from_estimator(net, simulated.data, simulated.target)
    assert display.confusion_matrix.shape == (5, 5)
    assert display.confusion_matrix.trace() == round(
        len(simulated.target) * net.score(simulated.data, simulated.target)
    )


@pytest.mark.parametrize("kind", [RocCurveDisplay, PrecisionRecallDisplay])
def test_roc_and_precision_recall(normal_or_not, kind):
    pipeline, X, y = normal_or_not
    display = kind.from_estimator(pipeline, X, y, pos_label="abnormal")
    assert display.figure_ is not None


def test_calibration(normal_or_not):
    pipeline, X, y = normal_or_not
    display = CalibrationDisplay.from_estimator(pipeline, X, y, n_bins=4, pos_label="abnormal")
    np.testing.assert_allclose(display.y_prob, pipeline.predict_proba(X)[:, 0], rtol=1e-5)


def test_learning_curve(simulated):
    net = ECGCNNClassifier(n_filters=4, max_epochs=1, random_state=0)
    display = LearningCurveDisplay.from_estimator(
        net, simulated.data, simulated.target, cv=2, train_sizes=[0.5, 1.0]
    )
    assert display.test_scores.shape == (2, 2)
