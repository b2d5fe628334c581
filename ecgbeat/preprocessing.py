"""Transformers of beats: filter, segmenter, scaler.

Beats are 2-D, one per row with its leads one after the other (``n_leads``), or 3-D. Results have
the same form and the same order.
"""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
)
from sklearn.utils.metaestimators import available_if

from ecgbeat._validation import (
    FS_INTERVAL,
    Integral,
    Interval,
    Real,
    StrOptions,
    check_is_fitted,
    flatten_beats,
    refuse_single_beat,
    split_leads,
    unchanged_on_error,
    validate_beats,
    validate_parameter_constraints,
)
from ecgbeat.signal import (
    bandpass,
    bandpass_sections,
    cut_beats,
    detect_r_peaks,
    mean_and_scale,
    segment_beats,
    window_samples,
    zscore,
)

__all__ = ["BandpassFilter", "RPeakSegmenter", "ZScoreScaler"]

_N_LEADS = [Interval(Integral, 1, None, closed="left")]
_RATE = [Interval(Real, 0, None, closed="neither")]


class BeatTransformer(TransformerMixin, BaseEstimator):
    """Base class for transformers that map each row of beats to one row.

    A subclass implements `_transform_leads` for beats of shape (n_beats, n_leads, n_times). It
    may override `_learn`, to learn from the same array, `_check_parameters`, to validate
    parameters that depend on each other, and `_n_features_out`.
    """

    n_leads: int
    n_leads_: int
    n_features_in_: int

    _parameter_constraints: ClassVar[dict[str, list[Any]]]
    _hint_for_recordings: ClassVar[str]  # alternative for continuous recordings

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002 - for pipelines
        """Validate the parameters and learn the layout of the beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times) or (n_beats, n_leads, n_times)
            Beats. 2-D rows hold the leads of a beat one after the other.
        y : object, default=None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter or ``X`` is invalid. The estimator keeps its former state.
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

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Transform the beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times) or (n_beats, n_leads, n_times)
            Beats with the leads and samples seen in ``fit``, flattened or 3-D.

        Returns
        -------
        ndarray of shape (n_beats, n_features_out) or (n_beats, n_leads, n_times_out)
            In the form of ``X``, float32 if ``X`` is float32, else float64.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        ValueError
            If ``X`` differs from ``fit`` in its leads or samples, or is not finite.
        """
        self._refuse_recording(X)  # before check_is_fitted, since fitting would not help
        check_is_fitted(self)
        leads, is_flat = self._validate(X, reset=False)
        return self._join_leads(self._transform_leads(leads), is_flat)

    def _check_parameters(self) -> None:
        """Raise if the parameters are incompatible."""

    def _learn(self, leads: np.ndarray) -> None:
        """Set learned attributes from beats of shape (n_beats, n_leads, n_times)."""

    def _transform_leads(self, leads: np.ndarray) -> np.ndarray:
        """Transform beats of shape (n_beats, n_leads, n_times)."""
        raise NotImplementedError

    @property
    def _n_features_out(self) -> int:
        """Number of columns of the flattened result, without padding of very short rows."""
        return self.n_features_in_

    def _validate(self, X: Any, *, reset: bool) -> tuple[np.ndarray, bool]:
        """Return beats of shape (n_beats, n_leads, n_times), and whether ``X`` was flattened."""
        self._refuse_recording(X)
        n_leads = self.n_leads if reset else self.n_leads_
        X, n_leads_3d = flatten_beats(X, n_leads)
        X = validate_beats(self, X, reset=reset)
        if reset:
            self.n_leads_ = n_leads_3d or self.n_leads
        elif n_leads_3d not in (None, self.n_leads_):
            raise ValueError(
                f"X has {n_leads_3d} leads, but {type(self).__name__} was fitted with "
                f"{self.n_leads_}: pass beats with the same leads to fit and transform."
            )
        return split_leads(X, self.n_leads_), n_leads_3d is None

    def _join_leads(self, leads: np.ndarray, is_flat: bool) -> np.ndarray:
        """Return beats in the form of the input, flattened or 3-D."""
        if not is_flat:
            return leads
        return leads.reshape(len(leads), -1)[:, : self._n_features_out]

    def _refuse_recording(self, X: Any) -> None:
        """Raise if ``X`` is a 1-D signal instead of rows."""
        refuse_single_beat(X, type(self).__name__, self._hint_for_recordings)

    def __sklearn_tags__(self) -> Any:
        """Return tags that allow 3-D input and preserve float32."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class BandpassFilter(OneToOneFeatureMixin, BeatTransformer):
    """Remove baseline wander, muscle noise and mains hum from each lead of each row.

    The filter is applied forwards and backwards, so waves are not shifted in time, unless
    ``zero_phase`` is False. Rows may be of any length; long rows have smaller edge effects, so
    filter before `RPeakSegmenter`, not after. A continuous recording of shape (n_leads, n_times)
    is filtered with one lead per row, in blocks of some minutes.

    Parameters
    ----------
    fs : float, default=360.0
        Sampling rate in Hz.
    low, high : float, default=0.5, 40.0
        Edges of the band in Hz, ``0 < low < high < fs / 2``.
    order : int, default=2
        Order of the Butterworth prototype, which is applied twice.
    notch : float or None, default=None
        Mains frequency in Hz to remove as well, 50 or 60.
    zero_phase : bool, default=True
        If False, the filter is applied forwards only, so that no sample depends on later ones,
        as in a live signal.
    n_leads : int, default=1
        Number of leads in each flattened row, one after the other. Inferred from 3-D input.
    copy : bool, default=True
        If False, rows longer than some minutes may be filtered in place, which saves memory.

    Attributes
    ----------
    n_leads_ : int
        Number of leads seen in ``fit``.
    n_features_in_ : int
        Number of columns seen in ``fit``, of the flattened form.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had any.

    See Also
    --------
    ecgbeat.signal.bandpass : Equivalent function, with a description of the method.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat import BandpassFilter
    >>> X = np.random.default_rng(0).normal(loc=5, size=(4, 720))
    >>> filtered = BandpassFilter(fs=360, low=1, notch=50).fit_transform(X)
    >>> filtered.shape, bool(abs(filtered.mean()) < 0.01)
    ((4, 720), True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "fs": [FS_INTERVAL],
        "low": _RATE,
        "high": _RATE,
        "order": [Interval(Integral, 1, None, closed="left")],
        "notch": [Interval(Real, 0, None, closed="neither"), None],
        "zero_phase": ["boolean"],
        "n_leads": _N_LEADS,
        "copy": ["boolean"],
    }
    _hint_for_recordings = "For a continuous recording, use ecgbeat.signal.bandpass."

    def __init__(
        self,
        fs: float = 360.0,
        *,
        low: float = 0.5,
        high: float = 40.0,
        order: int = 2,
        notch: float | None = None,
        zero_phase: bool = True,
        n_leads: int = 1,
        copy: bool = True,
    ) -> None:
        self.fs = fs
        self.low = low
        self.high = high
        self.order = order
        self.notch = notch
        self.zero_phase = zero_phase
        self.n_leads = n_leads
        self.copy = copy

    def _check_parameters(self) -> None:
        bandpass_sections(self.fs, self.low, self.high, order=self.order, notch=self.notch)

    def _transform_leads(self, leads: np.ndarray) -> np.ndarray:
        return bandpass(
            leads,
            self.fs,
            self.low,
            self.high,
            order=self.order,
            notch=self.notch,
            zero_phase=self.zero_phase,
            copy=self.copy,
        )


class RPeakSegmenter(ClassNamePrefixFeaturesOutMixin, BeatTransformer):
    """Find the R peak of each row and cut the beat around it.

    Each row is a window of signal that contains one beat. It becomes one beat with the R peak in
    a fixed column. No row is dropped, so labels remain aligned with beats in cross-validation.
    Rows without a recognizable R peak are cut around their center. Where the window extends
    beyond a row, the outermost sample is repeated.

    Parameters
    ----------
    fs : float, default=360.0
        Sampling rate in Hz.
    before, after : float, default=0.3, 0.5
        Time before and after the R peak in seconds. A beat has ``round(before * fs)`` samples
        before the R peak, and ``round(after * fs)`` samples from the R peak on.
    n_times : int or None, default=None
        Number of samples to resample each beat to, such as 187. None keeps the sampling rate.
    select : {"center", "largest"}, default="center"
        R peak to select if a row contains several: the one nearest to the center, or the one of
        the largest QRS complex. Not used by `segment`, which cuts all beats.
    n_leads : int, default=1
        Number of leads in each flattened row, one after the other. Inferred from 3-D input.

    Attributes
    ----------
    n_leads_ : int
        Number of leads seen in ``fit``.
    n_features_in_ : int
        Number of columns seen in ``fit``, of the flattened form.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had any.

    See Also
    --------
    ecgbeat.signal.segment_beats : Equivalent function.
    ecgbeat.signal.locate_r_peaks : Detection of the R peak of a row.
    ecgbeat.signal.cut_beats : Function behind `segment`.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat import RPeakSegmenter
    >>> X = np.zeros((2, 720))
    >>> X[0, 330] = X[1, 385] = 1.0
    >>> beats = RPeakSegmenter(fs=360, before=0.25, after=0.4).fit_transform(X)
    >>> beats.shape, beats.argmax(axis=1)
    ((2, 234), array([90, 90]))

    All beats of a continuous recording, without ``fit``:

    >>> recording = np.zeros(3600)
    >>> recording[200::300] = 1.0
    >>> RPeakSegmenter(fs=360, n_times=187).segment(recording).shape
    (12, 187)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "fs": [FS_INTERVAL],
        "before": [Interval(Real, 0, None, closed="left")],
        "after": [Interval(Real, 0, None, closed="left")],
        "n_times": [Interval(Integral, 1, None, closed="left"), None],
        "select": [StrOptions({"center", "largest"})],
        "n_leads": _N_LEADS,
    }
    _hint_for_recordings = (
        "For all beats of a continuous recording, use RPeakSegmenter(...).segment(recording)."
    )

    def __init__(
        self,
        fs: float = 360.0,
        *,
        before: float = 0.3,
        after: float = 0.5,
        n_times: int | None = None,
        select: str = "center",
        n_leads: int = 1,
    ) -> None:
        self.fs = fs
        self.before = before
        self.after = after
        self.n_times = n_times
        self.select = select
        self.n_leads = n_leads

    def segment(
        self,
        recording: ArrayLike,
        *,
        r_peaks: ArrayLike | None = None,
        return_r_peaks: bool = False,
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Cut all beats out of a continuous recording.

        Does not require ``fit``.

        Parameters
        ----------
        recording : array-like of shape (n_times,) or (n_leads, n_times)
            Recording. NaN marks gaps, which are interpolated linearly.
        r_peaks : array-like of int of shape (n_beats,), default=None
            Sample numbers of the beats, such as those of an annotation. None detects them.
        return_r_peaks : bool, default=False
            Whether to return the R peaks as well.

        Returns
        -------
        beats : ndarray of shape (n_beats, n_window) or (n_beats, n_leads, n_window)
            One beat per R peak, in the same order, float32 if the recording is float32, else
            float64. Where a window extends beyond the recording, the outermost sample is
            repeated.
        r_peaks : ndarray of shape (n_beats,)
            Sample numbers of the R peaks, int64. Only with ``return_r_peaks=True``.

        Raises
        ------
        TypeError
            If ``r_peaks`` are not integers, or the recording does not hold real numbers.
        ValueError
            If a parameter is invalid, an R peak lies outside the recording, or the recording
            has infinite values, is transposed, or has more than 2 axes.

        See Also
        --------
        ecgbeat.signal.detect_r_peaks : Detection of the R peaks.
        ecgbeat.signal.cut_beats : Equivalent function for known R peaks.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), caller_name="RPeakSegmenter"
        )
        if r_peaks is None:
            r_peaks = detect_r_peaks(recording, self.fs)
        beats = cut_beats(
            recording, r_peaks, self.fs, self.before, self.after, n_times=self.n_times
        )
        return (beats, np.asarray(r_peaks, dtype=np.int64)) if return_r_peaks else beats

    def _check_parameters(self) -> None:
        window_samples(self.fs, self.before, self.after)

    def _transform_leads(self, leads: np.ndarray) -> np.ndarray:
        return segment_beats(
            leads, self.fs, self.before, self.after, n_times=self.n_times, select=self.select
        )

    @property
    def _n_features_out(self) -> int:
        """Number of columns of the flattened result."""
        cut = sum(window_samples(self.fs, self.before, self.after))
        return self.n_leads_ * (self.n_times or cut)


def _has_learned_scale(scaler: "ZScoreScaler") -> bool:
    """Return whether the scaling can be inverted."""
    return scaler.axis == "dataset" and getattr(scaler, "scale_", ()) is not None


class ZScoreScaler(OneToOneFeatureMixin, BeatTransformer):
    """Standardize beats by removing the mean and scaling to unit standard deviation.

    Parameters
    ----------
    axis : {"beat", "dataset"}, default="beat"
        With ``"beat"``, each lead of each beat is scaled independently, which removes differences
        in gain between electrodes and patients. With ``"dataset"``, mean and standard deviation
        of each lead are learned in ``fit`` over all beats and samples, so that amplitudes remain
        comparable between beats.
    with_std : bool, default=True
        Whether to divide by the standard deviation.
    n_leads : int, default=1
        Number of leads in each flattened row, one after the other. Inferred from 3-D input.

    Attributes
    ----------
    mean_ : ndarray of shape (n_leads_,) or None
        Mean of each lead. None with ``axis="beat"``.
    scale_ : ndarray of shape (n_leads_,) or None
        Divisor of each lead: its standard deviation, or 1 if the lead is constant or
        ``with_std=False``. None with ``axis="beat"``.
    n_leads_ : int
        Number of leads seen in ``fit``.
    n_features_in_ : int
        Number of columns seen in ``fit``, of the flattened form.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had any.

    See Also
    --------
    ecgbeat.signal.zscore : Equivalent function.

    Notes
    -----
    Constant beats (``axis="beat"``) and constant leads (``axis="dataset"``) become zeros.

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
        "n_leads": _N_LEADS,
    }
    _hint_for_recordings = "For a continuous recording, use ecgbeat.signal.zscore."

    mean_: Any
    scale_: Any

    def __init__(self, axis: str = "beat", *, with_std: bool = True, n_leads: int = 1) -> None:
        self.axis = axis
        self.with_std = with_std
        self.n_leads = n_leads

    @available_if(_has_learned_scale)
    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Undo the scaling of `transform`. Only with ``axis="dataset"``.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times) or (n_beats, n_leads, n_times)
            Scaled beats.

        Returns
        -------
        ndarray of the shape of ``X``
            Beats in their original unit, float32 if ``X`` is float32, else float64.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        ValueError
            If ``X`` differs from ``fit`` in its leads or samples, or is not finite.
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
