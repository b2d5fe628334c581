"""Recordings in, annotated beats out (layer 3)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone

from ecgbeat._progress import tqdm
from ecgbeat._validation import (
    HasMethods,
    Integral,
    Interval,
    Real,
    StrOptions,
    check_is_fitted,
    validate_parameter_constraints,
)
from ecgbeat.annotation._annotated_beats import AnnotatedBeats, beats_table
from ecgbeat.annotation._classification import classify, fit_with_groups, in_batches
from ecgbeat.annotation._front_end import FrontEnd, plan_front_end
from ecgbeat.annotation._recordings import (
    ReferenceBeats,
    check_annotations,
    check_recordings,
    naming_recording,
    open_recording,
    reference_beats,
    select_leads,
)
from ecgbeat.annotation._training import join_training_beats, training_beats
from ecgbeat.annotation._wfdb_files import plan_files
from ecgbeat.metrics import annotation_f1_score
from ecgbeat.preprocessing import BandpassFilter, RPeakSegmenter

_BATCH_ROWS = 8192  # that are classified at once


class BeatAnnotator(MetaEstimatorMixin, BaseEstimator):
    """Find and classify the beats of whole recordings, with any classifier of beats.

    One row of its input is one recording, so ``GridSearchCV``, ``cross_validate`` and
    ``GroupKFold`` divide patients, never the beats of one. Each recording is searched for R
    peaks, filtered, cut into beats of one length, and these are what the classifier is
    trained on and asked for.

    Parameters
    ----------
    classifier : estimator
        Any scikit-learn classifier or pipeline of scikit-learn or imbalanced-learn. It
        gets one beat a row, float32; see Notes.
    fs : float, default=360.0
        Sampling rate of all recordings in Hz.
    segmenter : RPeakSegmenter or None, default=None
        Its ``before``, ``after`` and ``n_times`` say how beats are cut; its ``fs`` must be
        that of the annotator. None stands for ``RPeakSegmenter(fs, n_times=128)``. Pass
        one to tune ``segmenter__after`` and the like.
    bandpass : BandpassFilter, "passthrough" or None, default=None
        Filter of the recordings before beats are cut; its ``fs`` must be that of the
        annotator. None stands for ``BandpassFilter(fs)``.
    lead : int or None, default=0
        Which row of recordings of several leads is used. None uses all: R peaks are found
        in them together, and a row holds one lead after the other (set ``n_leads`` on
        the steps of the classifier). 1-D recordings are used as they are.
    detector : callable or None, default=None
        Finds the R peaks: called as ``detector(x, fs)`` with an unfiltered recording,
        ``(n_times,)`` or ``(n_leads, n_times)``, it returns sample numbers. None stands for
        `ecgbeat.signal.detect_r_peaks`.
    rr_features : bool or "past", default=False
        Whether to append the columns of `ecgbeat.signal.rr_features`, the rhythm around
        each beat. ``"past"`` uses no beat that comes later. Pass their number,
        ``len(ecgbeat.signal.rr_feature_names())``, as ``n_aux_features`` to
        `ECGCNNClassifier`.
    symbols : collection of str, default=None
        The annotations with these symbols count, such as ``("N", "L", "R", "A", "V")``. None
        takes every beat (see `ecgbeat.labels.is_beat`), or all that a dict in
        ``mapping`` names. Beats with other symbols are neither trained on nor scored.
    mapping : {"literature", "bxb"}, dict or None, default=None
        From symbols to the classes to learn, as in `ecgbeat.labels.to_aami`. None takes the
        symbols themselves.
    tolerance : float, default=0.15
        Largest distance in seconds between a detected beat and its annotation.
    verbose : int, default=0
        Above 0, show a progress bar over the recordings. The classifier has its own `verbose`.

    Attributes
    ----------
    classifier_ : estimator
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        The labels, in the order of the columns of probabilities.
    segmenter_ : RPeakSegmenter
        How beats are cut.
    bandpass_ : BandpassFilter or None
        How recordings are filtered.
    n_leads_ : int
        Number of leads in a row.
    n_beats_ : int
        Number of beats trained on.
    n_missed_ : int
        How many annotated beats the detector has missed in ``fit``.
    n_extra_ : int
        How many beats it has found there that nobody has annotated.

    See Also
    --------
    extract_beats : Annotated beats as rows, to train a classifier by itself.
    ecgbeat.metrics.annotation_f1_score : What ``score`` returns.
    ecgbeat.metrics.ec57_report : Scores as the standard EC57 asks for.

    Notes
    -----
    Recordings are in mV, of shape (n_times,) or (n_leads, n_times), and may differ in length.
    NaN marks gaps; a straight line is drawn over them. An array of two axes is a list of
    recordings of one lead, of three axes one of recordings of several.

    `fit` trains on what `predict` will see: beats are cut where they were detected, and have
    the label of the annotation within ``tolerance``. Annotated beats that the detector
    misses are cut where they are annotated, since their shape tells of their class all the
    same. What is detected but not annotated has no class and is left out; it does belong to
    the rhythm, which ``rr_features`` takes from all detected beats and the missed ones.

    Beats are not scaled: begin the classifier with a `ZScoreScaler`, as in the example, and
    put resampling such as SMOTE into the same pipeline of imbalanced-learn. With
    ``rr_features`` a ``ColumnTransformer`` scales the waves and the rhythm apart.

    A recording of any length is filtered and cut in blocks. Beats of several recordings
    are classified together, 8,192 and more at a time.

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
        "fs": [Interval(Real, 0, None, closed="neither")],
        "segmenter": [RPeakSegmenter, None],
        "bandpass": [BandpassFilter, StrOptions({"passthrough"}), None],
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
        classifier: Any,
        *,
        fs: float = 360.0,
        segmenter: RPeakSegmenter | None = None,
        bandpass: BandpassFilter | str | None = None,
        lead: int | None = 0,
        detector: Callable[[np.ndarray, float], Any] | None = None,
        rr_features: bool | str = False,
        symbols: Any = None,
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
        self, recordings: Sequence[Any], annotations: Sequence[Any], *, groups: Any = None
    ) -> "BeatAnnotator":
        """Train the classifier on the beats of annotated recordings.

        Parameters
        ----------
        recordings : sequence of array-like of shape (n_times,) or (n_leads, n_times)
            In mV; NaN marks gaps.
        annotations : sequence of Annotation
            One for each recording: sample numbers and WFDB symbols. Pairs will do.
        groups : sequence of length n_recordings, default=None
            The patient of each recording. If given, the classifier's ``fit`` (that of the last
            step of a pipeline) gets ``groups=``, one value a beat, such as
            `ECGCNNClassifier` takes for early stopping. None passes nothing.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If one recording is passed instead of a list of them.
        ValueError
            If a parameter, recording or annotation is not usable, or no beat is left to
            train on. The estimator is then what it was before.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        recordings = check_recordings(recordings, "fit")
        check_annotations(annotations, len(recordings), "fit")
        if groups is not None and len(groups) != len(recordings):
            raise ValueError(
                f"groups must have one entry for each recording, got {len(groups)} for "
                f"{len(recordings)} recordings."
            )
        front_end = plan_front_end(
            self.fs, self.segmenter, self.bandpass, self.detector, self.rr_features
        )
        parts = []
        pairs = list(zip(recordings, annotations, strict=True))
        for index, (recording, annotation) in self._progress(pairs, "cutting beats"):
            with naming_recording(index):
                leads = open_recording(recording, self.lead)
                reference = self._reference(annotation, leads.shape[1])
                parts.append(training_beats(front_end, leads, reference, self.tolerance))
        n_beats = [len(part.label) for part in parts]
        if sum(n_beats) == 0:
            raise ValueError(self._describe_absence(len(parts)))
        beats = join_training_beats(parts)
        classifier = clone(self.classifier)
        if groups is None:
            classifier.fit(beats.rows, beats.label)
        else:
            patients = np.repeat(np.asarray(groups), n_beats)
            fit_with_groups(classifier, beats.rows, beats.label, patients)
        # nothing was set before, so that a failed fit changes nothing
        self.classifier_ = classifier
        self.classes_ = np.asarray(getattr(classifier, "classes_", np.unique(beats.label)))
        self.segmenter_ = front_end.segmenter
        self.bandpass_ = front_end.bandpass
        self.n_leads_ = beats.n_leads
        self.n_beats_ = len(beats.label)
        self.n_missed_ = beats.n_missed
        self.n_extra_ = beats.n_extra
        return self

    def predict(self, recordings: Sequence[Any]) -> list[AnnotatedBeats]:
        """Find and classify the beats of recordings.

        Parameters
        ----------
        recordings : sequence of array-like of shape (n_times,) or (n_leads, n_times)
            In mV; NaN marks gaps.

        Returns
        -------
        list of AnnotatedBeats
            One for each recording: ``sample``, ``symbol`` (the predicted labels) and
            ``probability``. Their arrays are empty where there is no beat.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        TypeError
            If one recording is passed instead of a list of them.
        ValueError
            If a recording is not usable, or has another number of leads than those seen in
            ``fit``.
        """
        check_is_fitted(self)
        recordings = check_recordings(recordings, "predict")
        samples: list[np.ndarray] = []
        batches = in_batches(self._rows(recordings, samples), _BATCH_ROWS)
        classified = [classify(self.classifier_, self.classes_, batch) for batch in batches]
        n_beats = [len(sample) for sample in samples]
        labels = _divide([label for label, _ in classified], n_beats, self.classes_[:0])
        probabilities: Sequence[Any] = [None] * len(samples)
        if hasattr(self.classifier_, "predict_proba"):
            nothing = np.empty((0, len(self.classes_)))
            probabilities = _divide([p for _, p in classified], n_beats, nothing)
        return [
            AnnotatedBeats(*beats) for beats in zip(samples, labels, probabilities, strict=True)
        ]

    def annotate(
        self,
        recordings: Sequence[Any],
        *,
        record_names: Sequence[Any] | None = None,
        write_to: Any = None,
        extension: str = "ecgbeat",
        wfdb_symbols: Mapping[Any, str] | None = None,
        overwrite: bool = False,
    ) -> Any:
        """Find and classify beats, as a table and as WFDB annotation files.

        Parameters
        ----------
        recordings : sequence of array-like of shape (n_times,) or (n_leads, n_times)
            In mV; NaN marks gaps.
        record_names : sequence of length n_recordings, default=None
            Names of the recordings; None numbers them from 0.
        write_to : path-like, default=None
            Folder for annotation files, ``<record name>.<extension>``, that WFDB's tools read.
            It is made if need be. None writes nothing.
        extension : str, default="ecgbeat"
            Ending of the files; letters only.
        wfdb_symbols : dict, default=None
            WFDB's symbols for labels that are none, such as ``{"normal": "N", "pvc": "V"}``.
        overwrite : bool, default=False
            Whether files that are there already may be replaced.

        Returns
        -------
        pandas.DataFrame
            One row a beat: ``record``, ``beat`` (from 0 in each recording), ``sample``,
            ``time_s``, ``rr_s`` (since the beat before, NaN for the first), ``label``,
            ``probability`` (of this label) and ``probability_<class>`` of each class. The
            probabilities are missing if the classifier has no ``predict_proba``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        ImportError
            If pandas is missing or, to write files, wfdb.
        FileExistsError
            If a file is there already, and ``overwrite=False``.
        TypeError, ValueError
            As `predict`; and if ``record_names`` are not one for each recording or no names
            for records, ``extension`` is no ending, or a label has no WFDB symbol. In
            all these cases nothing is written.
        """
        check_is_fitted(self)
        recordings = check_recordings(recordings, "annotate")
        names = [str(name) for name in range(len(recordings))]
        if record_names is not None:
            names = [str(name) for name in record_names]
        if len(names) != len(recordings):
            raise ValueError(
                f"record_names must have one name for each recording, got {len(names)} for "
                f"{len(recordings)} recordings."
            )
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

    def score(self, recordings: Sequence[Any], annotations: Sequence[Any]) -> float:
        """Return the macro-averaged F1 score, in which detection errors count.

        A missed beat is a miss of its class, an extra beat a false alarm of the class it
        was given. Annotated beats that ``symbols`` or ``mapping`` leave out, and what is
        detected there, do not count.

        Parameters
        ----------
        recordings : sequence of array-like of shape (n_times,) or (n_leads, n_times)
            In mV; NaN marks gaps.
        annotations : sequence of Annotation
            One for each recording.

        Returns
        -------
        float
            Between 0 and 1; NaN if there is no beat, neither annotated nor detected.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        TypeError, ValueError
            As `fit`.

        See Also
        --------
        ecgbeat.metrics.annotation_f1_score : The same as a function.
        """
        check_is_fitted(self)
        recordings = check_recordings(recordings, "score")
        check_annotations(annotations, len(recordings), "score")
        references = []
        for index, (recording, annotation) in enumerate(zip(recordings, annotations, strict=True)):
            with naming_recording(index):
                n_times = select_leads(recording, self.lead).shape[1]
                references.append(self._reference(annotation, n_times))
        return annotation_f1_score(  # type: ignore[return-value]
            [(r.sample[r.counts], r.label[r.counts]) for r in references],
            self.predict(recordings),
            self.fs,
            tolerance=self.tolerance,
            left_out=[r.sample[~r.counts] for r in references],
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether ``fit`` was called."""
        return hasattr(self, "classifier_")

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is a list of recordings, in which NaN may be."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags

    def _progress(self, recordings: Sequence[Any], work: str) -> Iterator[tuple[int, Any]]:
        """Enumerate the recordings, with a progress bar if asked for."""
        return enumerate(tqdm(recordings, desc=work, unit="record", disable=not self.verbose))

    def _reference(self, annotation: Any, n_times: int) -> ReferenceBeats:
        return reference_beats(annotation, self.symbols, self.mapping, n_times)

    def _rows(self, recordings: Sequence[Any], samples: list[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the rows of all recordings, and append the R peaks of each to ``samples``."""
        front_end = FrontEnd(
            self.fs, self.segmenter_, self.bandpass_, self.detector, self.rr_features
        )
        for index, recording in self._progress(recordings, "annotating"):
            with naming_recording(index):
                leads = open_recording(recording, self.lead)
                if len(leads) != self.n_leads_:
                    raise ValueError(
                        f"{len(leads)} leads are used of this recording, but {self.n_leads_} of "
                        "those in fit. Choose one by lead=, or pass recordings of one form."
                    )
                r_peaks = front_end.detect(leads)
                samples.append(r_peaks)
                rows = front_end.rows(leads, r_peaks, r_peaks)
            yield from rows

    def _describe_absence(self, n_recordings: int) -> str:
        """Say that there is nothing to train on, and why."""
        if n_recordings == 0:
            return "recordings is empty: there is nothing to train on."
        wanted = "that mark a beat"
        if self.symbols is not None or isinstance(self.mapping, Mapping):
            wanted = f"that symbols={self.symbols!r} and mapping={self.mapping!r} name"
        return f"There are no annotations {wanted}: no beat is left to train on."


def _divide(batches: list[Any], n_beats: list[int], nothing: np.ndarray) -> list[np.ndarray]:
    """Divide what batches hold among the recordings; ``nothing`` says its form."""
    joined = np.concatenate(batches) if batches else nothing
    ends = np.cumsum(n_beats).tolist()
    return [joined[end - n : end] for n, end in zip(n_beats, ends, strict=True)]
