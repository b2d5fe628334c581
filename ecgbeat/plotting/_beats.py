"""Display of beats by class."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch, check_random_state

from ecgbeat._validation import Integral, check_fs, check_is_fitted
from ecgbeat.plotting._arrays import (
    as_beats,
    check_classes,
    check_labels,
    name_leads,
    sample_times,
)
from ecgbeat.plotting._panels import (
    AxesLike,
    Panels,
    check_axes,
    count_columns,
    inches,
    make_panels,
    require_matplotlib,
)
from ecgbeat.plotting._paper import box_height, draw_paper, draw_scale_bar
from ecgbeat.plotting._style import BLUE, VERMILLION, ClassStyle, class_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D

ClassNames = Sequence[str] | Mapping[Any, str] | None

_KINDS = ("mean", "examples")
_PANEL_INCH, _LARGE_PANEL_INCH = (2.3, 1.9), (5.0, 3.0)  # of a new figure, many or only one
_BEAT_INCH = 0.5  # height of each further example
_MIN_PANEL_INCH = 1.3
_MIN_LABEL_INCH = 1.2  # height of a panel that has room for the name of the band
_MAX_COLUMNS = 4
_PERCENTILES = (5, 95)
_BAND_NAMES = {"std": "mean ± SD", "percentiles": "mean, 5 to 95 %", None: "mean"}
_MARGIN = 0.06  # of the height


@dataclass(eq=False, repr=False)
class BeatsDisplay:
    """Beats by class on ECG paper: mean and spread, or examples.

    Use `from_beats`, `from_estimator` or `from_predictions` to create a `BeatsDisplay`. All
    parameters are stored as attributes.

    Parameters
    ----------
    beats : ndarray of shape (n_beats, n_leads, n_times)
        Beats.
    labels : ndarray of shape (n_beats,)
        Label of each beat.
    fs : float
        Sampling rate of the beats in Hz. For resampled beats, it is
        ``n_times / (before + after)``.
    before : float or None, default=None
        Seconds from the first sample to the R peak, which is then at time 0. None counts time
        from the first sample.
    classes : sequence, default=None
        Labels to draw, in this order. None draws all, sorted.
    lead_names : sequence of str, default=None
        Name of each lead.
    unit : str, default="mV"
        Unit of the beats, "" without one. Large boxes are 0.5 mV high, or a round number of
        another unit.
    colors : dict, default=None
        Colors of labels, in place of the default ones.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure that contains the panels.
    ax_ : matplotlib Axes
        Axes of the first panel.
    axes_ : ndarray of Axes
        Axes of shape (n_classes, n_leads), or (1, n_leads) with ``overlay``.
    lines_ : list of matplotlib Line2D
        Means or examples, class by class and lead by lead.
    bands_ : list of matplotlib PolyCollection
        Spreads, in the same order.

    See Also
    --------
    RecordingDisplay : Recording with its beats.
    SaliencyDisplay : Relevance of each sample of a beat to a network.

    Notes
    -----
    The colors of [1]_ can be distinguished with color blindness. Each class has its own panel;
    with ``overlay``, lines differ by their dashes as well.

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

    beats: np.ndarray
    labels: np.ndarray
    _: KW_ONLY
    fs: float
    before: float | None = None
    classes: Sequence[Any] | None = None
    lead_names: Sequence[str] | None = None
    unit: str = "mV"
    colors: Mapping[Any, str] | None = None

    @classmethod
    def from_beats(
        cls,
        X: ArrayLike | Bunch,
        y: ArrayLike | None = None,
        *,
        fs: float | None = None,
        before: float | None = None,
        n_leads: int = 1,
        n_aux_features: int = 0,
        classes: Sequence[Any] | None = None,
        class_names: ClassNames = None,
        lead_names: Sequence[str] | None = None,
        unit: str | None = None,
        colors: Mapping[Any, str] | None = None,
        ax: AxesLike = None,
        **plot_params: Any,
    ) -> "BeatsDisplay":
        """Plot beats by class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times), or Bunch
            Beats, finite. A Bunch, as from `load_heartbeat_csv`, has them as ``data``. Its
            ``target``, ``fs``, ``unit`` and, for integer labels, ``target_names`` are used for
            what is not passed.
        y : array-like of shape (n_beats,), default=None
            Labels of the beats, of any type.
        n_leads : int, default=1
            Number of leads in each flattened row. Inferred from 3-D input.
        n_aux_features : int, default=0
            Number of auxiliary columns at the end of each row.
        class_names : sequence of str, or dict, default=None
            Name of each label, for titles and legends: a dict, or a sequence that is indexed by
            integer labels. The attributes ``labels`` and ``classes`` hold the names then.
        unit : str, default=None
            Unit of the beats, "" without one. None is "mV", or "" for beats that are scaled to
            0..1.
        fs, before, classes, lead_names, colors : optional
            As in the class.
        ax, **plot_params : optional
            As in `plot`.

        Returns
        -------
        BeatsDisplay

        Raises
        ------
        TypeError, ValueError
            If the beats, the labels or a parameter are invalid. No figure is made then.
        """
        caller = f"{cls.__name__}.from_beats"
        require_matplotlib(caller)
        if isinstance(X, Bunch):
            y, fs = X.target if y is None else y, X.get("fs") if fs is None else fs
            unit = X.get("unit") if unit is None else unit
            if class_names is None and np.asarray(y).dtype.kind in "iu":
                class_names = X.get("target_names")
            X = X.data
        beats = as_beats(X, caller, n_leads=n_leads, n_aux_features=n_aux_features)
        labels = check_labels("y", np.asarray(y), len(beats))
        if class_names is not None:
            present = check_classes(classes, labels)
            classes = list(dict.fromkeys(_names_of(present, class_names)))
            labels = np.array(_names_of(labels, class_names))
            keys = _names_of(list(colors or ()), class_names)
            colors = dict(zip(keys, (colors or {}).values(), strict=True))
        if unit is None:
            unit = "" if beats.min() == 0 and beats.max() == 1 else "mV"
        display = cls(
            beats,
            labels,
            fs=check_fs(fs),
            before=before,
            classes=classes,
            lead_names=lead_names,
            unit=unit,
            colors=colors,
        )
        return display.plot(ax, **plot_params)

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        fs: float,
        **params: Any,
    ) -> "BeatsDisplay":
        """Plot beats by predicted class.

        Parameters
        ----------
        estimator : estimator
            Fitted classifier or pipeline.
        X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
            Input of the estimator. It is drawn as given, without the transformations of a
            pipeline.
        y : array-like of shape (n_beats,), default=None
            True labels. With them, right and wrong predictions are drawn apart, as in
            `from_predictions`.
        fs, **params : float and optional
            As in `from_beats`, or in `from_predictions` if there is a ``y``.

        Returns
        -------
        BeatsDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        predicted = estimator.predict(X)
        if y is None:
            return cls.from_beats(X, predicted, fs=fs, **params)
        return cls.from_predictions(X, y, predicted, fs=fs, **params)

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        fs: float,
        classes: Sequence[Any] | None = None,
        class_names: ClassNames = None,
        max_panels: int = 12,
        **params: Any,
    ) -> "BeatsDisplay":
        """Plot correctly and wrongly classified beats apart.

        There is one panel for the correctly classified beats of each class, ``"N right"``, and
        one for each kind of error, ``"V as N"``, the most frequent first. Errors are vermillion.

        Parameters
        ----------
        X, fs, **params : array-like, float and optional
            As in `from_beats`.
        y_true, y_pred : array-like of shape (n_beats,)
            True and predicted labels.
        classes : sequence, default=None
            True classes to draw, in this order. None draws all.
        class_names : sequence of str, or dict, default=None
            Name of each label, as in `from_beats`.
        max_panels : int, default=12
            Largest number of panels. The rarest errors are left out.

        Returns
        -------
        BeatsDisplay
            The attribute ``labels`` contains the names of the panels.
        """
        require_matplotlib(f"{cls.__name__}.from_predictions")
        if class_names is not None:
            present = check_classes(classes, np.asarray(y_true))
            classes = list(dict.fromkeys(_names_of(present, class_names)))
            y_true, y_pred = _names_of(y_true, class_names), _names_of(y_pred, class_names)
        names, order, colors = _label_confusions(y_true, y_pred, classes, max_panels)
        colors = colors | dict(params.pop("colors", None) or {})
        return cls.from_beats(X, names, fs=fs, classes=order, colors=colors, **params)

    def plot(
        self,
        ax: AxesLike = None,
        *,
        kind: str = "mean",
        spread: str | None = "std",
        n_examples: int = 4,
        overlay: bool = False,
        random_state: np.random.RandomState | int | None = 0,
    ) -> "BeatsDisplay":
        """Plot the beats.

        Parameters
        ----------
        ax : matplotlib Axes, array of Axes or None, default=None
            Axes to draw on. None makes a figure. A single axes is divided if several panels
            are needed; an array must have an axes for each lead of each class, in this order.
        kind : {"mean", "examples"}, default="mean"
            Mean beat of each class, or single beats drawn at random, one above the other.
            Examples are shifted vertically; a bar shows the scale.
        spread : {"std", "percentiles"} or None, default="std"
            Band around the mean: one standard deviation to both sides, or from the 5th to the
            95th percentile of each sample.
        n_examples : int, default=4
            Largest number of examples of each class.
        overlay : bool, default=False
            Whether all classes are drawn into one panel. Only for means.
        random_state : int, RandomState instance or None, default=0
            Determines the choice of examples.

        Returns
        -------
        BeatsDisplay
        """
        caller = f"{type(self).__name__}.plot"
        require_matplotlib(caller)
        _check_plot_params(kind, spread, n_examples, overlay)
        classes = check_classes(self.classes, self.labels)
        times = sample_times(self.beats.shape[-1], self.fs, self.before)
        n_leads = self.beats.shape[1]
        names = name_leads(self.lead_names, n_leads)
        n_groups = 1 if overlay else len(classes)
        check_axes(ax, n_groups * n_leads, caller)
        n_columns = count_columns(ax, n_groups, _MAX_COLUMNS, _PANEL_INCH[0], _MIN_PANEL_INCH)
        size = _figure_size(n_groups, n_leads, n_columns, n_examples if kind == "examples" else 1)
        panels = make_panels(ax, n_groups, n_leads, n_columns, size)
        self.axes_, self.ax_ = panels.axes, panels.axes[0, 0]
        self.figure_ = self.ax_.figure
        beats = {label: self.beats[self.labels == label] for label in classes}
        styles = class_styles(classes, self.colors)
        if kind == "mean":
            self.lines_, self.bands_ = self._draw_means(beats, times, styles, spread)
        else:
            rng = check_random_state(random_state)
            examples = {
                label: rows[np.sort(rng.permutation(len(rows))[:n_examples])]
                for label, rows in beats.items()
            }
            self.lines_, self.bands_ = self._draw_examples(examples, times, styles, panels), []
        self._label_axes(panels, names, _BAND_NAMES[spread] if kind == "mean" else "")
        if n_groups == len(classes):
            for panel, (label, rows) in zip(self.axes_[:, 0], beats.items(), strict=True):
                panel.set_title(f"{label} (n = {len(rows)})", fontsize="medium")
        return self

    def _draw_means(
        self,
        beats: Mapping[Any, np.ndarray],
        times: np.ndarray,
        styles: Mapping[Any, ClassStyle],
        spread: str | None,
    ) -> tuple[list["Line2D"], list["PolyCollection"]]:
        """Draw the mean beat of each class and its spread."""
        curves = {label: _mean_and_band(rows, spread) for label, rows in beats.items()}
        is_overlay = len(self.axes_) == 1 and len(curves) > 1
        lines, bands = [], []
        for group, (label, (mean, low, high)) in enumerate(curves.items()):
            color, line = styles[label].color, styles[label].line if is_overlay else "-"
            name, alpha = f"{label} (n = {len(beats[label])})", 0.12 if is_overlay else 0.25
            for lead, ax in enumerate(self.axes_[0 if is_overlay else group]):
                lines += ax.plot(
                    times, mean[lead], color=color, linestyle=line, linewidth=1.6, label=name
                )
                if spread is not None:
                    band = {"color": color, "alpha": alpha, "linewidth": 0}
                    bands.append(ax.fill_between(times, low[lead], high[lead], **band))
        lows = np.min([low.min(axis=1) for _, low, _ in curves.values()], axis=0)
        highs = np.max([high.max(axis=1) for _, _, high in curves.values()], axis=0)
        for lead, (low, high) in enumerate(zip(lows, highs, strict=True)):
            for ax in self.axes_[:, lead]:
                _set_limits(ax, times, low, high)
                draw_paper(ax, box_height(high - low, self.unit))
        if is_overlay:
            self.ax_.legend(fontsize="small", framealpha=0.9)
        return lines, bands

    def _draw_examples(
        self,
        beats: Mapping[Any, np.ndarray],
        times: np.ndarray,
        styles: Mapping[Any, ClassStyle],
        panels: Panels,
    ) -> list["Line2D"]:
        """Draw beats of each class, one above the other."""
        lines = []
        n_most = max(map(len, beats.values()))
        for lead in range(self.beats.shape[1]):
            # each beat about its own median, so that baseline drift needs no room
            waves = {
                label: rows[:, lead] - np.median(rows[:, lead], axis=1, keepdims=True)
                for label, rows in beats.items()
            }
            low = min(wave.min() for wave in waves.values())
            high = max(wave.max() for wave in waves.values())
            box = box_height(high - low, self.unit)
            distance = max(math.ceil(max(map(_distance, waves.values())) / box), 1) * box
            for group, (label, wave) in enumerate(waves.items()):
                ax = panels.axes[group, lead]
                shifted = wave - distance * np.arange(len(wave))[:, np.newaxis]
                lines += ax.plot(times, shifted.T, color=styles[label].color, linewidth=1.1)
                _set_limits(ax, times, low - distance * (n_most - 1), high, bar=True)
                draw_paper(ax, box)
                ax.tick_params(labelleft=False)
                if panels.is_left[group, lead]:
                    x_bar = 0.4 * ax.get_xlim()[0] + 0.6 * times[0]
                    draw_scale_bar(ax, x_bar, 0.0, 2 * box, self.unit)
        return lines

    def _label_axes(self, panels: Panels, lead_names: Sequence[str], band: str) -> None:
        """Label the outer axes with time, leads, unit and the name of the band."""
        unit = f"({self.unit})" if self.unit and band else ""
        for group, lead in np.ndindex(*panels.is_left.shape):
            ax, name = panels.axes[group, lead], lead_names[lead]
            band_here = band if inches(ax)[1] >= _MIN_LABEL_INCH else ""
            if not panels.is_left[group, lead]:
                ax.tick_params(labelleft=False)
            elif name and band_here:
                ax.set_ylabel(f"{name} {unit}\n{band_here}")
            else:
                ax.set_ylabel(f"{name or band_here} {unit}".strip())
            if panels.is_bottom[group, lead]:
                ax.set_xlabel("Time (s)" if self.before is None else "Time from R peak (s)")
            else:
                ax.tick_params(labelbottom=False)


def _names_of(labels: ArrayLike, class_names: Sequence[str] | Mapping[Any, str]) -> list[str]:
    """Return the name of each label."""
    names = dict(class_names if isinstance(class_names, Mapping) else enumerate(class_names))
    wanted = np.asarray(labels).tolist()
    if missing := sorted({repr(label) for label in wanted if label not in names}):
        raise ValueError(
            f"class_names must name every label, got {class_names!r} without {', '.join(missing)}."
        )
    return [str(names[label]) for label in wanted]


def _label_confusions(
    y_true: ArrayLike, y_pred: ArrayLike, classes: Sequence[Any] | None, max_panels: int
) -> tuple[np.ndarray, list[str], dict[str, str]]:
    """Return the panel of each beat, the panels in order and their colors."""
    true = np.asarray(y_true)
    true = check_labels("y_true", true, true.shape[0] if true.ndim else 0)
    predicted = check_labels("y_pred", y_pred, len(true))
    if not isinstance(max_panels, Integral) or max_panels < 1:
        raise ValueError(f"max_panels must be a positive integer, got {max_panels!r}.")
    pairs = zip(true.tolist(), predicted.tolist(), strict=True)
    names = np.array([f"{a} right" if a == b else f"{a} as {b}" for a, b in pairs], dtype=str)
    is_right = true == predicted
    wanted = check_classes(classes, true)
    order = [f"{label} right" for label in wanted if (is_right & (true == label)).any()]
    kinds, counts = np.unique(names[~is_right & np.isin(true, wanted)], return_counts=True)
    colors = dict.fromkeys(order, BLUE) | dict.fromkeys(kinds.tolist(), VERMILLION)
    order += kinds[np.argsort(-counts, kind="stable")].tolist()
    return names, order[:max_panels], colors


def _check_plot_params(kind: str, spread: str | None, n_examples: int, overlay: bool) -> None:
    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {_KINDS}, got {kind!r}.")
    if spread not in _BAND_NAMES:
        raise ValueError(f"spread must be one of {tuple(_BAND_NAMES)}, got {spread!r}.")
    if overlay and kind != "mean":
        raise ValueError(f"kind must be 'mean' with overlay=True, got {kind!r}.")
    if not isinstance(n_examples, Integral) or n_examples < 1:
        raise ValueError(f"n_examples must be a positive integer, got {n_examples!r}.")


def _figure_size(n_groups: int, n_leads: int, n_columns: int, n_beats: int) -> tuple[float, float]:
    """Return width and height in inches of a new figure, with beats one above the other."""
    n_rows = -(-n_groups // n_columns) * n_leads
    width, height = _PANEL_INCH if n_groups > 1 else _LARGE_PANEL_INCH
    return n_columns * width + 0.7, n_rows * (height + _BEAT_INCH * (n_beats - 1)) + 0.4


def _mean_and_band(
    beats: np.ndarray, spread: str | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean, and the lower and upper end of the spread."""
    mean = beats.mean(axis=0)
    if spread == "percentiles":
        low, high = np.percentile(beats, _PERCENTILES, axis=0)
        return mean, low, high
    std = beats.std(axis=0) if spread == "std" else 0.0
    return mean, mean - std, mean + std


def _distance(waves: np.ndarray) -> float:
    """Return a distance at which beats do not touch the ones above and below."""
    return float(max(np.ptp(waves, axis=1).max(), np.diff(waves, axis=0).max(initial=0.0)))


def _set_limits(
    ax: "Axes", times: np.ndarray, low: float, high: float, *, bar: bool = False
) -> None:
    """Set the limits to all times and amplitudes, with room for a scale bar."""
    duration = max(times[-1] - times[0], 1e-3)
    ax.set_xlim(times[0] - (0.12 * duration if bar else 0.0), times[-1])
    margin = max(_MARGIN * (high - low), 1e-3)
    ax.set_ylim(low - margin, high + margin)
