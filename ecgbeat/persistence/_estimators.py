"""Estimators as their parameters and fitted attributes."""

import inspect
import re
from functools import cache
from typing import Any

import numpy as np

from ecgbeat._validation import validate_parameter_constraints
from ecgbeat.persistence._allowed import CLASSES, PRIVATE_ATTRIBUTES, resolve

PACKAGES = ()  # besides that of the class

# parameters that belong to a machine, not to a model; they are loaded with their defaults
_OF_THE_MACHINE = {"memory", "n_jobs", "torch_load_kwargs"}
# attributes of scikit-learn that matter in training only
_OF_TRAINING = {"_expanded_class_weight", "_loss_function_", "_metadata_request"}
_FITTED = re.compile(r"[A-Za-z]\w*_")
# attributes of scikit-learn with one value per column of the input in their last dimension
_PER_COLUMN = (
    "center_",
    "coef_",
    "lambdas_",
    "mean_",
    "min_",
    "quantiles_",
    "scale_",
    "statistics_",
    "var_",
)


def replaced(value: Any) -> Any:
    """Return the estimator that is stored instead of another one, else the same object.

    It predicts the same: the best estimator of a search, and a pipeline without its samplers.
    """
    package, name = type(value).__module__.split(".")[0], type(value).__name__
    if package == "sklearn" and name.endswith("SearchCV") and hasattr(value, "estimator"):
        if hasattr(value, "cv_results_") and not hasattr(value, "best_estimator_"):
            raise ValueError(
                f"{name}(refit=False) has no best_estimator_ to save. Fit it with refit=True, or "
                "save an estimator that was fitted with best_params_."
            )
        return getattr(value, "best_estimator_", value.estimator)
    if package == "imblearn" and name == "Pipeline":
        steps = [step for step in value.steps if not hasattr(step[1], "fit_resample")]
        pipeline = resolve("sklearn.pipeline.Pipeline", CLASSES)(
            steps, transform_input=value.transform_input, verbose=value.verbose
        )
        if "_sklearn_output_config" in vars(value):
            vars(pipeline)["_sklearn_output_config"] = value._sklearn_output_config
        return pipeline
    return value


@cache
def parameters_of(cls: type) -> dict[str, Any]:
    """Return the parameters of a class with their defaults, ``empty`` without one."""
    parameters = inspect.signature(cls).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is not p.VAR_KEYWORD}


def get_state(estimator: Any) -> dict[str, Any]:
    """Return the parameters and fitted attributes that prediction needs."""
    cls: Any = type(estimator)
    left_out = _OF_TRAINING | (_OF_THE_MACHINE & parameters_of(cls).keys())
    state = {name: value for name, value in vars(estimator).items() if name not in left_out}
    _check_names(cls, state)
    return state


def from_state(cls: Any, name: str, state: dict[str, Any]) -> Any:
    """Return an estimator with parameters and attributes that fit its class."""
    defaults = {k: v for k, v in parameters_of(cls).items() if v is not inspect.Parameter.empty}
    state = defaults | state
    _check_names(cls, state)
    estimator = cls.__new__(cls)
    vars(estimator).update(state)
    if hasattr(cls, "_parameter_constraints") and hasattr(cls, "get_params"):
        parameters = {key: state[key] for key in estimator.get_params(deep=False)}
        validate_parameter_constraints(cls._parameter_constraints, parameters, name)
    if name.startswith("sklearn."):
        _check_shapes(name, state)
    return estimator


def _check_names(cls: Any, state: dict[str, Any]) -> None:
    """Raise ValueError if an attribute is neither a parameter nor a fitted one."""
    parameters = parameters_of(cls).keys()
    for name in state:
        known = name in parameters or name in PRIVATE_ATTRIBUTES
        # a value must not hide a method
        is_fitted = _FITTED.fullmatch(name) and not callable(getattr(cls, name, None))
        if not (known or is_fitted):
            raise ValueError(
                f"{cls.__name__} has the attribute {name!r}, which is neither a parameter nor a "
                f"fitted attribute of {cls.__name__} in the version that is installed."
            )
    if missing := sorted(parameters - state.keys() - _OF_THE_MACHINE):
        raise ValueError(f"{cls.__name__} lacks its parameters {missing}.")


def _check_shapes(name: str, state: dict[str, Any]) -> None:
    """Raise ValueError unless the arrays of an estimator have one value per column."""
    n_columns = state.get("n_features_in_")
    if "n_features_in_" in state and type(n_columns) is not int:
        raise ValueError(f"n_features_in_ of {name} must be an integer, got {n_columns!r:.40}.")
    for key in _PER_COLUMN:
        value = state.get(key)
        if n_columns is None or not isinstance(value, np.ndarray) or not value.ndim:
            continue
        if value.shape[-1] != n_columns or value.dtype.kind not in "fiu":
            raise ValueError(
                f"{key} of {name} must contain numbers for each of the {n_columns} columns, got an "
                f"array of {value.dtype} of shape {value.shape}."
            )
