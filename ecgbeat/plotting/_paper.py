"""ECG paper: boxes of seconds and millivolts under a curve (layer 3).

On the paper of an electrocardiograph 1 mm is 0.04 s and 0.1 mV; every fifth line is bold:
large boxes of 0.2 s and 0.5 mV.
"""

import math
from typing import Any

LARGE_BOX_S, LARGE_BOX_MV = 0.2, 0.5
SMALL_PER_LARGE = 5

_LARGE_LINE, _SMALL_LINE = "#E3A5A5", "#F5DADA"
_MOST_MV = 25.0  # no ECG is that high: the unit is another, or there is an artifact


def nice_step(size: float) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that is not below ``size``."""
    if not (math.isfinite(size) and size > 0):
        return 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return next((m * power for m in (1, 2, 5) if m * power >= size * (1 - 1e-9)), 10 * power)


def box_height(span: float, unit: str) -> float:
    """Return the height of a large box for signals that reach over ``span``."""
    return LARGE_BOX_MV if unit == "mV" and span <= _MOST_MV else nice_step(span / 5)


def _line_steps(box: float) -> list[float]:
    """Return round numbers that hold a whole number of boxes, ascending."""
    power = 10.0 ** math.floor(math.log10(box))
    rounds = [m * power * 10**k for k in range(4) for m in (1, 2, 5)]
    whole = [s for s in rounds if s > box and abs(s / box - round(s / box)) < 1e-6]
    return sorted({box, 2 * box, *whole})


def inches(ax: Any) -> tuple[float, float]:
    """Return width and height of an axes, as far as they are known before it is drawn."""
    window, dpi = ax.get_window_extent(), ax.get_figure(root=True).dpi
    return window.width / dpi, window.height / dpi


def draw_paper(ax: Any, box_y: float, *, lowest: float = -math.inf) -> None:
    """Put the grid under an axes of seconds, and numbers on as many lines as have room.

    Parameters
    ----------
    ax : matplotlib Axes
        Its ticks are set too.
    box_y : float
        Height of a large box.
    lowest : float, default=-inf
        There are no numbers below.
    """
    from ecgbeat.plotting._paper_ticks import BoxNumbers, LargeBoxes, SmallBoxes

    large_x, large_y = LargeBoxes(_line_steps(LARGE_BOX_S)), LargeBoxes(_line_steps(box_y))
    for axis, large in ((ax.xaxis, large_x), (ax.yaxis, large_y)):
        axis.set_major_locator(large)
        axis.set_minor_locator(SmallBoxes(large_x, large_y))
        axis.set_major_formatter(BoxNumbers(large.steps, -math.inf if axis is ax.xaxis else lowest))
    ax.grid(True, which="major", color=_LARGE_LINE, linewidth=0.6)
    ax.grid(True, which="minor", color=_SMALL_LINE, linewidth=0.4)
    ax.tick_params(which="both", length=0)
    ax.set_axisbelow(True)
    ax.spines[:].set_color(_LARGE_LINE)


def draw_scale_bar(ax: Any, x: float, y: float, size: float, unit: str) -> Any:
    """Draw how high ``size`` is, as the calibration pulse of ECG paper, with its text."""
    (bar,) = ax.plot([x, x], [y, y + size], color="black", linewidth=2, solid_capstyle="butt")
    ax.annotate(
        f"{size:g} {unit}".rstrip(),
        (x, y + size / 2),
        (-2, 0),
        textcoords="offset points",
        rotation=90,
        ha="right",
        va="center",
        fontsize="x-small",
    )
    return bar
