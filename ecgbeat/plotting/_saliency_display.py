"""Display of the relevance of the samples of a beat."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from ecgbeat._validation import check_fs, check_positive
from ecgbeat.plotting._arrays import name_leads, sample_times
from ecgbeat.plotting._estimators import unwrap
from ecgbeat.plotting._panels import AxesLike, check_axes, make_panels, require_matplotlib
from ecgbeat.plotting._paper import box_height, draw_paper
from ecgbeat.plotting._saliency import METHODS, rows_of_network, saliency, wave_shape
from ecgbeat.plotting._style import BLACK
from ecgbeat.preprocessing import BandpassFilter, RPeakSegmenter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.colorbar import Colorbar

_SIZE_INCH = (6.0, 2.6)  # of a new figure with one lead
# the score is the network's output before the softmax, a logit; {} is the unit of the beat
_QUANTITIES = {
    "integrated_gradients": "integrated gradients\n(logits per sample)",
    "gradient": "gradient of the score\n(logits per {})",
    "grad_cam": "Grad-CAM\n(arbitrary units)",
}
# both can be distinguished with color blindness
_SIGNED_MAP, _UNSIGNED_MAP = "RdBu_r", "Reds"
_MIN_PT, _MAX_PT = 1.5, 7.0  # width of the colored line
_BAND = 0.25  # height of the area below the beat, of that of the beat
_GAP = 0.06
_BAND_SHARE = 0.9  # of the band, reached by the largest value
_MAX_NAME = 4  # characters of a class that fit twice beside the color scale


@dataclass(eq=False, repr=False)
class SaliencyDisplay:
    """Waveform of a beat, colored by the relevance of each sample to a class.

    Use `from_estimator` to create a `SaliencyDisplay`. All parameters are stored as attributes.

    Parameters
    ----------
    waveform : ndarray of shape (n_leads, n_times)
        Beat in the input of the network.
    relevance : ndarray of shape (n_leads, n_times)
        Relevance of each sample to the class, see `saliency`.
    fs : float or None, default=None
        Sampling rate of ``waveform`` in Hz. None counts samples.
    before : float or None, default=None
        Seconds from the first sample to the R peak. None counts time from the first sample.
    title : str, default=""
        Title of the figure.
    method : str, default="integrated_gradients"
        Attribution method, as in `saliency`.
    lead_names : sequence of str, default=None
        Name of each lead.
    unit : str, default="mV"
        Unit of ``waveform``; "" if it was scaled.
    target : label, default=None
        Class to which the relevance refers, named at the ends of the color scale.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure that contains the panels.
    ax_ : matplotlib Axes
        Axes of the first lead.
    axes_ : ndarray of shape (n_leads,) of Axes
        Axes of all leads.
    lines_ : list of matplotlib LineCollection
        Colored waveforms.
    colorbar_ : matplotlib Colorbar or None
        Scale of the colors: the relevance, its unit, and the class that it favors.

    See Also
    --------
    saliency : Relevance of the samples of many beats, with references.

    Notes
    -----
    The relevance of neighboring samples alternates in networks with strides. The figure shows
    its mean over ``smooth`` seconds; the attribute ``relevance`` is not smoothed.

    Color and width of the line show the relevance. So does the area below the beat, for
    readers who cannot rely on colors: up is in favor of the class, down against it. By default,
    the color scale of each beat ends at its own largest relevance. Pass the same ``limit`` to
    compare the colors of several beats, and all of their axes as ``colorbar`` to draw one scale
    for all of them.

    Auxiliary columns (``n_aux_features``) are not drawn.

    Examples
    --------
    >>> from ecgbeat import ECGCNNClassifier
    >>> from ecgbeat.datasets import make_heartbeats
    >>> from ecgbeat.plotting import SaliencyDisplay
    >>> beats = make_heartbeats(120, n_patients=8, before=0.2, after=0.3, fs=100, random_state=0)
    >>> net = ECGCNNClassifier(n_filters=4, max_epochs=3, random_state=0)
    >>> net = net.fit(beats.data, beats.target)
    >>> display = SaliencyDisplay.from_estimator(net, beats.data[0], "V", fs=100, before=0.2)
    >>> display.relevance.shape
    (1, 50)
    """

    waveform: np.ndarray
    relevance: np.ndarray
    _: KW_ONLY
    fs: float | None = None
    before: float | None = None
    title: str = ""
    method: str = "integrated_gradients"
    lead_names: Sequence[str] | None = None
    unit: str = "mV"
    target: Any = None

    @classmethod
    def from_estimator(
        cls,
        classifier: BaseEstimator,
        x: ArrayLike,
        target: ArrayLike | None = None,
        *,
        fs: float,
        before: float | None = None,
        method: str = "integrated_gradients",
        n_steps: int | None = None,
        lead_names: Sequence[str] | None = None,
        unit: str | None = None,
        ax: AxesLike = None,
        smooth: float = 0.04,
        limit: float | None = None,
        colorbar: AxesLike | bool = True,
    ) -> "SaliencyDisplay":
        """Plot the relevance of the samples of one beat to a classifier.

        Parameters
        ----------
        classifier, method, n_steps : estimator and optional
            As in `saliency`.
        x : array-like of shape (n_features,), (1, n_features) or (1, n_leads, n_times)
            One beat, as input of ``classifier``.
        target : label, default=None
            Class to explain. None takes the predicted class.
        fs : float
            Sampling rate of ``x`` in Hz.
        before : float or None, default=None
            Seconds from the first sample of ``x`` to the R peak. A `RPeakSegmenter` in the
            pipeline sets this and the sampling rate of the waveform.
        lead_names : sequence of str, default=None
            As in the class.
        unit : str or None, default=None
            Unit of the input of the network. None is mV, or "scaled" if a step other than a
            `BandpassFilter` and a `RPeakSegmenter` precedes the network.
        ax, smooth, limit, colorbar : optional
            As in `plot`.

        Returns
        -------
        SaliencyDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.
        TypeError, ValueError
            As `saliency`, and if ``x`` is more than one beat. No figure is made then.
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        fs = check_fs(fs)
        row = np.asarray(x)
        row = row[np.newaxis] if row.ndim == 1 else row
        if row.ndim not in (2, 3) or len(row) != 1:
            raise ValueError(
                f"x must be one beat, (n_features,) or X[[i]] of many, got shape {np.shape(x)}."
            )
        relevance = saliency(classifier, row, target, method=method, n_steps=n_steps)
        explained = classifier.predict(row)[0] if target is None else target
        display = cls(
            **_network_input(classifier, row, relevance, fs, before),
            title=_title(classifier, row, explained),
            method=method,
            lead_names=lead_names,
            target=np.asarray(explained).item(),
        )
        if unit is not None:
            display.unit = unit
        return display.plot(ax, smooth=smooth, limit=limit, colorbar=colorbar)

    def plot(
        self,
        ax: AxesLike = None,
        *,
        smooth: float = 0.04,
        limit: float | None = None,
        colorbar: AxesLike | bool = True,
    ) -> "SaliencyDisplay":
        """Plot the beat.

        Parameters
        ----------
        ax : matplotlib Axes, array of Axes or None, default=None
            Axes to draw on. None makes a figure. A single axes is divided if there are several
            leads; an array must have one axes for each.
        smooth : float, default=0.04
            Seconds over which the drawn relevance is averaged. 0, or a beat without ``fs``,
            disables averaging.
        limit : float, default=None
            Relevance at the ends of the color scale. Larger values are drawn like it. None takes
            the largest value of the beat.
        colorbar : bool, matplotlib Axes or array of Axes, default=True
            Whether to draw the scale of the colors, or the axes of several beats beside which to
            draw it. The latter does not name the class.

        Returns
        -------
        SaliencyDisplay
        """
        caller = f"{type(self).__name__}.plot"
        require_matplotlib(caller)
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {METHODS}, got {self.method!r}.")
        n_leads, n_times = self.waveform.shape
        names = name_leads(self.lead_names, n_leads)
        times = np.arange(n_times) * 1.0
        if self.fs is not None:
            times = sample_times(n_times, self.fs, self.before)
        smooth = check_positive("smooth", smooth, unit="s", strict=False)
        relevance = _moving_mean(self.relevance, round(smooth * (self.fs or 0.0)))
        if limit is None:
            limit = float(np.abs(relevance).max()) or 1.0
        limit = check_positive("limit", limit)
        check_axes(ax, n_leads, caller)
        if not isinstance(colorbar, bool):
            check_axes(colorbar, np.asarray(colorbar, dtype=object).size, f"{caller} with colorbar")
        panels = make_panels(ax, 1, n_leads, 1, (_SIZE_INCH[0], _SIZE_INCH[1] * n_leads + 0.4))
        self.axes_ = panels.axes[0]
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        is_signed = self.method != "grad_cam"
        self.lines_ = []
        for panel, wave, row in zip(self.axes_, self.waveform, relevance, strict=True):
            self.lines_.append(_draw_colored_line(panel, times, wave, row, limit, is_signed))
            _draw_area(panel, times, wave, row / limit, is_signed)
            if self.fs is None:
                panel.grid(True, color="0.9", linewidth=0.6)
                panel.set_axisbelow(True)
            else:
                span = float(np.ptp(wave))
                draw_paper(panel, box_height(span, self.unit), lowest=wave.min() - _GAP * span)
        self._label_axes(names)
        # a scale for several beats, which may refer to several classes, names no class
        name = f" {self.target}" if colorbar is True and self.target is not None else ""
        if isinstance(colorbar, bool):
            colorbar = self.axes_ if colorbar else None
        self.colorbar_ = None
        if colorbar is not None:
            self.colorbar_ = self._draw_colorbar(colorbar, is_signed, name)
        return self

    def _label_axes(self, lead_names: Sequence[str]) -> None:
        """Set title, names and units."""
        self.ax_.set_title(self.title, fontsize="medium")
        time_label = "Time (s)" if self.before is None else "Time from R peak (s)"
        self.axes_[-1].set_xlabel("Sample" if self.fs is None else time_label)
        for name, panel in zip(lead_names, self.axes_, strict=True):
            amplitude = f"({self.unit})" if self.unit else "(scaled)"
            panel.set_ylabel(f"{name or 'Amplitude'} {amplitude}")
            if panel is not self.axes_[-1]:
                panel.tick_params(labelbottom=False)

    def _draw_colorbar(self, beside: AxesLike, is_signed: bool, name: str) -> "Colorbar":
        """Draw the scale of the colors, with their unit and the meaning of both ends."""
        from matplotlib.ticker import MaxNLocator

        # a number at the very end of the scale would stick out of the figure
        ticks = MaxNLocator(6, prune="both" if is_signed else "upper")
        bar = self.figure_.colorbar(self.lines_[0], ax=beside, fraction=0.08, pad=0.02, ticks=ticks)
        name = name if len(name) <= _MAX_NAME else ""  # the title contains long names
        ends = f"← against{name}     for{name} →" if is_signed else f"for{name} →"
        quantity = _QUANTITIES[self.method].format(self.unit or "unit")
        bar.set_label(f"{ends}\n{quantity}", fontsize="small")
        bar.ax.tick_params(labelsize="small")
        return bar


def _network_input(
    classifier: BaseEstimator,
    row: np.ndarray,
    relevance: np.ndarray,
    fs: float,
    before: float | None,
) -> dict[str, Any]:
    """Return the waveform that enters the network for a single row, with its time and unit."""
    rows, net = rows_of_network(classifier, row)
    n_leads, n_times, _ = wave_shape(net, rows.shape)
    n_wave = n_leads * n_times
    transformers, _ = unwrap(classifier)
    segmenters = [step for step in transformers if isinstance(step, RPeakSegmenter)]
    rate: float | None = fs
    if segmenters:
        step = segmenters[-1]
        n_cut = round(step.before * step.fs) + round(step.after * step.fs)
        rate, before = step.fs * (step.n_times or n_cut) / n_cut, step.before
    elif rows.shape[-1] != row.shape[-1]:  # another step has made new columns
        rate = before = None
    keeps_unit = (BandpassFilter, RPeakSegmenter)
    return {
        "waveform": rows.reshape(-1)[:n_wave].reshape(n_leads, n_times),
        "relevance": relevance.reshape(-1)[:n_wave].reshape(n_leads, n_times),
        "fs": rate,
        "before": before,
        "unit": "mV" if all(isinstance(step, keeps_unit) for step in transformers) else "",
    }


def _title(classifier: BaseEstimator, row: np.ndarray, target: ArrayLike) -> str:
    """Return a title with the explained class and its probability."""
    predicted = classifier.predict(row)[0]
    probability = dict(
        zip(classifier.classes_.tolist(), classifier.predict_proba(row)[0], strict=True)
    )
    label = np.asarray(target).item()
    title = f"{label}, probability {probability[label]:.2f}"
    if label == predicted:
        return f"predicted: {title}"
    return f"why {title}\npredicted: {predicted}, probability {probability[predicted]:.2f}"


def _moving_mean(relevance: np.ndarray, n_samples: int) -> np.ndarray:
    """Return the mean of ``n_samples`` samples around each, row by row."""
    n_samples = max(n_samples, 1)
    padded = np.pad(relevance, ((0, 0), ((n_samples - 1) // 2, n_samples // 2)), mode="edge")
    return sliding_window_view(padded, n_samples, axis=1).mean(axis=2)


def _draw_colored_line(
    ax: "Axes",
    times: np.ndarray,
    wave: np.ndarray,
    relevance: np.ndarray,
    limit: float,
    is_signed: bool,
) -> "LineCollection":
    """Draw a waveform, with color and width by relevance. ``limit`` is the end of the scale."""
    from matplotlib.collections import LineCollection

    points = np.column_stack([times, wave])
    middles = (relevance[1:] + relevance[:-1]) / 2
    line = LineCollection(
        list(np.stack([points[:-1], points[1:]], axis=1)),
        array=middles,
        cmap=_SIGNED_MAP if is_signed else _UNSIGNED_MAP,
        clim=(-limit if is_signed else 0.0, limit),
        linewidths=_MIN_PT + (_MAX_PT - _MIN_PT) * np.minimum(np.abs(middles) / limit, 1),
        capstyle="round",
        zorder=2,
    )
    ax.add_collection(line)
    ax.plot(times, wave, color=BLACK, linewidth=0.7, zorder=3)
    return line


def _draw_area(
    ax: "Axes", times: np.ndarray, wave: np.ndarray, share: np.ndarray, is_signed: bool
) -> None:
    """Draw the relevance as an area below the beat, on white, and set the limits."""
    from matplotlib import colormaps

    span = max(float(np.ptp(wave)), 1e-6)
    share = np.clip(share, -1, 1)
    top = wave.min() - _GAP * span
    bottom = top - _BAND * span
    middle = (top + bottom) / 2 if is_signed else bottom
    height = _BAND_SHARE * (top - middle)
    ax.axhspan(bottom - _GAP * span, top, facecolor="white", zorder=0.9)
    colors = colormaps[_SIGNED_MAP]
    for part, color in ((np.maximum(share, 0), colors(0.9)), (np.minimum(share, 0), colors(0.1))):
        ax.fill_between(times, middle, middle + height * part, color=color, linewidth=0, zorder=1)
    ax.plot(times[[0, -1]], [middle, middle], color="0.5", linewidth=0.6, zorder=1)
    ax.set_xlim(times[0], times[-1])
    ax.set_ylim(bottom - _GAP * span, wave.max() + _GAP * span)
