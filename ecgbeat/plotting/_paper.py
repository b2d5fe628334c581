"""ECG paper: a grid of seconds and millivolts.

On the paper of an electrocardiograph 1 mm is 0.04 s and 0.1 mV; every fifth line is bold:
large boxes of 0.2 s and 0.5 mV.
"""

import math
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LARGE_BOX_S, _LARGE_BOX_MV = 0.2, 0.5
_LARGE_LINE, _SMALL_LINE = "#E3A5A5", "#F5DADA"
_MAX_MV = 25.0  # a larger span is of another unit, or an artifact


def draw_paper(ax: "Axes", box_y: float, *, lowest: float = -math.inf) -> None:
    """Draw a grid with large boxes ``box_y`` high, and numbers, but none below ``lowest``."""
    from ecgbeat.plotting._paper_ticks import (
        SMALL_PER_LARGE,
        LargeBoxLocator,
        SmallBoxLocator,
        format_number,
    )

    for axis, box, least in ((ax.xaxis, _LARGE_BOX_S, -math.inf), (ax.yaxis, box_y, lowest)):
        axis.set_major_locator(LargeBoxLocator(box))
        axis.set_minor_locator(SmallBoxLocator(SMALL_PER_LARGE))
        axis.set_major_formatter(partial(format_number, axis, box, least))
    ax.grid(True, which="major", color=_LARGE_LINE, linewidth=0.6)
    ax.grid(True, which="minor", color=_SMALL_LINE, linewidth=0.4)
    ax.tick_params(which="both", length=0)
    ax.set_axisbelow(True)
    ax.spines[:].set_color(_LARGE_LINE)


def box_height(span: float, unit: str) -> float:
    """Return the height of a large box: 0.5 mV, or a round number of another unit."""
    if unit == "mV" and span <= _MAX_MV:
        return _LARGE_BOX_MV
    size = span / 5
    if not (math.isfinite(size) and size > 0):
        return 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= size * (1 - 1e-9))


def draw_scale_bar(ax: "Axes", x: float, y: float, size: float, unit: str) -> None:
    """Draw a vertical bar of height ``size``, like the calibration pulse of ECG paper."""
    ax.plot([x, x], [y, y + size], color="black", linewidth=2, solid_capstyle="butt")
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
