"""Display of a recording with its beats and their errors."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from ecgbeat._recordings import as_recording, check_within_recording, lead_row, stretch
from ecgbeat._validation import check_fs, check_is_fitted, check_positive
from ecgbeat.labels import label_beats
from ecgbeat.plotting._arrays import name_leads
from ecgbeat.plotting._beat_comparison import (
    DRAW_STRETCH,
    BeatList,
    BeatsLike,
    as_beat_list,
    compare_beats,
    count_errors,
    sorted_labels,
)
from ecgbeat.plotting._panels import AxesLike, check_axes, make_panels, require_matplotlib
from ecgbeat.plotting._strips import StripPainter
from ecgbeat.plotting._style import class_styles

# of a new figure
_WIDTH_INCH, _MIN_HEIGHT_INCH = 10.0, 2.5
_LEAD_INCH, _ROW_INCH, _EDGE_INCH = 0.8, 0.17, 0.9  # heights
_DEFAULT_S = 60.0  # half an hour would make a figure of 4 m
_MAX_STRIPS = 100


@dataclass(eq=False, repr=False)
class RecordingDisplay:
    """Recording with R peaks and labels, and the errors among them.

    Use `from_predictions` or `from_estimator` to create a `RecordingDisplay`. All parameters
    are stored as attributes.

    Parameters
    ----------
    recording : ndarray of shape (n_leads, n_times)
        Leads to draw. NaN marks gaps.
    predicted : tuple (sample, label)
        Sample numbers, ascending, and labels or None.
    reference : tuple (sample, label) or None, default=None
        Sample numbers and labels of a reference.
    fs : float
        Sampling rate in Hz.
    left_out : ndarray of int, default=None
        Samples of beats of the reference that are not scored.
    tolerance : float, default=0.15
        Largest distance in seconds between a predicted beat and that of the reference.
    lead_names : sequence of str, default=None
        Name of each lead.
    unit : str, default="mV"
        Unit of the recording.
    colors : dict, default=None
        Colors of labels, in place of the default ones.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure that contains the recording.
    ax_ : matplotlib Axes
        Axes with all strips.
    lines_ : list of matplotlib Line2D
        Traces, strip by strip and lead by lead.
    markers_ : list of matplotlib Line2D
        R peaks, class by class.
    texts_ : list of matplotlib Text
        Labels.
    errors_ : list of matplotlib Rectangle
        Boxes around errors.
    counts_ : dict of int
        Number of beats in the drawn stretch that are ``"wrong class"``, ``"missed"`` and
        ``"false alarm"``. Empty without a reference.

    See Also
    --------
    ecgbeat.metrics.match_beats : Match detected beats with reference beats.
    ecgbeat.metrics.annotation_f1_score : F1 score of annotated recordings.
    BeatsDisplay : Beats by class.

    Notes
    -----
    Each strip is drawn as on the paper of an electrocardiograph: large boxes are 0.2 s and
    0.5 mV, small ones, where there is room for them, 0.04 s and 0.1 mV. A single trace has its
    amplitude at the axis. Several strips or leads are each drawn about their median; a bar
    shows the scale.

    With a reference there are two rows of labels above each strip, and a box around each
    error: two labels that differ, a label above ``—`` for a missed beat, ``—`` above a label for
    a false alarm. ``•`` stands for a beat without a label, or a beat of the reference that is
    not scored. Labels that are too long to be written side by side are replaced by the markers
    of the legend.

    Examples
    --------
    >>> from ecgbeat.datasets import make_recording
    >>> from ecgbeat.plotting import RecordingDisplay
    >>> from ecgbeat.signal import detect_r_peaks
    >>> patient = make_recording(20, random_state=0)
    >>> r_peaks = detect_r_peaks(patient.signal, fs=360)
    >>> display = RecordingDisplay.from_predictions(
    ...     patient.signal, r_peaks[1:], patient.annotation, fs=360
    ... )
    >>> display.counts_
    {'wrong class': 0, 'missed': 1, 'false alarm': 0}
    """

    recording: np.ndarray
    predicted: tuple[np.ndarray, np.ndarray | None]
    reference: tuple[np.ndarray, np.ndarray | None] | None = None
    _: KW_ONLY
    fs: float
    left_out: np.ndarray | None = None
    tolerance: float = 0.15
    lead_names: Sequence[str] | None = None
    unit: str = "mV"
    colors: Mapping[Any, str] | None = None

    @classmethod
    def from_predictions(
        cls,
        recording: ArrayLike,
        predicted: BeatsLike,
        reference: BeatsLike | None = None,
        *,
        fs: float,
        lead: int | str | Sequence[int | str] | None = None,
        lead_names: Sequence[str] | None = None,
        left_out: ArrayLike | None = None,
        tolerance: float = 0.15,
        unit: str = "mV",
        colors: Mapping[Any, str] | None = None,
        ax: AxesLike = None,
        **plot_params: Any,
    ) -> "RecordingDisplay":
        """Plot a recording with predicted beats.

        Parameters
        ----------
        recording : array-like of shape (n_times,) or (n_leads, n_times)
            Recording in mV. NaN marks gaps.
        predicted : AnnotatedBeats, Annotation, pair (sample, label) or array-like of int
            Predicted beats: sample numbers and labels, or sample numbers alone, such as
            `ecgbeat.signal.detect_r_peaks` returns. Annotations that mark no beats are left
            out of an `Annotation` and of the results of ``wfdb.rdann``.
        reference : the same or None, default=None
            Reference beats. Classes are not compared if one side has no labels.
        lead : int, str, sequence of these or None, default=None
            Leads to draw, by number or by name. None draws all.
        lead_names : sequence of str, default=None
            Name of each lead of ``recording``.
        fs, left_out, tolerance, unit, colors : float and optional
            As in the class.
        ax, **plot_params : optional
            As in `plot`: ``start`` and ``stop`` choose the stretch that is drawn, by default the
            first minute.

        Returns
        -------
        RecordingDisplay

        Raises
        ------
        TypeError, ValueError
            If the recording, the beats or a parameter are invalid. No figure is made then.
        """
        require_matplotlib(f"{cls.__name__}.from_predictions")
        leads, names = _select_leads(recording, lead, lead_names)
        n_times = leads.shape[1]
        if left_out is not None:
            left_out = as_beat_list(np.asarray(left_out), "left_out", n_times).sample
        display = cls(
            leads,
            as_beat_list(predicted, "predicted", n_times),
            None if reference is None else as_beat_list(reference, "reference", n_times),
            fs=check_fs(fs),
            left_out=left_out,
            tolerance=check_positive("tolerance", tolerance, unit="s", strict=False),
            lead_names=names,
            unit=unit,
            colors=colors,
        )
        return display.plot(ax, **plot_params)

    @classmethod
    def from_estimator(
        cls,
        annotator: BaseEstimator,
        recording: ArrayLike,
        reference: BeatsLike | None = None,
        *,
        lead: int | str | Sequence[int | str] | None = None,
        **params: Any,
    ) -> "RecordingDisplay":
        """Plot a recording with the beats that an annotator predicts.

        Parameters
        ----------
        annotator : BeatAnnotator
            Fitted annotator, or a search over its parameters.
        recording : array-like of shape (n_times,) or (n_leads, n_times)
            As in `from_predictions`.
        reference : Annotation or pair, default=None
            Sample numbers and WFDB symbols. They are mapped to classes by the ``mapping`` of
            the annotator; beats of other symbols are not scored.
        lead : int, str, sequence of these or None, default=None
            Leads to draw. None draws those that the annotator uses.
        **params
            Further parameters of `from_predictions`, except for ``fs`` and ``left_out``, which
            are set here. ``tolerance`` defaults to that of the annotator.

        Returns
        -------
        RecordingDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the annotator is not fitted.
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        check_is_fitted(annotator)
        annotator = getattr(annotator, "best_estimator_", annotator)
        if not hasattr(annotator, "fs"):
            raise TypeError(
                f"annotator must be a BeatAnnotator, got {type(annotator).__name__}. Pass the "
                "beats of another estimator to from_predictions."
            )
        signal = as_recording(recording, gaps=None)
        if lead is None and signal.ndim == 2:
            lead = getattr(annotator, "lead", None)
        if reference is not None:
            symbols, mapping = (getattr(annotator, key, None) for key in ("symbols", "mapping"))
            beats = label_beats(reference, symbols, mapping)
            check_within_recording(beats.sample, signal.shape[-1], "reference", DRAW_STRETCH)
            reference = beats.sample[beats.is_scored], beats.label[beats.is_scored]
            params["left_out"] = beats.sample[~beats.is_scored]
        params.setdefault("tolerance", getattr(annotator, "tolerance", 0.15))
        return cls.from_predictions(
            signal,
            annotator.predict([signal])[0],
            reference,
            fs=annotator.fs,
            lead=lead,
            **params,
        )

    def plot(
        self,
        ax: AxesLike = None,
        *,
        start: float = 0.0,
        stop: float | None = None,
        strip: float | None = 10.0,
    ) -> "RecordingDisplay":
        """Plot a stretch of the recording.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None makes a figure, 10 inches wide and as high as needed.
        start : float, default=0.0
            Beginning of the stretch in seconds.
        stop : float or None, default=None
            End of the stretch in seconds, at most that of the recording. None is one minute
            after ``start``, or the end of the recording.
        strip : float or None, default=10.0
            Length of a strip in seconds: longer stretches continue in the next strip. None
            draws one strip.

        Returns
        -------
        RecordingDisplay
        """
        caller = f"{type(self).__name__}.plot"
        require_matplotlib(caller)
        check_axes(ax, 1, caller)
        n_leads, n_times = self.recording.shape
        names = name_leads(self.lead_names, n_leads)
        strips = _cut_strips(n_times, self.fs, start, stop, strip)
        beats = compare_beats(
            BeatList(*self.predicted),
            None if self.reference is None else BeatList(*self.reference),
            np.array([] if self.left_out is None else self.left_out, np.int64),
            self.fs,
            self.tolerance,
        )
        # a class has the same style in all stretches of a recording
        styles = class_styles(sorted_labels(beats), self.colors)
        beats = [beat for beat in beats if strips[0].start <= beat.sample < strips[-1].stop]
        styles = {label: styles[label] for label in sorted_labels(beats)}
        self.counts_ = {} if self.reference is None else count_errors(beats)
        rows = ["predicted"] if self.reference is None else ["reference", "predicted"]
        if self.reference is None and self.predicted[1] is None:
            rows = []
        height = len(strips) * (n_leads * _LEAD_INCH + len(rows) * _ROW_INCH) + _EDGE_INCH
        panels = make_panels(ax, 1, 1, 1, (_WIDTH_INCH, max(height, _MIN_HEIGHT_INCH)))
        self.ax_ = panels.axes[0, 0]
        self.figure_ = self.ax_.figure
        painter = StripPainter(self.ax_, self.recording, strips, self.fs, rows, self.unit, styles)
        painter.draw(beats, self.counts_, names)
        self.lines_, self.markers_ = painter.lines, painter.markers
        self.texts_, self.errors_ = painter.texts, painter.errors
        return self


def _select_leads(
    recording: ArrayLike,
    lead: int | str | Sequence[int | str] | None,
    lead_names: Sequence[str] | None,
) -> tuple[np.ndarray, list[str]]:
    """Return the leads to draw, ``(n_leads, n_times)``, and their names."""
    as_recording(recording)  # raises if a value is infinite
    leads = np.atleast_2d(as_recording(recording, gaps=None))
    names = name_leads(lead_names, len(leads))
    if lead is None:
        return leads, names
    keys = names if lead_names is not None else [str(row) for row in range(len(leads))]
    wanted = [lead] if isinstance(lead, (int, np.integer, str)) else list(lead)
    rows = [lead_row(item, keys) for item in wanted]
    if not rows:
        raise ValueError(f"lead must name at least one lead, got {lead!r}.")
    return leads[rows], [names[row] for row in rows]


def _cut_strips(
    n_times: int, fs: float, start: float, stop: float | None, strip: float | None
) -> list[slice]:
    """Divide a stretch of a recording into strips, the last of which may be shorter."""
    start = check_positive("start", start, unit="s", strict=False)
    stop = start + _DEFAULT_S if stop is None else stop
    drawn = stretch(n_times, fs, start, stop)
    first, last = drawn.start, drawn.stop
    length = last - first if strip is None else round(check_positive("strip", strip, unit="s") * fs)
    if last - first < 2 or length < 2:
        raise ValueError(
            f"A strip must have at least 2 samples, got start={start:g}, stop={stop:g} and "
            f"strip={strip!r} s at fs={fs:g} Hz."
        )
    strips = [slice(at, min(at + length, last)) for at in range(first, last, length)]
    if len(strips) > _MAX_STRIPS:
        raise ValueError(
            f"At most {_MAX_STRIPS} strips can be drawn, got {len(strips)} of strip={strip!r} s. "
            "Choose a shorter stretch or longer strips."
        )
    return strips
