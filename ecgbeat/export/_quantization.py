"""Quantization of the network in an exported model to 8-bit integers."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_array

from ecgbeat._validation import (
    check_finite,
    flatten_beats,
    import_extra,
    is_single_row,
    refuse_single_beat,
)

if TYPE_CHECKING:
    import onnx

_BATCH_SIZE = 500
# convolutions, sums of residual blocks and the first dense layer. The last layer holds few weights
# and decides between close probabilities: it stays in float32, and so does an LSTM, which has no
# 8-bit form in ONNX
_QUANTIZED = ("Conv", "Relu", "AveragePool", "Add", "Gemm")


def quantized(model: "onnx.ModelProto", X_calibration: Any) -> "onnx.ModelProto":
    """Return a model whose network computes with 8-bit integers.

    Weights are quantized per output channel, activations by their range on typical rows. Steps in
    front of the network stay as they are.

    Parameters
    ----------
    model : onnx.ModelProto
        Model of `onnx_model`.
    X_calibration : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
        Typical rows, as `predict` takes them.

    Returns
    -------
    onnx.ModelProto
        Model with ``QuantizeLinear`` and ``DequantizeLinear`` around the operators of the network,
        which a runtime fuses to integer operators.
    """
    onnx = import_extra("onnx", extra="export", purpose="Quantization")
    quantization: Any = import_extra(
        "onnxruntime.quantization", extra="export", purpose="Quantization"
    )
    n_rows, n_features = (dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim)
    X = _check_rows(X_calibration, n_features)
    prepared = type(model)()
    prepared.CopyFrom(model)
    _balance_features(prepared, X, n_rows or _BATCH_SIZE)
    # the exporter has folded batch norm already; without this note, a warning asks for it
    onnx.helper.set_model_props(prepared, {"onnx.quant.pre_process": "onnxruntime.quant"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "quantized.onnx"
        quantization.quantize_static(
            prepared,
            path,
            _Batches(X, n_rows or _BATCH_SIZE),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(_QUANTIZED),
            nodes_to_quantize=_network_nodes(prepared),
            per_channel=True,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.MinMax,
        )
        result = onnx.load(path)
    onnx.helper.set_model_props(result, {prop.key: prop.value for prop in model.metadata_props})
    _shorten_names(result)
    return result


class _Batches:
    """Batches of rows in the form that onnxruntime's calibration reads."""

    def __init__(self, X: np.ndarray, size: int) -> None:
        self._batches = iter([X[start : start + size] for start in range(0, len(X), size)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next batch, or None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {"X": batch}


def _check_rows(X: Any, n_features: int) -> np.ndarray:
    """Return calibration rows as float32; raise if they are not rows of the model."""
    if is_single_row(X):
        refuse_single_beat(X, "quantize")
    X, _ = flatten_beats(X, None)
    X = check_array(X, dtype=np.float32, ensure_all_finite=False, input_name="quantize")
    if X.shape[1] != n_features:
        raise ValueError(
            f"quantize must contain rows of {n_features} values, as in fit, got {X.shape[1]}."
        )
    check_finite(X, "quantize")
    return X


def _balance_features(model: "onnx.ModelProto", X: np.ndarray, batch_size: int) -> None:
    """Scale the features of the dense head to -1..1 on the rows X, and its weights inversely.

    All features are quantized with one step. Auxiliary columns in other units, such as RR intervals
    in samples, would leave the others a few steps only.
    """
    from onnx import helper, numpy_helper
    from onnxruntime import InferenceSession

    place, dense = next((i, n) for i, n in enumerate(model.graph.node) if n.op_type == "Gemm")
    features, weight_name, bias_name = dense.input
    probe = type(model)()
    probe.CopyFrom(model)
    probe.graph.output.append(helper.ValueInfoProto(name=features))
    session = InferenceSession(probe.SerializeToString())
    batches = iter(_Batches(X, batch_size).get_next, None)
    found = np.concatenate([session.run([features], batch)[0] for batch in batches])
    low, high = found.min(axis=0), found.max(axis=0)
    center, spread = (low + high) / 2, np.where(high > low, (high - low) / 2, 1)
    arrays = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    weight, bias = arrays[weight_name], arrays[bias_name]
    changed = {
        weight_name: weight * spread,
        bias_name: bias + weight @ center,
        "center": center,
        "spread": spread,
    }
    kept = [tensor for tensor in model.graph.initializer if tensor.name not in changed]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array, dtype=np.float32), name)
        for name, array in changed.items()
    )
    dense.input[0] = "balanced"
    scaling = [
        helper.make_node("Sub", [features, "center"], ["centered"], "centered"),
        helper.make_node("Div", ["centered", "spread"], ["balanced"], "balanced"),
    ]
    for node in reversed(scaling):
        model.graph.node.insert(place, node)


def _network_nodes(model: "onnx.ModelProto") -> list[str]:
    """Return the names of the nodes from the network's first weight to its last layer."""
    reached: set[str] = set()
    names = []
    for node in model.graph.node:
        inputs = set(node.input)
        if inputs & reached or any("network." in name for name in inputs):
            reached.update(node.output)
            names.append(node.name)
    last = max(i for i, node in enumerate(model.graph.node) if node.op_type == "Gemm")
    dense = {node.name for node in list(model.graph.node)[last + 2 :]}  # + 1 is the ReLU
    return [name for name in names if name not in dense]


def _shorten_names(model: "onnx.ModelProto") -> None:
    """Replace names inside of the graph by numbers; they are a third of a small file."""
    graph = model.graph
    names = {value.name: value.name for value in (*graph.input, *graph.output)}
    names[""] = ""  # an optional input left out

    def short(name: str) -> str:
        return names.setdefault(name, f"t{len(names)}")

    for tensor in graph.initializer:
        tensor.name = short(tensor.name)
    for node in graph.node:
        node.ClearField("name")
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
    graph.ClearField("value_info")
