"""What every picture of beats or recordings asks of its input (layer 3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecgbeat._validation import check_finite, check_positive, flatten_beats, lead_layout


def as_beats(X: Any, owner: str, *, n_leads: int = 1, n_aux_features: int = 0) -> np.ndarray:
    """Return beats as ``(n_beats, n_leads, n_times)``, without auxiliary columns.

    Parameters
    ----------
    X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
        Beats.
    owner : str
        Who asks, for messages.
    n_leads, n_aux_features : int
        How to read 2-D rows.

    Returns
    -------
    ndarray of shape (n_beats, n_leads, n_times), float64

    Raises
    ------
    ValueError
        If these are no beats, or not finite.
    """
    rows, n_leads_3d = flatten_beats(X, n_leads)
    rows = np.asarray(rows)
    if rows.dtype.kind not in "fiub":
        raise ValueError(f"{owner}: beats must be made of real numbers, got dtype {rows.dtype}.")
    if rows.ndim != 2:
        hint = " Write x.reshape(1, -1) for a single beat." if rows.ndim == 1 else ""
        raise ValueError(
            f"{owner} takes beats as (n_beats, n_times) or (n_beats, n_leads, n_times), got "
            f"shape {rows.shape}.{hint}"
        )
    if rows.size == 0:
        raise ValueError(f"{owner} needs at least one beat, got an array of shape {rows.shape}.")
    n_aux = 0 if n_leads_3d else n_aux_features
    layout = lead_layout(rows.shape[1], n_leads_3d or n_leads, n_aux)
    check_finite(rows, owner)
    n_wave = rows.shape[1] - n_aux
    if n_wave < layout.n_leads or n_wave % layout.n_leads:
        raise ValueError(
            f"{owner}: {n_wave} columns of waveform are not {layout.n_leads} leads of one length."
        )
    return rows[:, :n_wave].reshape(len(rows), layout.n_leads, -1).astype(np.float64)


def check_labels(name: str, y: Any, n_beats: int) -> np.ndarray:
    """Return one label for each beat, or say what is wrong with them."""
    labels = np.asarray(y)
    if labels.shape != (n_beats,):
        raise ValueError(
            f"{name} needs one label for each of the {n_beats} beats, got shape {labels.shape}."
        )
    return labels


def check_classes(classes: Sequence[Any] | None, labels: np.ndarray) -> list[Any]:
    """Return the classes to draw, in order, or say which of them there is no beat of."""
    present = np.unique(labels).tolist()
    if classes is None:
        return present
    wanted = np.asarray(classes).tolist()
    if not isinstance(wanted, list):  # one class, or letters such as "NV"
        wanted = [wanted] if wanted in present else list(str(wanted))
    unknown = [label for label in wanted if label not in present]
    if unknown or not wanted:
        raise ValueError(f"classes={classes!r}: there is no beat of {unknown}; there is {present}.")
    return wanted


def check_times(n_times: int, fs: Any, before: Any) -> np.ndarray:
    """Return the time of each sample in seconds, 0 at the R peak if ``before`` is known."""
    fs = check_positive("fs", fs, unit="Hz")
    zero = 0.0 if before is None else check_positive("before", before, unit="s", strict=False)
    if zero > n_times / fs:
        raise ValueError(
            f"before={before!r} s lies behind the end of beats of {n_times} samples at "
            f"fs={fs:g} Hz, which last {n_times / fs:g} s."
        )
    return np.arange(n_times) / fs - zero


def check_lead_names(lead_names: Any, n_leads: int) -> list[str]:
    """Return a name for each lead; a single lead that was given none stays without."""
    if lead_names is None:
        return [""] if n_leads == 1 else [f"lead {lead}" for lead in range(n_leads)]
    names = [lead_names] if isinstance(lead_names, str) else [str(name) for name in lead_names]
    if len(names) != n_leads:
        raise ValueError(f"lead_names={lead_names!r} must name {n_leads} leads.")
    return names
