"""A waveform coloured by relevance (layer 3)."""

from typing import Any

import numpy as np

from ecgbeat.plotting._paper import box_height, draw_paper
from ecgbeat.plotting._style import BLACK

# both can be told apart by colour-blind people
_SIGNED_MAP, _UNSIGNED_MAP = "RdBu_r", "Reds"
_LEAST_PT, _MOST_PT = 1.5, 7.0  # width of the coloured line
_BAND = 0.25  # height of the area below the beat, of that of the beat
_GAP = 0.06
_BAND_SHARE = 0.9  # of the band that the largest value reaches


def smoothed(relevance: np.ndarray, n_samples: int) -> np.ndarray:
    """Return the mean of so many samples around each, rows by themselves."""
    if n_samples < 2:
        return relevance
    before, after = (n_samples - 1) // 2, n_samples // 2
    padded = np.pad(relevance, ((0, 0), (before, after)), mode="edge")
    kernel = np.full(n_samples, 1 / n_samples)
    return np.array([np.convolve(row, kernel, mode="valid") for row in padded])


def draw_relevance(
    ax: Any,
    times: np.ndarray,
    wave: np.ndarray,
    relevance: np.ndarray,
    *,
    limit: float,
    is_signed: bool,
    unit: str,
    has_time: bool,
) -> Any:
    """Draw one lead and, below it, the relevance as an area.

    Parameters
    ----------
    ax : matplotlib Axes
    times, wave, relevance : ndarray of shape (n_times,)
    limit : float
        The largest relevance, of either sign, of all leads.
    is_signed : bool
        Whether there can be anything against the class.
    unit : str
        Of the waveform.
    has_time : bool
        Whether ``times`` are seconds, on ECG paper.

    Returns
    -------
    matplotlib LineCollection
        The coloured waveform.
    """
    from matplotlib.collections import LineCollection

    limit = limit or 1.0  # nothing speaks for or against anything
    points = np.column_stack([times, wave])
    middles = (relevance[1:] + relevance[:-1]) / 2
    line = LineCollection(
        list(np.stack([points[:-1], points[1:]], axis=1)),
        array=middles,
        cmap=_SIGNED_MAP if is_signed else _UNSIGNED_MAP,
        clim=(-limit if is_signed else 0.0, limit),
        linewidths=_LEAST_PT + (_MOST_PT - _LEAST_PT) * np.abs(middles) / limit,
        capstyle="round",
        zorder=2,
    )
    ax.add_collection(line)
    ax.plot(times, wave, color=BLACK, linewidth=0.7, zorder=3)
    _draw_area(ax, times, wave, relevance / limit, is_signed)
    if has_time:
        draw_paper(
            ax, box_height(float(np.ptp(wave)), unit), lowest=wave.min() - _GAP * np.ptp(wave)
        )
    else:
        ax.grid(True, color="0.9", linewidth=0.6)
        ax.set_axisbelow(True)
    return line


def _draw_area(
    ax: Any, times: np.ndarray, wave: np.ndarray, share: np.ndarray, is_signed: bool
) -> None:
    """Draw relevance up and down from a line below the beat, on white, and set the limits."""
    from matplotlib import colormaps

    span = max(float(np.ptp(wave)), 1e-6)
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


def draw_colorbar(figure: Any, line: Any, axes: list[Any], label: str) -> Any:
    """Draw the scale of the colours, and in words which end is which."""
    from matplotlib.ticker import MaxNLocator

    has_both_signs = line.get_clim()[0] < 0
    # a number at the very end of the scale would stick out of the figure
    ticks = MaxNLocator(6, prune="both" if has_both_signs else "upper")
    bar = figure.colorbar(line, ax=axes, fraction=0.08, pad=0.02, ticks=ticks)
    ends = "← against        for →" if has_both_signs else "for →"
    bar.set_label(f"{label}\n{ends}", fontsize="small")
    bar.ax.tick_params(labelsize="small")
    return bar
