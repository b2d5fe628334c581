"""Mel-frequency cepstral coefficients of sounds (layer 2)."""

import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.metaestimators import available_if

from ecgbeat._validation import (
    Integral,
    Interval,
    Options,
    Real,
    StrOptions,
    check_feature_names_in,
    check_is_fitted,
    unchanged_on_error,
    validate_beats,
    validate_parameter_constraints,
)
from ecgbeat.signal._frames import STATISTICS
from ecgbeat.signal._mfcc import mfcc_rows, mfcc_statistics
from ecgbeat.signal._mfcc_design import (
    DCT_TYPES,
    PAD_MODES,
    MFCCDesign,
    MFCCSettings,
    design_mfcc,
)

_DELTA_PREFIXES = ("", "delta_", "delta2_")


def _gives_columns(extractor: "MFCCExtractor") -> bool:
    """Tell whether the result is 2-D: 3-D has no columns to name."""
    return extractor.flatten or extractor.summary is not None


class MFCCExtractor(TransformerMixin, BaseEstimator):
    """Describe each sound by mel-frequency cepstral coefficients (MFCCs), frame by frame.

    The same as ``librosa.feature.mfcc`` of each row by itself, in the form that the
    classifiers, SMOTE or classical models take. Defaults suit heart sounds at 4 kHz; at
    another rate set ``n_fft`` and ``hop_length``, which are in samples, too.

    Parameters
    ----------
    fs : float, default=4000.0
        Sampling rate in Hz.
    n_mfcc : int, default=20
        Number of coefficients, at most ``n_mels``. The first is the level.
    n_fft : int, default=256
        Samples of a frame: 64 ms at 4 kHz.
    hop_length : int, default=64
        Samples from one frame to the next: 16 ms at 4 kHz.
    win_length : int or None, default=None
        Samples of the window in the middle of a frame, at most ``n_fft``, which None
        stands for.
    window : str, tuple, float, callable or array-like of shape (win_length,), \
            default="hann"
        As in ``scipy.signal.get_window``, a function of the length, or the window.
    center : bool, default=True
        Whether frame ``i`` has its middle at sample ``i * hop_length``, for which rows
        are padded by ``n_fft // 2`` samples at both ends. Otherwise it begins there.
    pad_mode : {"constant", "edge", "linear_ramp", "reflect", "symmetric"}, \
            default="constant"
        How ``center`` pads, as in ``numpy.pad``: zeros by default.
    power : float, default=2.0
        Exponent of the magnitudes of the spectrum: 2 for power, 1 for amplitude.
    n_mels : int, default=40
        Number of mel bands.
    fmin, fmax : float, default=0.0, None
        Where the lowest band begins and the highest ends, in Hz,
        ``0 <= fmin < fmax <= fs / 2``. None is ``fs / 2``.
    htk : bool, default=False
        Whether to use the mel scale of HTK instead of Slaney's.
    mel_norm : {"slaney"}, float or None, default="slaney"
        Scale the bands to equal area, or each band's weights by the norm of this
        order. None leaves their peaks at 1.
    top_db : float or None, default=80.0
        Raise levels to no less than this many dB below the row's highest. None does
        not.
    dct_type : {1, 2, 3}, default=2
        Type of the cosine transform.
    norm : {"ortho"} or None, default="ortho"
        Whether the cosine transform is orthonormal.
    lifter : float, default=0
        Multiply coefficient ``i`` (from 0) by
        ``1 + lifter / 2 * sin(pi * (i + 1) / lifter)``; 0 does not.
    deltas : {0, 1, 2}, default=0
        Append the first, or the first and second, derivatives in time, per frame.
    delta_width : int, default=9
        Frames over which derivatives are fitted, odd, 3 or more.
    normalize : bool, default=False
        Whether to shift each coefficient (and derivative) of each row to mean 0 over
        its frames and scale it to standard deviation 1. Gain and colour of the microphone
        go, and with them all that is alike in every frame. Constant ones become 0.
    flatten : bool, default=True
        Whether the channels of a sound stand one after the other in a row. Such rows
        are read back by a classifier with ``n_leads=n_mfcc * (1 + deltas)``. Otherwise
        the result is 3-D. Of no effect on ``summary="stats"``, which is always 2-D.
    summary : {"stats"} or None, default=None
        ``"stats"`` gives, instead of the frames, six numbers for each channel, for
        models that know no order in time: mean, standard deviation, minimum, median,
        maximum and skewness over the frames.

    Attributes
    ----------
    n_channels_ : int
        Number of channels, ``n_mfcc * (1 + deltas)``: the ``n_leads`` of a classifier.
    n_frames_ : int
        Number of frames of each row.
    channel_names_ : ndarray of shape (n_channels_,)
        ``mfcc0`` and so on, then ``delta_mfcc0``, then ``delta2_mfcc0``.
    n_features_in_ : int
        Number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had any.

    See Also
    --------
    ecgbeat.signal.mfcc : The same as a function, with the method, its source and
        what differs from librosa.

    Notes
    -----
    Rows shorter than one frame are filled up with zeros, silence gives finite numbers,
    and no row depends on another.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat import MFCCExtractor
    >>> X = np.random.default_rng(0).normal(size=(5, 8000))
    >>> extractor = MFCCExtractor(fs=4000, n_mfcc=13, deltas=1).fit(X)
    >>> extractor.n_channels_, extractor.n_frames_, extractor.transform(X).shape
    (26, 126, (5, 3276))
    >>> extractor.get_feature_names_out()[[0, 1, 3275]]
    array(['mfcc0_frame0', 'mfcc0_frame1', 'delta_mfcc12_frame125'], dtype=object)

    Statistics for a classical model:

    >>> extractor = MFCCExtractor(n_mfcc=13, summary="stats").set_output(transform="pandas")
    >>> extractor.fit_transform(X).columns[:6].tolist()
    ['mfcc0_mean', 'mfcc0_std', 'mfcc0_min', 'mfcc0_median', 'mfcc0_max', 'mfcc0_skew']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "fs": [Interval(Real, 0, None, closed="neither")],
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
        "n_fft": [Interval(Integral, 2, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
        "win_length": [Interval(Integral, 1, None, closed="left"), None],
        "window": [str, tuple, Real, callable, "array-like"],
        "center": ["boolean"],
        "pad_mode": [StrOptions(set(PAD_MODES))],
        "power": [Interval(Real, 0, None, closed="neither")],
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [Interval(Real, 0, None, closed="neither"), None],
        "htk": ["boolean"],
        "mel_norm": [StrOptions({"slaney"}), Interval(Real, 0, None, closed="right"), None],
        "top_db": [Interval(Real, 0, None, closed="left"), None],
        "dct_type": [Options(Integral, set(DCT_TYPES))],
        "norm": [StrOptions({"ortho"}), None],
        "lifter": [Interval(Real, 0, None, closed="left")],
        "deltas": [Options(Integral, {0, 1, 2})],
        "delta_width": [Interval(Integral, 3, None, closed="left")],
        "normalize": ["boolean"],
        "flatten": ["boolean"],
        "summary": [StrOptions({"stats"}), None],
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
        window: Any = "hann",
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
        flatten: bool = True,
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

    def fit(self, X: Any, y: Any = None) -> "MFCCExtractor":  # noqa: ARG002 - for pipelines
        """Check the parameters and learn the length of the sounds.

        Parameters
        ----------
        X : array-like of shape (n_sounds, n_times)
            Sounds, one a row.
        y : object, default=None
            Ignored.

        Returns
        -------
        self

        Warns
        -----
        UserWarning
            If mel bands are narrower than the steps of the spectrum and so have no part
            of it.

        Raises
        ------
        ValueError
            If a parameter or ``X`` is not usable. The estimator keeps its former state.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), caller_name="MFCCExtractor"
        )
        design = self._design()
        self._refuse_all_but_rows(X)
        with unchanged_on_error(self):
            validate_beats(self, X, reset=True)
            self.n_channels_ = design.n_channels
            self.n_frames_ = design.n_frames(self.n_features_in_)
            self.channel_names_ = self._channel_names()
            if message := design.empty_bands():
                warnings.warn(message, UserWarning, stacklevel=2)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Compute the coefficients, or their statistics, of each row.

        Parameters
        ----------
        X : array-like of shape (n_sounds, n_times)
            Sounds of the length seen in ``fit``.

        Returns
        -------
        ndarray of shape (n_sounds, n_channels_ * n_frames_), \
                (n_sounds, n_channels_, n_frames_) or (n_sounds, n_channels_ * 6)
            By default flattened, all frames of a channel after another; 3-D with
            ``flatten=False``; with ``summary="stats"`` the six statistics of a channel
            after another. float32 if ``X`` is, else float64.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        ValueError
            If ``X`` is not of the form seen in ``fit``, or not finite.
        """
        self._refuse_all_but_rows(X)  # before check_is_fitted: fitting would not mend it
        check_is_fitted(self)
        X = validate_beats(self, X, reset=False)
        design = self._design()
        if self.summary is not None:
            return mfcc_statistics(X, design).reshape(len(X), -1)
        coefficients = mfcc_rows(X, design)
        return coefficients.reshape(len(X), -1) if self.flatten else coefficients

    @available_if(_gives_columns)
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the columns: channel and frame, or channel and statistic.

        Only of 2-D results, as is ``set_output``. With ``flatten=False`` see
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
        endings = STATISTICS if self.summary else [f"frame{i}" for i in range(self.n_frames_)]
        names = [f"{channel}_{end}" for channel in self.channel_names_ for end in endings]
        return np.array(names, dtype=object)

    def _design(self) -> MFCCDesign:
        """Check the parameters against each other."""
        return design_mfcc(MFCCSettings(*(getattr(self, name) for name in MFCCSettings._fields)))

    def _channel_names(self) -> np.ndarray:
        prefixes = _DELTA_PREFIXES[: 1 + self.deltas]
        names = [f"{prefix}mfcc{i}" for prefix in prefixes for i in range(self.n_mfcc)]
        return np.array(names, dtype=object)

    def _refuse_all_but_rows(self, X: Any) -> None:
        """Raise if ``X`` is a single sound, or has more than two axes."""
        is_list = isinstance(X, (list, tuple)) and len(X) > 0 and np.isscalar(X[0])
        n_axes = 1 if is_list else getattr(X, "ndim", 2)
        if n_axes == 1:
            raise ValueError(
                f"MFCCExtractor takes one sound a row, got a 1-D array of {len(X)} values. For a "
                "single sound use ecgbeat.signal.mfcc. Reshape your data with X.reshape(1, -1) if "
                "it is to be the only row."
            )
        if n_axes > 2:
            raise ValueError(
                f"MFCCExtractor takes sounds of one channel, (n_sounds, n_times), got an array of "
                f"shape {tuple(X.shape)}. Take one channel, X[:, 0], or their mean, "
                "X.mean(axis=1); ecgbeat.signal.mfcc takes any number of axes."
            )

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that float32 is welcome."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
