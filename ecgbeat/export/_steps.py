"""Counterparts of fitted transformers in torch.

Each maps float32 rows to float32 rows, as the transformer does, and computes in float64 in between.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from torch import Tensor, nn

from ecgbeat._validation import check_is_fitted
from ecgbeat.export._filter import RecursiveFilter
from ecgbeat.export._segmentation import BeatCutter, Resampler, RPeakLocator
from ecgbeat.preprocessing import BandpassFilter, RPeakSegmenter, ZScoreScaler
from ecgbeat.signal import window_samples


def prediction_steps(estimator: Any, name: str) -> list[tuple[str, Any]]:
    """Return names and steps of a pipeline that act in prediction; samplers act in ``fit``.

    An estimator that is not a pipeline is its own only step.
    """
    if not hasattr(estimator, "steps"):
        return [] if _is_identity(estimator) else [(name, estimator)]
    parts = [(n, step) for n, step in estimator.steps if not hasattr(step, "fit_resample")]
    return [step for part_name, part in parts for step in prediction_steps(part, part_name)]


def _is_identity(step: Any) -> bool:
    """Return whether a step passes the columns on."""
    is_none = step is None or (isinstance(step, str) and step == "passthrough")
    # ColumnTransformer has one in place of "passthrough"
    return is_none or (type(step) is FunctionTransformer and step.func is None)


def step_module(step: Any, name: str) -> nn.Module:
    """Return a module that transforms rows as a fitted transformer does.

    Parameters
    ----------
    step : transformer
        One of those in the message of the error.
    name : str
        Name of the step, for the message.

    Returns
    -------
    torch.nn.Module
        Maps float32 rows of shape (n_beats, n_features) to such rows.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the transformer is not fitted.
    ValueError
        If the transformer has no counterpart.
    """
    counterpart = _COUNTERPARTS.get(type(step))  # a subclass may transform in another way
    if counterpart is None:
        known = ", ".join(sorted(kind.__name__ for kind in _COUNTERPARTS))
        raise ValueError(
            f"The step {name!r} cannot be exported, got {step!r}. Steps that can be exported are "
            f"{known}, pipelines of these, and samplers, which are left out. Export the part of "
            "the pipeline behind that step."
        )
    check_is_fitted(step)
    return counterpart(step)


class _OfBeats(nn.Module):
    """Counterpart of a transformer of beats: leads in float64 through modules, and rows again."""

    def __init__(self, step: Any, *modules: nn.Module) -> None:
        super().__init__()
        self.n_leads = step.n_leads_
        self.modules_of_leads = nn.Sequential(*modules)

    def forward(self, rows: Tensor) -> Tensor:
        leads = rows.double().reshape(rows.shape[0], self.n_leads, -1)
        return self.modules_of_leads(leads).float().reshape(rows.shape[0], -1)


def _samples_per_lead(step: Any) -> int:
    n_times, rest = divmod(step.n_features_in_, step.n_leads_)
    if rest:
        raise ValueError(
            f"{type(step).__name__} was fitted with rows of {step.n_features_in_} columns, which "
            f"are too short for {step.n_leads_} leads of equal length, and cannot be exported."
        )
    return n_times


def _filter(step: BandpassFilter) -> nn.Module:
    n_times = _samples_per_lead(step)
    return _OfBeats(
        step,
        RecursiveFilter(
            n_times,
            step.fs,
            step.low,
            step.high,
            order=step.order,
            notch=step.notch,
            zero_phase=step.zero_phase,
        ),
    )


def _segmenter(step: RPeakSegmenter) -> nn.Module:
    n_before, n_after = window_samples(step.fs, step.before, step.after)
    locator = RPeakLocator(_samples_per_lead(step), step.fs, step.select)
    modules: list[nn.Module] = [BeatCutter(locator, n_before, n_after)]
    if step.n_times not in (None, n_before + n_after):
        modules.append(Resampler(n_before + n_after, step.n_times))
    return _OfBeats(step, *modules)


class _ZScore(nn.Module):
    """Counterpart of `ecgbeat.signal.zscore` for each lead of each beat."""

    def __init__(self, with_std: bool) -> None:
        super().__init__()
        self.with_std = with_std

    def forward(self, leads: Tensor) -> Tensor:
        """Scale beats of shape (n_beats, n_leads, n_times)."""
        first = leads.narrow(-1, 0, 1)  # subtracted, so that the mean of a constant is exact
        mean = first + (leads - first).mean(dim=-1, keepdim=True)
        centered = leads - mean
        if not self.with_std:
            return centered
        deviation = centered.square().mean(dim=-1, keepdim=True).sqrt()
        rounding = leads.shape[-1] * torch.finfo(torch.float64).eps * mean.abs()
        return centered / torch.where(deviation > rounding, deviation, 1.0)


def _zscore(step: ZScoreScaler) -> nn.Module:
    n_times = _samples_per_lead(step)
    if step.mean_ is None:
        return _OfBeats(step, _ZScore(step.with_std))
    return _Affine(np.repeat(step.mean_, n_times), np.repeat(step.scale_, n_times))


class _Affine(nn.Module):
    """Subtraction and division for each column, and limits if there are any."""

    center: Tensor
    scale: Tensor

    def __init__(self, center: Any, scale: Any, limits: tuple[float, float] | None = None) -> None:
        super().__init__()
        center = np.float64(0.0) if center is None else np.asarray(center, np.float64)
        scale = np.float64(1.0) if scale is None else np.asarray(scale, np.float64)
        self.register_buffer("center", torch.as_tensor(center))
        self.register_buffer("scale", torch.as_tensor(scale))
        self.limits = limits

    def forward(self, rows: Tensor) -> Tensor:
        scaled = ((rows.double() - self.center) / self.scale).float()
        return scaled if self.limits is None else scaled.clamp(*self.limits)


def _standard_scaler(step: StandardScaler) -> nn.Module:
    return _Affine(step.mean_ if step.with_mean else None, step.scale_)


def _min_max_scaler(step: MinMaxScaler) -> nn.Module:
    limits = tuple(step.feature_range) if step.clip else None
    return _Affine(-step.min_ / step.scale_, 1 / step.scale_, limits)


def _max_abs_scaler(step: MaxAbsScaler) -> nn.Module:
    return _Affine(None, step.scale_, (-1.0, 1.0) if getattr(step, "clip", False) else None)


def _robust_scaler(step: RobustScaler) -> nn.Module:
    return _Affine(step.center_, step.scale_)


class _Columns(nn.Module):
    """Counterpart of ``ColumnTransformer``."""

    def __init__(self, step: ColumnTransformer) -> None:
        super().__init__()
        names = list(getattr(step, "feature_names_in_", ()))
        self.parts = nn.ModuleList()
        self.columns: list[list[int]] = []
        self.weights: list[float] = []
        for name, transformer, columns in step.transformers_:
            numbers = _column_numbers(columns, names, step.n_features_in_)
            if not numbers or (isinstance(transformer, str) and transformer == "drop"):
                continue
            steps = prediction_steps(transformer, name)
            self.parts.append(nn.Sequential(*(step_module(part, n) for n, part in steps)))
            self.columns.append(numbers)
            self.weights.append((step.transformer_weights or {}).get(name, 1.0))

    def forward(self, rows: Tensor) -> Tensor:
        parts = zip(self.parts, self.columns, self.weights, strict=True)
        return torch.cat([part(rows[:, columns]) * weight for part, columns, weight in parts], 1)


def _column_numbers(columns: Any, names: list[Any], n_columns: int) -> list[int]:
    """Return the numbers of columns that a slice, a mask, numbers or names select."""
    numbers = np.arange(n_columns)
    if isinstance(columns, slice):
        start, stop = columns.start, columns.stop
        start = names.index(start) if isinstance(start, str) else start
        stop = names.index(stop) + 1 if isinstance(stop, str) else stop
        return numbers[start : stop : columns.step].tolist()
    selected = np.atleast_1d(columns)
    if selected.dtype == bool:
        return numbers[selected].tolist()
    return [
        names.index(column) if isinstance(column, str) else int(numbers[column])
        for column in selected.tolist()
    ]


_COUNTERPARTS: dict[type, Callable[[Any], nn.Module]] = {
    BandpassFilter: _filter,
    ColumnTransformer: _Columns,
    MaxAbsScaler: _max_abs_scaler,
    MinMaxScaler: _min_max_scaler,
    RPeakSegmenter: _segmenter,
    RobustScaler: _robust_scaler,
    StandardScaler: _standard_scaler,
    ZScoreScaler: _zscore,
}
