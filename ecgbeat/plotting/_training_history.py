"""How a network learned: losses and scores by epoch (layer 3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from ecgbeat.plotting._estimators import name_of, unwrap
from ecgbeat.plotting._extras import import_pyplot
from ecgbeat.plotting._history_curves import (
    best_epoch,
    check_history,
    choose_metrics,
    find_curves,
    title_of,
)
from ecgbeat.plotting._history_panels import draw_curve, explain, finish_panel
from ecgbeat.plotting._panels import check_axes, make_panels, width_of
from ecgbeat.plotting._style import class_styles

_PANEL_INCH = (4.0, 3.0)  # of a new figure
_LEAST_PANEL_INCH = 2.2
_MOST_COLUMNS = 3


class TrainingHistoryDisplay:
    """Losses and scores of one network or several, epoch by epoch.

    Make it with `from_estimator` or `from_history`. All parameters are stored as attributes.

    Parameters
    ----------
    histories : dict of list of dict
        For each network, by its name: one dict for each epoch, as in skorch's ``net.history``.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure.
    ax_ : matplotlib Axes
        The axes of the first panel.
    axes_ : dict of matplotlib Axes
        By metric, such as ``"loss"``.
    lines_ : dict of matplotlib Line2D
        By (name of the network, column of its history).
    legend_ : matplotlib Legend
        Below the panels of a new figure, above the first of axes that were given.
    best_epochs_ : dict of int
        By name of the network; without those that were not validated.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by number of beats, not by epoch.

    Notes
    -----
    Every number in the history that is a loss or a score is drawn, those of training dashed:
    the columns ``train_*`` and ``valid_*``, and what an ``EpochScoring`` of another name has
    written, which is taken for a score of validation.

    A star marks the best epoch: the last one that skorch's history says was the best so far,
    which is where early stopping goes back to. Without early stopping the network is that of the
    last epoch all the same.

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

    def __init__(self, histories: Mapping[str, list[dict[str, Any]]]) -> None:
        self.histories = histories

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        metrics: Sequence[str] | None = None,
        monitor: str | None = None,
        ax: Any = None,
    ) -> "TrainingHistoryDisplay":
        """Draw the history of a fitted network, or of several.

        Parameters
        ----------
        estimator : estimator, list of estimators or dict of estimators
            An `ECGCNNClassifier` or another skorch net; or a pipeline, search or `BeatAnnotator`
            that ends in one, where the net of the final fit counts. Several are drawn over each
            other, by the names in the dict.
        metrics, monitor, ax
            As in `plot`.

        Returns
        -------
        TrainingHistoryDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If an estimator is not fitted.
        TypeError
            If there is no network in an estimator.
        ImportError, ValueError
            As `from_history`.
        """
        import_pyplot(f"{cls.__name__}.from_estimator")
        if isinstance(estimator, (list, tuple)):
            estimator = _name_all(estimator)
        elif not isinstance(estimator, Mapping):
            estimator = {name_of(estimator): estimator}
        histories = {name: _history_in(item) for name, item in estimator.items()}
        return cls.from_history(histories, metrics=metrics, monitor=monitor, ax=ax)

    @classmethod
    def from_history(
        cls,
        history: Any,
        *,
        metrics: Sequence[str] | None = None,
        monitor: str | None = None,
        ax: Any = None,
    ) -> "TrainingHistoryDisplay":
        """Draw the history of a network, or those of several.

        Parameters
        ----------
        history : list of dict, or dict of these
            A skorch ``History``, or what ``json`` has made of one; or several, by name.
        metrics, monitor, ax
            As in `plot`.

        Returns
        -------
        TrainingHistoryDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If this is no history.
        ValueError
            If a history is empty, or has no such column.
        """
        import_pyplot(f"{cls.__name__}.from_history")
        histories = history if isinstance(history, Mapping) else {"network": history}
        if not histories:
            raise ValueError("there is no history to draw: the dict is empty.")
        checked = {str(name): check_history(str(name), rows) for name, rows in histories.items()}
        return cls(checked).plot(ax, metrics=metrics, monitor=monitor)

    def plot(
        self,
        ax: Any = None,
        *,
        metrics: Sequence[str] | None = None,
        monitor: str | None = None,
    ) -> "TrainingHistoryDisplay":
        """Draw the curves, one panel for each metric.

        Parameters
        ----------
        ax : matplotlib Axes, array of Axes or None, default=None
            None makes a figure. One axes is divided if there are several metrics; an array
            must have one axes for each. The legend stands above the first of them, where
            ``layout="constrained"`` makes room for it; head the figure by ``suptitle``.
        metrics : sequence of str, default=None
            Which to draw, without ``train_`` and ``valid_``, such as ``["loss", "acc"]``. None
            draws all.
        monitor : str, default=None
            Column whose best epoch is marked. None takes ``valid_loss``, or else the first
            score of validation; nothing is marked if there is none.

        Returns
        -------
        TrainingHistoryDisplay
            This one.
        """
        owner = f"{type(self).__name__}.plot"
        import_pyplot(owner)
        curves = {name: find_curves(rows) for name, rows in self.histories.items()}
        chosen = choose_metrics([curve for found in curves.values() for curve in found], metrics)
        found_best = {name: best_epoch(rows, monitor) for name, rows in self.histories.items()}
        best = {name: found[1] for name, found in found_best.items() if found is not None}
        check_axes(ax, len(chosen), owner)
        n_columns = _columns(ax, len(chosen))
        size = n_columns * _PANEL_INCH[0], -(-len(chosen) // n_columns) * _PANEL_INCH[1]
        panels = make_panels(ax, len(chosen), 1, n_columns, size)
        self.axes_ = dict(zip(chosen, panels.axes[:, 0], strict=True))
        self.ax_ = panels.axes[0, 0]
        self.figure_ = self.ax_.figure
        styles = class_styles(curves)
        self.lines_ = {
            (name, curve.column): draw_curve(
                self.axes_[curve.metric], curve, styles[name], best.get(name)
            )
            for name in styles
            for curve in curves[name]
            if curve.metric in self.axes_
        }
        for metric, panel in self.axes_.items():
            finish_panel(panel, title_of(metric))
        columns = [column for _, column in self.lines_]
        self.legend_ = explain(self.ax_, styles, best, columns, is_new=ax is None)
        self.best_epochs_ = best
        return self


def _columns(ax: Any, n_panels: int) -> int:
    """Return how many panels fit side by side."""
    most = int(width_of(ax, _MOST_COLUMNS * _PANEL_INCH[0]) // _LEAST_PANEL_INCH)
    return max(min(most, n_panels, _MOST_COLUMNS), 1)


def _name_all(estimators: Sequence[Any]) -> dict[str, Any]:
    """Name estimators after what is trained in them, numbered where names come twice."""
    names = [name_of(estimator) for estimator in estimators]
    return {
        name if names.count(name) == 1 else f"{name} {number}": estimator
        for number, (name, estimator) in enumerate(zip(names, estimators, strict=True), 1)
    }


def _history_in(estimator: Any) -> Any:
    """Return the history of the network that an estimator ends in."""
    _, net = unwrap(estimator)
    if not hasattr(net, "history"):
        raise TypeError(
            f"there is no network in {type(estimator).__name__}: it ends in "
            f"{type(net).__name__}, which has no history of training."
        )
    return net.history
