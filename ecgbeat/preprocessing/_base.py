"""What the transformers of beats share (layer 2): beats of any form in, the same form out."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from ecgbeat._validation import (
    check_is_fitted,
    flatten_beats,
    split_leads,
    unchanged_on_error,
    validate_beats,
    validate_parameter_constraints,
)


class BeatTransformer(TransformerMixin, BaseEstimator):
    """Base of transformers that turn each row of beats into one row.

    A subclass says what it does to ``(n_beats, n_leads, n_times)`` in
    `_transform_leads`; it may learn from the same in `_learn`, check its parameters
    against each other in `_check_parameters`, and has `_n_features_out`.
    """

    n_leads: int
    n_leads_: int
    n_features_in_: int

    _parameter_constraints: ClassVar[dict[str, list[Any]]]
    _for_a_recording: ClassVar[str]  # what to use instead of a transformer of rows

    def fit(self, X: Any, y: Any = None) -> "BeatTransformer":  # noqa: ARG002 - for pipelines
        """Check the parameters and learn the form of the beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times) or (n_beats, n_leads, n_times)
            Beats, or the leads of each one after the other in a row.
        y : object, default=None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter or ``X`` is not usable. The estimator keeps its former state.
        """
        name = type(self).__name__
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), caller_name=name
        )
        self._check_parameters()
        with unchanged_on_error(self):
            leads, _ = self._validate(X, reset=True)
            self._learn(leads)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Transform each row.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times) or (n_beats, n_leads, n_times)
            Beats of the form seen in ``fit``, flattened or not.

        Returns
        -------
        ndarray of shape (n_beats, n_features_out) or (n_beats, n_leads, n_times_out)
            In the form that was given, float32 if ``X`` is, else float64.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        ValueError
            If ``X`` is not of the form seen in ``fit``, or not finite.
        """
        self._refuse_recording(X)  # before check_is_fitted: fitting would not mend it
        check_is_fitted(self)
        leads, is_flat = self._validate(X, reset=False)
        return self._join_leads(self._transform_leads(leads), is_flat)

    def _check_parameters(self) -> None:
        """Raise if the parameters do not fit together."""

    def _learn(self, leads: np.ndarray) -> None:
        """Set what is learned from ``(n_beats, n_leads, n_times)``."""

    def _transform_leads(self, leads: np.ndarray) -> np.ndarray:
        """Transform ``(n_beats, n_leads, n_times)``."""
        raise NotImplementedError

    @property
    def _n_features_out(self) -> int:
        """Columns of the flattened result: without the zeros that fill up very short rows."""
        return self.n_features_in_

    def _validate(self, X: Any, *, reset: bool) -> tuple[np.ndarray, bool]:
        """Return ``(n_beats, n_leads, n_times)``, and whether ``X`` came flattened."""
        self._refuse_recording(X)
        n_leads = self.n_leads if reset else self.n_leads_
        X, n_leads_3d = flatten_beats(X, n_leads)
        X = validate_beats(self, X, reset=reset)
        if reset:
            self.n_leads_ = n_leads_3d or self.n_leads
        elif n_leads_3d not in (None, self.n_leads_):
            raise ValueError(
                f"X has {n_leads_3d} leads, but {type(self).__name__} was fitted with "
                f"{self.n_leads_}: pass beats of one form to fit and transform."
            )
        return split_leads(X, self.n_leads_), n_leads_3d is None

    def _join_leads(self, leads: np.ndarray, is_flat: bool) -> np.ndarray:
        """Return the form that was given."""
        if not is_flat:
            return leads
        return leads.reshape(len(leads), -1)[:, : self._n_features_out]

    def _refuse_recording(self, X: Any) -> None:
        """Raise if ``X`` is a single signal and no rows of them."""
        is_list = isinstance(X, (list, tuple)) and len(X) > 0 and np.isscalar(X[0])
        if is_list or getattr(X, "ndim", None) == 1:
            raise ValueError(
                f"{type(self).__name__} takes one beat a row, got a 1-D array of {len(X)} values. "
                f"{self._for_a_recording} Reshape your data with X.reshape(1, -1) if it is a "
                "single beat."
            )

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that 3-D and float32 are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
