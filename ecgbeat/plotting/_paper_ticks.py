"""Tick locators of ECG paper, which depend on the size of the drawn axes.

Importing this module needs matplotlib.
"""

from functools import partial
from typing import Any

from matplotlib.axis import Axis
from matplotlib.ticker import Formatter, FuncFormatter, MultipleLocator

_SMALL_PER_LARGE = 5
_MIN_LINE_INCH = 0.03  # closer lines blur
_MIN_NUMBER_INCH = {"x": 0.42, "y": 0.22}
# round numbers of seconds and of millivolts for boxes of 0.2 s and 0.5 mV
_MULTIPLES = (1, 2, 5, *(m * 10.0**k for k in range(1, 9) for m in (1, 2.5, 5)))


class LargeBoxLocator(MultipleLocator):
    """Locator of large boxes, or of every second, fifth, ... where lines would be too close."""

    axis: Any

    def __init__(self, box: float) -> None:
        super().__init__(box)
        self.box = box

    def __call__(self) -> Any:
        """Return the positions of the lines."""
        self.set_params(base=_multiple_with_room(self.axis, self.box, _MIN_LINE_INCH))
        return super().__call__()


class SmallBoxLocator(MultipleLocator):
    """Locator of small boxes, empty unless they have room along x and y.

    ``box`` is the size of a large box along its own axis, ``box_x`` and ``box_y`` along both.
    """

    axis: Any

    def __init__(self, box: float, box_x: float, box_y: float) -> None:
        super().__init__(box / _SMALL_PER_LARGE)
        self.box_x, self.box_y = box_x, box_y

    def __call__(self) -> Any:
        """Return the positions of the lines."""
        ax = self.axis.axes
        large = min(self.box_x * _inch_per_unit(ax.xaxis), self.box_y * _inch_per_unit(ax.yaxis))
        return super().__call__() if large >= _SMALL_PER_LARGE * _MIN_LINE_INCH else []


def number_formatter(axis: Axis, box: float, lowest: float) -> FuncFormatter:
    """Return a formatter that numbers as many large boxes as there is room for."""
    return FuncFormatter(partial(_format_number, axis, box, lowest))


def _format_number(axis: Any, box: float, lowest: float, x: float, _position: Any = None) -> str:
    n = x / _multiple_with_room(axis, box, _MIN_NUMBER_INCH[axis.axis_name])
    if abs(n - round(n)) > 1e-6 or x < lowest:  # 3 * 0.2 is not 0.6
        return ""
    return Formatter.fix_minus(f"{round(x, 9) + 0.0:g}")  # + 0.0 turns -0.0 into 0.0


def _multiple_with_room(axis: Any, box: float, min_inch: float) -> float:
    """Return the smallest round multiple of a box that is at least ``min_inch`` long."""
    n_boxes = min_inch / (box * _inch_per_unit(axis)) * (1 - 1e-9)
    return box * next((multiple for multiple in _MULTIPLES if multiple >= n_boxes), n_boxes)


def _inch_per_unit(axis: Any) -> float:
    """Return the length of a second or a millivolt on an axis."""
    low, high = sorted(axis.get_view_interval())
    window, dpi = axis.axes.get_window_extent(), axis.get_figure(root=True).dpi
    pixels = window.width if axis.axis_name == "x" else window.height
    return max(pixels / dpi, 1e-3) / max(high - low, 1e-12)
