"""Histogram gradient boosting as the nodes of all its trees.

scikit-learn's compiled code follows the numbers of nodes and columns without any check, so they
are checked when a file is loaded.
"""

from typing import Any

import numpy as np

from ecgbeat._validation import boosting_parts
from ecgbeat.persistence import _estimators

PACKAGES = ()  # besides that of the class
_UNUSED = {"is_categorical", "bitset_idx"}  # fields of nodes that are zero without categories


def get_state(estimator: Any) -> dict[str, Any]:
    """Return parameters, fitted attributes, and the fields of the nodes of all trees."""
    values = vars(estimator)
    if values.get("is_categorical_") is not None:
        raise ValueError(
            "HistGradientBoostingClassifier with categorical_features cannot be stored in a model "
            "file. Encode the categories by a step before it, such as OneHotEncoder, or use joblib."
        )
    state = {k: v for k, v in values.items() if k == "_baseline_prediction" or k[0] != "_"}
    if "_predictors" not in values:
        return state
    trees = [tree.nodes for trees in estimator._predictors for tree in trees]
    nodes = np.concatenate(trees)
    fields = [name for name in nodes.dtype.names or () if name not in _UNUSED]
    return state | {
        "nodes": {name: np.ascontiguousarray(nodes[name]) for name in fields},
        "n_nodes": np.array([len(tree) for tree in trees]),
    }


def from_state(cls: Any, name: str, state: dict[str, Any]) -> Any:
    """Return an estimator whose trees refer to existing nodes and columns only."""
    fields, n_nodes = state.pop("nodes", None), state.pop("n_nodes", None)
    estimator = _estimators.from_state(cls, name, state)
    if fields is None:
        return estimator
    n_trees = _check_attributes(state, name)
    Tree, BinMapper, dtype = boosting_parts()
    nodes = _join(fields, dtype, name)
    trees = _split(nodes, n_nodes, estimator.n_features_in_, name)
    if len(trees) % n_trees:
        raise ValueError(f"{name} has {len(trees)} trees, which is no multiple of {n_trees}.")
    no_categories = np.zeros((0, 8), dtype=np.uint32)
    predictors = [Tree(tree, no_categories, no_categories) for tree in trees]
    estimator._predictors = [
        predictors[i : i + n_trees] for i in range(0, len(predictors), n_trees)
    ]
    estimator._n_features = estimator.n_features_in_
    estimator._preprocessor = None
    estimator._bin_mapper = BinMapper()  # it is used for categories only, of which there are none
    estimator._bin_mapper.is_categorical_ = np.zeros(0, dtype=np.uint8)
    estimator._bin_mapper.bin_thresholds_ = []
    estimator._loss = estimator._get_loss(sample_weight=None)
    return estimator


def _check_attributes(state: dict[str, Any], name: str) -> int:
    """Return the number of trees of an iteration, if the fitted attributes agree with it."""
    n_trees, classes = state.get("n_trees_per_iteration_"), state.get("classes_")
    baseline = state.get("_baseline_prediction")
    if not (
        type(state.get("n_features_in_")) is int
        and type(n_trees) is int
        and isinstance(classes, np.ndarray)
        and classes.ndim == 1
        and len(classes) > 1
        and n_trees == (1 if len(classes) == 2 else len(classes))
        and isinstance(baseline, np.ndarray)
        and baseline.shape == (1, n_trees)
        and baseline.dtype == np.float64
        and state.get("is_categorical_") is None
    ):
        raise ValueError(f"The fitted attributes of {name} contradict each other.")
    return n_trees


def _join(fields: Any, dtype: np.dtype, name: str) -> np.ndarray:
    """Return the nodes of all trees as one array of records."""
    expected = {key: dtype[key] for key in dtype.names or () if key not in _UNUSED}
    if not isinstance(fields, dict) or fields.keys() != expected.keys():
        raise ValueError(f"The nodes of {name} have other fields than {sorted(expected)}.")
    n_nodes = np.size(fields["value"])
    for key, array in fields.items():
        if not isinstance(array, np.ndarray) or array.shape != (n_nodes,):
            raise ValueError(f"The field {key} of the nodes of {name} has not {n_nodes} values.")
        if array.dtype != expected[key]:
            raise ValueError(
                f"The field {key} of the nodes of {name} must be {expected[key]}, got "
                f"{array.dtype}."
            )
    nodes = np.zeros(n_nodes, dtype=dtype)
    for key, array in fields.items():
        nodes[key] = array
    return nodes


def _split(nodes: np.ndarray, n_nodes: Any, n_columns: int, name: str) -> list[np.ndarray]:
    """Return the nodes of each tree; children follow their parent, so that each path ends."""
    is_count = isinstance(n_nodes, np.ndarray) and n_nodes.ndim == 1 and n_nodes.dtype == np.int64
    if not is_count or (n_nodes < 1).any() or sum(n_nodes.tolist()) != len(nodes):
        raise ValueError(f"The numbers of nodes of the trees of {name} do not fit its nodes.")
    start = np.repeat(np.cumsum(n_nodes) - n_nodes, n_nodes)
    own = np.arange(len(nodes)) - start
    size = np.repeat(n_nodes, n_nodes)
    inner = nodes["is_leaf"] == 0
    for side in ("left", "right"):
        child = nodes[side].astype(np.int64)
        if (inner & ((child <= own) | (child >= size))).any():
            raise ValueError(f"A tree of {name} refers to a node that does not exist.")
    children = np.concatenate([(nodes[side] + start)[inner] for side in ("left", "right")])
    if len(np.unique(children)) < len(children):  # the number of paths could be exponential
        raise ValueError(f"A tree of {name} has a node with two parents.")
    column = nodes["feature_idx"]
    if (inner & ((column < 0) | (column >= n_columns))).any():
        raise ValueError(
            f"A tree of {name} refers to a column beyond the {n_columns} of its input."
        )
    return np.split(nodes, np.cumsum(n_nodes)[:-1])
