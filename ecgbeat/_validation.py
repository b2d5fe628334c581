"""Checks of parameters and beats.

The only module that imports private names of scikit-learn, and the only one that converts
between the three forms of beats: 2-D, lead-major flattened 2-D, and 3-D.
"""

import importlib
import inspect
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads as effective_n_threads
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _num_samples as count_rows
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = [
    "FS_INTERVAL",
    "MIN_TIMES",
    "HasMethods",
    "Integral",
    "Interval",
    "InvalidParameterError",
    "LeadLayout",
    "Options",
    "Real",
    "StrOptions",
    "boosted_trees",
    "boosting_parts",
    "check_feature_names_in",
    "check_finite",
    "check_fs",
    "check_is_fitted",
    "check_positive",
    "check_sample_weight",
    "count_rows",
    "default_parameters",
    "effective_n_threads",
    "flatten_beats",
    "import_extra",
    "is_single_row",
    "lead_layout",
    "leads_of_columns",
    "refuse_single_beat",
    "remember_table",
    "split_leads",
    "sum_is_finite",
    "unchanged_on_error",
    "validate_beats",
    "validate_parameter_constraints",
    "warn_of_lost_names",
]

# sampling rates in Hz: from trends of one sample in minutes to sound of some 100 kHz
_LOWEST_FS, _HIGHEST_FS = 1e-3, 1e6
FS_INTERVAL = Interval(Real, _LOWEST_FS, _HIGHEST_FS, closed="both")  # for _parameter_constraints

MIN_TIMES = 8  # fewest samples per lead of a beat, see lead_layout

_last_table = threading.local()  # its size: rows, leads, columns


class LeadLayout(NamedTuple):
    """Division of a flattened row into leads and auxiliary columns."""

    n_leads: int
    n_times: int  # samples per lead, after padding
    n_padding: int  # zeros appended to the last lead
    n_aux: int  # columns after the leads


def lead_layout(width: int, n_leads: int = 1, n_aux: int = 0) -> LeadLayout:
    """Divide a row of ``width`` columns into leads of equal length and auxiliary columns.

    Rows with fewer than 8 samples per lead cannot contain a beat, but scikit-learn's estimator
    checks fit rows of 1 to 10 columns. Such rows are padded with zeros. For longer rows, a width
    that is not divisible by the number of leads is an error.
    """
    too_short = width < MIN_TIMES * n_leads + n_aux
    if n_aux and width <= n_aux and width >= MIN_TIMES:
        raise ValueError(
            f"n_aux_features={n_aux} leaves no waveform: X has {width} columns, and the last "
            "n_aux_features of them bypass the convolutions. Pass a smaller n_aux_features."
        )
    n_wave = max(width - n_aux, 0)
    n_times, rest = divmod(n_wave, n_leads)
    if rest and not too_short:
        raise ValueError(
            f"n_leads={n_leads} does not divide X: its rows hold {n_wave} samples, which is not a "
            f"multiple of {n_leads}. 2-D rows hold the leads one after the other, all of the same "
            "length: set n_leads to the number of leads, or pass (n_beats, n_leads, n_times)."
        )
    n_padding = n_leads - rest if rest else 0
    return LeadLayout(n_leads, n_times + bool(rest), n_padding, n_aux)


def split_leads(X: np.ndarray, n_leads: int = 1) -> np.ndarray:
    """View lead-major flattened rows in shape (n_beats, n_leads, n_times).

    A copy is made only where `lead_layout` pads.
    """
    layout = lead_layout(X.shape[1], n_leads)
    if layout.n_padding:
        X = np.pad(X, ((0, 0), (0, layout.n_padding)))
    return X.reshape(len(X), n_leads, layout.n_times)


def flatten_beats(X: Any, n_leads: int | None = 1) -> tuple[Any, int | None]:
    """Flatten 3-D beats to lead-major 2-D rows; return all other input unchanged.

    Also return the number of leads of a 3-D array, else None. With ``n_leads`` of 1 or None it
    is inferred.
    """
    if getattr(X, "ndim", None) is None and isinstance(X, (list, tuple)):
        if not _is_nested_three_deep(X):
            return X, None
        X = np.asarray(X)
    if getattr(X, "ndim", None) != 3:
        return X, None
    found = int(X.shape[1])
    if n_leads not in (None, 1, found):
        raise ValueError(
            f"X has shape {tuple(X.shape)}, that is {found} leads, but n_leads={n_leads}. "
            "3-D beats have the shape (n_beats, n_leads, n_times): transpose X or set n_leads."
        )
    return X.reshape(X.shape[0], X.shape[1] * X.shape[2]), found  # -1 fails without rows


def leads_of_columns(X: Any, n_aux: int = 0) -> int | None:
    """Return the number of leads by the names of the columns of a DataFrame, else None.

    The names are those of `ecgbeat.MFCCExtractor`: a channel and a frame, such as
    ``mfcc3_frame12``. The last ``n_aux`` columns have any names.
    """
    names = [str(name) for name in getattr(X, "columns", ())]
    parts = [re.fullmatch(r"(.+)_frame(\d+)", name) for name in names[: len(names) - n_aux]]
    if not parts or None in parts:
        return None
    channels = list(dict.fromkeys(part[1] for part in parts if part))
    n_frames = len(parts) // len(channels)
    if names[: len(parts)] != [f"{c}_frame{i}" for c in channels for i in range(n_frames)]:
        raise ValueError(
            f"The columns of X are frames of {len(channels)} channels, from {names[0]!r} to "
            f"{names[len(parts) - 1]!r}, but not all frames of each channel in order. Pass all "
            "columns of MFCCExtractor, or an array without names."
        )
    return len(channels)


def remember_table(n_rows: int, n_leads: int, n_times: int) -> None:
    """Note the size of a table whose column names hold the number of leads."""
    if n_times >= MIN_TIMES:
        _last_table.size = (n_rows, n_leads, n_leads * n_times)


def warn_of_lost_names(owner: str, n_rows: int, n_columns: int) -> None:
    """Warn of rows without names that seem to be those of the last table of this thread.

    A step between has then dropped the names, and with them the number of leads. It may have added
    rows, such as SMOTE.
    """
    fewest_rows, n_leads, width = getattr(_last_table, "size", (0, 1, 0))
    _last_table.size = (0, 1, 0)  # a table is trained on once
    if n_leads > 1 and width == n_columns and n_rows >= fewest_rows:
        warnings.warn(
            f"{owner} takes the rows of {n_columns} values for one lead, since they have neither "
            "column names nor a third dimension. The last table of MFCCExtractor had as many "
            f"columns, of {n_leads} channels. If a step between has dropped the names, keep them "
            f'by set_output(transform="pandas") of the whole pipeline, or set n_leads={n_leads}. '
            "Otherwise set n_leads=1.",
            UserWarning,
            stacklevel=2,
        )


def _is_nested_three_deep(X: Any) -> bool:
    """Return whether a list is nested three deep, judging by its first elements."""
    for _ in range(2):
        if not isinstance(X, (list, tuple, np.ndarray)) or len(X) == 0:
            return False
        X = X[0]
    return isinstance(X, (list, tuple)) or getattr(X, "ndim", 0) >= 1


def validate_beats(
    estimator: Any,
    X: Any,
    y: Any = "no_validation",
    *,
    reset: bool,
    dtype: Any = (np.float64, np.float32),
) -> Any:
    """Run scikit-learn's ``validate_data`` on 2-D beats, with another message for NaN.

    Return X or (X, y). ``reset`` is True in ``fit``; ``dtype`` as in ``check_array``.
    """
    refuse_single_beat(X, type(estimator).__name__)
    if isinstance(y, str) and y == "no_validation":
        if reset or not _is_like_fitted(estimator, X, dtype):
            X = validate_data(estimator, X, reset=reset, dtype=dtype, ensure_all_finite=False)
        check_finite(X, type(estimator).__name__)
        return X
    X, y = validate_data(estimator, X, y, reset=reset, dtype=dtype, ensure_all_finite=False)
    check_finite(X, type(estimator).__name__)
    return X, y


def is_single_row(X: Any) -> bool:
    """Return whether ``X`` is 1-D: an array, or a list of numbers."""
    is_list = isinstance(X, (list, tuple)) and len(X) > 0 and np.isscalar(X[0])
    return is_list or getattr(X, "ndim", None) == 1


def refuse_single_beat(X: Any, owner: str, hint: str = "") -> None:
    """Raise ValueError if ``X`` is 1-D instead of rows of beats, without its values.

    ``owner`` is the name of the caller, and ``hint`` an alternative for recordings.
    """
    if is_single_row(X):
        raise ValueError(
            f"{owner} takes one beat per row, got a 1-D array of {len(X)} values. "
            f"{hint + ' ' if hint else ''}Reshape your data with X.reshape(1, -1) if it is a "
            "single beat."
        )


def _is_like_fitted(estimator: Any, X: Any, dtype: Any) -> bool:
    """Return whether ``validate_data`` would return the very same array.

    ``validate_data`` takes 0.05 ms, three times in a pipeline of filter, scaler and network that
    takes less than 1 ms for a beat.
    """
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == getattr(estimator, "n_features_in_", None)
        and not hasattr(estimator, "feature_names_in_")
        and X.dtype in (dtype if isinstance(dtype, tuple) else (dtype,))
    )


def sum_is_finite(x: np.ndarray) -> bool:
    """Return whether the sum is finite, which proves finite elements without a mask."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(x.sum()))


def check_finite(X: np.ndarray, owner: str, name: str = "X") -> None:
    """Raise ValueError if an array holds NaN or infinite values.

    ``owner`` is the name of the caller and ``name`` that of the array, for the message.
    """
    if sum_is_finite(X):
        return
    bad = ~np.isfinite(X)
    if not bad.any():  # finite values whose sum overflows
        return
    first = np.unravel_index(int(bad.argmax()), X.shape)
    what = "NaN" if np.isnan(X[first]) else "infinity"
    place = ", ".join(str(int(i)) for i in first)
    or_leave_out = ""
    if X.ndim == 2:  # rows
        or_leave_out = f", or leave those rows out ({name}[np.isfinite({name}).all(axis=1)])"
    raise ValueError(
        f"{owner}: {name} contains {what}: {int(bad.sum())} of {X.size} values are NaN or "
        f"infinite, the first at {name}[{place}]. Interpolate over gaps of the signal "
        f"(ecgbeat.signal.bridge_gaps)"
        f"{or_leave_out}."
    )


def check_positive(name: str, value: Any, *, unit: str = "", strict: bool = True) -> float:
    """Return a finite positive number as float; 0 is an error if ``strict``."""
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be a number{f' in {unit}' if unit else ''}, got {value!r}.")
    number = float(value)
    if not np.isfinite(number) or number < 0 or (strict and number == 0):
        least = "greater than 0" if strict else "0 or greater"
        raise ValueError(
            f"{name} must be {least}{f' (in {unit})' if unit else ''} and finite, got {value!r}."
        )
    return number


def check_sample_weight(sample_weight: Any, X: Any, owner: str) -> np.ndarray:
    """Return a float64 weight for each row of X; raise unless all are finite, none negative."""
    n_rows = count_rows(X)
    try:
        weight = np.asarray(sample_weight)
        weight = weight.astype(
            np.float64, casting="unsafe" if weight.dtype == object else "same_kind"
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{owner}: sample_weight must contain numbers, got {sample_weight!r}."
        ) from error
    if weight.ndim == 0:
        weight = np.full(n_rows, float(weight))
    if weight.shape != (n_rows,):
        raise ValueError(
            f"{owner}: sample_weight must contain one number for each of the {n_rows} rows of X, "
            f"got an array of shape {weight.shape}."
        )
    is_wrong = ~np.isfinite(weight) | (weight < 0)
    if is_wrong.any():
        row = int(is_wrong.argmax())
        raise ValueError(
            f"{owner}: sample_weight must be finite and not negative, got {weight[row]} in row "
            f"{row}."
        )
    if not sum_is_finite(weight):
        raise ValueError(
            f"{owner}: the sum of sample_weight overflows, its largest value is {weight.max()!r}. "
            "Only ratios count: pass sample_weight / sample_weight.max()."
        )
    if not weight.any():
        raise ValueError(f"{owner}: sample_weight is zero for all {n_rows} rows; none would count.")
    return weight


def check_fs(fs: Any) -> float:
    """Return a sampling rate as float; raise unless signals of the body have such rates."""
    rate = check_positive("fs", fs, unit="Hz")
    if not _LOWEST_FS <= rate <= _HIGHEST_FS:
        raise ValueError(
            f"fs must be between {_LOWEST_FS:g} and {_HIGHEST_FS:g} Hz, got {fs!r}. Pass the "
            "number of samples per second."
        )
    return rate


def boosted_trees(model: Any) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the initial scores of histogram gradient boosting, and the nodes of its trees.

    The trees of one iteration, one for each class, follow each other.
    """
    trees = [tree.nodes for iteration in model._predictors for tree in iteration]
    return model._baseline_prediction.ravel(), trees


def default_parameters(estimator_class: type) -> dict[str, Any]:
    """Return the parameters of an estimator that have a default, for pickles of former versions."""
    parameters = inspect.signature(estimator_class).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Restore the attributes of an estimator if the block raises.

    A failed ``fit`` keeps the fitted model.
    """
    before = estimator.__dict__.copy()
    try:
        yield
    except BaseException:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        raise


def boosting_parts() -> tuple[Any, Any, np.dtype]:
    """Return the classes of trees and bins of gradient boosting, and the dtype of nodes."""
    from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    return TreePredictor, _BinMapper, PREDICTOR_RECORD_DTYPE


def import_extra(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import a module that the extra ``extra`` of ecgbeat installs.

    The message of the ImportError begins with ``purpose`` and names the command that installs it.
    """
    try:
        # wfdb 4.3 uses names that pandas 3 deprecates
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(f'{purpose} needs {package}: pip install "ecgbeat[{extra}]".') from error
