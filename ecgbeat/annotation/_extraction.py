"""Annotated beats cut out of recordings (layer 3)."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from ecgbeat.labels import Annotation, select_beats
from ecgbeat.signal import cut_beats

__all__ = ["extract_beats"]


def extract_beats(
    recordings: Sequence[Any],
    annotations: Sequence[Any],
    fs: float,
    *,
    before: float = 0.3,
    after: float = 0.5,
    symbols: Iterable[str] | None = None,
    groups: Sequence[Any] | None = None,
) -> Bunch:
    """Cut a window around each annotated beat of many recordings.

    Parameters
    ----------
    recordings : sequence of array-like of shape (n_times,) or (n_leads, n_times)
        Recordings in mV, finite; they may differ in length.
    annotations : sequence of Annotation
        One for each recording: sample numbers and WFDB symbols.
    fs : float
        Sampling rate of all recordings in Hz.
    before, after : float, default=0.3, 0.5
        Seconds before and after the annotated sample, as in `ecgbeat.signal.cut_beats`.
        Where a window reaches past the recording, the outermost sample is repeated.
    symbols : iterable of str, default=None
        Take the annotations with these symbols only, such as ``("N", "L", "R", "A", "V")``.
        None takes every beat (see `ecgbeat.labels.is_beat`).
    groups : sequence of length n_recordings, default=None
        The patient of each recording. None counts each recording as one patient, and
        numbers them from 0.

    Returns
    -------
    sklearn.utils.Bunch
        data : ndarray of shape (n_beats, n_window) or (n_beats, n_leads, n_window)
            One row a beat, recording by recording in the order of the annotations.
            float32 if the recordings are, else float64.
        target : ndarray of shape (n_beats,)
            The symbol of each beat.
        groups : ndarray of shape (n_beats,)
            The patient of each beat.
        r_peaks : ndarray of shape (n_beats,), int64
            The annotated sample of each beat in its recording.
        recording_index : ndarray of shape (n_beats,), int64
            Which of the recordings each beat is from.
        fs : float
            Sampling rate of the rows in Hz.

    Raises
    ------
    TypeError
        If one recording is passed instead of a sequence of them.
    ValueError
        If the sequences differ in length, an annotation lies outside its recording, the
        recordings differ in their number of leads, a recording is not finite, or no
        beat is left.

    See Also
    --------
    ecgbeat.datasets.load_wfdb : Reads recordings and annotations.
    ecgbeat.labels.to_aami : Maps ``target`` to the five AAMI classes.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.annotation import extract_beats
    >>> from ecgbeat.labels import Annotation
    >>> recordings = [np.arange(1000.0), np.arange(2000.0)]
    >>> annotations = [
    ...     Annotation(np.array([18, 300, 700]), np.array(["+", "N", "V"])),
    ...     Annotation(np.array([1500]), np.array(["N"])),
    ... ]
    >>> beats = extract_beats(recordings, annotations, fs=250, groups=["ann", "bob"])
    >>> beats.data.shape
    (3, 200)
    >>> beats.target
    array(['N', 'V', 'N'], dtype='<U1')
    >>> beats.groups
    array(['ann', 'ann', 'bob'], dtype='<U3')
    """
    _check_sequences(recordings, annotations, groups)
    symbols = None if symbols is None else list(symbols)
    parts, selected = [], []
    for index, (recording, annotation) in enumerate(zip(recordings, annotations, strict=True)):
        try:
            beats = select_beats(annotation, symbols)
            parts.append(cut_beats(recording, beats.sample, fs, before, after))
        except ValueError as error:
            raise ValueError(f"recordings[{index}]: {error}") from error
        selected.append(beats)
    n_beats = [len(beats.sample) for beats in selected]
    if sum(n_beats) == 0:
        raise ValueError(_describe_absence(annotations, symbols))
    patients = np.arange(len(parts)) if groups is None else np.asarray(groups)
    return Bunch(
        data=_stack(parts),
        target=np.concatenate([beats.symbol for beats in selected]),
        groups=np.repeat(patients, n_beats),
        r_peaks=np.concatenate([beats.sample for beats in selected]),
        recording_index=np.repeat(np.arange(len(parts)), n_beats),
        fs=float(fs),
    )


def _check_sequences(recordings: Any, annotations: Any, groups: Any) -> None:
    """Raise unless there are as many recordings as annotations and groups."""
    if isinstance(annotations, Annotation) or getattr(recordings, "ndim", 0) == 1:
        raise TypeError(
            "extract_beats takes a list of recordings and a list of annotations, got "
            f"{type(recordings).__name__} and {type(annotations).__name__}; for one recording "
            "write extract_beats([recording], [annotation], fs)."
        )
    if len(recordings) == 0:
        raise ValueError("recordings is empty: there is nothing to cut beats out of.")
    for name, others in (("annotations", annotations), ("groups", groups)):
        if others is not None and len(others) != len(recordings):
            raise ValueError(
                f"{name} must have one entry for each recording, got {len(others)} for "
                f"{len(recordings)} recordings."
            )


def _stack(parts: list[np.ndarray]) -> np.ndarray:
    """Put the beats of all recordings one below the other."""
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1:
        leads = sorted({shape[0] if len(shape) == 2 else 1 for shape in shapes})
        raise ValueError(
            "All recordings must have one number of leads and one form, (n_times,) or (n_leads, "
            f"n_times); their beats come in the shapes {sorted(shapes, key=len)}, that is "
            f"{leads} leads. Choose the leads that all have."
        )
    return np.concatenate(parts)


def _describe_absence(annotations: Sequence[Any], symbols: list[str] | None) -> str:
    """Say that no beat is left, and which symbols there are."""
    present = sorted({str(symbol) for annotation in annotations for symbol in annotation[1]})
    wanted = "that mark a beat" if symbols is None else f"with symbols={symbols!r}"
    return f"There are no annotations {wanted}; those given have the symbols {present}."
