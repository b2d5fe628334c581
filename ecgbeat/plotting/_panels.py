"""One picture of several panels, also inside an axes that the user brings (layer 3)."""

from typing import Any, NamedTuple

import numpy as np

from ecgbeat.plotting._paper import inches


class Panels(NamedTuple):
    """Axes of groups and leads, and where they lie."""

    axes: Any  # ndarray (n_groups, n_leads) of Axes
    is_left: np.ndarray  # (n_groups, n_leads) of bool: nothing to the left
    is_bottom: np.ndarray  # (n_groups, n_leads) of bool: nothing below


def check_axes(ax: Any, n_panels: int, what: str) -> None:
    """Raise unless ``ax`` can take so many panels."""
    given = _axes_in(ax)
    wrong = [item for item in given if not hasattr(item, "get_subplotspec")]
    if wrong:
        raise TypeError(
            f"{what}: ax must be a matplotlib Axes, an array of them or None, got "
            f"{type(wrong[0]).__name__}."
        )
    if ax is not None and len(given) not in (1, n_panels):
        raise ValueError(
            f"{what} draws {n_panels} panels, got {len(given)} axes. Pass one axes, which is "
            f"divided, or {n_panels}."
        )


def width_of(ax: Any, default: float) -> float:
    """Return the width in inches that there is for all panels."""
    given = _axes_in(ax)
    return inches(given[0])[0] if len(given) == 1 else default


def make_panels(
    ax: Any, n_groups: int, n_leads: int, n_columns: int, size: tuple[float, float]
) -> Panels:
    """Return an axes for each lead of each group.

    The groups fill ``n_columns`` columns row by row; the leads of a group lie below each other.

    Parameters
    ----------
    ax : matplotlib Axes, array of Axes or None
        None makes a figure. One axes is used if there is one panel; if not, it is switched off
        and its place divided, as scikit-learn's ``PartialDependenceDisplay`` does. An
        array is used as it is.
    n_groups, n_leads, n_columns : int
        Form of the grid.
    size : tuple of float
        Width and height of a new figure in inches.

    Returns
    -------
    Panels
    """
    given = _axes_in(ax)
    shape = (n_groups, n_leads)
    axes: Any = np.empty(shape, dtype=object)
    if len(given) == axes.size:
        axes.flat = given
        return Panels(axes, np.ones(shape, bool), np.ones(shape, bool))
    n_rows = -(-n_groups // n_columns) * n_leads
    grid = _divide(given[0], n_rows, n_columns) if given else _new(n_rows, n_columns, size)
    for group, lead in np.ndindex(shape):
        cell = grid[group // n_columns * n_leads + lead, group % n_columns]
        axes[group, lead] = grid.figure.add_subplot(cell)
    group, lead = np.indices(shape)
    is_bottom = (group + n_columns >= n_groups) & (lead == n_leads - 1)
    return Panels(axes, group % n_columns == 0, is_bottom)


def settle(ax: Any) -> None:
    """Let the layout engine of the figure, if it has one, give the axes its size."""
    figure = ax.get_figure(root=True)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def _new(n_rows: int, n_columns: int, size: tuple[float, float]) -> Any:
    """Return a grid that fills a new figure."""
    import matplotlib.pyplot as plt

    return plt.figure(figsize=size, layout="constrained").add_gridspec(n_rows, n_columns)


def _divide(ax: Any, n_rows: int, n_columns: int) -> Any:
    """Return a grid in the place of an axes."""
    ax.set_axis_off()
    spec = ax.get_subplotspec()
    if spec is not None:
        # a layout engine makes room for the texts between panels itself
        has_engine = ax.get_figure(root=True).get_layout_engine() is not None
        space = {} if has_engine else {"wspace": 0.15, "hspace": 0.6}
        return spec.subgridspec(n_rows, n_columns, **space)
    place = ax.get_position()
    return ax.get_figure().add_gridspec(
        n_rows,
        n_columns,
        left=place.x0,
        right=place.x1,
        bottom=place.y0,
        top=place.y1,
        wspace=0.15,
        hspace=0.6,
    )


def _axes_in(ax: Any) -> list[Any]:
    """List the axes in ``ax``, which may be one, an array of them or None."""
    return [] if ax is None else list(np.asarray(ax, dtype=object).flat)
