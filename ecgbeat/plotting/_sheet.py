"""Where the strips of a recording lie on one sheet of ECG paper (layer 3).

A sheet is one axes. Its x axis is the time, its y axis the amplitude of every trace about
a zero line of its own, one strip below the other. Above the traces of a strip are rows
for labels, above the first strip a place for the legend.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ecgbeat.plotting._paper import box_height

_ROW_INCH, _LEGEND_INCH = 0.17, 0.2
_MOST_ROWS = 0.6  # share of the height that rows of labels and legend may take
_EXTREMES = (0.01, 99.99)  # percentiles: single spikes of an artifact make no room for themselves
_MARGIN = 0.1  # above and below a trace, of its height


class Strip(NamedTuple):
    """A stretch of the recording, which is one line of the sheet."""

    first: int  # sample
    stop: int  # sample behind the last


class Sheet(NamedTuple):
    """What is where; heights are in units of the signal."""

    strips: tuple[Strip, ...]
    centers: np.ndarray  # (n_strips, n_leads): what lies on the zero line
    above: float  # from the zero line to the top of a lead
    below: float  # from the zero line to the bottom of a lead
    n_rows: int  # of labels
    row: float  # height of one
    legend: float  # height
    origin: float  # top of the first strip
    box: float  # height of a large box

    @property
    def is_plain(self) -> bool:
        """Whether there is one trace only, so that the y axis can tell its true amplitude."""
        return self.centers.size == 1

    @property
    def strip_height(self) -> float:
        """Height of the rows and traces of a strip."""
        return self.n_rows * self.row + self.centers.shape[1] * (self.above + self.below)

    def top(self, strip: int) -> float:
        """Return the upper edge of a strip."""
        return self.origin - strip * self.strip_height

    def row_at(self, strip: int, row: int) -> float:
        """Return the middle of a row of labels."""
        return self.top(strip) - (row + 0.5) * self.row

    def zero_line(self, strip: int, lead: int) -> float:
        """Return the zero line of a trace."""
        leads_above = lead * (self.above + self.below) + self.above
        return self.top(strip) - self.n_rows * self.row - leads_above

    def trace(self, signal: np.ndarray, strip: int, lead: int) -> np.ndarray:
        """Return a stretch of a lead, moved to its place."""
        first, stop = self.strips[strip]
        moved = signal[lead, first:stop] - self.centers[strip, lead]
        return moved + self.zero_line(strip, lead)

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Yield strip and lead of each trace."""
        yield from np.ndindex(self.centers.shape)


def divide(first: int, stop: int, length: int) -> tuple[Strip, ...]:
    """Cut a stretch of samples into strips, the last of which may be shorter."""
    return tuple(Strip(at, min(at + length, stop)) for at in range(first, stop, length))


def lay_out(
    signal: np.ndarray,
    strips: tuple[Strip, ...],
    *,
    n_rows: int,
    n_legend_rows: int,
    height: float,
    unit: str,
) -> Sheet:
    """Find room for everything.

    Parameters
    ----------
    signal : ndarray of shape (n_leads, n_times)
        NaN marks gaps.
    strips : tuple of Strip
    n_rows, n_legend_rows : int
        Rows of labels in each strip; rows of the legend.
    height : float
        Height of the axes in inches.
    unit : str
        Of the signal.

    Returns
    -------
    Sheet
    """
    is_plain = len(strips) * len(signal) == 1
    low, high, centers = _reach(signal, strips, is_plain)
    box = box_height(high - low, unit)
    margin = _MARGIN * max(high - low, box)
    above, below = high + margin, margin - low
    if not is_plain:  # zero lines fall on lines of the paper
        above, below = (math.ceil(part / box * 5) * box / 5 for part in (above, below))
    # rows have a size in inches: of what they leave, the traces have all
    rows = len(strips) * n_rows * _ROW_INCH + n_legend_rows * _LEGEND_INCH
    scale = len(strips) * len(signal) * (above + below)
    scale /= height - min(rows, _MOST_ROWS * height)
    shrink = min(1.0, _MOST_ROWS * height / rows) if rows else 1.0
    row, legend = (inch * shrink * scale for inch in (_ROW_INCH, n_legend_rows * _LEGEND_INCH))
    if not is_plain and n_rows:
        row = math.ceil(row * n_rows / box * 5) * box / 5 / n_rows
    origin = above + n_rows * row if is_plain else 0.0
    return Sheet(strips, centers, above, below, n_rows, row, legend, origin, box)


def _reach(
    signal: np.ndarray, strips: tuple[Strip, ...], is_plain: bool
) -> tuple[float, float, np.ndarray]:
    """Return how far the traces reach below and above their zero lines, and what lies on these.

    Several traces are drawn about their medians, a single one about the true zero.
    """
    centers = np.zeros((len(strips), len(signal)))
    lows, highs = [], []
    for strip, lead in np.ndindex(centers.shape):
        wave = signal[lead, strips[strip].first : strips[strip].stop]
        wave = wave[np.isfinite(wave)]
        if wave.size == 0:
            continue
        centers[strip, lead] = 0.0 if is_plain else np.median(wave)
        low, high = np.percentile(wave - centers[strip, lead], _EXTREMES)
        lows.append(low)
        highs.append(high)
    if not lows:  # nothing but gaps
        return -0.5, 0.5, centers
    return float(min(lows)), float(max(highs)), centers
