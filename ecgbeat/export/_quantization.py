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
# an LSTM has no 8-bit form in ONNX
_CONVOLUTIONS = ("Conv", "Relu", "AveragePool", "Add")


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
    # the exporter has folded batch norm already; without this note, a warning asks for it
    onnx.helper.set_model_props(prepared, {"onnx.quant.pre_process": "onnxruntime.quant"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "quantized.onnx"
        quantization.quantize_static(
            prepared,
            path,
            _Batches(X, n_rows or _BATCH_SIZE),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=[*_CONVOLUTIONS, "Gemm"],
            nodes_to_quantize=_network_nodes(model),
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


def _network_nodes(model: "onnx.ModelProto") -> list[str]:
    """Return the names of the nodes to quantize: convolutions and the first dense layer.

    Of several members, those of each. Fixed kernels stay in float32, since their outputs are
    compared with thresholds.

    The first dense layer stays in float32 if auxiliary columns enter it: in other units, they would
    leave one or two steps to the features of the convolutions. The last layer always does: it holds
    few weights, and its sums decide between close probabilities.
    """
    metadata = {prop.key: prop.value for prop in model.metadata_props}
    has_aux = metadata["n_aux_features"] != "0"
    reached: set[str] = set()
    hidden: set[str] = set()  # outputs of the first dense layers
    ended: set[str] = set()  # outputs of nodes behind them
    names = []
    for node in model.graph.node:
        inputs = set(node.input)
        if inputs & ended or (has_aux and node.op_type == "Gemm"):
            ended.update(node.output)
            continue
        of_network = any("network." in name and ".kernels." not in name for name in inputs)
        if not (inputs & reached or of_network):
            continue
        names.append(node.name)
        if node.op_type == "Gemm":
            hidden.update(node.output)
        # the ReLU of the dense layer is quantized with it
        (ended if inputs & hidden else reached).update(node.output)
    return names


def _shorten_names(model: "onnx.ModelProto") -> None:
    """Replace names inside of the graph by numbers; they are a third of a small file."""
    graph = model.graph
    names = {value.name: value.name for value in (*graph.input, *graph.output)}
    names[""] = ""  # an optional input left out
    # to_c finds the fixed kernels by it
    names |= {t.name: t.name for t in graph.initializer if t.name.endswith("kernels.weight")}

    def short(name: str) -> str:
        return names.setdefault(name, f"t{len(names)}")

    for tensor in graph.initializer:
        tensor.name = short(tensor.name)
    for node in graph.node:
        node.ClearField("name")
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
    graph.ClearField("value_info")
