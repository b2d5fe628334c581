import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetClassifier
from torch import nn

from ecgbeat import BeatAnnotator, ECGCNNClassifier, ZScoreScaler
from ecgbeat.plotting._estimators import unwrap


def model():
    return LogisticRegression(max_iter=500)


def test_bare_estimator(net):
    assert unwrap(net) == ([], net)


def test_samplers_and_passthrough_are_no_transformers(simulated):
    pipeline = make_imblearn_pipeline(
        ZScoreScaler(), "passthrough", RandomOverSampler(random_state=0), model()
    ).fit(simulated.data, simulated.target)
    transformers, last = unwrap(pipeline)
    assert [type(step) for step in transformers] == [ZScoreScaler]
    assert last is pipeline[-1]


def test_nested_pipelines_and_searches(simulated):
    inner = make_pipeline(ZScoreScaler(), model())
    search = GridSearchCV(inner, {"zscorescaler__with_std": [True]}, cv=2)
    outer = make_pipeline(ZScoreScaler(), search).fit(simulated.data, simulated.target)
    transformers, last = unwrap(outer)
    assert len(transformers) == 2
    assert type(last) is LogisticRegression


def test_annotator(patient):
    annotator = BeatAnnotator(model(), fs=250).fit([patient.signal], [patient.annotation])
    assert unwrap(annotator)[1] is annotator.classifier_


@pytest.mark.parametrize(
    "estimator",
    [
        ECGCNNClassifier(),
        NeuralNetClassifier(nn.Linear),
        make_pipeline(ZScoreScaler(), model()),
        GridSearchCV(model(), {}),
        BeatAnnotator(model()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_unfitted_estimator_raises(estimator):
    with pytest.raises(NotFittedError):
        unwrap(estimator)


def test_string_raises():
    with pytest.raises(TypeError, match="not an estimator"):
        unwrap("net")
