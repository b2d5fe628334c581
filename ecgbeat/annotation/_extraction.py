"""Annotated beats cut out of recordings (layer 3)."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from ecgbeat.labels import BEAT_SYMBOLS, Annotation, select_beats
from ecgbeat.signal import cut_beats, resample_beats, rr_feature_names
from ecgbeat.signal import rr_features as describe_rhythm

__all__ = ["extract_beats"]


def extract_beats(
    recordings: Sequence[Any],
    annotations: Sequence[Any],
    fs: float,
    *,
    before: float = 0.3,
    after: float = 0.5,
    n_times: int | None = None,
    rr_features: bool | str = False,
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
    n_times : int or None, default=None
        Resample each window to this length, such as 187, as
        `ecgbeat.signal.resample_beats` does; None leaves them as cut.
    rr_features : bool or "past", default=False
        Whether to append the columns of `ecgbeat.signal.rr_features`, the rhythm around
        each beat. ``"past"`` uses no beat that comes later. They are computed from all
        beats of the recording, also from those that ``symbols`` leaves out.
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
            float32 if the recordings are, else float64. With ``rr_features`` always
            ``(n_beats, n_leads * n_window + n_aux_features)``: the leads one after the
            other, then the columns of the rhythm, which are not scaled.
        target : ndarray of shape (n_beats,)
            The symbol of each beat.
        groups : ndarray of shape (n_beats,)
            The patient of each beat.
        r_peaks : ndarray of shape (n_beats,), int64
            The annotated sample of each beat in its recording.
        recording_index : ndarray of shape (n_beats,), int64
            Which of the recordings each beat is from.
        fs : float
            Sampling rate of the rows in Hz: with ``n_times`` another than that given.
        n_leads : int
            Number of leads in each row.
        n_aux_features : int
            Number of columns at the end of each row that are no waveform: pass it to
            `ecgbeat.ECGCNNClassifier`.
        aux_feature_names : list of str
            Their names.

    Raises
    ------
    TypeError
        If one recording is passed instead of a sequence of them.
    ValueError
        If the sequences differ in length, an annotation lies outside its recording, the
        recordings differ in their number of leads, a recording is not finite, or no
        beat is left; with ``rr_features`` also if beats are not in the order of time, or
        two of them at one sample.

    See Also
    --------
    ecgbeat.datasets.load_wfdb : Reads recordings and annotations.
    ecgbeat.labels.to_aami : Maps ``target`` to the five AAMI classes.
    ecgbeat.signal.rr_features : What the columns of the rhythm are.

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

    With the rhythm, for a classifier that shall know it:

    >>> beats = extract_beats(recordings, annotations, fs=250, n_times=64, rr_features=True)
    >>> beats.data.shape, beats.n_aux_features, beats.aux_feature_names[:2]
    ((3, 77), 13, ['rr_previous', 'rr_next'])
    """
    _check_sequences(recordings, annotations, groups)
    _check_rr_features(rr_features)
    symbols = None if symbols is None else list(symbols)
    waves, rhythms, selected = [], [], []
    for index, (recording, annotation) in enumerate(zip(recordings, annotations, strict=True)):
        try:
            beats, rhythm = _select_with_rhythm(annotation, symbols, fs, rr_features)
            waves.append(cut_beats(recording, beats.sample, fs, before, after))
        except ValueError as error:
            raise ValueError(f"recordings[{index}]: {error}") from error
        rhythms.append(rhythm)
        selected.append(beats)
    n_beats = [len(beats.sample) for beats in selected]
    if sum(n_beats) == 0:
        raise ValueError(_describe_absence(annotations, symbols))
    cut = _stack(waves)
    data = cut if n_times is None else resample_beats(cut, n_times)
    names = rr_feature_names(future=rr_features != "past") if rr_features else []
    patients = np.arange(len(waves)) if groups is None else np.asarray(groups)
    return Bunch(
        data=_append(data, np.concatenate(rhythms)) if names else data,
        target=np.concatenate([beats.symbol for beats in selected]),
        groups=np.repeat(patients, n_beats),
        r_peaks=np.concatenate([beats.sample for beats in selected]),
        recording_index=np.repeat(np.arange(len(waves)), n_beats),
        fs=float(fs) * data.shape[-1] / cut.shape[-1],
        n_leads=data.shape[1] if data.ndim == 3 else 1,
        n_aux_features=len(names),
        aux_feature_names=names,
    )


def _check_rr_features(rr_features: Any) -> None:
    """Raise unless it is one of the three values that are known."""
    if not (isinstance(rr_features, (bool, np.bool_)) or rr_features == "past"):
        raise ValueError(f"rr_features must be True, False or 'past', got {rr_features!r}.")


def _select_with_rhythm(
    annotation: Any, symbols: list[str] | None, fs: float, rr_features: bool | str
) -> tuple[Annotation, np.ndarray]:
    """Return the beats wanted and their RR features, which know the other beats, too."""
    if not rr_features:
        return select_beats(annotation, symbols), np.empty((0, 0))
    # who asks for other symbols, such as flutter waves, counts them as beats
    beats = select_beats(annotation, BEAT_SYMBOLS.union(symbols or ()))
    rhythm = describe_rhythm(beats.sample, fs, future=rr_features != "past")
    keep = slice(None) if symbols is None else np.isin(beats.symbol, symbols)
    return Annotation(beats.sample[keep], beats.symbol[keep]), rhythm[keep]


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


def _append(data: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Put columns behind the beats, whose leads then stand one after the other."""
    flat = data.reshape(len(data), -1)
    return np.concatenate([flat, columns.astype(data.dtype)], axis=1)


def _describe_absence(annotations: Sequence[Any], symbols: list[str] | None) -> str:
    """Say that no beat is left, and which symbols there are."""
    present = sorted({str(symbol) for annotation in annotations for symbol in annotation[1]})
    wanted = "that mark a beat" if symbols is None else f"with symbols={symbols!r}"
    return f"There are no annotations {wanted}; those given have the symbols {present}."
