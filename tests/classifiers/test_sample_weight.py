"""Sample weights, class weights and losses that are not finite."""

import numpy as np
import pytest
import sklearn
import torch
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator
from skorch.callbacks import EpochScoring
from skorch.dataset import Dataset, ValidSplit
from torch import nn
from torch.utils.data import DataLoader

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier, ZScoreScaler
from ecgbeat.networks import FocalLoss

SMALL = {"n_filters": 2, "max_epochs": 2, "batch_size": 16, "random_state": 0}


@pytest.fixture(scope="module")
def weight(beats):
    weight = np.random.default_rng(1).uniform(0.5, 2, len(beats[1]))
    weight[:7] = 0
    return weight


@pytest.fixture(scope="module")
def fitted(beats):
    return ECGCNNClassifier(**SMALL).fit(*beats)


def probabilities(beats, weight=None, **parameters):
    return ECGCNNClassifier(**SMALL | parameters).fit(*beats, weight).predict_proba(beats[0])


def test_checks_of_scikit_learn_pass():
    # scikit-learn's MLPClassifier, too, is allowed to fail the equivalence with repeated rows:
    # both shuffle rows into batches
    passed = 0
    for estimator, check in estimator_checks_generator(ECGCNNClassifier(**SMALL)):
        name = check.func.__name__
        if "sample_weight" in name and "equivalence" not in name:
            check(estimator)
            passed += 1
    assert passed >= 6  # the newest versions have more


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"early_stopping": True, "class_weight": "balanced"},
        {"label_smoothing": 0.1, "augment_baseline": 0.1, "criterion": FocalLoss},
    ],
)
def test_equal_weights_equal_none(beats, parameters):
    expected = probabilities(beats, **parameters)
    np.testing.assert_array_equal(probabilities(beats, np.full(120, 3), **parameters), expected)


@pytest.mark.parametrize("parameters", [{}, {"class_weight": "balanced"}])
def test_weight_of_zero_leaves_a_beat_out(beats, weight, parameters):
    kept = weight > 0
    net = ECGCNNClassifier(**SMALL, **parameters)
    expected = net.fit(beats[0][kept], beats[1][kept]).predict_proba(beats[0])
    np.testing.assert_array_equal(probabilities(beats, kept, **parameters), expected)


def test_scale_of_weights_does_not_matter(beats, weight):
    np.testing.assert_allclose(
        probabilities(beats, 1000 * weight), probabilities(beats, weight), rtol=1e-4
    )


@pytest.mark.parametrize("criterion", [nn.CrossEntropyLoss, FocalLoss, nn.NLLLoss])
@pytest.mark.parametrize("class_weight", [None, {"V": 5.0}])
def test_loss_of_a_batch_equals_that_of_repeated_beats(beats, criterion, class_weight):
    X, y = beats[0][:30], beats[1][:30]
    weight = np.arange(30) % 3 + 1
    rows = np.repeat(np.arange(30), weight)
    parameters = SMALL | {"criterion": criterion, "class_weight": class_weight, "dropout": 0.0}
    parameters |= {"augment_noise": 0.0, "augment_shift": 0.0, "batch_size": -1, "max_epochs": 1}
    net = ECGCNNClassifier(**parameters, classes=["N", "S", "V"])

    def loss(*data):
        net.initialize()
        net._check_training_data(*data[:2], None, reset=True)
        net.initialize()
        # in evaluation mode: batch norm depends on the rows of the batch
        logits = net.module_.eval()(torch.as_tensor(data[0]))
        net._batch_weight = None if len(data) == 2 else torch.as_tensor(data[2] / data[2].mean())
        return net.get_loss(logits, data[1]).item()

    # each class has the same mean weight here, so that the class weights do not matter
    y = np.array(["N", "S", "V"])[np.arange(30) // 3 % 3]
    assert loss(X, y, weight) == pytest.approx(loss(X[rows], y[rows]), rel=1e-5)


def test_heavy_class_is_predicted_more_often():
    X, y = np.random.default_rng(0).normal(size=(200, 16)), np.arange(200) % 2
    net = ECGCNNClassifier(**SMALL | {"max_epochs": 10})
    light, heavy = (
        np.mean(net.fit(X, y, sample_weight=np.where(y == 1, w, 1.0)).predict(X) == 1)
        for w in (0.1, 10)
    )
    assert light < 0.5 < heavy


@pytest.mark.parametrize(
    "parameters",
    [
        {"iterator_train": DataLoader, "iterator_train__shuffle": True},
        {"iterator_valid": DataLoader, "early_stopping": True},
        {"train_split": ValidSplit(2)},
        {"early_stopping": True, "callbacks": [EpochScoring("accuracy", use_caching=False)]},
    ],
)
def test_weights_in_other_iterators_and_splits(beats, weight, parameters):
    heavy = np.where(beats[1] == "V", 10.0, 1.0)
    plain, weighted = (probabilities(beats, w, **parameters) for w in (None, heavy))
    assert not np.allclose(plain, weighted)
    assert np.isfinite(probabilities(beats, weight, **parameters)).all()


def test_weighted_validation_loss(beats):
    # the validation rows of one class alone count
    weight = np.where(beats[1] == "V", 1.0, 1e-9)
    net = ECGCNNClassifier(**SMALL, early_stopping=True).fit(*beats, weight)
    only = ECGCNNClassifier(**SMALL, early_stopping=True).fit(*beats)
    assert net.history[-1, "valid_loss"] != only.history[-1, "valid_loss"]


def test_weights_of_a_dataset(beats, weight):
    dataset = Dataset(beats[0], beats[1])
    net = ECGCNNClassifier(**SMALL, classes=["N", "S", "V"])
    net.fit(dataset, sample_weight=weight)
    expected = probabilities(beats, weight, fixed_kernels=False)
    np.testing.assert_array_equal(net.predict_proba(beats[0]), expected)


def test_partial_fit_takes_weights(beats, weight):
    net = ECGCNNClassifier(**SMALL).partial_fit(*beats, sample_weight=weight)
    expected = probabilities(beats, weight, fixed_kernels=False, n_members=1)
    np.testing.assert_array_equal(net.predict_proba(beats[0]), expected)


def test_groups_follow_the_weights(beats, weight):
    net = ECGCNNClassifier(**SMALL, early_stopping=True)
    net.fit(*beats, weight, groups=np.arange(120) % 5)
    assert net.predict(beats[0]).shape == (120,)


def test_score_takes_weights(beats, weight):
    net = ECGCNNClassifier(**SMALL).fit(*beats)
    expected = accuracy_score(beats[1], net.predict(beats[0]), sample_weight=weight)
    assert net.score(*beats, sample_weight=weight) == expected


def test_ensembles_of_scikit_learn(beats, weight):
    net = ECGCNNClassifier(**SMALL | {"max_epochs": 15})
    boosted = AdaBoostClassifier(net, n_estimators=2, random_state=0)
    bagged = BaggingClassifier(net, n_estimators=2, random_state=0)
    for ensemble in (boosted, bagged):
        # AdaBoost takes the logarithm of the weights
        ensemble.fit(*beats, sample_weight=weight + 0.1)
        assert ensemble.score(*beats) > 0.5


def test_weights_are_routed(beats, weight):
    with sklearn.config_context(enable_metadata_routing=True):
        net = ECGCNNClassifier(**SMALL).set_fit_request(sample_weight=True)
        net.set_score_request(sample_weight=True)
        params = {"sample_weight": weight}
        pipeline = make_pipeline(ZScoreScaler(), net)
        pipeline.fit(*beats, **params)
        expected = net.fit(ZScoreScaler().fit_transform(beats[0]), beats[1], weight)
        np.testing.assert_array_equal(pipeline[-1].predict(beats[0]), expected.predict(beats[0]))
        GridSearchCV(pipeline, {"ecgcnnclassifier__lr": [0.1, 0.01]}, cv=2).fit(*beats, **params)
        assert np.isfinite(cross_val_score(pipeline, *beats, cv=2, params=params)).all()


def test_weights_without_routing(beats, weight):
    scores = cross_val_score(
        ECGCNNClassifier(**SMALL), *beats, cv=2, params={"sample_weight": weight}
    )
    assert np.isfinite(scores).all()


def test_weights_cannot_follow_synthetic_beats(beats, weight):
    pipeline = make_sampling_pipeline(SMOTE(random_state=0), ECGCNNClassifier(**SMALL))
    with pytest.raises(ValueError, match="one number for each of the 180 rows of X"):
        pipeline.fit(*beats, ecgcnnclassifier__sample_weight=weight)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.ones(3), r"each of the 120 rows of X, got an array of shape \(3,\)"),
        (np.ones((120, 2)), r"got an array of shape \(120, 2\)"),
        (np.full(120, -1.0), "not negative, got -1.0 in row 0"),
        (np.append(np.ones(119), np.nan), "must be finite and not negative, got nan in row 119"),
        (np.zeros(120), "zero for all 120 rows"),
        (["heavy"] * 120, "must contain numbers"),
        (["1"] * 120, "must contain numbers"),
        ([None] * 120, "got nan in row 0"),
        (np.ones(120) + 1j, "must contain numbers"),
        (np.linspace(0, 1e308, 120), "sum of sample_weight overflows"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
def test_invalid_weights_raise(beats, fitted, wrong, message, method):
    net = fitted if method == "score" else ECGCNNClassifier(**SMALL)
    with pytest.raises(ValueError, match=message):
        getattr(net, method)(*beats, sample_weight=wrong)


def test_criterion_without_reduction_raises(beats, weight):
    class Loss(nn.Module):
        def forward(self, logits, codes):
            return nn.functional.cross_entropy(logits, codes)

    with pytest.raises(ValueError, match="sample_weight needs a criterion with a `reduction`"):
        ECGCNNClassifier(**SMALL, criterion=Loss).fit(*beats, weight)


# --- class weights --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({"N": np.nan}, "got nan for class 'N'"),
        ({"N": None}, "got None for class 'N'"),
        ({"N": np.inf}, "got inf for class 'N'"),
        ({"N": -1.0}, "got -1.0 for class 'N'"),
        ({"N": "heavy"}, "got 'heavy' for class 'N'"),
        ({"N": 1e300}, r"got 1e\+300 for class 'N'"),
        ({"N": 10**400}, "for class 'N'"),
        ({"N": 1e-300, "S": 1e-300, "V": 1e-300}, "zero in float32 for all classes"),
        ({"N": 0, "S": 0.0, "V": 0}, "zero in float32 for all classes"),
        ({"Q": 1.0}, r"labels \['Q'\]"),
        ("equal", "'class_weight' parameter"),
    ],
)
def test_invalid_class_weights_raise(beats, class_weight, message):
    with pytest.raises(ValueError, match=message):
        ECGCNNClassifier(**SMALL, class_weight=class_weight).fit(*beats)


def test_class_weight_of_zero_leaves_the_class_out(beats):
    # also in batches of this class alone, whose mean loss would be 0 / 0
    net = ECGCNNClassifier(**SMALL | {"batch_size": 2}, class_weight={"N": 0}).fit(*beats)
    assert np.isfinite(net.history[:, "train_loss"]).all()
    assert list(net.classes_) == ["N", "S", "V"]


# --- losses that are not finite -------------------------------------------------------


@pytest.mark.parametrize("net_class", [ECGCNNClassifier, ECGCNNLSTMClassifier])
@pytest.mark.parametrize("wrong", ["X", "lr"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_loss_that_is_not_finite_raises(beats, net_class, wrong, method):
    X, y = beats
    net = net_class(**SMALL).fit(X, y)
    before = net.predict_proba(X)
    if wrong == "lr":
        net.set_params(lr=1e30)
    with pytest.raises(ValueError, match=r"epoch \d+ is nan|is not finite after training"):
        getattr(net, method)(1e30 * X if wrong == "X" else X, y)
    np.testing.assert_array_equal(net.predict_proba(X), before)
    assert len(net.history) == 2


def test_logarithm_of_probabilities(beats):
    net = ECGCNNClassifier(**SMALL).fit(*beats)
    np.testing.assert_array_equal(
        net.predict_log_proba(beats[0]), np.log(net.predict_proba(beats[0]))
    )


@pytest.mark.parametrize("device", ["nonsense", "cuda:99", "meta:x", "meta", 3.5])
def test_unavailable_device_raises(beats, fitted, device):
    net = ECGCNNClassifier(**SMALL, device=device, classes=["N", "S", "V"])
    calls = [
        lambda: net.fit(*beats),
        net.initialize,
        lambda: (
            clone(fitted).set_params(classes=net.classes).initialize().set_params(device=device)
        ),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="device="):
            call()


@pytest.mark.parametrize("method", ["partial_fit", "fit"])
def test_class_weight_set_after_fit_is_checked(beats, method):
    net = ECGCNNClassifier(**SMALL, warm_start=True).fit(*beats)
    net.class_weight = {"N": np.nan}
    with pytest.raises(ValueError, match="got nan for class 'N'"):
        getattr(net, method)(*beats)
