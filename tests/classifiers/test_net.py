"""scikit-learn's contract beyond its own checks."""

import copy
import pickle

import joblib
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from skorch.dataset import Dataset
from skorch.exceptions import DeviceWarning
from torch.utils.data import Subset, TensorDataset

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat.classifiers._net import encode, find_classes, labels_of_dataset

SMALL = {"n_filters": 2, "max_epochs": 2, "batch_size": 40, "random_state": 0}
NETS = pytest.mark.parametrize(
    "net",
    [
        ECGCNNClassifier(**SMALL),
        ECGCNNClassifier(**SMALL, early_stopping=True, class_weight="balanced"),
        ECGCNNLSTMClassifier(**SMALL, hidden_size=4, bidirectional=True),
    ],
    ids=["cnn", "early-stopping", "lstm"],
)


@NETS
@pytest.mark.parametrize(
    "copied",
    [
        lambda net, _: pickle.loads(pickle.dumps(net)),
        lambda net, _: copy.deepcopy(net),
        lambda net, path: joblib.load(joblib.dump(net, path / "net.joblib")[0]),
    ],
    ids=["pickle", "deepcopy", "joblib"],
)
def test_copies_predict_the_same(net, copied, beats, tmp_path):
    fitted = clone(net).fit(*beats)
    twin = copied(fitted, tmp_path)
    np.testing.assert_array_equal(twin.predict_proba(beats[0]), fitted.predict_proba(beats[0]))
    twin.partial_fit(*beats)  # and goes on learning


@NETS
def test_clones_train_to_bit_identical_models(net, beats):
    first, second = (clone(net).fit(*beats).module_.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@NETS
def test_refit_equals_first_fit(net, beats):
    X, y = beats
    once, twice = clone(net).fit(X, y), clone(net).fit(-X[:50], y[:50]).fit(X, y)
    np.testing.assert_array_equal(once.predict_proba(X), twice.predict_proba(X))


def test_different_seeds_give_different_results(beats):
    X, y = beats
    probabilities = [
        ECGCNNClassifier(**SMALL | {"random_state": seed}).fit(X, y).predict_proba(X)
        for seed in (0, 1)
    ]
    assert not np.allclose(*probabilities)


@NETS
@pytest.mark.usefixtures("untouched_numpy_state")
def test_seeded_net_does_not_use_global_generators(net, beats):
    torch_state = torch.get_rng_state()
    clone(net).fit(*beats).partial_fit(*beats).predict_proba(beats[0])
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_global_seed_does_not_affect_a_seeded_net(beats):
    X, y = beats
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        results.append(ECGCNNClassifier(**SMALL).fit(X, y).predict_proba(X))
    np.testing.assert_array_equal(*results)


def test_random_state_none_uses_torchs_generator(beats):
    X, y = beats
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        net = ECGCNNClassifier(**SMALL | {"random_state": None})
        results.append(net.fit(X, y).predict_proba(X))
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_partial_fit_continues_the_random_numbers(beats):
    net = ECGCNNClassifier(**SMALL).fit(*beats)
    states = [net._rng_state, net.partial_fit(*beats)._rng_state]
    assert not np.array_equal(*states)


@pytest.mark.parametrize(
    "labels",
    [
        ["N", "S", "V"],
        [3, 7, 9],
        [-1, 0, 1],
        [-1.0, 2.0, 5.0],
        [False, True, True],
        np.array([1, 2, 3], dtype=np.uint32),
        np.array([1, 2, 3], dtype=np.int8),
        np.array(["normal", "murmur", "extrastole"], dtype=object),
    ],
    ids=str,
)
def test_labels_of_any_dtype_are_predicted(bumps, labels):
    X, codes = bumps
    y = np.asarray(labels)[codes]
    net = ECGCNNClassifier(**SMALL | {"max_epochs": 8, "batch_size": 30, "lr": 0.03}).fit(X, y)
    predicted = net.predict(X)
    assert predicted.dtype == y.dtype
    np.testing.assert_array_equal(net.classes_, np.unique(y))
    assert np.mean(predicted == y) > 0.6


def test_fit_on_pandas(beats):
    pandas = pytest.importorskip("pandas")
    X, y = beats
    frame = pandas.DataFrame(X, columns=[f"t{i}" for i in range(X.shape[1])])
    for series in (
        pandas.Series(y),
        pandas.Series(y, dtype="category"),
        pandas.Series(y, dtype="string"),
    ):
        net = ECGCNNClassifier(**SMALL).fit(frame, series)
        assert set(net.predict(frame)) <= set("NSV")
    assert net.feature_names_in_.tolist() == frame.columns.tolist()


def test_fit_on_tensors_and_lists(bumps):
    X, codes = bumps
    expected = ECGCNNClassifier(**SMALL).fit(X, codes).predict_proba(X)
    for forms in ((torch.from_numpy(X), torch.from_numpy(codes)), (X.tolist(), codes.tolist())):
        net = ECGCNNClassifier(**SMALL).fit(*forms)
        np.testing.assert_array_equal(net.predict_proba(forms[0]), expected)


@pytest.mark.parametrize(
    "fail",
    [
        lambda net, X, y: net.fit(X * np.nan, y),
        lambda net, X, y: net.fit(X[:, :20], np.full(len(y), "N")),
        lambda net, X, y: net.fit(X[:, :20], y[:-1]),
        lambda net, X, y: net.fit(X, y, weights=np.ones(len(y))),
        lambda net, X, y: net.set_params(iterator_train_shuffle=True).fit(X, y),
        lambda net, *_: net.set_params(lr=0.5, nonsense=3),
        lambda net, X, y: net.partial_fit(X, np.full(len(y), "unseen")),
    ],
    ids=["nan", "one class", "lengths", "unknown fit parameter", "misspelt", "unknown", "unseen"],
)
def test_failed_call_leaves_the_model_unchanged(beats, fail):
    X, y = beats
    net = ECGCNNClassifier(**SMALL).fit(X, y)
    before, rows = net.predict_proba(X), len(net.history)
    with pytest.raises((ValueError, TypeError)):
        fail(net, X, y)
    np.testing.assert_array_equal(net.predict_proba(X), before)
    assert (len(net.history), net.n_features_in_, net.lr) == (rows, 64, 0.01)


def test_failure_during_training_restores_the_old_model(beats):
    X, y = beats
    net = ECGCNNClassifier(**SMALL).fit(X, y)
    before = net.predict_proba(X)
    net.set_params(n_filters=4, callbacks=[("bad", 3)])
    with pytest.raises(AttributeError):
        net.fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), before)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_filter": 3}, "n_filter"),
        ({"module_dropout": 0.3}, "did you mean module__dropout"),
        ({"iterator_train_shuffle": True}, "did you mean iterator_train__shuffle"),
        ({"dropout": 1.5}, "'dropout' parameter of ECGCNNClassifier must be a float in the range"),
        ({"class_weight": "equal"}, "'class_weight' parameter"),
        ({"max_epochs": -1}, "'max_epochs' parameter"),
        ({"precision": "float16"}, "'precision' parameter"),
        ({"lr_schedule": "cosine"}, "'lr_schedule' parameter"),
    ],
)
def test_invalid_parameters_raise_in_fit(beats, parameters, message):
    net = ECGCNNClassifier(**SMALL | parameters)
    with pytest.raises(ValueError, match=message):
        net.fit(*beats)


def test_unknown_parameter_raises_in_set_params():
    with pytest.raises(ValueError, match="Invalid parameter 'n_filter'"):
        ECGCNNClassifier().set_params(n_filter=3)


def test_repr_shows_changed_parameters():
    net = ECGCNNLSTMClassifier(hidden_size=32, module__dropout=0.3)
    assert repr(net) == "ECGCNNLSTMClassifier(hidden_size=32, module__dropout=0.3)"
    assert "hidden_size=32" in repr(make_pipeline(net))


def test_html_repr_shows_parameters():
    assert "n_filters" in ECGCNNClassifier()._repr_html_()


def test_device_auto_is_kept_in_get_params(beats):
    net = ECGCNNClassifier(**SMALL, device="auto")
    assert net.get_params()["device"] == "auto"
    assert clone(net).get_params()["device"] == "auto"
    restored = pickle.loads(pickle.dumps(net.fit(*beats)))
    assert restored.get_params()["device"] == "auto"
    assert restored.device in ("cpu", "cuda", "mps")


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for a machine without a GPU")
@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_model_from_a_gpu_unpickles_without_one(beats, monkeypatch, device):
    net = ECGCNNClassifier(**SMALL).fit(*beats)
    expected = net.predict_proba(beats[0])
    # no GPU here: what a GPU would write differs in the location of every tensor alone
    monkeypatch.setattr(torch.serialization, "location_tag", lambda _: "cuda:0")
    net.device = device
    stored = pickle.dumps(net)
    monkeypatch.undo()
    assert b"cuda:0" in stored
    if device == "cuda":
        with pytest.warns(DeviceWarning):
            restored = pickle.loads(stored)
    else:
        restored = pickle.loads(stored)
    np.testing.assert_array_equal(restored.predict_proba(beats[0]), expected)


# --- labels ---------------------------------------------------------------------------


any_labels = st.one_of(
    st.lists(st.text("NSVF/ae", min_size=1, max_size=3), min_size=2),
    st.lists(st.integers(-(2**40), 2**40), min_size=2),
    st.lists(st.booleans(), min_size=2),
)


@given(any_labels.filter(lambda labels: len(set(labels)) > 1))
def test_encoding_is_inverted_by_classes(labels):
    y = np.array(labels)
    classes = find_classes(y, "net")
    np.testing.assert_array_equal(classes[encode(y, classes).numpy()], y)


def test_tensors_are_encoded():
    codes = encode(torch.tensor([7, 3, 7]), np.array([3, 7]))
    assert codes.tolist() == [1, 0, 1]
    assert codes.dtype == torch.int64


@pytest.mark.parametrize("label", ["A", "Z"])
def test_unseen_label_raises(label):
    with pytest.raises(ValueError, match=rf"\['{label}'\] are not among the classes \['N', 'V'\]"):
        encode(np.array(["N", label]), np.array(["N", "V"]))


def test_given_classes_may_be_missing_in_y():
    assert find_classes(np.array(["V", "N"]), "net", ["S", "V", "N"]).tolist() == [
        "N",
        "S",
        "V",
    ]


def test_labels_not_among_given_classes_raise():
    with pytest.raises(ValueError, match=r"net: y contains the labels \['Q'\]"):
        find_classes(np.array(["N", "Q"]), "net", ["N", "V"])


def test_one_class_raises():
    with pytest.raises(
        ValueError, match=r"at least 2 classes, but y contains 1 class only: \['N'\]"
    ):
        find_classes(np.array(["N", "N"]), "net")


class Unknown(torch.utils.data.Dataset):
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return torch.zeros(2), "NVN"[i]


@pytest.mark.parametrize(
    ("dataset", "labels"),
    [
        (Dataset(np.zeros((3, 1)), np.array([1, 2, 1])), [1, 2, 1]),
        (Subset(Dataset(np.zeros((3, 1)), np.array([1, 2, 1])), [1, 0]), [2, 1]),
        (TensorDataset(torch.zeros(2, 1), torch.tensor([4, 5])), [4, 5]),
        (Unknown(), ["N", "V", "N"]),
    ],
)
def test_labels_of_datasets(dataset, labels):
    assert labels_of_dataset(dataset).tolist() == labels
