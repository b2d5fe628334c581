"""Export to ONNX."""

import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from ecgbeat._files import write_files
from ecgbeat._validation import import_extra
from ecgbeat.export._graph import Graph, build_graph
from ecgbeat.export._quantization import quantized

if TYPE_CHECKING:
    import onnx

_PACKAGES = ("ecgbeat", "numpy", "onnx", "scikit-learn", "skorch", "torch")
_OLDEST_TORCH = "2.13"  # nothing older was tried but 2.6, whose exporter fails
_OPSET = 19  # average pooling with ceil_mode needs it


def to_onnx(
    estimator: Any,
    path: str | os.PathLike[str],
    *,
    n_times: int | None = None,
    quantize: ArrayLike | None = None,
) -> None:
    """Write a fitted classifier or pipeline to an ONNX file.

    The file runs without Python, for example with ONNX Runtime: rows in, label and probabilities
    out. Its input ``X`` is a float32 array of shape (n_beats, n_features). Beats of shape
    (n_beats, n_leads, n_times) are flattened, ``X.reshape(len(X), -1)``. Its outputs are
    ``label`` of shape (n_beats,) and ``probabilities`` of shape (n_beats, n_classes), float32.

    Parameters
    ----------
    estimator : estimator
        Fitted `ecgbeat.ECGCNNClassifier` or `ecgbeat.ECGCNNLSTMClassifier`, a pipeline of
        scikit-learn or imbalanced-learn that ends in one, a search over either, or a
        `ecgbeat.BeatAnnotator`, of which the classifier of cut beats is exported.
    path : str or path-like
        File to write. It is replaced if it exists.
    n_times : int or None, default=None
        Number of samples per lead in a row. Only needed for a classifier that does not know it,
        such as one that was fitted on a ``Dataset``.
    quantize : array-like of shape (n_beats, n_features) or None, default=None
        Typical rows, some hundred to some thousand, to quantize the network to 8-bit integers.
        None keeps float32.

    Raises
    ------
    ImportError
        If the packages of the extra ``export`` are not installed, or torch is older than 2.13.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If the estimator or one of its steps cannot be exported (the message lists the steps that
        can be), or ``n_times`` is missing or differs from the rows in ``fit``.

    Notes
    -----
    Steps that act only in ``fit``, such as samplers of imbalanced-learn, are left out. All others
    are computed as in Python: filters and the location of R peaks in float64, networks in float32,
    also for ``precision="bfloat16"``. Probabilities equal those of ``predict_proba`` for the same
    float32 rows within 1e-5. NaN and infinite values are errors in Python, but not in the file:
    probabilities of such rows have no meaning.

    The metadata of the file are strings in JSON: ``classes``, ``fs``, ``n_features``, ``n_leads``,
    ``n_times``, ``n_aux_features`` and ``versions``.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> import onnxruntime
    >>> from ecgbeat import ECGCNNClassifier
    >>> from ecgbeat.datasets import make_heartbeats
    >>> from ecgbeat.export import to_onnx
    >>> X, y = make_heartbeats(40, random_state=0, return_X_y=True)
    >>> classifier = ECGCNNClassifier(n_filters=4, max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(classifier, Path(folder) / "beats.onnx")
    ...     session = onnxruntime.InferenceSession(Path(folder) / "beats.onnx")
    >>> label, probabilities = session.run(None, {"X": X.astype("float32")})
    >>> bool((label == classifier.predict(X)).all())
    True
    >>> json.loads(session.get_modelmeta().custom_metadata_map["n_times"]) == X.shape[1]
    True
    """
    model = onnx_model(estimator, n_times=n_times)
    if quantize is not None:
        model = quantized(model, quantize)
    write_files({Path(path): model.SerializeToString()}, overwrite=True)


def onnx_model(
    estimator: Any,
    *,
    n_times: int | None = None,
    batch_size: int | None = None,
    with_label: bool = True,
    prepare: Callable[[Graph], None] | None = None,
) -> "onnx.ModelProto":
    """Return a fitted classifier or pipeline as a checked ONNX model.

    Parameters
    ----------
    estimator, n_times
        As in `to_onnx`.
    batch_size : int or None, default=None
        Number of rows of the input. None allows any number.
    with_label : bool, default=True
        Whether to return the labels in addition to the probabilities.
    prepare : callable or None, default=None
        Called with the graph before it is exported, to change its module.

    Returns
    -------
    onnx.ModelProto
    """
    purpose = "Export to ONNX"
    onnx = import_extra("onnx", extra="export", purpose=purpose)
    import_extra("onnxscript", extra="export", purpose=purpose)
    if torch.__version__ < _OLDEST_TORCH:  # compares releases, not letters
        raise ImportError(
            f"{purpose} needs torch {_OLDEST_TORCH} or later, got {torch.__version__}: "
            f'pip install "torch>={_OLDEST_TORCH}".'
        )
    graph = build_graph(estimator, n_times)
    if prepare is not None:
        prepare(graph)
    model = _export(graph, batch_size)
    _strip(model)
    if with_label:
        _add_label(model, graph.classes)
    metadata = {name: json.dumps(value) for name, value in _metadata(graph).items()}
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    return model


def _export(graph: Graph, batch_size: int | None) -> Any:
    """Export the module, which maps ``X`` to ``probabilities``."""
    rows = torch.zeros(batch_size or 2, graph.n_features)
    dynamic = {} if batch_size else {0: torch.export.Dim("n_beats")}
    with _quiet():
        program: Any = torch.onnx.export(
            graph.module,
            (rows,),
            dynamo=True,
            opset_version=_OPSET,
            input_names=["X"],
            output_names=["probabilities"],
            dynamic_shapes=(dynamic,),
            external_data=False,
            verbose=False,
        )
    return program.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the warnings and messages of torch's exporter, which concern its own code."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logger.setLevel(level)


def _strip(model: Any) -> None:
    """Remove the names of modules and the stack traces of the exporter, half of a small file."""
    graph = model.graph
    for part in (model, graph, *graph.input, *graph.output, *graph.node, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    graph.ClearField("value_info")


def _add_label(model: Any, classes: np.ndarray) -> None:
    """Add the most probable label as first output."""
    from onnx import helper

    graph = model.graph
    kind, values = _as_onnx(classes)
    n_rows = graph.output[0].type.tensor_type.shape.dim[0]
    rows = [n_rows.dim_param or n_rows.dim_value]
    graph.initializer.append(helper.make_tensor("classes", kind, [len(values)], values))
    graph.node.append(
        helper.make_node("ArgMax", ["probabilities"], ["code"], "code", axis=1, keepdims=0)
    )
    graph.node.append(helper.make_node("Gather", ["classes", "code"], ["label"], "label"))
    graph.output.insert(0, helper.make_tensor_value_info("label", kind, rows))


def _as_onnx(classes: np.ndarray) -> tuple[int, list[Any]]:
    """Return the type of labels in ONNX, and the labels."""
    from onnx import TensorProto

    values = classes.tolist()
    if all(isinstance(value, str) for value in values):
        return TensorProto.STRING, [value.encode() for value in values]
    if classes.dtype.kind not in "biuf":
        raise ValueError(
            f"classes_ must be strings or numbers to be exported, got {classes.dtype} of "
            f"{values!r}."
        )
    kinds = {"b": TensorProto.BOOL, "f": TensorProto.DOUBLE}
    return kinds.get(classes.dtype.kind, TensorProto.INT64), values


def _metadata(graph: Graph) -> dict[str, Any]:
    """Return what a user of the file must know about its rows and classes, as JSON values."""
    return {
        "classes": graph.classes.tolist(),
        "fs": graph.fs,
        "n_features": graph.n_features,
        "n_leads": graph.n_leads,
        "n_times": graph.n_times,
        "n_aux_features": graph.n_aux,
        "versions": {package: version(package) for package in _PACKAGES},
    }
