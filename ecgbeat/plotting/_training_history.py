"""Display of training histories."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from ecgbeat.plotting._estimators import unwrap
from ecgbeat.plotting._panels import (
    TEXT_PT,
    AxesLike,
    check_axes,
    count_columns,
    inches,
    legend_columns,
    make_panels,
    require_matplotlib,
)
from ecgbeat.plotting._style import GRAY, ClassStyle, class_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

History = Sequence[Mapping[str, Any]]

_PANEL_INCH = (4.0, 3.0)  # of a new figure
_MIN_PANEL_INCH = 2.2
_MAX_COLUMNS = 3
_MAX_MARKERS = 8  # on a curve
_TRAIN_LINE: Any = (0, (3, 1.5))
_VALID_LINE: Any = "-"
_STAR: dict[str, Any] = {
    "marker": "*",
    "markersize": 13,
    "markeredgecolor": "white",
    "linestyle": "",
}

_TRAIN, _VALID = "train", "valid"
_OTHER_COLUMNS = {"epoch", "dur", "batches"}
_OTHER_ENDINGS = ("_best", "_batch_count")
_TITLES = {"loss": "Loss", "acc": "Accuracy"}


@dataclass(eq=False, repr=False)
class TrainingHistoryDisplay:
    """Losses and scores of one or several networks by epoch.

    Use `from_estimator` or `from_history` to create a `TrainingHistoryDisplay`. All parameters
    are stored as attributes.

    Parameters
    ----------
    histories : dict of list of dict
        One dict for each epoch, as in skorch's ``net.history``, by name of the network.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure that contains the panels.
    ax_ : matplotlib Axes
        Axes of the first panel.
    axes_ : dict of matplotlib Axes
        Axes by metric, such as ``"loss"``.
    lines_ : dict of matplotlib Line2D
        Curves by (name of the network, column of its history).
    legend_ : matplotlib Legend
        Legend, below the panels of a new figure or above the first of the given axes.
    best_epochs_ : dict of int
        Best epoch by name of the network, without networks that were not validated.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by number of beats, not by epoch.

    Notes
    -----
    All losses and scores of a history are drawn: the columns ``train_*``, which are dashed, and
    ``valid_*``, and the columns of an ``EpochScoring`` of another name, which count as scores of
    validation.

    A star marks the best epoch: the last one that skorch marked as the best so far, to which
    early stopping returns. Without early stopping, the network is that of the last epoch.

    Examples
    --------
    >>> from ecgbeat import ECGCNNClassifier
    >>> from ecgbeat.datasets import make_heartbeats
    >>> from ecgbeat.plotting import TrainingHistoryDisplay
    >>> beats = make_heartbeats(120, n_patients=8, before=0.2, after=0.3, fs=100, random_state=0)
    >>> net = ECGCNNClassifier(n_filters=4, max_epochs=3, early_stopping=True, random_state=0)
    >>> net = net.fit(beats.data, beats.target)
    >>> display = TrainingHistoryDisplay.from_estimator(net)
    >>> list(display.axes_)
    ['loss', 'acc']
    """

    histories: Mapping[str, History]

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator | Sequence[BaseEstimator] | Mapping[str, BaseEstimator],
        *,
        metrics: Sequence[str] | None = None,
        monitor: str | None = None,
        ax: AxesLike = None,
    ) -> "TrainingHistoryDisplay":
        """Plot the history of one or several fitted networks.

        Parameters
        ----------
        estimator : estimator, list of estimators or dict of estimators
            `ECGCNNClassifier` or another skorch net; or a pipeline, search or `BeatAnnotator`
            that ends in one, whose refitted net is used. Several are drawn over each other,
            with the keys of the dict as names.
        metrics, monitor, ax : optional
            As in `plot`.

        Returns
        -------
        TrainingHistoryDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If an estimator is not fitted.
        TypeError
            If an estimator does not end in a network.
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        if not isinstance(estimator, Mapping):
            is_list = isinstance(estimator, (list, tuple))
            estimator = _named(estimator if is_list else [estimator])
        histories = {name: _history_of(item) for name, item in estimator.items()}
        return cls.from_history(histories, metrics=metrics, monitor=monitor, ax=ax)

    @classmethod
    def from_history(
        cls,
        history: History | Mapping[str, History],
        *,
        metrics: Sequence[str] | None = None,
        monitor: str | None = None,
        ax: AxesLike = None,
    ) -> "TrainingHistoryDisplay":
        """Plot the history of one or several networks.

        Parameters
        ----------
        history : list of dict, or dict of these
            skorch ``History``, or one loaded from its JSON file; or several, by name.
        metrics, monitor, ax : optional
            As in `plot`.

        Returns
        -------
        TrainingHistoryDisplay

        Raises
        ------
        TypeError
            If ``history`` is not a history.
        ValueError
            If a history is empty, or has no such column.
        """
        require_matplotlib(f"{cls.__name__}.from_history")
        histories = history if isinstance(history, Mapping) else {"network": history}
        if not histories:
            raise ValueError("history must contain at least one history, got an empty dict.")
        named = {str(name): _check_history(str(name), rows) for name, rows in histories.items()}
        return cls(named).plot(ax, metrics=metrics, monitor=monitor)

    def plot(
        self,
        ax: AxesLike = None,
        *,
        metrics: Sequence[str] | None = None,
        monitor: str | None = None,
    ) -> "TrainingHistoryDisplay":
        """Plot the curves, one panel for each metric.

        Parameters
        ----------
        ax : matplotlib Axes, array of Axes or None, default=None
            Axes to draw on. None makes a figure. A single axes is divided if there are several
            metrics; an array must have one axes for each. The legend is above the first of
            them, where ``layout="constrained"`` makes room for it; use ``suptitle`` for a title.
        metrics : sequence of str, default=None
            Metrics to draw, without ``train_`` and ``valid_``, such as ``["loss", "acc"]``.
            None draws all.
        monitor : str, default=None
            Column whose best epoch is marked. None takes ``valid_loss``, or else the first
            score of validation, if there is one.

        Returns
        -------
        TrainingHistoryDisplay
        """
        caller = f"{type(self).__name__}.plot"
        require_matplotlib(caller)
        curves = {name: _find_curves(rows) for name, rows in self.histories.items()}
        chosen = _choose_metrics([c for found in curves.values() for c in found], metrics)
        best = {name: _best_epoch(rows, monitor) for name, rows in self.histories.items()}
        self.best_epochs_ = {name: epoch for name, epoch in best.items() if epoch is not None}
        check_axes(ax, len(chosen), caller)
        n_columns = count_columns(ax, len(chosen), _MAX_COLUMNS, _PANEL_INCH[0], _MIN_PANEL_INCH)
        size = n_columns * _PANEL_INCH[0], -(-len(chosen) // n_columns) * _PANEL_INCH[1]
        panels = make_panels(ax, len(chosen), 1, n_columns, size).axes[:, 0]
        self.axes_ = dict(zip(chosen, panels, strict=True))
        self.ax_ = panels[0]
        self.figure_ = self.ax_.figure
        styles = class_styles(curves)
        self.lines_ = {
            (name, curve.column): _draw_curve(
                self.axes_[curve.metric], curve, style, self.best_epochs_.get(name)
            )
            for name, style in styles.items()
            for curve in curves[name]
            if curve.metric in self.axes_
        }
        for metric, panel in self.axes_.items():
            _label_panel(panel, metric)
        columns = [column for _, column in self.lines_]
        handles = _legend_handles(styles, self.best_epochs_, columns)
        self.legend_ = _draw_legend(self.ax_, handles, is_new=ax is None)
        return self


def _named(estimators: Sequence[BaseEstimator]) -> dict[str, BaseEstimator]:
    """Name estimators after their networks, numbered where names repeat."""
    names = [type(unwrap(estimator)[1]).__name__ for estimator in estimators]
    return {
        name if names.count(name) == 1 else f"{name} {number}": estimator
        for number, (name, estimator) in enumerate(zip(names, estimators, strict=True), 1)
    }


def _history_of(estimator: BaseEstimator) -> History:
    """Return the history of the network that an estimator ends in."""
    _, net = unwrap(estimator)
    if not hasattr(net, "history"):
        raise TypeError(
            f"The estimator must end in a network with a training history, got "
            f"{type(estimator).__name__}, which ends in {type(net).__name__}."
        )
    return net.history


def _check_history(name: str, history: History) -> list[Mapping[str, Any]]:
    """Return the rows of a history, or raise if it is empty or not a history."""
    if history is None or len(history) == 0:
        raise ValueError(
            f"The history of {name} must have at least one epoch, got an empty one. Train the "
            "network first; trim_for_prediction removes the history."
        )
    rows = list(history)
    if not all(hasattr(row, "keys") and "epoch" in row for row in rows):
        raise TypeError(
            f"The history of {name} must be that of a skorch net, a list with one dict for each "
            f"epoch, got {type(history).__name__} of {type(rows[0]).__name__}."
        )
    return rows


class _Curve(NamedTuple):
    """Column of a history."""

    column: str
    metric: str  # the column without train_ or valid_
    is_train: bool
    epochs: np.ndarray
    values: np.ndarray  # NaN in epochs without a value


def _find_curves(rows: History) -> list[_Curve]:
    """Return all losses and scores of a history: loss first, training before validation."""
    columns = {column for row in rows for column in row if _is_score(column, row[column])}
    epochs = np.array([row["epoch"] for row in rows])
    curves = []
    for column in columns:
        values = np.array([row.get(column, np.nan) for row in rows], dtype=float)
        prefix, _, rest = column.partition("_")
        has_prefix = prefix in (_TRAIN, _VALID) and rest != ""
        metric = rest if has_prefix else column
        curves.append(_Curve(column, metric, prefix == _TRAIN and has_prefix, epochs, values))
    return sorted(curves, key=lambda c: (c.metric != "loss", c.metric, not c.is_train, c.column))


def _is_score(column: str, value: Any) -> bool:
    return (
        column not in _OTHER_COLUMNS
        and not column.endswith(_OTHER_ENDINGS)
        and not column.startswith("event_")
        and isinstance(value, Real)
        and not isinstance(value, bool)
    )


def _choose_metrics(curves: Iterable[_Curve], metrics: Sequence[str] | None) -> list[str]:
    """Return the metrics to draw, or raise if one of them is missing."""
    present = list(dict.fromkeys(curve.metric for curve in curves))
    if not present:
        raise ValueError("The history must have a loss or a score, got neither.")
    if metrics is None:
        return sorted(present, key=lambda metric: (metric != "loss", metric))
    wanted = [metrics] if isinstance(metrics, str) else list(metrics)
    if not wanted or not set(wanted) <= set(present):
        raise ValueError(f"metrics must be some of {present}, got {metrics!r}.")
    return wanted


def _best_epoch(rows: History, monitor: str | None) -> int | None:
    """Return the epoch with the best value of a column, None without validation."""
    curves = {curve.column: curve for curve in _find_curves(rows)}
    if monitor is None:
        monitor = next((column for column, curve in curves.items() if not curve.is_train), None)
        if monitor is None:
            return None
    if monitor not in curves:
        raise ValueError(f"monitor must be one of {list(curves)}, got {monitor!r}.")
    curve = curves[monitor]
    # skorch marks each new best epoch in a column of its own
    marked = [row["epoch"] for row in rows if row.get(f"{monitor}_best")]
    if marked:
        return int(marked[-1])
    if np.isnan(curve.values).all():
        return None
    is_loss = curve.metric.endswith("loss")
    row = np.nanargmin(curve.values) if is_loss else np.nanargmax(curve.values)
    return int(curve.epochs[row])


def _draw_curve(ax: "Axes", curve: _Curve, style: ClassStyle, best: int | None) -> "Line2D":
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
        markevery=max(len(curve.epochs) // _MAX_MARKERS, 1),
    )
    if best is not None and not curve.is_train:
        at = curve.epochs == best
        ax.plot(curve.epochs[at], curve.values[at], color=style.color, zorder=3, **_STAR)
    return line


def _label_panel(ax: "Axes", metric: str) -> None:
    """Label the axes, with ticks at whole epochs only."""
    from matplotlib.ticker import MaxNLocator

    name = metric.replace("_", " ")
    ax.set_ylabel(_TITLES.get(metric, name[:1].upper() + name[1:]))
    ax.set_xlabel("Epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    ax.grid(True, color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)


def _legend_handles(
    styles: Mapping[str, ClassStyle], best: Mapping[str, int], columns: Sequence[str]
) -> list["Line2D"]:
    """Return legend entries for networks, for training and validation, and for best epochs."""
    from matplotlib.lines import Line2D

    is_single = len(styles) == 1
    handles = [
        Line2D([], [], label=name, color=style.color, marker=style.marker, markersize=4)
        for name, style in styles.items()
        if not is_single
    ]
    color = next(iter(styles.values())).color if is_single else GRAY
    is_train = [column.startswith(f"{_TRAIN}_") for column in columns]
    if any(is_train):
        handles.append(Line2D([], [], color=color, linestyle=_TRAIN_LINE, label="training"))
    if not all(is_train):
        handles.append(Line2D([], [], color=color, linestyle=_VALID_LINE, label="validation"))
    if best:
        epochs = ", ".join(str(epoch) for epoch in best.values())
        handles.append(Line2D([], [], color=color, label=f"best epoch ({epochs})", **_STAR))
    return handles


def _draw_legend(ax: "Axes", handles: Sequence["Line2D"], *, is_new: bool) -> "Legend":
    """Draw the legend below all panels of a new figure, else above the first panel."""
    labels = [str(handle.get_label()) for handle in handles]
    options: dict[str, Any] = {"handles": handles, "fontsize": TEXT_PT, "frameon": False}
    options["columnspacing"] = 1.0
    if is_new:
        n_columns = legend_columns(labels, ax.figure.bbox.width / ax.figure.dpi)
        return ax.figure.legend(loc="outside lower center", ncols=n_columns, **options)
    options |= {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    return ax.legend(ncols=legend_columns(labels, inches(ax)[0]), **options)
