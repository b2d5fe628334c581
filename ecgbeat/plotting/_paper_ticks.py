"""Tick locators of ECG paper, which depend on the size of the drawn axes.

Importing this module needs matplotlib.
"""

from typing import Any

from matplotlib.ticker import AutoMinorLocator, Formatter, MultipleLocator

from ecgbeat.plotting._panels import inches

SMALL_PER_LARGE = 5
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


class SmallBoxLocator(AutoMinorLocator):
    """Locator of small boxes, empty unless they have room along x and y."""

    axis: Any

    def __call__(self) -> Any:
        """Return the positions of the lines."""
        axes = self.axis.axes.xaxis, self.axis.axes.yaxis
        large = min(axis.get_major_locator().box * _inch_per_unit(axis) for axis in axes)
        return super().__call__() if large >= SMALL_PER_LARGE * _MIN_LINE_INCH else []


def format_number(axis: Any, box: float, lowest: float, x: float, _position: Any = None) -> str:
    """Return the number at a line, "" where numbers of all large boxes have no room."""
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
    length = inches(axis.axes)["xy".index(axis.axis_name)]
    return max(length, 1e-3) / max(high - low, 1e-12)
