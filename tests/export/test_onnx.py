"""Files in ONNX, computed by ONNX Runtime."""

import json
import os
import sys

import numpy as np
import pytest
import torch
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import StandardScaler

from ecgbeat import (
    BandpassFilter,
    ECGCNNClassifier,
    ECGCNNLSTMClassifier,
    RPeakSegmenter,
    ZScoreScaler,
)
from ecgbeat.datasets import make_heartbeats
from ecgbeat.export import to_onnx
from ecgbeat.export._onnx import _OLDEST_TORCH, _as_onnx, onnx_model

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

TOO_OLD = torch.__version__ < _OLDEST_TORCH
needs_exporter = pytest.mark.skipif(TOO_OLD, reason=f"exporting needs torch >= {_OLDEST_TORCH}")

TINY = {"n_filters": 4, "max_epochs": 2, "random_state": 0}


def windows(n_beats=1000, **parameters):
    data = make_heartbeats(n_beats, random_state=0, fs=100, noise=0.5, mains=40, **parameters)
    return data.data.reshape(n_beats, -1).astype(np.float32), data.target


def session_of(estimator, path, **parameters):
    to_onnx(estimator, path, **parameters)
    return onnxruntime.InferenceSession(path)


def assert_equal_to_python(session, estimator, X):
    probability = estimator.predict_proba(X)
    label = estimator.predict(X)
    for n_beats in (1, 7, len(X)):
        found, probabilities = session.run(None, {"X": X[:n_beats]})
        np.testing.assert_allclose(probabilities, probability[:n_beats], rtol=0, atol=1e-5)
        assert found.tolist() == label[:n_beats].tolist()


X, Y = windows(n_leads=2)


@pytest.fixture(scope="module")
def pipeline():
    """Return a fitted pipeline of all steps."""
    return make_pipeline(
        BandpassFilter(fs=100, notch=40, high=35, n_leads=2),
        RPeakSegmenter(fs=100, n_times=37, n_leads=2),
        SMOTE(k_neighbors=1, random_state=0),
        ZScoreScaler(n_leads=2),
        ECGCNNLSTMClassifier(n_leads=2, hidden_size=4, bidirectional=True, **TINY),
    ).fit(X[:200], Y[:200])


@pytest.fixture(scope="module")
def session(pipeline, tmp_path_factory):
    if TOO_OLD:
        pytest.skip(f"exporting needs torch >= {_OLDEST_TORCH}")
    path = tmp_path_factory.mktemp("onnx") / "new folder" / "beats.onnx"
    path.parent.mkdir()
    path.write_bytes(b"replaced")
    return session_of(pipeline, path)


def test_pipeline_equals_python(session, pipeline):
    assert_equal_to_python(session, pipeline, X)


def test_names_and_shapes_are_those_of_skl2onnx(session):
    (given,) = session.get_inputs()
    assert (given.name, given.type, given.shape) == ("X", "tensor(float)", ["n_beats", 400])
    label, probabilities = session.get_outputs()
    assert (label.name, label.type, label.shape) == ("label", "tensor(string)", ["n_beats"])
    assert (probabilities.name, probabilities.shape) == ("probabilities", ["n_beats", 5])


def test_metadata(session):
    metadata = session.get_modelmeta().custom_metadata_map
    found = {name: json.loads(value) for name, value in metadata.items()}
    assert found.pop("versions").keys() >= {"ecgbeat", "numpy", "onnx", "scikit-learn", "torch"}
    assert found == {
        "classes": ["A", "L", "N", "R", "V"],
        "fs": 100,
        "n_aux_features": 0,
        "n_features": 400,
        "n_leads": 2,
        "n_times": 200,
    }


@needs_exporter
@pytest.mark.slow
def test_fixed_kernels(tmp_path):
    classifier = ECGCNNClassifier(n_leads=2, fixed_kernels=True, **TINY).fit(X[:60], Y[:60])
    path = tmp_path / "beats.onnx"
    assert_equal_to_python(session_of(classifier, path), classifier, X)
    assert path.stat().st_size < 400_000  # the places of all taps would take more than the weights
    quantized = session_of(classifier, path, quantize=X).run(["probabilities"], {"X": X})[0]
    np.testing.assert_allclose(quantized, classifier.predict_proba(X), rtol=0, atol=0.05)


@needs_exporter
def test_small_and_silent_for_one_beat(capfd, recwarn):
    classifier = ECGCNNClassifier(n_aux_features=3, n_members=1, fixed_kernels=False, **TINY)
    classifier.fit(X[:60], Y[:60])
    capfd.readouterr()
    model = onnx_model(classifier, batch_size=1, with_label=False)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
    weights = sum(parameter.numel() for parameter in classifier.module_.parameters())
    assert model.ByteSize() < 4 * weights + 8_000  # names and operators
    assert b"ecgbeat/" not in model.SerializeToString()  # no path of this machine
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (probabilities,) = session.run(None, {"X": X[:1]})
    np.testing.assert_allclose(probabilities, classifier.predict_proba(X[:1]), rtol=0, atol=1e-5)


@needs_exporter
def test_missing_package_is_named(monkeypatch, pipeline, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ImportError, match=r'needs onnxscript: pip install "ecgbeat\[export\]"'):
        to_onnx(pipeline, tmp_path / "beats.onnx")
    assert not os.listdir(tmp_path)


def test_older_torch_is_named(monkeypatch, pipeline, tmp_path):
    monkeypatch.setattr(torch, "__version__", torch.torch_version.TorchVersion("2.6.0+cpu"))
    with pytest.raises(ImportError, match=r"needs torch 2\.13 or later, got 2\.6\.0"):
        to_onnx(pipeline, tmp_path / "beats.onnx")


@needs_exporter
def test_failure_keeps_the_file(tmp_path):
    (tmp_path / "beats.onnx").write_bytes(b"before")
    with pytest.raises(ValueError, match="must be a fitted"):
        to_onnx(StandardScaler().fit([[1.0]]), tmp_path / "beats.onnx")
    assert (tmp_path / "beats.onnx").read_bytes() == b"before"


@pytest.mark.parametrize(
    ("classes", "kind"),
    [
        (np.array([3, 17], np.int8), "INT64"),
        (np.array([0.0, 1.0]), "DOUBLE"),
        (np.array([False, True]), "BOOL"),
        (np.array(["N", "Ä"], object), "STRING"),
    ],
)
def test_types_of_labels(classes, kind):
    found, values = _as_onnx(classes)
    assert found == onnx.TensorProto.DataType.Value(kind)
    assert values == [v.encode() if isinstance(v, str) else v for v in classes.tolist()]


def test_labels_of_other_types_raise():
    with pytest.raises(ValueError, match="classes_ must be strings or numbers"):
        _as_onnx(np.array(["N", 1], object))


@pytest.mark.slow
@needs_exporter
@pytest.mark.parametrize(
    ("classifier", "width", "labels"),
    [
        (ECGCNNClassifier(**TINY), 187, [0.0, 1.0, 2.0, 3.0, 4.0]),
        (ECGCNNClassifier(n_blocks=5, kernel_size=6, **TINY), 187, [False, True]),
        (ECGCNNClassifier(n_blocks=1, **TINY), 9, list(range(3, 20))),
        (ECGCNNClassifier(n_leads=12, **TINY), 12 * 33, ["Ä", "β"]),
        (ECGCNNClassifier(n_leads=2, n_aux_features=4, **TINY), 198, [-1, 1]),
        (ECGCNNLSTMClassifier(n_layers=2, hidden_size=5, **TINY), 101, ["N", "V", "S"]),
        (ECGCNNLSTMClassifier(bidirectional=True, n_aux_features=3, **TINY), 101, [7, 9]),
        (ECGCNNClassifier(n_members=3, n_aux_features=2, **TINY), 52, ["N", "V"]),
        (ECGCNNClassifier(**TINY), 3, [0, 1]),
        (ECGCNNClassifier(predict_nonlinearity=torch.sigmoid, **TINY), 50, [0, 1]),
    ],
)
def test_classifiers_equal_python(classifier, width, labels, tmp_path):
    X = np.random.default_rng(0).normal(size=(1000, width)).astype(np.float32)
    classifier.fit(X[:60], np.resize(labels, 60))
    assert_equal_to_python(session_of(classifier, tmp_path / "a.onnx"), classifier, X)


@pytest.mark.slow
@needs_exporter
@pytest.mark.parametrize("select", ["center", "largest"])
@pytest.mark.parametrize("axis", ["beat", "dataset"])
def test_pipelines_equal_python(select, axis, tmp_path):
    n_leads = 1 if axis == "beat" else 2
    X, y = windows(n_leads=n_leads)
    wave = make_pipeline(
        BandpassFilter(fs=100, high=35, n_leads=n_leads),
        RPeakSegmenter(fs=100, select=select, n_leads=n_leads),
        ZScoreScaler(axis, n_leads=n_leads),
    )
    rhythm = np.random.default_rng(0).gamma(9, 0.1, size=(len(X), 3)).astype(np.float32)
    columns = ColumnTransformer(
        [("wave", wave, slice(0, -3)), ("rhythm", StandardScaler(), slice(-3, None))]
    )
    classifier = ECGCNNClassifier(n_leads=n_leads, n_aux_features=3, **TINY)
    X = np.concatenate([X, rhythm], axis=1)
    model = make_pipeline(columns, classifier).fit(X[:60], y[:60])
    assert_equal_to_python(session_of(model, tmp_path / "a.onnx"), model, X)
