"""Standard scores of beats (layer 2)."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.metaestimators import available_if

from ecgbeat._validation import Integral, Interval, StrOptions, check_is_fitted
from ecgbeat.preprocessing._base import BeatTransformer
from ecgbeat.signal import mean_and_scale, zscore


def _has_learned_scale(scaler: "ZScoreScaler") -> bool:
    """Tell whether the scores can be undone."""
    return scaler.axis == "dataset" and getattr(scaler, "scale_", ()) is not None


class ZScoreScaler(OneToOneFeatureMixin, BeatTransformer):
    """Shift beats to mean 0 and scale them to standard deviation 1.

    Parameters
    ----------
    axis : {"beat", "dataset"}, default="beat"
        ``"beat"``: every lead of every beat by itself, which takes out the gain of
        electrodes and patients. ``"dataset"``: mean and deviation of each lead are
        learned in ``fit`` over all beats and samples, so that amplitudes remain
        comparable between beats.
    with_std : bool, default=True
        Whether to divide by the standard deviation.
    n_leads : int, default=1
        Number of leads in each flattened row, one after the other. 3-D beats bring
        their own.

    Attributes
    ----------
    mean_ : ndarray of shape (n_leads_,) or None
        Mean of each lead. None with ``axis="beat"``.
    scale_ : ndarray of shape (n_leads_,) or None
        What each lead is divided by: its standard deviation; 1 where the lead is
        constant or ``with_std=False``. None with ``axis="beat"``.
    n_leads_ : int
        Number of leads seen in ``fit``.
    n_features_in_ : int
        Number of columns seen in ``fit``, of the flattened form.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had any.

    See Also
    --------
    ecgbeat.signal.zscore : The same as a function.

    Notes
    -----
    Constant beats (``axis="beat"``) and constant leads (``axis="dataset"``) become
    zeros.

    Examples
    --------
    >>> from ecgbeat import ZScoreScaler
    >>> X = [[1.0, 2.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]]
    >>> ZScoreScaler().fit_transform(X).round(3)
    array([[-1.414,  0.   ,  1.414,  0.   ],
           [ 0.   ,  0.   ,  0.   ,  0.   ]])
    >>> ZScoreScaler(axis="dataset").fit(X).mean_
    array([1.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "axis": [StrOptions({"beat", "dataset"})],
        "with_std": ["boolean"],
        "n_leads": [Interval(Integral, 1, None, closed="left")],
    }
    _for_a_recording = "For one continuous recording use ecgbeat.signal.zscore."

    mean_: Any
    scale_: Any

    def __init__(self, axis: str = "beat", *, with_std: bool = True, n_leads: int = 1) -> None:
        self.axis = axis
        self.with_std = with_std
        self.n_leads = n_leads

    @available_if(_has_learned_scale)
    def inverse_transform(self, X: Any) -> np.ndarray:
        """Undo `transform`; only with ``axis="dataset"``.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times) or (n_beats, n_leads, n_times)
            Scaled beats.

        Returns
        -------
        ndarray of the shape of ``X``
            Beats in their former unit, float32 if ``X`` is, else float64.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        ValueError
            If ``X`` is not of the form seen in ``fit``, or not finite.
        """
        check_is_fitted(self, "scale_")
        leads, is_flat = self._validate(X, reset=False)
        restored = leads * self.scale_[:, None] + self.mean_[:, None]
        return self._join_leads(restored.astype(leads.dtype), is_flat)

    def _learn(self, leads: np.ndarray) -> None:
        self.mean_ = self.scale_ = None
        if self.axis == "dataset":
            mean, scale = mean_and_scale(leads, axis=(0, 2))
            self.mean_ = mean.ravel()
            self.scale_ = scale.ravel() if self.with_std else np.ones(len(self.mean_))

    def _transform_leads(self, leads: np.ndarray) -> np.ndarray:
        if self.mean_ is None:
            return zscore(leads, with_std=self.with_std)
        return zscore(leads, mean=self.mean_[:, None], scale=self.scale_[:, None])
