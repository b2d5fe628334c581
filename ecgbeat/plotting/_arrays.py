"""Checks of beats, labels and names of leads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._recordings import as_signals
from ecgbeat._validation import (
    check_finite,
    check_fs,
    check_positive,
    flatten_beats,
    lead_layout,
    refuse_single_beat,
)


def as_beats(X: ArrayLike, caller: str, *, n_leads: int = 1, n_aux_features: int = 0) -> np.ndarray:
    """Return beats as float64 ``(n_beats, n_leads, n_times)``, without auxiliary columns."""
    refuse_single_beat(X, caller)
    rows, n_leads_3d = flatten_beats(X, n_leads)
    rows = as_signals(rows, "X")
    if rows.ndim != 2:
        raise ValueError(
            f"{caller} takes beats as (n_beats, n_times) or (n_beats, n_leads, n_times), got "
            f"shape {rows.shape}."
        )
    if rows.size == 0:
        raise ValueError(f"{caller} needs at least one beat, got an array of shape {rows.shape}.")
    n_aux = 0 if n_leads_3d else n_aux_features
    layout = lead_layout(rows.shape[1], n_leads_3d or n_leads, n_aux)
    check_finite(rows, caller)
    n_wave = rows.shape[1] - n_aux
    if n_wave < layout.n_leads or n_wave % layout.n_leads:
        raise ValueError(
            f"{caller}: {n_wave} columns of waveform do not divide into {layout.n_leads} leads "
            "of equal length."
        )
    return rows[:, :n_wave].reshape(len(rows), layout.n_leads, -1).astype(np.float64)


def check_labels(name: str, y: ArrayLike, n_beats: int) -> np.ndarray:
    """Return an array with one label for each beat, or raise."""
    labels = np.asarray(y)
    if labels.shape != (n_beats,):
        raise ValueError(
            f"{name} needs one label for each of the {n_beats} beats, got shape {labels.shape}."
        )
    return labels


def check_classes(classes: Sequence[Any] | None, labels: np.ndarray) -> list[Any]:
    """Return the classes to draw, in order, or raise if one of them has no beats."""
    present = np.unique(labels).tolist()
    if classes is None:
        return present
    wanted = np.asarray(classes).tolist()
    if not isinstance(wanted, list):  # one class, or letters such as "NV"
        wanted = [wanted] if wanted in present else list(str(wanted))
    unknown = [label for label in wanted if label not in present]
    if unknown or not wanted:
        raise ValueError(
            f"classes must name classes that have beats, that is some of {present}, got "
            f"{classes!r}."
        )
    return wanted


def sample_times(n_times: int, fs: float, before: float | None) -> np.ndarray:
    """Return the time of each sample of a beat in seconds, 0 at the R peak if it is known."""
    fs = check_fs(fs)
    r_peak = 0.0 if before is None else check_positive("before", before, unit="s", strict=False)
    if r_peak > n_times / fs:
        raise ValueError(
            f"before must be at most {n_times / fs:g} s, the length of beats of {n_times} samples "
            f"at fs={fs:g} Hz, got {before!r}."
        )
    return np.arange(n_times) / fs - r_peak


def name_leads(lead_names: Sequence[str] | None, n_leads: int) -> list[str]:
    """Return a name for each lead: the given ones, or "" for a single lead, or numbered ones."""
    if lead_names is None:
        return [""] if n_leads == 1 else [f"lead {lead}" for lead in range(n_leads)]
    names = [lead_names] if isinstance(lead_names, str) else [str(name) for name in lead_names]
    if len(names) != n_leads:
        raise ValueError(
            f"lead_names must have one name for each of {n_leads} leads, got {lead_names!r}."
        )
    return names
