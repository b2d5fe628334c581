"""Beats by class: mean and spread, or examples (layer 3)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ecgbeat._validation import Integral, check_is_fitted
from ecgbeat.plotting._arrays import (
    as_beats,
    check_classes,
    check_labels,
    check_lead_names,
    check_times,
)
from ecgbeat.plotting._beat_panels import BeatPanels
from ecgbeat.plotting._confusions import label_confusions
from ecgbeat.plotting._extras import import_pyplot
from ecgbeat.plotting._panels import check_axes, make_panels, width_of
from ecgbeat.plotting._style import class_styles

_KINDS = ("mean", "examples")
_SPREADS = ("std", "percentiles", None)
_PANEL_INCH, _LARGE_PANEL_INCH = (2.3, 1.9), (5.0, 3.0)  # of a new figure, many or only one
_BEAT_INCH = 0.5  # height of each further example
_LEAST_PANEL_INCH = 1.3
_MOST_COLUMNS = 4


class BeatsDisplay:
    """Beats by class on ECG paper: mean and spread, or some examples.

    Make it with `from_beats`, `from_estimator` or `from_predictions`. All parameters are stored
    as attributes.

    Parameters
    ----------
    beats : ndarray of shape (n_beats, n_leads, n_times)
        Beats.
    labels : ndarray of shape (n_beats,)
        What each beat is shown as.
    fs : float
        Sampling rate in Hz.
    before : float or None, default=None
        Seconds from the first sample to the R peak. None counts time from the first sample.
    classes : sequence, default=None
        The labels to draw, in this order; None draws all, sorted.
    lead_names : sequence of str, default=None
        Name of each lead.
    unit : str, default="mV"
        Unit of the beats; "" if they have none. Large boxes are 0.5 mV high, or of a
        round number in another unit.
    colors : dict, default=None
        Colours of labels, in place of those chosen here.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure.
    ax_ : matplotlib Axes
        The axes of the first panel.
    axes_ : ndarray of Axes
        Of shape (n_classes, n_leads), or (1, n_leads) with ``overlay``.
    lines_ : list of matplotlib Line2D
        Means or examples, class by class and lead by lead.
    bands_ : list of matplotlib PolyCollection
        The spreads, in the same order.

    See Also
    --------
    RecordingDisplay : Beats where they stand in their recording.
    SaliencyDisplay : What a network looks at in one beat.

    Notes
    -----
    scikit-learn's ``from_predictions`` compares true with predicted labels, and so does the
    one here. To look at beats by the classes that they have is another thing, and is called
    `from_beats`.

    The colours are of [1]_, which colour-blind people can tell apart. Each class has a panel
    with its name above; with ``overlay`` lines differ by their dashes, too.

    References
    ----------
    .. [1] M. Okabe, K. Ito (2008). Color Universal Design: How to make figures and presentations
       that are friendly to colorblind people. https://jfly.uni-koeln.de/color/

    Examples
    --------
    >>> from ecgbeat.datasets import make_heartbeats
    >>> from ecgbeat.plotting import BeatsDisplay
    >>> beats = make_heartbeats(60, n_patients=5, before=0.3, after=0.5, random_state=0)
    >>> display = BeatsDisplay.from_beats(beats.data, beats.target, fs=360, before=0.3)
    >>> [ax.get_title() for ax in display.axes_[:2, 0]]
    ['A (n = 5)', 'L (n = 9)']
    """

    def __init__(
        self,
        beats: np.ndarray,
        labels: np.ndarray,
        *,
        fs: float,
        before: float | None = None,
        classes: Sequence[Any] | None = None,
        lead_names: Sequence[str] | None = None,
        unit: str = "mV",
        colors: Mapping[Any, str] | None = None,
    ) -> None:
        self.beats = beats
        self.labels = labels
        self.fs = fs
        self.before = before
        self.classes = classes
        self.lead_names = lead_names
        self.unit = unit
        self.colors = colors

    @classmethod
    def from_beats(
        cls,
        X: Any,
        y: Any,
        *,
        fs: float,
        before: float | None = None,
        n_leads: int = 1,
        n_aux_features: int = 0,
        classes: Sequence[Any] | None = None,
        lead_names: Sequence[str] | None = None,
        unit: str = "mV",
        colors: Mapping[Any, str] | None = None,
        ax: Any = None,
        **plot_params: Any,
    ) -> "BeatsDisplay":
        """Draw beats by the class that they have.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
            Beats, finite.
        y : array-like of shape (n_beats,)
            Their labels, of any kind.
        fs : float
            Sampling rate in Hz. Of beats that were resampled it is another than that of
            their recording: ``n_times / (before + after)``.
        before : float or None, default=None
            Seconds from the first sample to the R peak, which is then at time 0.
        n_leads : int, default=1
            Number of leads in each flattened row. 3-D beats bring their own.
        n_aux_features : int, default=0
            Number of columns at the end of each row that are no waveform.
        classes, lead_names, unit, colors
            As in the class.
        ax : matplotlib Axes, array of Axes or None, default=None
            Where to draw, see `plot`.
        **plot_params
            Further parameters of `plot`: ``kind``, ``spread``, ``n_examples``, ``overlay``,
            ``random_state``.

        Returns
        -------
        BeatsDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError, ValueError
            If beats, labels or a parameter are not what they must be. Nothing is drawn then.
        """
        owner = f"{cls.__name__}.from_beats"
        import_pyplot(owner)
        beats = as_beats(X, owner, n_leads=n_leads, n_aux_features=n_aux_features)
        display = cls(
            beats,
            check_labels("y", y, len(beats)),
            fs=fs,
            before=before,
            classes=classes,
            lead_names=lead_names,
            unit=unit,
            colors=colors,
        )
        return display.plot(ax, **plot_params)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any = None, *, fs: float, **params: Any
    ) -> "BeatsDisplay":
        """Draw beats by the class that an estimator predicts.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier or pipeline.
        X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
            Beats as the estimator takes them. They are drawn as they are here, not as a
            pipeline changes them.
        y : array-like of shape (n_beats,), default=None
            True labels. With them the picture is that of `from_predictions`: right and wrong
            predictions apart.
        fs : float
            Sampling rate in Hz.
        **params
            Further parameters of `from_beats`, or of `from_predictions` if there is a ``y``.

        Returns
        -------
        BeatsDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        ImportError, TypeError, ValueError
            As `from_beats`.
        """
        import_pyplot(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        predicted = estimator.predict(X)
        if y is None:
            return cls.from_beats(X, predicted, fs=fs, **params)
        return cls.from_predictions(X, y, predicted, fs=fs, **params)

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        y_true: Any,
        y_pred: Any,
        *,
        fs: float,
        classes: Sequence[Any] | None = None,
        max_panels: int = 12,
        **params: Any,
    ) -> "BeatsDisplay":
        """Draw rightly and wrongly classified beats apart, to see what errors look like.

        One panel for the right beats of each class, ``"N right"``, and one for each kind
        of error, ``"V as N"``, the most frequent first. Errors are vermillion.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
            Beats.
        y_true, y_pred : array-like of shape (n_beats,)
            True and predicted labels.
        fs : float
            Sampling rate in Hz.
        classes : sequence, default=None
            Draw beats that are truly of these classes, in this order. None draws all.
        max_panels : int, default=12
            Number of panels at most; the rarest errors have to go.
        **params
            Further parameters of `from_beats`.

        Returns
        -------
        BeatsDisplay
            Its ``labels`` are the names of the panels.

        Raises
        ------
        ImportError, TypeError, ValueError
            As `from_beats`.
        """
        import_pyplot(f"{cls.__name__}.from_predictions")
        names, order, colors = label_confusions(y_true, y_pred, classes, max_panels)
        colors = colors | dict(params.pop("colors", None) or {})
        return cls.from_beats(X, names, fs=fs, classes=order, colors=colors, **params)

    def plot(
        self,
        ax: Any = None,
        *,
        kind: str = "mean",
        spread: str | None = "std",
        n_examples: int = 4,
        overlay: bool = False,
        random_state: Any = 0,
    ) -> "BeatsDisplay":
        """Draw the beats.

        Parameters
        ----------
        ax : matplotlib Axes, array of Axes or None, default=None
            None makes a figure. One axes is divided if several panels are needed; an array
            must have an axes for each lead of each class, in this order.
        kind : {"mean", "examples"}, default="mean"
            The mean beat of each class, or single beats drawn at random, one above the other.
            The latter are moved up and down; a bar beside them shows the scale.
        spread : {"std", "percentiles"} or None, default="std"
            What the band around the mean is: one standard deviation to both sides, or from
            the 5th to the 95th percentile of each sample.
        n_examples : int, default=4
            Number of examples of each class, if it has as many.
        overlay : bool, default=False
            Whether all classes are drawn into one panel. Only for means.
        random_state : int, RandomState instance or None, default=0
            Determines the examples.

        Returns
        -------
        BeatsDisplay
            This one.
        """
        owner = f"{type(self).__name__}.plot"
        import_pyplot(owner)
        _check_plot_params(kind, spread, n_examples, overlay)
        classes = check_classes(self.classes, self.labels)
        times = check_times(self.beats.shape[-1], self.fs, self.before)
        n_leads = self.beats.shape[1]
        names = check_lead_names(self.lead_names, n_leads)
        n_groups = 1 if overlay else len(classes)
        check_axes(ax, n_groups * n_leads, owner)
        painter = BeatPanels(
            {label: self.beats[self.labels == label] for label in classes},
            times,
            class_styles(classes, self.colors),
            names,
            self.unit,
            "Time from R peak (s)" if self.before is not None else "Time (s)",
        )
        n_columns = _columns(width_of(ax, _MOST_COLUMNS * _PANEL_INCH[0]), n_groups)
        size = _size(n_groups, n_leads, n_columns, n_examples if kind == "examples" else 1)
        panels = make_panels(ax, n_groups, n_leads, n_columns, size)
        if kind == "mean":
            painter.draw_means(panels, spread)
        else:
            painter.draw_examples(panels, n_examples, random_state)
        self.lines_, self.bands_ = painter.lines, painter.bands
        self.axes_, self.ax_ = panels.axes, panels.axes[0, 0]
        self.figure_ = self.ax_.figure
        return self


def _check_plot_params(kind: Any, spread: Any, n_examples: Any, overlay: bool) -> None:
    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {_KINDS}, got {kind!r}.")
    if spread not in _SPREADS:
        raise ValueError(f"spread must be one of {_SPREADS}, got {spread!r}.")
    if overlay and kind != "mean":
        raise ValueError(f"overlay=True is for kind='mean', got kind={kind!r}.")
    if not isinstance(n_examples, Integral) or n_examples < 1:
        raise ValueError(f"n_examples must be a whole number from 1, got {n_examples!r}.")


def _columns(width: float, n_groups: int) -> int:
    """Return how many panels fit side by side, in rows as equally long as can be."""
    most = int(np.clip(width // _LEAST_PANEL_INCH, 1, min(n_groups, _MOST_COLUMNS)))
    n_rows = -(-n_groups // most)
    return -(-n_groups // n_rows)


def _size(n_groups: int, n_leads: int, n_columns: int, n_beats: int) -> tuple[float, float]:
    """Return width and height in inches of a new figure, with beats one above the other."""
    n_rows = -(-n_groups // n_columns) * n_leads
    width, height = _PANEL_INCH if n_groups > 1 else _LARGE_PANEL_INCH
    return n_columns * width + 0.7, n_rows * (height + _BEAT_INCH * (n_beats - 1)) + 0.4
