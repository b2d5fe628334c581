"""A recording with its beats, and where they are wrong (layer 3)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ecgbeat._validation import check_is_fitted, check_positive
from ecgbeat.plotting._arrays import check_lead_names
from ecgbeat.plotting._beat_marks import BeatMark, Beats, as_marks, compare, count_errors, labels_of
from ecgbeat.plotting._extras import import_pyplot
from ecgbeat.plotting._panels import check_axes, make_panels
from ecgbeat.plotting._recording_input import as_annotator_sees, choose_leads, cut_strips
from ecgbeat.plotting._strips import StripPainter
from ecgbeat.plotting._style import ClassStyle, class_styles

# of a new figure
_WIDTH_INCH, _LEAST_HEIGHT_INCH = 10.0, 2.5
_LEAD_INCH, _ROW_INCH, _EDGE_INCH = 0.8, 0.17, 0.9  # heights


class RecordingDisplay:
    """A stretch of a recording with R peaks and labels, and the errors in them.

    Make it with `from_predictions` or `from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    recording : ndarray of shape (n_leads, n_times)
        The leads to draw. NaN marks gaps.
    predicted : tuple (sample, label)
        Sample numbers, ascending, and labels or None.
    reference : tuple (sample, label) or None, default=None
        The same of a reference.
    fs : float
        Sampling rate in Hz.
    left_out : ndarray of int, default=None
        Samples of beats that are known to be there, but count for nothing.
    tolerance : float, default=0.15
        Largest distance in seconds between a predicted beat and that of the reference.
    lead_names : sequence of str, default=None
        Name of each lead.
    unit : str, default="mV"
        Unit of the recording.
    colors : dict, default=None
        Colours of labels, in place of those chosen here.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure.
    ax_ : matplotlib Axes
        The axes. All strips lie in it.
    lines_ : list of matplotlib Line2D
        The traces, strip by strip and lead by lead.
    markers_ : list of matplotlib Line2D
        The R peaks, class by class.
    texts_ : list of matplotlib Text
        The labels.
    errors_ : list of matplotlib Rectangle
        The boxes around errors.
    counts_ : dict of int
        How many beats of the stretch are ``"wrong class"``, ``"missed"`` and ``"false alarm"``.
        Empty without a reference.

    See Also
    --------
    ecgbeat.metrics.match_beats : Which beat is which of the reference.
    ecgbeat.metrics.annotation_f1_score : The errors of whole recordings as one figure.
    BeatsDisplay : Beats by class.

    Notes
    -----
    Each strip is drawn as on the paper of an electrocardiograph: large boxes are 0.2 s and
    0.5 mV, small ones, where there is room for them, 0.04 s and 0.1 mV. A single trace has its
    amplitude at the axis. Several strips or leads are each drawn about their median; a bar
    shows the scale.

    With a reference there are two rows of labels above each strip, and a box around each
    error: two labels that differ, a label above ``—`` for a missed beat, ``—`` above a label for
    a false alarm. ``•`` stands for a beat without a label, or one of the reference that counts
    for nothing. Where labels are too long to stand beside each other, the markers of the
    legend take their place.

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

    def __init__(
        self,
        recording: np.ndarray,
        predicted: Any,
        reference: Any = None,
        *,
        fs: float,
        left_out: Any = None,
        tolerance: float = 0.15,
        lead_names: Sequence[str] | None = None,
        unit: str = "mV",
        colors: Mapping[Any, str] | None = None,
    ) -> None:
        self.recording = recording
        self.predicted = predicted
        self.reference = reference
        self.fs = fs
        self.left_out = left_out
        self.tolerance = tolerance
        self.lead_names = lead_names
        self.unit = unit
        self.colors = colors

    @classmethod
    def from_predictions(
        cls,
        recording: Any,
        predicted: Any,
        reference: Any = None,
        *,
        fs: float,
        lead: int | str | Sequence[int | str] | None = None,
        lead_names: Sequence[str] | None = None,
        left_out: Any = None,
        tolerance: float = 0.15,
        unit: str = "mV",
        colors: Mapping[Any, str] | None = None,
        ax: Any = None,
        **plot_params: Any,
    ) -> "RecordingDisplay":
        """Draw a recording with the beats found in it.

        Parameters
        ----------
        recording : array-like of shape (n_times,) or (n_leads, n_times)
            In mV; NaN marks gaps.
        predicted : AnnotatedBeats, Annotation, pair (sample, label) or array-like of int
            The beats: sample numbers and labels, or sample numbers alone, such as
            `ecgbeat.signal.detect_r_peaks` returns. Of an `Annotation`, or what
            ``wfdb.rdann`` returns, rhythm marks and the like are left out.
        reference : the same or None, default=None
            What the beats truly are. If one side has no labels, classes are not compared.
        fs : float
            Sampling rate in Hz.
        lead : int, str, sequence of these or None, default=None
            Which leads to draw, by number or by name. None draws all.
        lead_names : sequence of str, default=None
            Name of each lead of ``recording``.
        left_out : array-like of int, default=None
            Samples of beats of the reference that count for nothing.
        tolerance, unit, colors
            As in the class.
        ax : matplotlib Axes or None, default=None
            Where to draw. None makes a figure.
        **plot_params
            Further parameters of `plot`: ``start``, ``stop``, ``strip``.

        Returns
        -------
        RecordingDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError, ValueError
            If recording, beats or a parameter are not what they must be. Nothing is drawn then.
        """
        import_pyplot(f"{cls.__name__}.from_predictions")
        leads, names = choose_leads(recording, lead, lead_names)
        n_times = leads.shape[1]
        display = cls(
            leads,
            as_marks("predicted", predicted, n_times),
            None if reference is None else as_marks("reference", reference, n_times),
            fs=check_positive("fs", fs, unit="Hz"),
            left_out=None if left_out is None else as_marks("left_out", left_out, n_times).sample,
            tolerance=check_positive("tolerance", tolerance, unit="s", strict=False),
            lead_names=names,
            unit=unit,
            colors=colors,
        )
        return display.plot(ax, **plot_params)

    @classmethod
    def from_estimator(
        cls,
        annotator: Any,
        recording: Any,
        reference: Any = None,
        *,
        lead: int | str | Sequence[int | str] | None = None,
        **params: Any,
    ) -> "RecordingDisplay":
        """Draw a recording with the beats that an annotator finds in it.

        Parameters
        ----------
        annotator : BeatAnnotator
            Fitted. A search of its parameters will do.
        recording : array-like of shape (n_times,) or (n_leads, n_times)
            One recording, in mV.
        reference : Annotation or pair, default=None
            Sample numbers and WFDB symbols. They get the classes that the annotator's ``mapping``
            gives them, and those that it leaves out count for nothing.
        lead : int, str, sequence of these or None, default=None
            Which leads to draw. None draws those that the annotator uses.
        **params
            Further parameters of `from_predictions`; ``fs``, ``tolerance`` and
            ``left_out`` are the annotator's.

        Returns
        -------
        RecordingDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the annotator is not fitted.
        ImportError, TypeError, ValueError
            As `from_predictions`.
        """
        import_pyplot(f"{cls.__name__}.from_estimator")
        check_is_fitted(annotator)
        annotator = getattr(annotator, "best_estimator_", annotator)
        if not hasattr(annotator, "fs"):
            raise TypeError(
                "from_estimator draws what a BeatAnnotator finds, got "
                f"{type(annotator).__name__}. Pass the beats of anything else to from_predictions."
            )
        signal = np.asarray(recording)
        if lead is None and signal.ndim == 2:
            lead = getattr(annotator, "lead", None)
        if reference is not None:
            reference, params["left_out"] = as_annotator_sees(annotator, reference)
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
        ax: Any = None,
        *,
        start: float = 0.0,
        stop: float | None = None,
        strip: float | None = 10.0,
    ) -> "RecordingDisplay":
        """Draw a stretch of the recording.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            None makes a figure, 10 inches wide and as high as it has to be.
        start : float, default=0.0
            Beginning of the stretch in seconds.
        stop : float or None, default=None
            Its end in seconds; what lies behind the recording is nothing. None is one minute after
            ``start``, or the end.
        strip : float or None, default=10.0
            Seconds in a line of the print-out: longer stretches go on in the next line. None
            draws one line.

        Returns
        -------
        RecordingDisplay
            This one.
        """
        owner = f"{type(self).__name__}.plot"
        import_pyplot(owner)
        check_axes(ax, 1, owner)
        n_leads, n_times = self.recording.shape
        strips = cut_strips(n_times, self.fs, start, stop, strip)
        marks, styles = self._marks(strips[0].first, strips[-1].stop)
        has_reference = self.reference is not None
        counts = count_errors(marks) if has_reference else {}
        rows = ["reference", "predicted"] if has_reference else ["predicted"]
        if not has_reference and self.predicted[1] is None:
            rows = []
        height = len(strips) * (n_leads * _LEAD_INCH + len(rows) * _ROW_INCH) + _EDGE_INCH
        panels = make_panels(ax, 1, 1, 1, (_WIDTH_INCH, max(height, _LEAST_HEIGHT_INCH)))
        self.ax_ = panels.axes[0, 0]
        self.figure_ = self.ax_.figure
        painter = StripPainter(self.ax_, self.recording, strips, self.fs, rows, self.unit)
        painter.prepare(styles, counts)
        painter.draw_axes(check_lead_names(self.lead_names, n_leads))
        painter.draw_errors(marks)
        painter.draw_traces()
        painter.draw_peaks(marks)
        painter.draw_labels(marks)
        self.lines_, self.markers_ = painter.lines, painter.markers
        self.texts_, self.errors_ = painter.texts, painter.errors
        self.counts_ = counts
        return self

    def _marks(self, first: int, stop: int) -> tuple[list[BeatMark], dict[Any, ClassStyle]]:
        """Return the beats of a stretch, and the look of each label among them."""
        left_out = np.empty(0, np.int64) if self.left_out is None else np.asarray(self.left_out)
        reference = None if self.reference is None else Beats(*self.reference)
        predicted = Beats(*self.predicted)
        marks = compare(predicted, reference, left_out, self.fs, self.tolerance)
        # a class has one look in all stretches of a recording
        styles = class_styles(labels_of(marks), self.colors)
        marks = [mark for mark in marks if first <= mark.sample < stop]
        return marks, {label: styles[label] for label in labels_of(marks)}
