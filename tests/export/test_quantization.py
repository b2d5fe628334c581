"""Tests of models with 8-bit integers."""

import numpy as np
import pytest
import torch

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat.datasets import load_heartbeat_csv, make_heartbeats

onnx = pytest.importorskip("onnx", reason="requires the extra export")
onnxruntime = pytest.importorskip("onnxruntime", reason="requires the extra export")

from ecgbeat.export import to_onnx  # noqa: E402
from ecgbeat.export._onnx import _OLDEST_TORCH, onnx_model  # noqa: E402
from ecgbeat.export._quantization import quantized  # noqa: E402

if torch.__version__ < _OLDEST_TORCH:
    pytest.skip(f"exporting needs torch >= {_OLDEST_TORCH}", allow_module_level=True)

TINY = {"n_filters": 4, "n_blocks": 2, "max_epochs": 3, "random_state": 0}


def run(path, X):
    """Return labels and probabilities of a model file."""
    session = onnxruntime.InferenceSession(path)
    return session.run(None, {"X": np.asarray(X, dtype=np.float32)})


def weights(path):
    """Return the initializers of a model file."""
    return [onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer]


@pytest.fixture(scope="module")
def beats():
    X, y = make_heartbeats(120, random_state=0, return_X_y=True)
    return X[:, ::4].astype(np.float32), y


@pytest.fixture(scope="module")
def classifier(beats):
    return ECGCNNClassifier(**TINY).fit(*beats)


@pytest.fixture(scope="module")
def exported(classifier):
    return onnx_model(classifier)


@pytest.fixture(scope="module")
def model(classifier, beats, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "int8.onnx"
    to_onnx(classifier, path, quantize=beats[0][::2])
    return path


@pytest.mark.slow
def test_labels_and_probabilities_stay_close(classifier, model, beats):
    label, probabilities = run(model, beats[0])
    assert label.dtype == object
    np.testing.assert_allclose(probabilities, classifier.predict_proba(beats[0]), atol=0.05)
    assert (label == classifier.predict(beats[0])).mean() >= 0.95


@pytest.mark.slow
def test_convolutions_and_first_dense_layer_hold_8_bits(beats, tmp_path):
    model = tmp_path / "int8.onnx"
    to_onnx(ECGCNNClassifier(**TINY, fixed_kernels=False).fit(*beats), model, quantize=beats[0])
    sizes = dict.fromkeys(("int8", "float32"), 0)
    for tensor in weights(model):
        if tensor.ndim > 1:
            sizes[tensor.dtype.name] += tensor.size
    assert sizes["int8"] > 5 * sizes["float32"] > 0
    kinds = {node.op_type for node in onnx.load(model).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} < kinds


def test_any_number_of_rows(model, beats):
    _, together = run(model, beats[0][:7])
    alone = np.concatenate([run(model, beats[0][i : i + 1])[1] for i in range(7)])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_metadata_is_kept(model):
    metadata = onnxruntime.InferenceSession(model).get_modelmeta().custom_metadata_map
    assert "classes" in metadata
    assert not any("quant" in key for key in metadata)


@pytest.mark.slow
def test_3d_rows_calibrate(exported, beats):
    X, _ = beats
    found = [quantized(exported, rows).SerializeToString() for rows in (X, X[:, None])]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X[:, 1:], "quantize must contain rows of 180 values, as in fit, got 179"),
        (lambda X: X[0], "takes one beat per row, got a 1-D array"),
        (lambda X: np.where(X > 0, np.nan, X), "contains NaN"),
        (lambda X: X[:0], "0 sample"),
    ],
)
def test_invalid_calibration_rows_raise(exported, beats, change, message):
    with pytest.raises(ValueError, match=message):
        quantized(exported, change(beats[0]))


def test_model_is_left_alone(exported, beats):
    before = exported.SerializeToString()
    quantized(exported, beats[0][:10])
    assert exported.SerializeToString() == before


@pytest.mark.slow
def test_unscaled_auxiliary_columns(beats, tmp_path):
    X, y = beats
    rr = np.random.default_rng(0).normal(300.0, 50.0, size=(len(X), 2))
    rows = np.hstack([X, rr + 200.0 * (y == y[0])[:, None]])
    classifier = ECGCNNClassifier(n_aux_features=2, **TINY).fit(rows, y)
    to_onnx(classifier, tmp_path / "a.onnx", quantize=rows)
    label, _ = run(tmp_path / "a.onnx", rows)
    assert (label == classifier.predict(rows)).mean() >= 0.98


@pytest.mark.slow
def test_lstm_stays_float(beats, tmp_path):
    classifier = ECGCNNLSTMClassifier(hidden_size=8, bidirectional=True, **TINY).fit(*beats)
    to_onnx(classifier, tmp_path / "a.onnx", quantize=beats[0])
    assert any(tensor.shape == (2, 32, 8) for tensor in weights(tmp_path / "a.onnx"))
    _, probabilities = run(tmp_path / "a.onnx", beats[0])
    np.testing.assert_allclose(probabilities, classifier.predict_proba(beats[0]), atol=0.05)


@pytest.mark.slow
def test_default_network_on_real_beats(real_data, tmp_path):
    X, y = load_heartbeat_csv(real_data / "kaggle_heartbeat", subset="test", return_X_y=True)
    classifier = ECGCNNClassifier(max_epochs=3, random_state=0).fit(X[::2], y[::2])
    to_onnx(classifier, tmp_path / "a.onnx", quantize=X[::20])
    assert (tmp_path / "a.onnx").stat().st_size <= 100_000
    label, _ = run(tmp_path / "a.onnx", X[1::2])
    assert (label == classifier.predict(X[1::2])).mean() >= 0.995


@pytest.mark.slow
@pytest.mark.parametrize("n_members", [1, 3])
def test_network_of_each_member_is_quantized(beats, tmp_path, n_members):
    net = ECGCNNClassifier(**TINY, n_members=n_members, fixed_kernels=False).fit(*beats)
    to_onnx(net, tmp_path / "int8.onnx", quantize=beats[0])
    matrices = [tensor for tensor in weights(tmp_path / "int8.onnx") if tensor.ndim > 1]
    assert sum(tensor.dtype == np.int8 for tensor in matrices) == 7 * n_members
    assert sum(tensor.dtype == np.float32 for tensor in matrices) == n_members  # last layers
    probabilities = run(tmp_path / "int8.onnx", beats[0])[1]
    np.testing.assert_allclose(probabilities, net.predict_proba(beats[0]), atol=0.05)
