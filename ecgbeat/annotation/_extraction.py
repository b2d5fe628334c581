"""Extraction of annotated beats and of stretches from recordings."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from ecgbeat._recordings import (
    AnnotationLike,
    as_annotation,
    as_recording,
    check_annotated_recordings,
    check_one_per_recording,
    check_within_recording,
    error_naming_recording,
    from_bunch,
    stretch,
)
from ecgbeat._validation import check_fs
from ecgbeat.labels import BEAT_SYMBOLS, Annotation, select_beats
from ecgbeat.signal import cut_beats, rr_feature_names, window_samples
from ecgbeat.signal import rr_features as compute_rr_features

__all__ = ["crop_recording", "extract_beats"]


def extract_beats(
    recordings: Sequence[ArrayLike] | Bunch,
    annotations: Sequence[Any] | None = None,
    fs: float | None = None,
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
    recordings : Bunch or sequence of array-like of shape (n_times,) or (n_leads, n_times)
        Recordings in mV, which may differ in length. NaN marks gaps, which are interpolated
        linearly. A Bunch of a loader, such as `load_mitdb`, stands for its recordings,
        annotations, ``fs`` and ``groups``.
    annotations : sequence of Annotation, default=None
        One for each recording: sample numbers and WFDB symbols. Omit it for a Bunch that holds
        annotations.
    fs : float, default=None
        Sampling rate of all recordings in Hz. Omit it for a Bunch.
    before, after : float, default=0.3, 0.5
        Time before and after the annotated sample in seconds, as in
        `ecgbeat.signal.cut_beats`. Where a window extends beyond the recording, the outermost
        sample is repeated.
    n_times : int or None, default=None
        Number of samples to resample each beat to, such as 187, as
        `ecgbeat.signal.resample_beats` does. None keeps the sampling rate.
    rr_features : bool or "past", default=False
        Whether to append the columns of `ecgbeat.signal.rr_features`, which describe the rhythm
        around each beat. With ``"past"``, later beats are not used. The features are computed
        from all beats of the recording, including those that ``symbols`` excludes.
    symbols : iterable of str, default=None
        Symbols of the annotations to extract, such as ``("N", "L", "R", "A", "V")``. None
        extracts every beat (see `ecgbeat.labels.is_beat`).
    groups : sequence of length n_recordings, default=None
        Patient of each recording. None takes the groups of a Bunch; without them, each
        recording is one patient, numbered from 0.

    Returns
    -------
    sklearn.utils.Bunch
        data : ndarray of shape (n_beats, n_window) or (n_beats, n_leads, n_window)
            One row per beat, recording by recording in the order of the annotations.
            float32 if the recordings are float32, else float64. With ``rr_features``, the
            shape is always (n_beats, n_leads * n_window + n_aux_features): the leads one after
            the other, then the RR features, which are not scaled.
        target : ndarray of shape (n_beats,)
            Symbol of each beat.
        groups : ndarray of shape (n_beats,)
            Patient of each beat.
        r_peaks : ndarray of shape (n_beats,), int64
            Annotated sample of each beat in its recording.
        recording_index : ndarray of shape (n_beats,), int64
            Index of the recording of each beat.
        fs : float
            Sampling rate of the beats in Hz. With ``n_times``, it differs from that of the
            recordings.
        n_leads : int
            Number of leads in each row.
        n_aux_features : int
            Number of RR features at the end of each row, to be passed to
            `ecgbeat.ECGCNNClassifier`.
        aux_feature_names : list of str
            Names of these columns.

    Raises
    ------
    TypeError
        If one recording is passed instead of a sequence, ``fs`` is missing, a recording does
        not hold real numbers, or the sample numbers of an annotation are not integers.
    ValueError
        If the sequences differ in length, ``annotations`` or ``fs`` are passed beside those
        of a Bunch and contradict them, an annotation lies outside its recording, the
        recordings differ in their number of leads, a recording has infinite values, or no
        beat is left; with ``rr_features`` also if beats are not strictly ascending.

    See Also
    --------
    ecgbeat.datasets.load_wfdb : Load recordings and annotations.
    crop_recording : Cut a stretch out of a recording, with its annotations.
    ecgbeat.labels.to_aami : Map ``target`` to the five AAMI classes.
    ecgbeat.signal.rr_features : Definition of the RR features.

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

    The same from a Bunch, as the loaders of `ecgbeat.datasets` return it:

    >>> from sklearn.utils import Bunch
    >>> bunch = Bunch(
    ...     recordings=recordings, annotations=annotations, fs=250.0, groups=["ann", "bob"]
    ... )
    >>> extract_beats(bunch).groups
    array(['ann', 'ann', 'bob'], dtype='<U3')

    With RR features, for a classifier that uses them:

    >>> beats = extract_beats(recordings, annotations, fs=250, n_times=64, rr_features=True)
    >>> beats.data.shape, beats.n_aux_features, beats.aux_feature_names[:2]
    ((3, 77), 13, ['rr_previous', 'rr_next'])
    """
    fs, groups = from_bunch(recordings, "fs", fs), from_bunch(recordings, "groups", groups)
    recordings, annotations = check_annotated_recordings(
        recordings, annotations, "extract_beats", fs
    )
    fs = check_fs(fs)
    if groups is not None:
        check_one_per_recording("groups", groups, len(recordings))
    if len(recordings) == 0:
        raise ValueError("recordings must hold at least one recording, got an empty list.")
    _check_rr_features(rr_features)
    symbols = None if symbols is None else list(symbols)
    waves, features, selected = [], [], []
    for index, (recording, annotation) in enumerate(zip(recordings, annotations, strict=True)):
        with error_naming_recording(index):
            beats, columns = _select_with_rr_features(annotation, symbols, fs, rr_features)
            waves.append(cut_beats(recording, beats.sample, fs, before, after, n_times=n_times))
        features.append(columns)
        selected.append(beats)
    n_beats = [len(beats.sample) for beats in selected]
    if sum(n_beats) == 0:
        raise ValueError(_describe_absence(annotations, symbols))
    data = _stack(waves)
    names = rr_feature_names(future=rr_features != "past") if rr_features else []
    patients = np.arange(len(waves)) if groups is None else np.asarray(groups)
    return Bunch(
        data=_append(data, np.concatenate(features)) if names else data,
        target=np.concatenate([beats.symbol for beats in selected]),
        groups=np.repeat(patients, n_beats),
        r_peaks=np.concatenate([beats.sample for beats in selected]),
        recording_index=np.repeat(np.arange(len(waves)), n_beats),
        fs=float(fs) * data.shape[-1] / sum(window_samples(fs, before, after)),
        n_leads=data.shape[1] if data.ndim == 3 else 1,
        n_aux_features=len(names),
        aux_feature_names=names,
    )


def crop_recording(
    recording: ArrayLike,
    annotation: AnnotationLike,
    fs: float,
    *,
    start: float = 0.0,
    stop: float | None = None,
) -> tuple[np.ndarray, Annotation]:
    """Cut a stretch out of a recording, with its annotations.

    Parameters
    ----------
    recording : array-like of shape (n_times,) or (n_leads, n_times)
        Recording.
    annotation : Annotation or pair (sample, symbol)
        Annotations of the recording, or predicted beats.
    fs : float
        Sampling rate in Hz.
    start : float, default=0.0
        Beginning of the stretch in seconds.
    stop : float or None, default=None
        End of the stretch in seconds, exclusive. None, or a time after the end of the
        recording, is the end of the recording.

    Returns
    -------
    recording : ndarray of shape (n_stretch,) or (n_leads, n_stretch)
        Copy of the stretch. float32 if the recording is float32, else float64.
    annotation : Annotation
        Annotations within the stretch, ascending, with sample numbers from its beginning. If
        the stretch begins within a flutter episode, a ``"["`` at sample 0 marks that the
        episode has begun, as `ecgbeat.metrics.ec57_report` requires.

    Raises
    ------
    TypeError, ValueError
        If the recording or the annotation is invalid, ``start`` is not within the recording,
        or ``stop`` is not after ``start``.

    See Also
    --------
    ecgbeat.plotting.RecordingDisplay : Draws a stretch of a recording by ``start`` and ``stop``.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.annotation import crop_recording
    >>> from ecgbeat.labels import Annotation
    >>> annotation = Annotation(np.array([18, 300, 700]), np.array(["+", "N", "V"]))
    >>> stretch, beats = crop_recording(np.arange(1000.0), annotation, fs=250, start=1, stop=3)
    >>> stretch.shape, beats
    ((500,), Annotation(sample=array([ 50, 450]), symbol=array(['N', 'V'], dtype='<U1')))
    """
    leads = as_recording(recording, gaps=None)
    sample, symbol = as_annotation(annotation)
    check_within_recording(sample, leads.shape[-1], "annotation")
    inside = stretch(leads.shape[-1], check_fs(fs), start, stop)
    order = np.argsort(sample, kind="stable")
    sample, symbol = sample[order] - inside.start, symbol[order]
    keep = (sample >= 0) & (sample < inside.stop - inside.start)
    cropped = Annotation(sample[keep], symbol[keep])
    episodes = symbol[(sample < 0) & np.isin(symbol, ["[", "]"])]
    if len(episodes) and episodes[-1] == "[":
        cropped = Annotation(np.insert(cropped.sample, 0, 0), np.insert(cropped.symbol, 0, "["))
    return leads[..., inside].copy(), cropped


def _check_rr_features(rr_features: Any) -> None:
    """Raise if the value is not True, False or "past"."""
    if not (isinstance(rr_features, (bool, np.bool_)) or rr_features == "past"):
        raise ValueError(f"rr_features must be True, False or 'past', got {rr_features!r}.")


def _select_with_rr_features(
    annotation: Any, symbols: list[str] | None, fs: float, rr_features: bool | str
) -> tuple[Annotation, np.ndarray]:
    """Return the selected beats, and their RR features computed from all beats."""
    if not rr_features:
        return select_beats(annotation, symbols), np.empty((0, 0))
    # selected symbols that are not beats, such as flutter waves, count as beats
    beats = select_beats(annotation, BEAT_SYMBOLS.union(symbols or ()))
    features = compute_rr_features(beats.sample, fs, future=rr_features != "past")
    keep = slice(None) if symbols is None else np.isin(beats.symbol, symbols)
    return Annotation(beats.sample[keep], beats.symbol[keep]), features[keep]


def _stack(parts: list[np.ndarray]) -> np.ndarray:
    """Concatenate the beats of all recordings."""
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1:
        leads = sorted({shape[0] if len(shape) == 2 else 1 for shape in shapes})
        raise ValueError(
            "Recordings must have the same number of leads and the same form, (n_times,) or "
            f"(n_leads, n_times), got beats of shapes {sorted(shapes, key=len)}, that is {leads} "
            "leads. Pass only the leads that all recordings have."
        )
    return np.concatenate(parts)


def _append(data: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Append columns to the beats, flattened to one lead after the other."""
    flat = data.reshape(len(data), -1)
    return np.concatenate([flat, columns.astype(data.dtype)], axis=1)


def _describe_absence(annotations: Sequence[Any], symbols: list[str] | None) -> str:
    """Describe that no beat is left, and the symbols that are present."""
    present = sorted(
        {str(s) for annotation in annotations for s in as_annotation(annotation).symbol}
    )
    wanted = "that mark a beat" if symbols is None else f"with symbols={symbols!r}"
    return f"There are no annotations {wanted}; the annotations have the symbols {present}."
