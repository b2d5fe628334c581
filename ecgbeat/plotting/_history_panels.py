"""What `TrainingHistoryDisplay` draws into its panels (layer 3)."""

from typing import Any

from ecgbeat.plotting._history_curves import Curve
from ecgbeat.plotting._legend import TEXT_PT, legend_columns
from ecgbeat.plotting._paper import inches
from ecgbeat.plotting._style import GREY, ClassStyle

_TRAIN_LINE: Any = (0, (3, 1.5))
_VALID_LINE: Any = "-"
_MOST_MARKERS = 8
_LEGEND_ROW_INCH = 0.16
_MOST_LEGEND = 0.45  # share of the height
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
    ax: Any, styles: dict[str, ClassStyle], best: dict[str, int], columns: list[str]
) -> None:
    """Draw the legend: which network, which beats, which epoch was the best."""
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
    labels = [handle.get_label() for handle in handles]
    width, height = inches(ax)
    place: dict[str, Any] = {"loc": "best", "framealpha": 0.9}
    if len(labels) * _LEGEND_ROW_INCH > _MOST_LEGEND * height:  # it would cover the curves
        n_columns = legend_columns(labels, width)
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": n_columns}
        place |= {"frameon": False, "borderaxespad": 0.2, "columnspacing": 1.0}
    ax.legend(handles=handles, fontsize=TEXT_PT, **place)
