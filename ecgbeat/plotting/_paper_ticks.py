"""Where the lines of ECG paper lie, decided when it is drawn (layer 3).

Only then the size of the axes is known. This module needs matplotlib; `_paper` imports it when
there is something to draw.
"""

from typing import Any

import numpy as np
from matplotlib.ticker import Formatter, Locator

from ecgbeat.plotting._paper import SMALL_PER_LARGE, nice_step

_LEAST_BOX_INCH = 0.03  # closer lines are a red haze
_LEAST_LABEL_INCH = {"x": 0.42, "y": 0.22}
_ROUNDING = 1e-9


class LargeBoxes(Locator):
    """Every large box, or every so many of them where they would be too close.

    Parameters
    ----------
    steps : sequence of float
        Sizes that the boxes may have, ascending.
    """

    axis: Any

    def __init__(self, steps: Any) -> None:
        self.steps = list(steps)

    def step(self) -> float:
        """Return the distance of the lines."""
        return _first_at_least(self.steps, _LEAST_BOX_INCH / _inch_per_unit(self.axis))

    def __call__(self) -> Any:
        """Return the lines within the axes."""
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return the lines within limits."""
        return _multiples(self.step(), vmin, vmax)


class SmallBoxes(Locator):
    """Every small box, if there is room for them in both directions.

    Parameters
    ----------
    large_x, large_y : LargeBoxes
        Of both directions.
    """

    axis: Any

    def __init__(self, large_x: LargeBoxes, large_y: LargeBoxes) -> None:
        self.large = {"x": large_x, "y": large_y}

    def __call__(self) -> Any:
        """Return the lines within the axes."""
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return the lines within limits."""
        smallest = min(
            large.steps[0] / SMALL_PER_LARGE * _inch_per_unit(large.axis)
            for large in self.large.values()
        )
        if smallest < _LEAST_BOX_INCH:
            return np.empty(0)
        return _multiples(self.large[self.axis.axis_name].steps[0] / SMALL_PER_LARGE, vmin, vmax)


class BoxNumbers(Formatter):
    """Numbers at large boxes, as many as there is room for.

    Parameters
    ----------
    steps : sequence of float
        Distances that they may have, ascending.
    lowest : float
        There are none below.
    """

    axis: Any

    def __init__(self, steps: Any, lowest: float) -> None:
        self.steps = list(steps)
        self.lowest = lowest

    def __call__(self, x: float, pos: Any = None) -> str:  # noqa: ARG002 - matplotlib's signature
        """Return the number at ``x``, or nothing."""
        room = _LEAST_LABEL_INCH[self.axis.axis_name] / _inch_per_unit(self.axis)
        n = x / _first_at_least(self.steps, room)
        if abs(n - round(n)) > 1e-6 or x < self.lowest:  # 3 * 0.2 is not 0.6
            return ""
        return self.fix_minus(f"{round(x, 9) + 0.0:g}")  # nobody writes -0


def _inch_per_unit(axis: Any) -> float:
    """Return how long a second or a millivolt is on an axis."""
    low, high = sorted(axis.get_view_interval())
    window, dpi = axis.axes.get_window_extent(), axis.get_figure(root=True).dpi
    pixels = window.width if axis.axis_name == "x" else window.height
    return max(pixels / dpi, 1e-3) / max(high - low, 1e-12)


def _first_at_least(steps: list[float], size: float) -> float:
    return next((step for step in steps if step >= size * (1 - _ROUNDING)), nice_step(size))


def _multiples(step: float, low: float, high: float) -> np.ndarray:
    low, high = sorted((low, high))
    first, last = np.ceil(low / step - _ROUNDING), np.floor(high / step + _ROUNDING)
    return np.arange(first, last + 1) * step
