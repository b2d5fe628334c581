"""Detection and classification of the beats of whole recordings."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import Bunch

from ecgbeat._progress import tqdm
from ecgbeat._recordings import (
    as_sample_numbers,
    bridge_gaps,
    check_annotated_recordings,
    check_one_per_recording,
    check_recordings,
    check_within_recording,
    error_naming_recording,
    from_bunch,
    select_leads,
)
from ecgbeat._validation import (
    FS_INTERVAL,
    HasMethods,
    Integral,
    Interval,
    Real,
    StrOptions,
    check_is_fitted,
    sum_is_finite,
    validate_parameter_constraints,
)
from ecgbeat.annotation._annotated_beats import AnnotatedBeats, beats_table, plan_files
from ecgbeat.labels import LabeledBeats, label_beats
from ecgbeat.metrics import annotation_f1_score, match_beats
from ecgbeat.preprocessing import BandpassFilter, RPeakSegmenter
from ecgbeat.signal import detect_r_peaks, rr_features

if TYPE_CHECKING:
    import pandas

_N_TIMES = 128  # of the default segmenter: classified three times as fast as 288 (measured)
_CUT_BEATS = 16_384  # beats that are cut at a time, which bounds the memory
_BATCH_ROWS = 8192  # beats that are classified at a time


class BeatAnnotator(MetaEstimatorMixin, BaseEstimator):
    """Detect and classify the beats of whole recordings, with any classifier of beats.

    Each sample of the input is one recording, so ``GridSearchCV``, ``cross_validate`` and
    ``GroupKFold`` split by recording or patient, never within one. R peaks are detected in each
    recording, the recording is filtered and cut into beats of equal length, and the classifier
    is trained on these beats.

    Parameters
    ----------
    classifier : estimator
        Any scikit-learn classifier, or pipeline of scikit-learn or imbalanced-learn. Its input
        is one beat per row, float32; see Notes.
    fs : float, default=360.0
        Sampling rate of all recordings in Hz.
    segmenter : object with the method ``segment`` or None, default=None
        Segmenter that cuts the beats. ``segment(recording, r_peaks=r_peaks)`` is called with the
        filtered recording, of shape (n_times,) or (n_leads, n_times), and sample numbers, and
        returns one beat for each of them. None uses ``RPeakSegmenter(fs, n_times=128)``. Pass a
        segmenter to tune its parameters, such as ``segmenter__after``.
    bandpass : transformer, "passthrough" or None, default=None
        Filter for each recording before beats are cut: any transformer, or pipeline of
        transformers, that keeps the shape. A clone is fitted to each recording and transforms
        it, with one lead per row, of shape (n_leads, n_times). With "passthrough", recordings
        are not filtered. None uses ``BandpassFilter(fs)``.
    lead : int or None, default=0
        Lead to use if recordings have several leads. None uses all leads: R peaks are detected
        in all of them together, and a row holds one lead after the other (set ``n_leads`` of
        the steps of the classifier). A 1-D recording has one lead, with the number 0.
    detector : callable or None, default=None
        Detector of R peaks. ``detector(x, fs)`` is called with an unfiltered recording, of
        shape (n_times,) or (n_leads, n_times), and returns sample numbers. None uses
        `ecgbeat.signal.detect_r_peaks`.
    rr_features : bool or "past", default=False
        Whether to append the columns of `ecgbeat.signal.rr_features`, which describe the rhythm
        around each beat. With ``"past"``, later beats are not used. Pass their number,
        ``len(ecgbeat.signal.rr_feature_names())``, as ``n_aux_features`` to
        `ECGCNNClassifier`.
    symbols : collection of str, default=None
        Symbols of the annotations to use, such as ``("N", "L", "R", "A", "V")``. None uses
        every beat (see `ecgbeat.labels.is_beat`), or all symbols of ``mapping`` if it is a dict.
        Beats with other symbols are neither trained on nor scored.
    mapping : {"literature", "bxb"}, dict or None, default=None
        Mapping from symbols to classes, as in `ecgbeat.labels.to_aami`. None uses the symbols
        themselves.
    tolerance : float, default=0.15
        Largest distance in seconds between a detected beat and its annotation.
    verbose : int, default=0
        If above 0, show a progress bar over the recordings. Independent of the classifier.

    Attributes
    ----------
    classifier_ : estimator
        Fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        Labels, in the order of the columns of probabilities.
    segmenter_ : object
        Copy of ``segmenter``, or the default one.
    bandpass_ : transformer or None
        Unfitted copy of ``bandpass``, or the default one. None with ``"passthrough"``.
    n_leads_ : int
        Number of leads in a row.
    n_beats_ : int
        Number of beats in the training set.
    n_missed_ : int
        Number of annotated beats that were not detected in ``fit``.
    n_extra_ : int
        Number of detected beats without annotation in ``fit``.

    See Also
    --------
    extract_beats : Annotated beats as rows, to train a classifier directly.
    ecgbeat.metrics.annotation_f1_score : Metric of ``score``.
    ecgbeat.metrics.ec57_report : Scores as the standard EC57 requires.

    Notes
    -----
    Recordings are in mV, of shape (n_times,) or (n_leads, n_times), and may differ in length.
    NaN marks gaps, which are interpolated linearly. The rows of a 2-D array are recordings of one
    lead; a 3-D array holds recordings of several leads.

    Training and prediction process recordings in the same way: beats are cut at the detected R
    peak, and have the label of the annotation within ``tolerance``. Annotated beats that are
    not detected are cut at their annotation and kept in the training set, since they represent
    their class as well. Detected beats without annotation have no class and are left out.
    ``rr_features`` are computed from all detected beats and the missed ones.

    Beats are not scaled: use a pipeline that starts with a `ZScoreScaler`, as in the example, and
    put resampling such as SMOTE into the same pipeline of imbalanced-learn. With ``rr_features``,
    scale waveforms and RR features separately with a ``ColumnTransformer``.

    Recordings of any length are filtered and cut in blocks. Beats of several recordings are
    classified together, in batches of at least 8,192.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from ecgbeat import BeatAnnotator, ZScoreScaler
    >>> from ecgbeat.datasets import make_recording
    >>> patients = [make_recording(60, random_state=seed) for seed in range(4)]
    >>> recordings = [patient.signal for patient in patients]
    >>> annotations = [patient.annotation for patient in patients]
    >>> classifier = make_pipeline(ZScoreScaler(), LogisticRegression(max_iter=1000))
    >>> annotator = BeatAnnotator(classifier, fs=360, mapping="literature")
    >>> annotator = annotator.fit(recordings[:3], annotations[:3])
    >>> beats = annotator.predict(recordings[3:])[0]
    >>> beats.probability.shape == (len(beats.sample), len(annotator.classes_))
    True
    >>> annotator.score(recordings[:3], annotations[:3]) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "classifier": [HasMethods(["fit", "predict"])],
        "fs": [FS_INTERVAL],
        "segmenter": [HasMethods(["segment"]), None],
        "bandpass": [HasMethods(["fit", "transform"]), StrOptions({"passthrough"}), None],
        "lead": [Integral, None],
        "detector": [callable, None],
        "rr_features": ["boolean", StrOptions({"past"})],
        "symbols": [str, list, tuple, set, frozenset, np.ndarray, None],
        "mapping": [StrOptions({"literature", "bxb"}), Mapping, None],
        "tolerance": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        classifier: BaseEstimator,
        *,
        fs: float = 360.0,
        segmenter: RPeakSegmenter | Any | None = None,
        bandpass: BaseEstimator | str | None = None,
        lead: int | None = 0,
        detector: Callable[[np.ndarray, float], Any] | None = None,
        rr_features: bool | str = False,
        symbols: Iterable[str] | None = None,
        mapping: str | Mapping[str, Any] | None = None,
        tolerance: float = 0.15,
        verbose: int = 0,
    ) -> None:
        self.classifier = classifier
        self.fs = fs
        self.segmenter = segmenter
        self.bandpass = bandpass
        self.lead = lead
        self.detector = detector
        self.rr_features = rr_features
        self.symbols = symbols
        self.mapping = mapping
        self.tolerance = tolerance
        self.verbose = verbose

    def fit(
        self,
        recordings: Sequence[ArrayLike] | Bunch,
        annotations: Sequence[Any] | None = None,
        *,
        groups: Sequence[Any] | None = None,
    ) -> Self:
        """Train the classifier on the beats of annotated recordings.

        Parameters
        ----------
        recordings : Bunch or sequence of array-like of shape (n_times,) or (n_leads, n_times)
            Recordings in mV. NaN marks gaps. A Bunch of a loader, such as `load_mitdb`, stands
            for its recordings and annotations, and must have the sampling rate ``fs``.
        annotations : sequence of Annotation, default=None
            One for each recording: sample numbers and WFDB symbols, as an `Annotation` or a
            pair. Omit it for a Bunch that holds annotations.
        groups : sequence of length n_recordings, default=None
            Patient of each recording. If given, ``groups``, with one value per beat, is passed
            to ``fit`` of the classifier, or of the last step of a pipeline. `ECGCNNClassifier`
            uses it for early stopping by patient. The groups of a Bunch are not passed unless
            given here, since not every classifier takes them.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If one recording is passed instead of a list of them, a recording does not hold
            real numbers, or the sample numbers of an annotation are not integers.
        ValueError
            If a parameter, recording or annotation is invalid, a Bunch contradicts ``fs`` or
            ``annotations``, or no beat is left to train on. The estimator keeps its former
            state.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        recordings, annotations = check_annotated_recordings(
            recordings, annotations, "fit", self.fs
        )
        if groups is not None:
            check_one_per_recording("groups", groups, len(recordings))
        steps = self._copy_steps()
        parts = []
        pairs = list(zip(recordings, annotations, strict=True))
        for index, (recording, annotation) in self._progress(pairs, "cutting beats"):
            with error_naming_recording(index):
                leads = bridge_gaps(select_leads(recording, self.lead))
                reference = self._label_beats(annotation, leads.shape[1])
                parts.append(_training_beats(steps, leads, reference, self.tolerance))
        n_beats = [len(part.label) for part in parts]
        if sum(n_beats) == 0:
            raise ValueError(self._describe_absence(len(parts)))
        beats = _join_training_beats(parts)
        classifier = clone(self.classifier)
        patients = None if groups is None else np.repeat(np.asarray(groups), n_beats)
        _fit_classifier(classifier, beats.rows, beats.label, patients)
        # attributes are set last, so that a failed fit does not change them
        self.classifier_ = classifier
        self.classes_ = np.asarray(getattr(classifier, "classes_", np.unique(beats.label)))
        self.segmenter_ = steps.segmenter
        self.bandpass_ = steps.bandpass
        self.n_leads_ = beats.n_leads
        self.n_beats_ = len(beats.label)
        self.n_missed_ = beats.n_missed
        self.n_extra_ = beats.n_extra
        return self

    def predict(self, recordings: Sequence[ArrayLike] | Bunch) -> list[AnnotatedBeats]:
        """Detect and classify the beats of recordings.

        Parameters
        ----------
        recordings : Bunch or sequence of array-like of shape (n_times,) or (n_leads, n_times)
            Recordings in mV. NaN marks gaps. A Bunch of a loader stands for its recordings.

        Returns
        -------
        list of AnnotatedBeats
            One for each recording: ``sample``, ``symbol`` (the predicted labels) and
            ``probability``. The arrays are empty if no beat is detected.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        TypeError
            If one recording is passed instead of a list of them.
        ValueError
            If a recording is invalid, or has another number of leads than those seen in
            ``fit``.
        """
        check_is_fitted(self)
        recordings = check_recordings(recordings, "predict", self.fs)
        samples: list[np.ndarray] = []
        batches = _batches(self._rows(recordings, samples), _BATCH_ROWS)
        classified = [_classify(self.classifier_, self.classes_, batch) for batch in batches]
        n_beats = [len(sample) for sample in samples]
        labels = _split_by_recording([label for label, _ in classified], n_beats, self.classes_[:0])
        probabilities: Sequence[Any] = [None] * len(samples)
        if hasattr(self.classifier_, "predict_proba"):
            empty = np.empty((0, len(self.classes_)))
            probabilities = _split_by_recording([p for _, p in classified], n_beats, empty)
        return [
            AnnotatedBeats(*beats) for beats in zip(samples, labels, probabilities, strict=True)
        ]

    def annotate(
        self,
        recordings: Sequence[ArrayLike] | Bunch,
        *,
        record_names: Sequence[object] | None = None,
        write_to: str | os.PathLike[str] | None = None,
        extension: str = "ecgbeat",
        wfdb_symbols: Mapping[Any, str] | None = None,
        overwrite: bool = False,
    ) -> "pandas.DataFrame":
        """Detect and classify beats; return a table and write WFDB annotation files.

        Parameters
        ----------
        recordings : Bunch or sequence of array-like of shape (n_times,) or (n_leads, n_times)
            Recordings in mV. NaN marks gaps. A Bunch of a loader stands for its recordings.
        record_names : sequence of length n_recordings, default=None
            Names of the recordings. None takes those of a Bunch, and numbers the recordings of
            a list from 0.
        write_to : path-like, default=None
            Folder for annotation files, ``<record name>.<extension>``, in the format of WFDB.
            Created if it does not exist. None writes no files.
        extension : str, default="ecgbeat"
            Extension of the files, letters only.
        wfdb_symbols : dict, default=None
            WFDB symbol of each label that is not a WFDB symbol itself, such as
            ``{"normal": "N", "pvc": "V"}``.
        overwrite : bool, default=False
            Whether existing files may be replaced.

        Returns
        -------
        pandas.DataFrame
            One row per beat: ``record``, ``beat`` (from 0 in each recording), ``sample``,
            ``time_s``, ``rr_s`` (interval from the previous beat, NaN for the first), ``label``,
            ``probability`` (of this label) and ``probability_<class>`` for each class. The table
            has no probabilities if the classifier has no ``predict_proba``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        ImportError
            If pandas is missing or, to write files, wfdb.
        FileExistsError
            If a file exists, and ``overwrite=False``.
        TypeError, ValueError
            As `predict`, and if ``record_names`` does not match the recordings or is not valid
            in WFDB, ``extension`` is invalid, or a label has no WFDB symbol. No file is written
            in these cases.
        """
        check_is_fitted(self)
        record_names = from_bunch(recordings, "record_names", record_names)
        recordings = check_recordings(recordings, "annotate", self.fs)
        if record_names is None:
            record_names = range(len(recordings))
        check_one_per_recording("record_names", record_names, len(recordings))
        names = [str(name) for name in record_names]
        files = None
        if write_to is not None:
            files = plan_files(
                write_to,
                names,
                extension,
                self.fs,
                self.classes_,
                wfdb_symbols,
                overwrite=overwrite,
            )
        annotated = self.predict(recordings)
        table = beats_table(names, annotated, self.classes_, self.fs)
        if files is not None:
            files.write(annotated)
        return table

    def score(
        self, recordings: Sequence[ArrayLike] | Bunch, annotations: Sequence[Any] | None = None
    ) -> float:
        """Return the macro-averaged F1 score, including detection errors.

        A missed beat counts as a false negative of its class, an extra beat as a false positive
        of its predicted class. Annotated beats that ``symbols`` or ``mapping`` exclude, and
        beats detected there, are ignored.

        Parameters
        ----------
        recordings : Bunch or sequence of array-like of shape (n_times,) or (n_leads, n_times)
            Recordings in mV. NaN marks gaps. A Bunch of a loader stands for its recordings.
        annotations : sequence of Annotation, default=None
            One for each recording. Omit it for a Bunch that holds annotations.

        Returns
        -------
        float
            F1 score between 0 and 1, NaN if no beat is annotated or detected.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        TypeError, ValueError
            As `fit`.

        See Also
        --------
        ecgbeat.metrics.annotation_f1_score : Equivalent function.
        """
        check_is_fitted(self)
        recordings, annotations = check_annotated_recordings(
            recordings, annotations, "score", self.fs
        )
        references = []
        for index, (recording, annotation) in enumerate(zip(recordings, annotations, strict=True)):
            with error_naming_recording(index):
                n_times = select_leads(recording, self.lead).shape[1]
                references.append(self._label_beats(annotation, n_times))
        return annotation_f1_score(  # type: ignore[return-value]
            [(r.sample[r.is_scored], r.label[r.is_scored]) for r in references],
            self.predict(recordings),
            self.fs,
            tolerance=self.tolerance,
            left_out=[r.sample[~r.is_scored] for r in references],
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether ``fit`` was called."""
        return hasattr(self, "classifier_")

    def __sklearn_tags__(self) -> Any:
        """Return tags for lists of recordings, which may hold NaN."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags

    def _progress(self, recordings: Sequence[Any], task: str) -> Iterator[tuple[int, Any]]:
        """Enumerate the recordings, with a progress bar if ``verbose`` is above 0."""
        return enumerate(tqdm(recordings, desc=task, unit="record", disable=not self.verbose))

    def _copy_steps(self) -> "_Steps":
        """Return copies of the steps before the classifier, with defaults filled in."""
        segmenter, bandpass = self.segmenter, self.bandpass
        if segmenter is None:
            segmenter = RPeakSegmenter(self.fs, n_times=_N_TIMES)
        if bandpass is None:
            bandpass = BandpassFilter(self.fs)
        _check_rate("segmenter", segmenter, self.fs)
        _check_rate("bandpass", bandpass, self.fs)
        return _Steps(
            self.fs,
            self.detector,
            None if isinstance(bandpass, str) else clone(bandpass, safe=False),
            clone(segmenter, safe=False),
            self.rr_features,
        )

    def _label_beats(self, annotation: Any, n_times: int) -> LabeledBeats:
        """Return the beats of an annotation with their labels."""
        return label_beats(annotation, self.symbols, self.mapping, n_times=n_times)

    def _rows(
        self, recordings: Sequence[ArrayLike], samples: list[np.ndarray]
    ) -> Iterator[np.ndarray]:
        """Yield the rows of all recordings, and append the R peaks of each to ``samples``."""
        steps = _Steps(self.fs, self.detector, self.bandpass_, self.segmenter_, self.rr_features)
        for index, recording in self._progress(recordings, "annotating"):
            with error_naming_recording(index):
                selected = select_leads(recording, self.lead)
                leads = bridge_gaps(selected)
                if len(leads) != self.n_leads_:
                    raise ValueError(
                        f"The recording must have {self.n_leads_} leads, as seen in fit, got "
                        f"{len(leads)}. Select one with lead=, or pass recordings with the same "
                        "leads."
                    )
                r_peaks = steps.detect(leads)
                samples.append(r_peaks)
                # within the block, since the chunks of rows are computed on iteration
                yield from steps.rows(leads, r_peaks, r_peaks, copy=leads is selected)

    def _describe_absence(self, n_recordings: int) -> str:
        """Return the message for missing beats, with the symbols that were selected."""
        if n_recordings == 0:
            return "recordings must hold at least one recording, got an empty list."
        wanted = "that mark a beat"
        if self.symbols is not None or isinstance(self.mapping, Mapping):
            wanted = f"of symbols={self.symbols!r} and mapping={self.mapping!r}"
        return f"There are no annotations {wanted}: no beat is left to train on."


# --- from a recording to rows ---------------------------------------------------------


class _Steps(NamedTuple):
    """Steps before the classifier: detection, filter, segmentation, RR features."""

    fs: float
    detector: Callable[[np.ndarray, float], Any] | None
    bandpass: Any  # transformer of rows, None for no filter
    segmenter: Any
    rr_features: bool | str

    def detect(self, leads: np.ndarray) -> np.ndarray:
        """Return the R peaks of leads of shape (n_leads, n_times), int64, strictly ascending."""
        if leads.size == 0:
            return np.empty(0, np.int64)
        if self.detector is None:
            return detect_r_peaks(_one_or_more_leads(leads), self.fs)
        found = self.detector(_one_or_more_leads(leads), self.fs)
        found = as_sample_numbers(found, "detector(x, fs)")
        check_within_recording(found, leads.shape[1], "detector(x, fs)")
        return np.unique(found)

    def rows(
        self,
        leads: np.ndarray,
        r_peaks: np.ndarray,
        all_r_peaks: np.ndarray,
        *,
        copy: bool = True,
    ) -> Iterator[np.ndarray]:
        """Yield float32 rows for the classifier, some thousand at a time.

        Each is the beat at one of ``r_peaks``, its leads one after the other, then its RR
        features, which are computed from ``all_r_peaks``, strictly ascending. With ``copy=False``,
        the filter may overwrite ``leads``.
        """
        if len(r_peaks) == 0:
            return
        filtered = _one_or_more_leads(self._filter(leads, copy=copy))
        columns = None
        if self.rr_features:
            columns = rr_features(all_r_peaks, self.fs, future=self.rr_features != "past")
        for start in range(0, len(r_peaks), _CUT_BEATS):
            chunk = r_peaks[start : start + _CUT_BEATS]
            beats = np.asarray(self.segmenter.segment(filtered, r_peaks=chunk), np.float32)
            if len(beats) != len(chunk):
                raise ValueError(
                    f"segmenter.segment(recording, r_peaks=r_peaks) must return one beat for each "
                    f"R peak, got {len(beats)} beats for {len(chunk)} R peaks."
                )
            rows = beats.reshape(len(beats), -1)
            if columns is not None:
                of_chunk = columns[np.searchsorted(all_r_peaks, chunk)].astype(np.float32)
                rows = np.concatenate([rows, of_chunk], axis=1)
            yield rows

    def _filter(self, leads: np.ndarray, *, copy: bool) -> np.ndarray:
        """Filter leads by a clone of the filter, if there is one."""
        if self.bandpass is None:
            return leads
        # a clone, since lengths differ and other threads may filter at the same time
        bandpass = clone(self.bandpass, safe=False)
        if isinstance(bandpass, BandpassFilter):
            bandpass.set_params(copy=copy)
        filtered = np.asarray(bandpass.fit(leads).transform(leads))
        if filtered.shape != leads.shape or not sum_is_finite(filtered):
            raise ValueError(
                "bandpass must return finite values of the same shape as its input, "
                f"{leads.shape}, got {filtered.dtype} of shape {filtered.shape} "
                f"with {int(np.isnan(filtered).sum())} values NaN."
            )
        return filtered


def _one_or_more_leads(leads: np.ndarray) -> np.ndarray:
    """Return a recording of shape (n_times,) if it has one lead, else (n_leads, n_times)."""
    return leads[0] if len(leads) == 1 else leads


def _check_rate(name: str, step: Any, fs: float) -> None:
    """Raise if a step, or a nested step, has another sampling rate."""
    parameters: dict[str, Any] = getattr(step, "get_params", dict)()
    for parameter, value in parameters.items():
        if parameter.split("__")[-1] == "fs" and value != fs:
            raise ValueError(
                f"{name} has {parameter}={value!r} Hz, but the recordings have fs={fs!r} Hz. Pass "
                f"the rate of the recordings to both, as in BeatAnnotator(..., fs={fs!r}, "
                f"{name}={type(step).__name__}(fs={fs!r}))."
            )


# --- training -------------------------------------------------------------------------


class _TrainingBeats(NamedTuple):
    """Beats of one or more recordings."""

    rows: np.ndarray  # (n_beats, n_features)
    label: np.ndarray  # (n_beats,)
    n_leads: int
    n_missed: int  # annotated beats that were not detected
    n_extra: int  # detected beats that were not annotated


def _training_beats(
    steps: _Steps, leads: np.ndarray, reference: LabeledBeats, tolerance: float
) -> _TrainingBeats:
    """Cut the annotated beats of one recording at their detected R peaks.

    Annotated beats that are not detected are cut at their annotation.
    """
    detected = steps.detect(leads)
    matches = match_beats(reference.sample, detected, steps.fs, tolerance)
    r_peaks = reference.sample.copy()
    r_peaks[matches.reference_index] = detected[matches.detected_index]
    all_r_peaks = np.union1d(detected, r_peaks)
    rows = list(steps.rows(leads, r_peaks[reference.is_scored], all_r_peaks))
    return _TrainingBeats(
        np.concatenate(rows) if rows else np.empty((0, 0), np.float32),
        reference.label[reference.is_scored],
        len(leads),
        len(matches.missed),
        len(matches.extra),
    )


def _join_training_beats(parts: list[_TrainingBeats]) -> _TrainingBeats:
    """Concatenate the beats of recordings, at least one of which has beats."""
    filled = [part for part in parts if len(part.label)]
    n_leads = sorted({part.n_leads for part in filled})
    if len(n_leads) > 1:
        raise ValueError(
            f"Recordings must have the same number of leads, got {n_leads}. Select one with lead=, "
            "or pass only the leads that all recordings have."
        )
    return _TrainingBeats(
        np.concatenate([part.rows for part in filled]),
        np.concatenate([part.label for part in filled]),
        n_leads[0],
        sum(part.n_missed for part in parts),
        sum(part.n_extra for part in parts),
    )


def _fit_classifier(
    classifier: Any, rows: np.ndarray, labels: np.ndarray, groups: np.ndarray | None
) -> None:
    """Fit the classifier, with ``groups`` for the last step of a pipeline."""
    if groups is None:
        classifier.fit(rows, labels)
        return
    names, last = [], classifier
    while hasattr(last, "steps"):
        name, last = last.steps[-1]
        names.append(name)
    classifier.fit(rows, labels, **{"__".join([*names, "groups"]): groups})


# --- classification -------------------------------------------------------------------


def _batches(chunks: Iterable[np.ndarray], n_rows: int) -> Iterator[np.ndarray]:
    """Join chunks of rows into batches of at least ``n_rows`` rows, except for the last.

    A recording may have few beats, and a classifier may take as long for few beats as for many.
    """
    waiting: list[np.ndarray] = []
    for chunk in chunks:
        waiting.append(chunk)
        if sum(map(len, waiting)) >= n_rows:
            yield waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)


def _classify(
    classifier: Any, classes: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the label of each row, and the probability of each class if available."""
    if not hasattr(classifier, "predict_proba"):
        return np.asarray(classifier.predict(rows)), None
    probability = classifier.predict_proba(rows)
    last = classifier
    while hasattr(last, "steps"):
        last = last.steps[-1][1]
    # networks of ecgbeat are evaluated once; predict of other classifiers may use thresholds
    if getattr(getattr(type(last), "predict", None), "returns_most_probable", False):
        return classes[probability.argmax(axis=1)], probability
    return np.asarray(classifier.predict(rows)), probability


def _split_by_recording(
    batches: list[Any], n_beats: list[int], empty: np.ndarray
) -> list[np.ndarray]:
    """Split the concatenated batches by recording, or split ``empty`` without batches."""
    joined = np.concatenate(batches) if batches else empty
    return np.split(joined, np.cumsum(n_beats)[:-1]) if n_beats else []
