"""What `TrainingHistoryDisplay` draws into its panels (layer 3)."""

from typing import Any

from ecgbeat.plotting._history_curves import Curve
from ecgbeat.plotting._legend import TEXT_PT, legend_columns
from ecgbeat.plotting._paper import inches
from ecgbeat.plotting._style import GREY, ClassStyle

_TRAIN_LINE: Any = (0, (3, 1.5))
_VALID_LINE: Any = "-"
_MOST_MARKERS = 8
_STAR: dict[str, Any] = {
    "marker": "*",
    "markersize": 13,
    "markeredgecolor": "white",
    "linestyle": "",
}


def draw_curve(ax: Any, curve: Curve, style: ClassStyle, best: int | None) -> Any:
    """Draw a curve, and a star at the best epoch if it is one of validation."""
    (line,) = ax.plot(
        curve.epochs,
        curve.values,
        color=style.color,
        linestyle=_TRAIN_LINE if curve.is_train else _VALID_LINE,
        linewidth=1.3,
        marker=style.marker,
        markersize=4,
        markerfacecolor="white" if curve.is_train else style.color,
        markevery=max(len(curve.epochs) // _MOST_MARKERS, 1),
    )
    if best is not None and not curve.is_train:
        at = curve.epochs == best
        ax.plot(curve.epochs[at], curve.values[at], color=style.color, zorder=3, **_STAR)
    return line


def finish_panel(ax: Any, title: str) -> None:
    """Name the axes, and number whole epochs only."""
    from matplotlib.ticker import MaxNLocator

    ax.set_xlabel("Epoch")
    ax.set_ylabel(title)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    ax.grid(True, color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)


def explain(
    first: Any,
    styles: dict[str, ClassStyle],
    best: dict[str, int],
    columns: list[str],
    *,
    is_new: bool,
) -> Any:
    """Draw the legend where no curve can be: which network, which beats, which epoch was the best.

    Parameters
    ----------
    first : matplotlib Axes
        The first panel.
    styles : dict of ClassStyle
        By network.
    best : dict of int
        Best epochs, by network.
    columns : list of str
        Names of the columns that are drawn.
    is_new : bool
        Whether the figure holds nothing else, so that the legend may stand below all panels. If
        not, it stands above the first.

    Returns
    -------
    matplotlib Legend
    """
    handles = _handles(styles, best, columns)
    labels = [handle.get_label() for handle in handles]
    options: dict[str, Any] = {"handles": handles, "fontsize": TEXT_PT, "frameon": False}
    options["columnspacing"] = 1.0
    if is_new:
        width = first.figure.get_figwidth()
        return first.figure.legend(
            loc="outside lower center", ncols=legend_columns(labels, width), **options
        )
    width, _ = inches(first)
    return first.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        ncols=legend_columns(labels, width),
        **options,
    )


def _handles(styles: dict[str, ClassStyle], best: dict[str, int], columns: list[str]) -> list[Any]:
    """Return what stands in the legend."""
    from matplotlib.lines import Line2D

    is_single = len(styles) == 1
    handles: list[Any] = []
    for name, style in styles.items():
        if not is_single:
            line = Line2D([], [], label=name, color=style.color, marker=style.marker, markersize=4)
            handles.append(line)
    color = next(iter(styles.values())).color if is_single else GREY
    is_train = [column.startswith("train_") for column in columns]
    if any(is_train):
        handles.append(Line2D([], [], color=color, linestyle=_TRAIN_LINE, label="training"))
    if not all(is_train):
        handles.append(Line2D([], [], color=color, linestyle=_VALID_LINE, label="validation"))
    if best:
        epochs = ", ".join(str(epoch) for epoch in best.values())
        handles.append(Line2D([], [], color=color, label=f"best epoch ({epochs})", **_STAR))
    return handles
