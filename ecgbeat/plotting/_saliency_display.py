"""What a network looks at in a beat, as a picture (layer 3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecgbeat._validation import check_positive
from ecgbeat.plotting._arrays import check_lead_names, check_times
from ecgbeat.plotting._extras import import_pyplot
from ecgbeat.plotting._network_input import read_beat
from ecgbeat.plotting._panels import check_axes, make_panels
from ecgbeat.plotting._relevance import draw_colorbar, draw_relevance, smoothed
from ecgbeat.plotting._saliency import METHODS, saliency

_SIZE_INCH = (6.0, 2.6)  # of a new figure with one lead
_METHOD_NAMES = {
    "integrated_gradients": "integrated gradients",
    "gradient": "gradient of the score",
    "grad_cam": "Grad-CAM",
}


class SaliencyDisplay:
    """Why this beat: its waveform, coloured by how much each sample speaks for a class.

    Make it with `from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    waveform : ndarray of shape (n_leads, n_times)
        The beat as the network sees it.
    relevance : ndarray of shape (n_leads, n_times)
        How much each sample speaks for the class, see `saliency`.
    fs : float or None, default=None
        Sampling rate of ``waveform`` in Hz. None counts samples.
    before : float or None, default=None
        Seconds from the first sample to the R peak. None counts time from the first sample.
    title : str, default=""
        What is explained.
    method : str, default="integrated_gradients"
        How it was, as in `saliency`.
    lead_names : sequence of str, default=None
        Name of each lead.
    unit : str, default="mV"
        Unit of ``waveform``; "" if it was scaled.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure.
    ax_ : matplotlib Axes
        The axes of the first lead.
    axes_ : ndarray of shape (n_leads,) of Axes
        Of all leads.
    lines_ : list of matplotlib LineCollection
        The coloured waveforms.
    colorbar_ : matplotlib Colorbar or None
        The scale of the colours.

    See Also
    --------
    saliency : The figures behind the picture, for many beats at once, and their sources.

    Notes
    -----
    Networks with strides treat neighbouring samples differently, so that what they say of
    single samples goes up and down like a saw. The picture shows the mean over ``smooth``
    seconds; the attribute ``relevance`` is as `saliency` gave it.

    Colour and width of the line show the relevance. The area below the beat shows it once more,
    so that nobody depends on colours: up speaks for the class, down against it.

    The columns that lie beside the waveform (``n_aux_features``) are not in the picture.

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

    def __init__(
        self,
        waveform: np.ndarray,
        relevance: np.ndarray,
        *,
        fs: float | None = None,
        before: float | None = None,
        title: str = "",
        method: str = "integrated_gradients",
        lead_names: Sequence[str] | None = None,
        unit: str = "mV",
    ) -> None:
        self.waveform = waveform
        self.relevance = relevance
        self.fs = fs
        self.before = before
        self.title = title
        self.method = method
        self.lead_names = lead_names
        self.unit = unit

    @classmethod
    def from_estimator(
        cls,
        classifier: Any,
        x: Any,
        target: Any = None,
        *,
        fs: float,
        before: float | None = None,
        method: str = "integrated_gradients",
        n_steps: int = 64,
        lead_names: Sequence[str] | None = None,
        unit: str | None = None,
        ax: Any = None,
        smooth: float = 0.04,
        colorbar: bool = True,
    ) -> "SaliencyDisplay":
        """Explain what a classifier says of one beat.

        Parameters
        ----------
        classifier : estimator
            A fitted `ECGCNNClassifier` or other skorch classifier, or a pipeline or search that
            ends in one.
        x : array-like of shape (n_features,), (1, n_features) or (1, n_leads, n_times)
            One beat as ``classifier`` takes it.
        target : label, default=None
            The class to explain; None takes the predicted one.
        fs : float
            Sampling rate of ``x`` in Hz. What a `RPeakSegmenter` in the pipeline makes of it
            is known.
        before : float or None, default=None
            Seconds from the first sample of ``x`` to the R peak; as above.
        method, n_steps
            As in `saliency`.
        lead_names : sequence of str, default=None
            Name of each lead.
        unit : str or None, default=None
            Unit of what reaches the network. None takes it for mV, and for scaled if there is
            anything but a `BandpassFilter` and a `RPeakSegmenter` before the network.
        ax, smooth, colorbar
            As in `plot`.

        Returns
        -------
        SaliencyDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.
        ImportError
            If matplotlib or captum is not installed.
        TypeError, ValueError
            As `saliency`; and if ``x`` is more than one beat. Nothing is drawn then.
        """
        import_pyplot(f"{cls.__name__}.from_estimator")
        fs = check_positive("fs", fs, unit="Hz")
        row = np.asarray(x)
        row = row[np.newaxis] if row.ndim == 1 else row
        if row.ndim not in (2, 3) or len(row) != 1:
            raise ValueError(
                f"x must be one beat, (n_features,) or X[[i]] of many, got shape {np.shape(x)}."
            )
        found = saliency(classifier, row, target, method=method, n_steps=n_steps)
        beat = read_beat(classifier, row, found, fs, before)
        display = cls(
            beat.waveform,
            beat.relevance,
            fs=beat.fs,
            before=beat.before,
            title=_title(classifier, row, target),
            method=method,
            lead_names=lead_names,
            unit=beat.unit if unit is None else unit,
        )
        return display.plot(ax, smooth=smooth, colorbar=colorbar)

    def plot(
        self, ax: Any = None, *, smooth: float = 0.04, colorbar: bool = True
    ) -> "SaliencyDisplay":
        """Draw the beat.

        Parameters
        ----------
        ax : matplotlib Axes, array of Axes or None, default=None
            None makes a figure. One axes is divided if there are several leads; an array must have
            one axes for each.
        smooth : float, default=0.04
            Seconds over which the relevance is averaged for the picture; 0 shows single samples.
            Without ``fs`` nothing is averaged.
        colorbar : bool, default=True
            Whether to draw the scale of the colours.

        Returns
        -------
        SaliencyDisplay
            This one.
        """
        owner = f"{type(self).__name__}.plot"
        import_pyplot(owner)
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {METHODS}, got {self.method!r}.")
        n_leads, n_times = self.waveform.shape
        names = check_lead_names(self.lead_names, n_leads)
        times = np.arange(n_times) * 1.0
        if self.fs is not None:
            times = check_times(n_times, self.fs, self.before)
        smooth = check_positive("smooth", smooth, unit="s", strict=False)
        relevance = smoothed(self.relevance, round(smooth * (self.fs or 0.0)))
        check_axes(ax, n_leads, owner)
        size = _SIZE_INCH[0], _SIZE_INCH[1] * n_leads + 0.4
        panels = make_panels(ax, 1, n_leads, 1, size)
        self.axes_ = panels.axes[0]
        self.ax_ = panels.axes[0, 0]
        self.figure_ = self.ax_.figure
        is_signed = self.method != "grad_cam"
        self.lines_ = [
            draw_relevance(
                panel,
                times,
                self.waveform[lead],
                relevance[lead],
                limit=float(np.abs(relevance).max()),
                is_signed=is_signed,
                unit=self.unit,
                has_time=self.fs is not None,
            )
            for lead, panel in enumerate(self.axes_)
        ]
        self._name_axes(names)
        self.colorbar_ = None
        if colorbar:
            label = f"relevance: {_METHOD_NAMES[self.method]}"
            self.colorbar_ = draw_colorbar(self.figure_, self.lines_[0], list(self.axes_), label)
        return self

    def _name_axes(self, lead_names: list[str]) -> None:
        """Write title and units."""
        self.ax_.set_title(self.title, fontsize="medium")
        what = "Time (s)" if self.before is None else "Time from R peak (s)"
        self.axes_[-1].set_xlabel("Sample" if self.fs is None else what)
        for name, panel in zip(lead_names, self.axes_, strict=True):
            amplitude = f"({self.unit})" if self.unit else "(scaled)"
            panel.set_ylabel(f"{name or 'Amplitude'} {amplitude}")
            if panel is not self.axes_[-1]:
                panel.tick_params(labelbottom=False)


def _title(classifier: Any, row: np.ndarray, target: Any) -> str:
    """Say which class is explained, and how probable it is."""
    predicted = classifier.predict(row)[0]
    probability = dict(
        zip(classifier.classes_.tolist(), classifier.predict_proba(row)[0], strict=True)
    )
    label = np.asarray(predicted if target is None else target).item()
    title = f"{label}, probability {probability[label]:.2f}"
    if label == predicted:
        return f"predicted: {title}"
    return f"why {title}\npredicted: {predicted}, probability {probability[predicted]:.2f}"
