"""Detection and classification of the beats of whole recordings."""

import inspect
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
from ecgbeat._rows import in_threads, settings_for_threads
from ecgbeat._validation import (
    FS_INTERVAL,
    HasMethods,
    Integral,
    Interval,
    Real,
    StrOptions,
    check_fs,
    check_is_fitted,
    default_parameters,
    sum_is_finite,
    validate_parameter_constraints,
)
from ecgbeat.annotation._annotated_beats import (
    UNCLASSIFIED,
    AnnotatedBeats,
    beats_table,
    plan_files,
    select_classified,
)
from ecgbeat.annotation._resampling import resample_recording
from ecgbeat.labels import LabeledBeats, label_beats
from ecgbeat.metrics import annotation_f1_score, match_beats
from ecgbeat.preprocessing import BandpassFilter, RPeakSegmenter
from ecgbeat.signal import detect_r_peaks, rr_features, unreadable_stretches

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
        Sampling rate in Hz of the recordings in ``fit``, and of all steps. Recordings of
        another rate are resampled in prediction, see ``fs`` of `predict`.
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
        `ecgbeat.signal.detect_r_peaks`. In ``predict``, it and ``features`` are called from two
        threads at a time, unless ``OMP_NUM_THREADS`` is 1.
    rr_features : bool or "past", default=False
        Whether to append the columns of `ecgbeat.signal.rr_features`, which describe the rhythm
        around each beat. With ``"past"``, later beats are not used. Pass their number,
        ``len(ecgbeat.signal.rr_feature_names())``, as ``n_aux_features`` to
        `ECGCNNClassifier`.
    features : callable or None, default=None
        Function that computes the input of the classifier, instead of ``segmenter`` and
        ``rr_features``: ``features(recording, r_peaks, fs)`` is called once for each recording
        that has beats, with the filtered recording, always of shape (n_leads, n_times), all R
        peaks, int64 and strictly ascending, and the rate ``fs`` of the annotator. It returns
        finite numbers of shape (n_beats, n_features), and must not modify its arguments.
        Recordings may then differ in number and order of their leads, but not in the number of
        columns.
    augmentation : callable or None, default=None
        Function that makes further training recordings, such as `simulate_fusion_beats`:
        ``augmentation(recording, annotation, fs)`` is called with each recording in ``fit``, and
        returns a changed recording and the annotation of those of its beats to train on.
    symbols : collection of str, default=None
        Symbols of the annotations to use, such as ``("N", "L", "R", "A", "V")``. None uses
        every beat (see `ecgbeat.labels.is_beat`), or all symbols of ``mapping`` if it is a dict.
        Beats with other symbols are neither trained on nor scored.
    mapping : {"literature", "bxb"}, dict or None, default=None
        Mapping from symbols to classes, as in `ecgbeat.labels.to_aami`. None uses the symbols
        themselves.
    tolerance : float, default=0.15
        Largest distance in seconds between a detected beat and its annotation.
    abstain_below : float or None, default=None
        Beats whose highest probability is lower are labeled ``"?"``, the WFDB symbol of a beat
        that is not classified. Requires labels that are strings and a classifier with
        ``predict_proba``. Used in prediction only, so it can be set after ``fit``. None
        classifies all beats.
    min_quality : float, default=0.0
        Smallest signal quality, from 0 to 1, of the stretches in which beats are used.
        R peaks in stretches of lower quality, found by `ecgbeat.signal.unreadable_stretches`, are
        left out in ``fit`` and in prediction. 0 does not measure the quality.
    verbose : int, default=0
        If above 0, show a progress bar over the recordings. Independent of the classifier.

    Attributes
    ----------
    classifier_ : estimator
        Fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        Labels, in the order of the columns of probabilities.
    segmenter_ : object
        Copy of ``segmenter``, or the default one. None with ``features``.
    bandpass_ : transformer or None
        Unfitted copy of ``bandpass``, or the default one. None with ``"passthrough"``.
    features_ : callable or None
        The parameter ``features`` in ``fit``.
    n_features_ : int
        Number of columns of the input of the classifier.
    n_leads_ : int or None
        Number of leads in a row. None with ``features``, since recordings may differ.
    n_beats_ : int
        Number of beats in the training set, without those of ``augmentation``.
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
    ``rr_features`` and ``features`` are computed from all detected beats and the missed ones.

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
        "features": [callable, None],
        "augmentation": [callable, None],
        "symbols": [str, list, tuple, set, frozenset, np.ndarray, None],
        "mapping": [StrOptions({"literature", "bxb"}), Mapping, None],
        "tolerance": [Interval(Real, 0, None, closed="left")],
        "abstain_below": [Interval(Real, 0, 1, closed="both"), None],
        "min_quality": [Interval(Real, 0, 1, closed="both")],
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
        features: Callable[[np.ndarray, np.ndarray, float], ArrayLike] | None = None,
        augmentation: Callable[[ArrayLike, Any, float], tuple[ArrayLike, Any]] | None = None,
        symbols: Iterable[str] | None = None,
        mapping: str | Mapping[str, Any] | None = None,
        tolerance: float = 0.15,
        abstain_below: float | None = None,
        min_quality: float = 0.0,
        verbose: int = 0,
    ) -> None:
        self.classifier = classifier
        self.fs = fs
        self.segmenter = segmenter
        self.bandpass = bandpass
        self.lead = lead
        self.detector = detector
        self.rr_features = rr_features
        self.features = features
        self.augmentation = augmentation
        self.symbols = symbols
        self.mapping = mapping
        self.tolerance = tolerance
        self.abstain_below = abstain_below
        self.min_quality = min_quality
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
            given here, since not every classifier takes them. If ``fit`` of the classifier
            requires groups, each recording is a patient by default.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If one recording is passed instead of a list of them, a recording does not hold
            real numbers, or the sample numbers of an annotation are not integers.
        ValueError
            If a parameter, recording or annotation is invalid, parameters contradict each other,
            a Bunch contradicts ``fs`` or ``annotations``, a step returns an array of the wrong
            shape, or no beat is left to train on. The estimator keeps its former state.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        recordings, annotations = check_annotated_recordings(
            recordings, annotations, "fit", self.fs, any_order=self._takes_any_leads
        )
        if groups is not None:
            check_one_per_recording("groups", groups, len(recordings))
        elif _requires_groups(self.classifier):
            groups = range(len(recordings))
        steps = self._copy_steps()
        references = self._label_recordings(recordings, annotations)
        for reference in references:
            self._check_abstention(self.classifier, reference.label[reference.is_scored])
        parts = []
        for index, recording in self._progress(recordings, "cutting beats"):
            with error_naming_recording(index):
                leads = select_leads(recording, self.lead)
                parts.append(_training_beats(steps, leads, references[index], self.tolerance))
            if steps.features is not None and len(parts[-1].label):
                steps = steps._replace(n_features=parts[-1].rows.shape[1])
        n_beats = sum(len(part.label) for part in parts)
        if n_beats == 0:
            raise ValueError(self._describe_absence(len(parts)))
        if self.augmentation is not None:
            parts += self._augmented(steps, recordings, annotations)
        beats = _join_training_beats(parts)
        classifier = clone(self.classifier)
        _fit_classifier(classifier, beats.rows, beats.label, _groups_of_beats(groups, parts))
        # attributes are set last, so that a failed fit does not change them
        self.classifier_ = classifier
        self.classes_ = np.asarray(getattr(classifier, "classes_", np.unique(beats.label)))
        self.segmenter_ = steps.segmenter
        self.features_ = steps.features
        self.n_features_ = beats.rows.shape[1]
        self.bandpass_ = steps.bandpass
        self.n_leads_ = beats.n_leads
        self.n_beats_ = n_beats
        self.n_missed_ = beats.n_missed
        self.n_extra_ = beats.n_extra
        return self

    def predict(
        self, recordings: Sequence[ArrayLike] | Bunch, *, fs: float | None = None
    ) -> list[AnnotatedBeats]:
        """Detect and classify the beats of recordings.

        Parameters
        ----------
        recordings : Bunch or sequence of array-like of shape (n_times,) or (n_leads, n_times)
            Recordings in mV. NaN marks gaps. A Bunch of a loader stands for its recordings.
        fs : float or None, default=None
            Sampling rate of the recordings in Hz, if it is not that of the annotator. R peaks
            are detected at this rate, and returned as samples of the recordings; the recordings
            are then resampled to the rate of the annotator. None is the rate of the annotator.

        Returns
        -------
        list of AnnotatedBeats
            One for each recording: ``sample``, ``symbol`` (the predicted labels) and
            ``probability``. The arrays are empty if no beat is detected. With ``min_quality``,
            also ``unreadable``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        TypeError
            If one recording is passed instead of a list of them, or ``fs`` is not a number.
        ValueError
            If a recording or ``fs`` is invalid, a Bunch has another rate, a recording has another
            number of leads or of features than those seen in ``fit``, or ``abstain_below`` does
            not fit the classifier.
        """
        check_is_fitted(self)
        fs = self._rate_of_recordings(fs)
        recordings = check_recordings(recordings, "predict", fs, any_order=self._takes_any_leads)
        self._check_abstention(self.classifier_, self.classes_)
        found: list[_Found] = []
        batches = _batches(self._rows(recordings, found, fs), _BATCH_ROWS)
        how = self.classifier_, self.classes_
        classified = [classify_rows(*how, batch, self.abstain_below) for batch in batches]
        n_beats = [len(beats.r_peaks) for beats in found]
        labels = _split_by_recording([label for label, _ in classified], n_beats, self.classes_[:0])
        probabilities: Sequence[Any] = [None] * len(found)
        if hasattr(self.classifier_, "predict_proba"):
            empty = np.empty((0, len(self.classes_)))
            probabilities = _split_by_recording([p for _, p in classified], n_beats, empty)
        annotated = []
        for beats, label, probability in zip(found, labels, probabilities, strict=True):
            annotated.append(AnnotatedBeats(beats.r_peaks, label, probability))
            annotated[-1].unreadable = beats.unreadable
        return annotated

    def annotate(
        self,
        recordings: Sequence[ArrayLike] | Bunch,
        *,
        fs: float | None = None,
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
        fs : float or None, default=None
            Sampling rate of the recordings in Hz, if it is not that of the annotator, as in
            `predict`. It is the rate of the times in the table and of the files as well.
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
            ``probability`` (of this label; of ``"?"``, the highest one) and
            ``probability_<class>`` for each class. The table has no probabilities if the
            classifier has no ``predict_proba``. Unreadable stretches are neither in the table
            nor in the files: use ``unreadable`` of `predict`.

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
        fs = self._rate_of_recordings(fs)
        recordings = check_recordings(recordings, "annotate", fs, any_order=self._takes_any_leads)
        self._check_abstention(self.classifier_, self.classes_)
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
                fs,
                [*self.classes_.tolist(), *[UNCLASSIFIED] * (self.abstain_below is not None)],
                wfdb_symbols,
                overwrite=overwrite,
            )
        annotated = self.predict(recordings, fs=fs)
        table = beats_table(names, annotated, self.classes_, fs)
        if files is not None:
            files.write(annotated)
        return table

    def score(
        self,
        recordings: Sequence[ArrayLike] | Bunch,
        annotations: Sequence[Any] | None = None,
        *,
        fs: float | None = None,
    ) -> float:
        """Return the macro-averaged F1 score, including detection errors.

        A missed beat counts as a false negative of its class, an extra beat as a false positive
        of its predicted class. Annotated beats that ``symbols`` or ``mapping`` exclude, and
        beats detected there, are ignored. With ``abstain_below``, beats that are not classified
        count as not detected, and so do beats in unreadable stretches with ``min_quality``.

        Parameters
        ----------
        recordings : Bunch or sequence of array-like of shape (n_times,) or (n_leads, n_times)
            Recordings in mV. NaN marks gaps. A Bunch of a loader stands for its recordings.
        annotations : sequence of Annotation, default=None
            One for each recording. Omit it for a Bunch that holds annotations.
        fs : float or None, default=None
            Sampling rate of the recordings and annotations in Hz, if it is not that of the
            annotator, as in `predict`.

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
        fs = self._rate_of_recordings(fs)
        recordings, annotations = check_annotated_recordings(
            recordings, annotations, "score", fs, any_order=self._takes_any_leads
        )
        references = self._label_recordings(recordings, annotations)
        predictions = self.predict(recordings, fs=fs)
        if self.abstain_below is not None:
            predictions = [select_classified(beats) for beats in predictions]
        return annotation_f1_score(  # type: ignore[return-value]
            [(r.sample[r.is_scored], r.label[r.is_scored]) for r in references],
            predictions,
            fs,
            tolerance=self.tolerance,
            left_out=[r.sample[~r.is_scored] for r in references],
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether ``fit`` was called."""
        return hasattr(self, "classifier_")

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpickle, with defaults for the parameters that a former version did not have."""
        defaults = default_parameters(type(self))
        if "classifier_" in state:
            defaults |= {"features_": None, "n_features_": None}
        super().__setstate__(defaults | state)

    def __sklearn_tags__(self) -> Any:
        """Return tags for lists of recordings, which may hold NaN."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags

    @property
    def _takes_any_leads(self) -> bool:
        """Whether recordings may have leads in any number and order: those of functions may."""
        return self.features is not None

    def _progress(
        self, recordings: Iterable[Any], task: str, n_recordings: int | None = None
    ) -> Iterator[tuple[int, Any]]:
        """Enumerate the recordings, with a progress bar if ``verbose`` is above 0."""
        options = {"desc": task, "unit": "record", "disable": not self.verbose}
        return enumerate(tqdm(recordings, total=n_recordings, **options))

    def _copy_steps(self) -> "_Steps":
        """Return copies of the steps before the classifier, with defaults filled in."""
        segmenter, bandpass = self.segmenter, self.bandpass
        if self.features is not None and (segmenter is not None or self.rr_features):
            raise ValueError(
                "features= replaces the segmenter and rr_features, got features with "
                f"segmenter={segmenter!r} and rr_features={self.rr_features!r}. Omit them, and let "
                "features return their columns as well."
            )
        if segmenter is None and self.features is None:
            segmenter = RPeakSegmenter(self.fs, n_times=_N_TIMES)
        if bandpass is None:
            bandpass = BandpassFilter(self.fs)
        _check_rate("segmenter", segmenter, self.fs)
        _check_rate("bandpass", bandpass, self.fs)
        return _Steps(
            self.fs,
            self.detector,
            None if isinstance(bandpass, str) else clone(bandpass, safe=False),
            None if segmenter is None else clone(segmenter, safe=False),
            self.rr_features,
            self.features,
            self.min_quality,
        )

    def _rate_of_recordings(self, fs: float | None) -> float:
        """Return the sampling rate of recordings, which is by default that of the annotator."""
        return self.fs if fs is None or check_fs(fs) == self.fs else float(fs)

    def _check_abstention(self, classifier: Any, labels: np.ndarray) -> None:
        """Raise if beats cannot be left unclassified, for lack of probabilities or of a label."""
        name = "abstain_below"
        validate_parameter_constraints(
            {name: self._parameter_constraints[name]},
            {name: self.abstain_below},
            type(self).__name__,
        )
        if self.abstain_below is None:
            return
        wanted = f"abstain_below={self.abstain_below!r} "
        if not hasattr(classifier, "predict_proba"):
            raise ValueError(
                f"{wanted}requires a classifier with predict_proba, got {classifier!r}. Set "
                "abstain_below=None, or calibrate the classifier by CalibratedClassifierCV."
            )
        classes = sorted(set(labels.tolist()), key=str)
        if any(not isinstance(label, str) or label == UNCLASSIFIED for label in classes):
            raise ValueError(
                f"{wanted}gives beats the label {UNCLASSIFIED!r}, so the classes must be strings "
                f"other than that, got {classes!r}. Choose the classes by mapping= and symbols=."
            )

    def _label_recordings(
        self, recordings: Sequence[ArrayLike], annotations: Sequence[Any]
    ) -> list[LabeledBeats]:
        """Return the annotated beats of each recording with their labels."""
        references = []
        for index, (recording, annotation) in enumerate(zip(recordings, annotations, strict=True)):
            with error_naming_recording(index):
                n_times = select_leads(recording, self.lead).shape[1]
                beats = label_beats(annotation, self.symbols, self.mapping, n_times=n_times)
                references.append(beats)
        return references

    def _augmented(
        self, steps: "_Steps", recordings: Sequence[ArrayLike], annotations: Sequence[Any]
    ) -> "list[_TrainingBeats]":
        """Return the beats of the changed copy of each recording."""
        assert self.augmentation is not None
        parts = []
        pairs = list(zip(recordings, annotations, strict=True))
        for index, (recording, annotation) in self._progress(pairs, "augmenting"):
            with error_naming_recording(index):
                changed, added = self.augmentation(recording, annotation, self.fs)
                leads = select_leads(changed, self.lead)
                reference = label_beats(added, self.symbols, self.mapping, n_times=leads.shape[1])
                part = _NO_BEATS
                if reference.is_scored.any():
                    part = _training_beats(steps, leads, reference, self.tolerance)
                parts.append(part._replace(n_missed=0, n_extra=0))
        return parts

    def _rows(
        self, recordings: Sequence[ArrayLike], found: "list[_Found]", fs: float
    ) -> Iterator[np.ndarray]:
        """Yield the rows of all recordings, and append the R peaks of each to ``found``."""
        steps = fitted_steps(self)

        def prepare(index: int) -> tuple[_Found, Iterable[np.ndarray]]:
            with error_naming_recording(index):
                selected = select_leads(recordings[index], self.lead)
                if self.features_ is None and len(selected) != self.n_leads_:
                    raise ValueError(
                        f"The recording must have {self.n_leads_} leads, as seen in fit, got "
                        f"{len(selected)}. Select one with lead=, or pass recordings with the same "
                        "leads."
                    )
                leads = bridge_gaps(selected)
                beats = steps.find(leads, selected, fs)
                r_peaks = beats.r_peaks
                if fs != self.fs and len(r_peaks):
                    leads, r_peaks = resample_recording(leads, r_peaks, fs, self.fs)
                rows = steps.rows(leads, r_peaks, r_peaks, copy=leads is selected)
                # windows take more memory than features, and are cut as they are needed
                return beats, rows if self.features_ is None else list(rows)

        with settings_for_threads():
            prepared = in_threads(prepare, range(len(recordings)))
            for index, (beats, rows) in self._progress(prepared, "annotating", len(recordings)):
                found.append(beats)
                with error_naming_recording(index):
                    yield from rows

    def _describe_absence(self, n_recordings: int) -> str:
        """Return the message for missing beats, with the symbols that were selected."""
        if n_recordings == 0:
            return "recordings must hold at least one recording, got an empty list."
        wanted = "that mark a beat"
        if self.symbols is not None or isinstance(self.mapping, Mapping):
            wanted = f"of symbols={self.symbols!r} and mapping={self.mapping!r}"
        return f"There are no annotations {wanted}: no beat is left to train on."


# --- from a recording to rows ---------------------------------------------------------


class _Found(NamedTuple):
    """R peaks of one recording that are classified, and its unreadable stretches."""

    r_peaks: np.ndarray  # (n_beats,) int64, strictly ascending
    unreadable: np.ndarray | None  # (n_stretches, 2) int64, None if not examined


class _Steps(NamedTuple):
    """Steps before the classifier: detection, filter, and segmentation or features."""

    fs: float
    detector: Callable[[np.ndarray, float], Any] | None
    bandpass: Any  # transformer of rows, None for no filter
    segmenter: Any  # None with features
    rr_features: bool | str
    features: Callable[[np.ndarray, np.ndarray, float], ArrayLike] | None = None
    min_quality: float = 0.0
    n_features: int | None = None  # of the recordings before, None for the first

    def find(self, leads: np.ndarray, with_gaps: np.ndarray, fs: float) -> _Found:
        """Return the R peaks of leads, without those in unreadable stretches."""
        r_peaks = self.detect(leads, fs)
        if not self.min_quality:
            return _Found(r_peaks, None)
        unreadable = unreadable_stretches(with_gaps, fs, min_quality=self.min_quality)
        return _Found(r_peaks[_is_outside(r_peaks, unreadable)], unreadable)

    def detect(self, leads: np.ndarray, fs: float) -> np.ndarray:
        """Return the R peaks of leads of shape (n_leads, n_times), int64, strictly ascending."""
        if leads.size == 0:
            return np.empty(0, np.int64)
        if self.detector is None:
            return detect_r_peaks(_one_or_more_leads(leads), fs)
        found = self.detector(_one_or_more_leads(leads), fs)
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
        the filter may overwrite ``leads``. With ``features``, a row holds the features of the beat
        instead.
        """
        if len(r_peaks) == 0:
            return
        filtered = self.filter(leads, copy=copy)
        if self.features is not None:
            yield self._compute_features(filtered, all_r_peaks)[
                np.searchsorted(all_r_peaks, r_peaks)
            ]
            return
        filtered = _one_or_more_leads(filtered)
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

    def _compute_features(self, filtered: np.ndarray, r_peaks: np.ndarray) -> np.ndarray:
        """Return the features of beats, checked, as float32."""
        assert self.features is not None
        call = "features(recording, r_peaks, fs)"
        # a copy, since the R peaks are returned as well
        returned = self.features(filtered, r_peaks.copy(), self.fs)
        try:
            values = np.asarray(returned)
        except ValueError:  # nested lists of different lengths
            values = np.asarray(returned, dtype=object)
        if values.dtype.kind not in "fiub" or values.ndim != 2 or len(values) != len(r_peaks):
            raise ValueError(
                f"{call} must return real numbers of shape (n_beats, n_features), one row for each "
                f"R peak, got {values.dtype} of shape {values.shape} for {len(r_peaks)} R peaks."
            )
        if self.n_features not in (None, values.shape[1]):
            raise ValueError(
                f"{call} must return the same number of columns for all recordings, got "
                f"{values.shape[1]}, expected {self.n_features} as for the first one in fit."
            )
        with np.errstate(over="ignore"):
            rows = values.astype(np.float32)
        if not (is_finite := np.isfinite(rows)).all():
            beat, column = np.argwhere(~is_finite)[0].tolist()
            raise ValueError(
                f"{call} must return finite numbers, in the range of float32, got "
                f"{float(values[beat, column])!r} in row {beat}, column {column}."
            )
        return rows

    def filter(self, leads: np.ndarray, *, copy: bool) -> np.ndarray:
        """Filter leads by a clone of the filter, if there is one."""
        if self.bandpass is None:
            return leads
        filtered = np.asarray(self.fit_filter(leads, copy=copy).transform(leads))
        if filtered.shape != leads.shape or not sum_is_finite(filtered):
            raise ValueError(
                "bandpass must return finite values of the same shape as its input, "
                f"{leads.shape}, got {filtered.dtype} of shape {filtered.shape} "
                f"with {int(np.isnan(filtered).sum())} values NaN."
            )
        return filtered

    def fit_filter(self, leads: np.ndarray, *, copy: bool) -> Any:
        """Return the filter for leads: itself if it fits them already, else a fitted clone.

        Lengths differ, and other threads may filter at the same time.
        """
        is_simple = isinstance(self.bandpass, BandpassFilter)
        if is_simple and getattr(self.bandpass, "n_features_in_", None) == leads.shape[1]:
            return self.bandpass
        bandpass = clone(self.bandpass, safe=False)
        if is_simple:
            bandpass.set_params(copy=copy)
        return bandpass.fit(leads)


def fitted_steps(annotator: BeatAnnotator) -> _Steps:
    """Return the steps before the classifier of a fitted annotator."""
    return _Steps(
        annotator.fs,
        annotator.detector,
        annotator.bandpass_,
        annotator.segmenter_,
        annotator.rr_features,
        annotator.features_,
        annotator.min_quality,
        annotator.n_features_,
    )


def _one_or_more_leads(leads: np.ndarray) -> np.ndarray:
    """Return a recording of shape (n_times,) if it has one lead, else (n_leads, n_times)."""
    return leads[0] if len(leads) == 1 else leads


def _is_outside(samples: np.ndarray, stretches: np.ndarray) -> np.ndarray:
    """Return whether samples are outside of half-open stretches, which ascend."""
    return np.searchsorted(stretches.ravel(), samples, side="right") % 2 == 0


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
    n_leads: int | None  # None with features, for which recordings may differ
    n_missed: int  # annotated beats that were not detected
    n_extra: int  # detected beats that were not annotated


_NO_BEATS = _TrainingBeats(np.empty((0, 0), np.float32), np.empty(0), None, 0, 0)


@settings_for_threads()
def _training_beats(
    steps: _Steps, selected: np.ndarray, reference: LabeledBeats, tolerance: float
) -> _TrainingBeats:
    """Cut the annotated beats of one recording at their detected R peaks.

    Annotated beats that are not detected are cut at their annotation. Beats in unreadable
    stretches are left out.
    """
    leads = bridge_gaps(selected)
    detected, unreadable = steps.find(leads, selected, steps.fs)
    if unreadable is not None:
        keep = _is_outside(reference.sample, unreadable)
        reference = LabeledBeats(*(part[keep] for part in reference))
    matches = match_beats(reference.sample, detected, steps.fs, tolerance)
    r_peaks = reference.sample.copy()
    r_peaks[matches.reference_index] = detected[matches.detected_index]
    all_r_peaks = np.union1d(detected, r_peaks)
    rows = list(steps.rows(leads, r_peaks[reference.is_scored], all_r_peaks))
    return _TrainingBeats(
        np.concatenate(rows) if rows else np.empty((0, 0), np.float32),
        reference.label[reference.is_scored],
        len(leads) if steps.features is None else None,
        len(matches.missed),
        len(matches.extra),
    )


def _join_training_beats(parts: list[_TrainingBeats]) -> _TrainingBeats:
    """Concatenate the beats of recordings, at least one of which has beats."""
    filled = [part for part in parts if len(part.label)]
    n_leads = sorted({part.n_leads or 0 for part in filled})
    if len(n_leads) > 1:
        raise ValueError(
            f"Recordings must have the same number of leads, got {n_leads}. Select one with lead=, "
            "or pass only the leads that all recordings have."
        )
    return _TrainingBeats(
        np.concatenate([part.rows for part in filled]),
        np.concatenate([part.label for part in filled]),
        n_leads[0] or None,
        sum(part.n_missed for part in parts),
        sum(part.n_extra for part in parts),
    )


def _groups_of_beats(
    groups: Sequence[Any] | None, parts: list[_TrainingBeats]
) -> np.ndarray | None:
    """Return the group of each beat; the parts repeat the recordings in their order."""
    if groups is None:
        return None
    n_rows = [len(part.label) for part in parts]
    return np.repeat(np.resize(np.asarray(groups), len(parts)), n_rows)


def _fit_classifier(
    classifier: Any, rows: np.ndarray, labels: np.ndarray, groups: np.ndarray | None
) -> None:
    """Fit the classifier, with ``groups`` for the last step of a pipeline."""
    if groups is None:
        classifier.fit(rows, labels)
        return
    names, _ = _last_step(classifier)
    classifier.fit(rows, labels, **{"__".join([*names, "groups"]): groups})


def _requires_groups(classifier: Any) -> bool:
    """Return whether ``fit`` of the classifier, or of the last step, has no default for groups."""
    fit = _last_step(classifier)[1].fit
    groups = inspect.signature(fit).parameters.get("groups")
    return groups is not None and groups.default is inspect.Parameter.empty


def _last_step(classifier: Any) -> tuple[list[str], Any]:
    """Return the last step of a pipeline, and the names of the nested steps that lead there."""
    names: list[str] = []
    while hasattr(classifier, "steps"):
        name, classifier = classifier.steps[-1]
        names.append(name)
    return names, classifier


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


def classify_rows(
    classifier: Any, classes: np.ndarray, rows: np.ndarray, abstain_below: float | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the label of each row, and the probability of each class if available.

    The label is ``"?"`` if the highest probability is below ``abstain_below``.
    """
    if not hasattr(classifier, "predict_proba"):
        return np.asarray(classifier.predict(rows)), None
    probability = classifier.predict_proba(rows)
    _, last = _last_step(classifier)
    # networks of ecgbeat are evaluated once; predict of other classifiers may use thresholds
    if getattr(getattr(type(last), "predict", None), "returns_most_probable", False):
        label = classes[probability.argmax(axis=1)]
    else:
        label = np.asarray(classifier.predict(rows))
    if abstain_below is not None:
        label = np.where(probability.max(axis=1) < abstain_below, UNCLASSIFIED, label)
    return label, probability


def _split_by_recording(
    batches: list[Any], n_beats: list[int], empty: np.ndarray
) -> list[np.ndarray]:
    """Split the concatenated batches by recording, or split ``empty`` without batches."""
    joined = np.concatenate(batches) if batches else empty
    return np.split(joined, np.cumsum(n_beats)[:-1]) if n_beats else []
