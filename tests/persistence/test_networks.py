"""Networks and annotators in model files."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, EarlyStopping
from skorch.dataset import ValidSplit
from torch import nn

from ecgbeat import (
    BeatAnnotator,
    ECGCNNClassifier,
    ECGCNNLSTMClassifier,
    MFCCExtractor,
    RPeakSegmenter,
    ZScoreScaler,
    load_model,
    save_model,
    signal,
)
from ecgbeat.annotation import make_inter_patient_annotator
from ecgbeat.datasets import make_recording
from ecgbeat.persistence import model_info

TINY = {"n_filters": 2, "n_blocks": 2, "max_epochs": 2, "random_state": 0}


@pytest.fixture(scope="module")
def beats():
    rng = np.random.default_rng(0)
    labels = np.repeat(["N", "S", "V"], 10)
    X = rng.normal(size=(30, 64)) + np.repeat([0, 1, 2], 10)[:, None]
    return X.astype(np.float32), labels


@pytest.fixture(scope="module")
def fitted(beats):
    return ECGCNNClassifier(**TINY).fit(*beats)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


def assert_same(net, X, path):
    save_model(net, path)
    before = torch.random.get_rng_state()
    loaded = load_model(path)
    torch.testing.assert_close(torch.random.get_rng_state(), before, rtol=0, atol=0)
    np.testing.assert_array_equal(loaded.predict_proba(X), net.predict_proba(X), strict=True)
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X), strict=True)
    return loaded


@pytest.mark.parametrize(
    "net",
    [
        ECGCNNClassifier(**TINY, n_leads=2, class_weight="balanced", precision="bfloat16"),
        ECGCNNClassifier(**TINY, n_aux_features=4, dropout=0.3, weight_averaging=0.9),
        ECGCNNClassifier(**TINY, early_stopping=True, criterion__label_smoothing=0.1),
        ECGCNNClassifier(**TINY, kernel_size=4, callbacks__print_log=None, batch_size=7),
        ECGCNNClassifier(**TINY, train_split=ValidSplit(3), optimizer=torch.optim.SGD),
        ECGCNNClassifier(**TINY, module__dropout=0.2, criterion__weight=torch.ones(3)),
        ECGCNNClassifier(**(TINY | {"random_state": np.random.RandomState(1)})),
        ECGCNNClassifier(**(TINY | {"random_state": None}), callbacks="disable"),
        ECGCNNLSTMClassifier(**TINY, hidden_size=3, n_layers=2, bidirectional=True),
        ECGCNNLSTMClassifier(**TINY, hidden_size=5, lr_schedule=None, device=torch.device("cpu")),
    ],
    ids=range(10),
)
def test_probabilities_are_equal(net, beats, path):
    X, y = beats
    net.fit(X, y)
    loaded = assert_same(net, X, path)
    assert type(loaded) is type(net)
    assert loaded.get_params().keys() == net.get_params().keys()
    assert len(loaded.history) == len(net.history) == 2
    if net.callbacks is None:
        assert loaded.history[:, "train_loss"] == net.history[:, "train_loss"]


@pytest.mark.parametrize("labels", [[0, 1], [-1, 7], [False, True], range(17)], ids=str)
def test_labels_of_any_kind(labels, path):
    X = np.random.default_rng(0).normal(size=(34, 20))
    y = np.resize(np.asarray(labels), 34)
    loaded = assert_same(ECGCNNClassifier(**TINY).fit(X, y), X, path)
    assert loaded.classes_.dtype == y.dtype
    assert model_info(path)["classes"] == np.unique(y).tolist()


def test_probabilities_are_equal_in_a_new_process(fitted, beats, path, tmp_path):
    save_model(fitted, path)
    np.save(tmp_path / "X.npy", beats[0])
    code = (
        "import sys, numpy as np, ecgbeat\n"
        "net = ecgbeat.load_model(sys.argv[1])\n"
        "np.save(sys.argv[3], net.predict_proba(np.load(sys.argv[2])))"
    )
    files = [path, tmp_path / "X.npy", tmp_path / "P.npy"]
    subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code, *files], check=True)
    np.testing.assert_array_equal(
        np.load(tmp_path / "P.npy"), fitted.predict_proba(beats[0]), strict=True
    )


def test_training_continues(fitted, beats, path):
    X, y = beats
    loaded = assert_same(fitted, X, path)
    loaded.partial_fit(X, y, epochs=1)
    assert len(loaded.history) == len(fitted.history) + 1
    assert not np.array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert len(loaded.fit(X, y).history) == 2
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))


def test_weights_of_a_trimmed_net(beats, path):
    X, y = beats
    net = ECGCNNClassifier(**TINY).fit(X, y)
    net.trim_for_prediction()
    assert_same(net, X, path).partial_fit(X, y)


def test_unfitted_net_with_loaded_weights(fitted, beats, path, tmp_path):
    fitted.save_params(f_params=tmp_path / "p.pt")
    net = ECGCNNClassifier(**TINY, classes=["N", "S", "V"]).initialize()
    net.load_params(f_params=tmp_path / "p.pt")
    assert_same(net, beats[0], path)


def test_network_of_the_user_is_refused(beats, path):
    module = nn.Sequential(nn.Linear(64, 3))
    for value in (module, lambda: module):
        net = ECGCNNClassifier(module=value, max_epochs=1).fit(*beats)
        with pytest.raises(ValueError, match=r"(?s)module=.*save_params"):
            save_model(net, path)
    assert not path.exists()


class Own(Callback):
    pass


class OwnNet(ECGCNNClassifier):
    pass


def test_callbacks(beats, path):
    X, y = beats
    net = ECGCNNClassifier(**TINY, callbacks=[Own]).fit(X, y)
    with pytest.raises(ValueError, match=r"callback Own.*set_params\(callbacks=None\)"):
        save_model(net, path)
    stopping = ("stop", EarlyStopping("train_loss"))
    net = ECGCNNClassifier(**TINY, callbacks=[stopping], callbacks__stop__patience=3).fit(X, y)
    with pytest.warns(UserWarning, match="without its callbacks .*EarlyStopping"):
        save_model(net, path)
    loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert loaded.callbacks is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"criterion": nn.CrossEntropyLoss()},
        {"predict_nonlinearity": lambda x: x.softmax(-1)},
        {"iterator_train": partial(torch.utils.data.DataLoader, shuffle=True)},
    ],
    ids=lambda parameters: next(iter(parameters)),
)
def test_code_of_the_user_is_refused(parameters, beats, path):
    net = ECGCNNClassifier(**TINY, **parameters).fit(*beats)
    with pytest.raises(ValueError, match=rf"{next(iter(parameters))}.* of the model is"):
        save_model(net, path)
    with pytest.raises(ValueError, match=r"The model is .*OwnNet"):
        save_model(OwnNet(**TINY).fit(*beats), path)


def test_missing_device(fitted, beats, path, rewrite):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")

    def edit(model, tensors):  # noqa: ARG001
        model["estimator"]["state"]["device"] = "cuda:3"

    save_model(fitted, path)
    rewrite(path, edit)
    with pytest.warns(UserWarning, match=r"device='cuda:3'.*not available.*CPU"):
        net = load_model(path)
    np.testing.assert_array_equal(net.predict_proba(beats[0]), fitted.predict_proba(beats[0]))


def shape(name, new):
    def edit(model, tensors):  # noqa: ARG001
        tensors[name] = new(tensors[name])

    return edit


def parameter(**values):
    def edit(model, tensors):  # noqa: ARG001
        model["estimator"]["state"] |= values

    return edit


def without(name):
    def edit(model, tensors):  # noqa: ARG001
        del model["estimator"]["state"]["weights"]["dict"][name]

    return edit


WEIGHT = "weights.head.3.weight"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (shape(WEIGHT, lambda w: w.T.copy()), r"weights 'head.3.weight' .* have the shape"),
        (shape(WEIGHT, lambda w: w[:1]), r"weights 'head.3.weight' .* have the shape"),
        (shape(WEIGHT, np.float64), "type float64, but its parameters need"),
        (shape(WEIGHT, lambda w: w * np.nan), "'head.3.weight' .* is not finite in the file"),
        (without("head.3.weight"), r"do not fit its parameters: \['head.3.weight'\]"),
        (parameter(n_filters=10**9), "do not fit its parameters"),
        (parameter(n_filters=10**30), "cannot be loaded"),
        (parameter(n_filters="many"), "n_filters"),
        (parameter(n_leads_=10**12), "cannot be loaded"),
        (parameter(kernel_size=2**40 + 1), "weights"),
        (parameter(module__n_blocks=10**9), "1000000000 layers, but only"),
        (parameter(module__n_filters=10**9), "do not fit its parameters"),
        (parameter(module__unknown=1), "unknown"),
        (parameter(module={"callable": "torch.optim.SGD"}), r"no parameters \['module'\]"),
        (parameter(module____class__=1), "module____class__"),
        (parameter(torch_load_kwargs={"dict": {"weights_only": False}}), "torch_load_kwargs"),
        (parameter(predict_proba=1), "predict_proba"),
        (parameter(__class__=1), "__class__"),
        (parameter(precision="float128"), "precision"),
        (parameter(classes_inferred_=[1]), "cannot be loaded"),
        (parameter(history=3), "cannot be loaded"),
        (parameter(history=[{"dict": {}}, 3]), "cannot be loaded"),
    ],
)
def test_hostile_weights_and_parameters_raise(edit, message, fitted, path, rewrite):
    save_model(fitted, path)
    rewrite(path, edit)
    with pytest.raises(ValueError, match=message) as caught:
        load_model(path)
    assert str(path) in str(caught.value)


@pytest.fixture(scope="module")
def ecgs():
    shares = {"N": 0.7, "A": 0.15, "V": 0.15}
    return [make_recording(120, weights=shares, random_state=i) for i in range(3)]


@pytest.mark.parametrize(
    "annotator",
    [
        make_inter_patient_annotator(360, random_state=0, abstain_below=0.5),
        BeatAnnotator(
            ECGCNNClassifier(**TINY, n_aux_features=4),
            segmenter=RPeakSegmenter(360, n_times=32),
            bandpass="passthrough",
            detector=partial(signal.detect_r_peaks),
            rr_features="past",
            symbols=("N", "V"),
        ),
    ],
    ids=["inter_patient", "network"],
)
def test_annotators(annotator, ecgs, path):
    if annotator.rr_features:
        n_aux = len(signal.rr_feature_names())
        annotator.classifier.set_params(n_aux_features=n_aux)
    annotator.fit([e.signal for e in ecgs[:2]], [e.annotation for e in ecgs[:2]])
    save_model(annotator, path)
    loaded = load_model(path)
    beats, expected = (a.predict([ecgs[2].signal, ecgs[0].signal]) for a in (loaded, annotator))
    for one, other in zip(beats, expected, strict=True):
        np.testing.assert_array_equal(one.probability, other.probability)
        np.testing.assert_array_equal(one.sample, other.sample)
        np.testing.assert_array_equal(one.symbol, other.symbol)
    info = model_info(path)
    assert (info["estimator"], info["fs"]) == ("ecgbeat.BeatAnnotator", 360)
    assert info["classes"] == annotator.classes_.tolist()
    assert repr(loaded) == repr(annotator)


def test_annotator_with_a_function_of_the_user_is_refused(ecgs, path):
    annotator = BeatAnnotator(ECGCNNClassifier(**TINY), detector=lambda x, fs: ecgs[0].r_peaks)  # noqa: ARG005
    annotator.fit([ecgs[0].signal], [ecgs[0].annotation])
    with pytest.raises(ValueError, match="detector of the model is <function"):
        save_model(annotator, path)


def test_features_of_sounds(path):
    from sklearn.pipeline import make_pipeline

    X = np.random.default_rng(0).normal(size=(12, 2100))
    model = make_pipeline(
        MFCCExtractor(n_mfcc=4, flatten=True),
        ZScoreScaler(axis="dataset"),
        ECGCNNClassifier(**TINY),
    )
    model[:2].set_output(transform="pandas")
    model.fit(X, ["a", "b"] * 6)
    assert_same(model, X, path)
