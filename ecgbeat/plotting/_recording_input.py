"""What comes into `RecordingDisplay` (layer 3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecgbeat._validation import check_positive
from ecgbeat.labels import label_beats
from ecgbeat.plotting._arrays import check_lead_names
from ecgbeat.plotting._sheet import Strip, divide

_DEFAULT_S = 60.0  # half an hour would be a sheet of 4 m
_MOST_STRIPS = 100


def choose_leads(
    recording: Any,
    lead: int | str | Sequence[int | str] | None,
    lead_names: Sequence[str] | None,
) -> tuple[np.ndarray, list[str]]:
    """Return the leads to draw, ``(n_leads, n_times)``, and their names."""
    signal = np.asarray(recording)
    if signal.ndim not in (1, 2) or signal.dtype.kind not in "fiub" or signal.size == 0:
        raise ValueError(
            "a recording must be numbers of shape (n_times,) or (n_leads, n_times), got "
            f"{signal.dtype} of shape {signal.shape}."
        )
    if signal.ndim == 2 and len(signal) > signal.shape[1]:
        raise ValueError(
            f"a recording must be (n_leads, n_times), got shape {signal.shape}, which are "
            f"{len(signal)} leads: pass recording.T."
        )
    if np.isinf(signal).any():
        raise ValueError("a recording must be finite, or NaN where there are gaps, got infinity.")
    leads = np.atleast_2d(signal)
    names = check_lead_names(lead_names, len(leads))
    if lead is None:
        return leads, names
    wanted = [lead] if isinstance(lead, (int, np.integer, str)) else list(lead)
    rows = [_row_of(item, names) for item in wanted]
    if not rows:
        raise ValueError("lead must name at least one lead, got none.")
    return leads[rows], [names[row] for row in rows]


def _row_of(lead: int | str, names: list[str]) -> int:
    """Return the row of a lead that is given by number or name."""
    if isinstance(lead, str) and lead in names:
        return names.index(lead)
    if not isinstance(lead, str) and -len(names) <= lead < len(names):
        return int(lead) % len(names)
    raise ValueError(f"there is no lead {lead!r} among {len(names)} leads of names {names}.")


def cut_strips(
    n_times: int, fs: float, start: float, stop: float | None, strip: float | None
) -> tuple[Strip, ...]:
    """Divide a stretch of a recording into the lines of a print-out."""
    start = check_positive("start", start, unit="s", strict=False)
    stop = start + _DEFAULT_S if stop is None else check_positive("stop", stop, unit="s")
    duration = n_times / fs
    if start >= duration:
        raise ValueError(
            f"start={start:g} s lies behind the recording, which lasts {duration:g} s."
        )
    if stop <= start:
        raise ValueError(f"stop must be greater than start={start:g} s, got {stop:g}.")
    first, behind = round(start * fs), min(round(stop * fs), n_times)
    length = (
        behind - first if strip is None else round(check_positive("strip", strip, unit="s") * fs)
    )
    if behind - first < 2 or length < 2:
        raise ValueError(
            f"there is nothing to draw from {start:g} to {stop:g} s in strips of {strip!r} s at "
            f"fs={fs:g} Hz."
        )
    strips = divide(first, behind, length)
    if len(strips) > _MOST_STRIPS:
        raise ValueError(
            f"{stop - start:g} s in strips of {strip!r} s are {len(strips)} strips; at most "
            f"{_MOST_STRIPS} can be drawn. Choose a shorter stretch or longer strips."
        )
    return strips


def as_annotator_sees(annotator: Any, reference: Any) -> tuple[Any, np.ndarray]:
    """Give the beats of a reference the classes that an annotator was trained for.

    Returns
    -------
    beats : tuple of ndarray
        Sample numbers and classes.
    left_out : ndarray of int64
        Samples of the beats that count for nothing.
    """
    mapping, symbols = getattr(annotator, "mapping", None), getattr(annotator, "symbols", None)
    beats = label_beats(reference, symbols, mapping)
    is_scored = beats.is_scored
    return (beats.sample[is_scored], beats.label[is_scored]), beats.sample[~is_scored]
