"""Panels of a figure, and the room for their texts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, Union

import numpy as np

from ecgbeat._validation import import_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AxesLike: TypeAlias = Union["Axes", np.ndarray, Sequence["Axes"], None]

TEXT_PT = 8.0
LETTER_INCH = 0.62 * TEXT_PT / 72  # mean width of a letter
_LEGEND_HANDLE_INCH = 0.45  # width of a legend entry without its text


class Panels(NamedTuple):
    """Axes of groups and leads, and their places in the grid."""

    axes: Any  # ndarray (n_groups, n_leads) of Axes
    is_left: np.ndarray  # (n_groups, n_leads) of bool, in the first column
    is_bottom: np.ndarray  # (n_groups, n_leads) of bool, the lowest in its column


def require_matplotlib(caller: str) -> None:
    """Raise unless matplotlib is installed."""
    import_extra("matplotlib.pyplot", extra="plot", purpose=caller)


def make_panels(
    ax: AxesLike, n_groups: int, n_leads: int, n_columns: int, size: tuple[float, float]
) -> Panels:
    """Return an axes for each lead of each group.

    The groups fill ``n_columns`` columns row by row; the leads of a group lie below each other.
    With ``ax=None``, a figure of ``size`` inches is made. For several panels, a single axes is
    switched off and its area divided, as in scikit-learn's ``PartialDependenceDisplay``.
    """
    given = _axes_in(ax)
    shape = (n_groups, n_leads)
    if len(given) == n_groups * n_leads:
        axes = np.array(given, dtype=object).reshape(shape)
        return Panels(axes, np.ones(shape, bool), np.ones(shape, bool))
    axes = np.empty(shape, dtype=object)
    n_rows = -(-n_groups // n_columns) * n_leads
    if given:
        grid = _divide(given[0], n_rows, n_columns)
    else:
        import matplotlib.pyplot as plt

        grid = plt.figure(figsize=size, layout="constrained").add_gridspec(n_rows, n_columns)
    for group, lead in np.ndindex(shape):
        cell = grid[group // n_columns * n_leads + lead, group % n_columns]
        axes[group, lead] = grid.figure.add_subplot(cell)
    group, lead = np.indices(shape)
    is_bottom = (group + n_columns >= n_groups) & (lead == n_leads - 1)
    return Panels(axes, group % n_columns == 0, is_bottom)


def check_axes(ax: AxesLike, n_panels: int, caller: str) -> None:
    """Raise unless ``ax`` can take so many panels."""
    given = _axes_in(ax)
    wrong = [item for item in given if not hasattr(item, "get_subplotspec")]
    if wrong:
        raise TypeError(
            f"{caller}: ax must be a matplotlib Axes, an array of them or None, got "
            f"{type(wrong[0]).__name__}."
        )
    if ax is not None and len(given) not in (1, n_panels):
        raise ValueError(
            f"{caller} draws {n_panels} panels, got {len(given)} axes. Pass one axes, which is "
            f"divided, or {n_panels}."
        )


def count_columns(
    ax: AxesLike, n_panels: int, max_columns: int, new_inch: float, min_inch: float
) -> int:
    """Return the number of columns, for rows of panels as equal in length as possible.

    Panels are ``new_inch`` wide in a new figure, and at least ``min_inch`` in a given axes.
    """
    given = _axes_in(ax)
    width = inches(given[0])[0] if len(given) == 1 else max_columns * new_inch
    most = int(np.clip(width // min_inch, 1, min(n_panels, max_columns)))
    n_rows = -(-n_panels // most)
    return -(-n_panels // n_rows)


def inches(ax: "Axes") -> tuple[float, float]:
    """Return width and height of an axes, as far as they are known before drawing."""
    return ax.bbox.width / ax.figure.dpi, ax.bbox.height / ax.figure.dpi


def legend_columns(names: Sequence[str], width: float) -> int:
    """Return the number of legend columns that fit into a width; they fill downwards."""
    entries = [len(name) * LETTER_INCH + _LEGEND_HANDLE_INCH for name in names]
    for n_columns in range(len(entries), 1, -1):
        columns = np.array_split(entries, n_columns)
        if sum(column.max() for column in columns) <= width:
            return n_columns
    return 1


def _divide(ax: "Axes", n_rows: int, n_columns: int) -> Any:
    """Return a grid in the area of an axes."""
    ax.set_axis_off()
    # a layout engine makes room for the texts between panels itself
    has_engine = ax.figure.figure.get_layout_engine() is not None
    spec, space = ax.get_subplotspec(), {"wspace": 0.15, "hspace": 0.6}
    if spec is not None:
        return spec.subgridspec(n_rows, n_columns, **({} if has_engine else space))
    area = ax.get_position()
    sides = {"left": area.x0, "right": area.x1, "bottom": area.y0, "top": area.y1}
    return ax.figure.add_gridspec(n_rows, n_columns, **sides, **space)


def _axes_in(ax: AxesLike) -> list[Any]:
    """List the axes in ``ax``, which may be one, an array of them or None."""
    return [] if ax is None else list(np.asarray(ax, dtype=object).flat)
