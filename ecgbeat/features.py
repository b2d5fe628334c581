"""Features of sounds: mel-frequency cepstral coefficients."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.metaestimators import available_if

from ecgbeat._validation import (
    check_feature_names_in,
    check_is_fitted,
    import_extra,
    is_single_row,
    remember_table,
    unchanged_on_error,
    validate_beats,
    validate_parameter_constraints,
)
from ecgbeat.signal import MFCC_CONSTRAINTS, mfcc

if TYPE_CHECKING:
    import pandas

__all__ = ["MFCCExtractor"]

_PREFIXES = ("", "delta_", "delta2_")  # of channels, by order of the derivative
_STATISTICS = ("mean", "std", "min", "median", "max", "skew")  # in the order of signal.mfcc


def _is_2d(extractor: "MFCCExtractor") -> bool:
    """Return whether the result is 2-D; 3-D results have no columns to name."""
    return extractor.flatten or extractor.summary is not None


class MFCCExtractor(TransformerMixin, BaseEstimator):
    """Extract mel-frequency cepstral coefficients (MFCCs) from each sound, frame by frame.

    Equal to ``librosa.feature.mfcc`` of each row by itself, in the form that the
    classifiers (default), SMOTE (``flatten=True``) or classical models (``summary="stats"``)
    take. The defaults suit heart sounds at 4 kHz; at other sampling rates adapt ``n_fft`` and
    ``hop_length``, which are in samples.

    Parameters
    ----------
    fs : float, default=4000.0
        Sampling rate in Hz.
    n_mfcc : int, default=20
        Number of coefficients, at most ``n_mels``. The first is the level.
    n_fft : int, default=256
        Samples per frame: 64 ms at 4 kHz.
    hop_length : int, default=64
        Samples between the starts of successive frames: 16 ms at 4 kHz.
    win_length : int or None, default=None
        Samples of the window, which is centered in the frame, at most ``n_fft``. None means
        ``n_fft``.
    window : str, tuple, float, callable or array-like of shape (win_length,), \
            default="hann"
        As in ``scipy.signal.get_window``, a function of the length, or the window.
    center : bool, default=True
        Whether frame ``i`` is centered at sample ``i * hop_length``, for which rows
        are padded by ``n_fft // 2`` samples at both ends. Otherwise it begins there.
    pad_mode : {"constant", "edge", "linear_ramp", "reflect", "symmetric"}, \
            default="constant"
        Padding for ``center``, as in ``numpy.pad``: zeros by default.
    power : float, default=2.0
        Exponent of the magnitudes of the spectrum: 2 for power, 1 for amplitude.
    n_mels : int, default=40
        Number of mel bands.
    fmin, fmax : float, default=0.0, None
        Lower edge of the lowest band and upper edge of the highest, in Hz,
        ``0 <= fmin < fmax <= fs / 2``. None means ``fs / 2``.
    htk : bool, default=False
        Whether to use the mel scale of HTK instead of that of Slaney.
    mel_norm : {"slaney"}, float or None, default="slaney"
        Scaling of the bands: to equal area, or the weights of each by their norm of this
        order. None keeps peaks of 1.
    top_db : float or None, default=80.0
        Raise levels to at least this many dB below the highest of the row. None disables
        it.
    dct_type : {1, 2, 3}, default=2
        Type of the cosine transform.
    norm : {"ortho"} or None, default="ortho"
        Normalization of the cosine transform. With "ortho", it is orthonormal.
    lifter : float, default=0
        Multiply coefficient ``i`` (from 0) by
        ``1 + lifter / 2 * sin(pi * (i + 1) / lifter)``. 0 disables liftering.
    deltas : {0, 1, 2}, default=0
        Append the first, or the first and second, derivatives in time, per frame.
    delta_width : int, default=9
        Number of frames to fit derivatives over, odd, at least 3.
    normalize : bool, default=False
        Whether to scale each coefficient (and derivative) of each row to mean 0 and standard
        deviation 1 over its frames. This removes gain and color of the microphone,
        together with everything that is alike in all frames. Constants become 0.
    flatten : bool, default=False
        Whether to return a pandas DataFrame with one row per sound and one column per
        coefficient and frame, channel by channel, for steps that take tables. The classifiers
        of ecgbeat read the channels from the column names, which SMOTE keeps, and warn if another
        step has dropped them. Otherwise the result is 3-D, each channel being a lead for a
        classifier. Has no effect with ``summary="stats"``, which is always 2-D.
    summary : {"stats"} or None, default=None
        With "stats", each channel is summarized by six statistics over the frames, for
        models without an order in time: mean, standard deviation, minimum, median,
        maximum and skewness.

    Attributes
    ----------
    n_channels_ : int
        Number of channels, ``n_mfcc * (1 + deltas)``: the ``n_leads`` of a classifier.
    n_frames_ : int
        Number of frames per row.
    channel_names_ : ndarray of shape (n_channels_,)
        ``mfcc0`` and so on, then ``delta_mfcc0``, then ``delta2_mfcc0``.
    n_features_in_ : int
        Number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had any.

    See Also
    --------
    ecgbeat.signal.mfcc : Equivalent function, with the method, its source and the
        deviations from librosa.

    Notes
    -----
    Rows shorter than one frame are padded with zeros, silence results in finite numbers,
    and rows are independent.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat import MFCCExtractor
    >>> X = np.random.default_rng(0).normal(size=(5, 8000))
    >>> extractor = MFCCExtractor(fs=4000, n_mfcc=13, deltas=1).fit(X)
    >>> extractor.n_channels_, extractor.n_frames_, extractor.transform(X).shape
    (26, 126, (5, 26, 126))

    A table, which keeps its columns in SMOTE:

    >>> table = extractor.set_params(flatten=True).transform(X)
    >>> table.columns[[0, 1, 3275]].tolist()
    ['mfcc0_frame0', 'mfcc0_frame1', 'delta_mfcc12_frame125']

    Statistics for a classical model:

    >>> extractor = MFCCExtractor(n_mfcc=13, summary="stats").set_output(transform="pandas")
    >>> extractor.fit_transform(X).columns[:6].tolist()
    ['mfcc0_mean', 'mfcc0_std', 'mfcc0_min', 'mfcc0_median', 'mfcc0_max', 'mfcc0_skew']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MFCC_CONSTRAINTS,
        "flatten": ["boolean"],
    }

    n_features_in_: int

    def __init__(
        self,
        fs: float = 4000.0,
        *,
        n_mfcc: int = 20,
        n_fft: int = 256,
        hop_length: int = 64,
        win_length: int | None = None,
        window: str | tuple | Callable[[int], ArrayLike] | ArrayLike = "hann",
        center: bool = True,
        pad_mode: str = "constant",
        power: float = 2.0,
        n_mels: int = 40,
        fmin: float = 0.0,
        fmax: float | None = None,
        htk: bool = False,
        mel_norm: str | float | None = "slaney",
        top_db: float | None = 80.0,
        dct_type: int = 2,
        norm: str | None = "ortho",
        lifter: float = 0.0,
        deltas: int = 0,
        delta_width: int = 9,
        normalize: bool = False,
        flatten: bool = False,
        summary: str | None = None,
    ) -> None:
        self.fs = fs
        self.n_mfcc = n_mfcc
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.window = window
        self.center = center
        self.pad_mode = pad_mode
        self.power = power
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.htk = htk
        self.mel_norm = mel_norm
        self.top_db = top_db
        self.dct_type = dct_type
        self.norm = norm
        self.lifter = lifter
        self.deltas = deltas
        self.delta_width = delta_width
        self.normalize = normalize
        self.flatten = flatten
        self.summary = summary

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002 - for pipelines
        """Validate the parameters and learn the length of the sounds.

        Parameters
        ----------
        X : array-like of shape (n_sounds, n_times)
            Sounds, one per row.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : MFCCExtractor
            Fitted extractor.

        Raises
        ------
        ValueError
            If a parameter or ``X`` is invalid. The estimator keeps its former state.

        Warns
        -----
        UserWarning
            If mel bands are empty, since they are narrower than the frequency resolution.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), caller_name="MFCCExtractor"
        )
        self._check_rows(X)
        with unchanged_on_error(self):
            rows = validate_beats(self, X, reset=True)
            settings = self._settings() | {"summary": None}
            _, self.n_channels_, self.n_frames_ = mfcc(rows[:1], **settings).shape
            self.channel_names_ = np.array(
                [f"{p}mfcc{i}" for p in _PREFIXES[: 1 + self.deltas] for i in range(self.n_mfcc)],
                dtype=object,
            )
        return self

    def transform(self, X: ArrayLike) -> "np.ndarray | pandas.DataFrame":
        """Compute the coefficients, or their statistics, of each row.

        Parameters
        ----------
        X : array-like of shape (n_sounds, n_times)
            Sounds of the length seen in ``fit``.

        Returns
        -------
        ndarray of shape (n_sounds, n_channels_, n_frames_) or (n_sounds, n_channels_ * 6), \
                or DataFrame of shape (n_sounds, n_channels_ * n_frames_)
            3-D by default; with ``flatten=True`` a table, channel by channel; with
            ``summary="stats"`` the six statistics of each channel in turn. float32 if ``X``
            is, else float64.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        ValueError
            If ``X`` is not of the form seen in ``fit``, or not finite.
        """
        self._check_rows(X)  # before check_is_fitted, since fitting would not help
        check_is_fitted(self)
        rows = validate_beats(self, X, reset=False)
        with warnings.catch_warnings():  # fit has warned
            warnings.filterwarnings("ignore", ".* mel bands are empty", UserWarning)
            coefficients = mfcc(rows, **self._settings())
        if self.summary is not None:
            return coefficients.reshape(len(rows), -1)
        if not self.flatten:
            return coefficients
        pandas = import_extra("pandas", extra="data", purpose="MFCCExtractor with flatten=True")
        remember_table(len(rows), self.n_channels_, self.n_frames_)
        return pandas.DataFrame(
            coefficients.reshape(len(rows), -1),
            index=getattr(X, "index", None) if hasattr(X, "columns") else None,
            columns=self.get_feature_names_out(),
        )

    @available_if(_is_2d)
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the columns: channel and frame, or channel and statistic.

        Available for 2-D results only, as is ``set_output``. For 3-D results see
        ``channel_names_``.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Not used, but checked against the names or number of columns seen in
            ``fit``.

        Returns
        -------
        ndarray of str objects
            Such as ``mfcc3_frame12``, ``delta_mfcc3_frame12`` or ``mfcc3_mean``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        ValueError
            If ``input_features`` are not those seen in ``fit``.
        """
        check_is_fitted(self)
        check_feature_names_in(self, input_features, generate_names=False)
        endings = _STATISTICS if self.summary else [f"frame{i}" for i in range(self.n_frames_)]
        names = [f"{channel}_{ending}" for channel in self.channel_names_ for ending in endings]
        return np.array(names, dtype=object)

    def _settings(self) -> dict[str, Any]:
        """Return the parameters of `ecgbeat.signal.mfcc`."""
        return {name: getattr(self, name) for name in MFCC_CONSTRAINTS}

    def _check_rows(self, X: Any) -> None:
        """Raise if ``X`` is a single sound, or has more than two axes."""
        if is_single_row(X):
            raise ValueError(
                f"MFCCExtractor takes one sound a row, got a 1-D array of {len(X)} values. For a "
                "single sound use ecgbeat.signal.mfcc. Reshape your data with X.reshape(1, -1) if "
                "it is the only row."
            )
        if getattr(X, "ndim", 2) > 2:
            raise ValueError(
                f"MFCCExtractor takes sounds of one channel, (n_sounds, n_times), got an array of "
                f"shape {tuple(X.shape)}. Take one channel, X[:, 0], or their mean, "
                "X.mean(axis=1); ecgbeat.signal.mfcc takes any number of axes."
            )

    def __sklearn_tags__(self) -> Any:
        """Return tags that preserve float32."""
        tags = super().__sklearn_tags__()
        # scikit-learn's check of it asks for the dtype of an array
        is_table = self.flatten and self.summary is None
        tags.transformer_tags.preserves_dtype = [] if is_table else ["float64", "float32"]
        return tags
