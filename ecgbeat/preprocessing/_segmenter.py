"""One beat out of each window (layer 2)."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin

from ecgbeat._validation import (
    Integral,
    Interval,
    Real,
    StrOptions,
    validate_parameter_constraints,
)
from ecgbeat.preprocessing._base import BeatTransformer
from ecgbeat.signal import cut_beats, detect_r_peaks, resample_beats, segment_beats
from ecgbeat.signal._beats import SELECTIONS, window_samples


class RPeakSegmenter(ClassNamePrefixFeaturesOutMixin, BeatTransformer):
    """Find the R peak of each row and cut the beat around it.

    Each row is a window of signal that holds a beat, with room to spare. It becomes
    one beat with its R peak always in the same column: no row is ever dropped, so
    labels stay with their beats under cross-validation. Rows without a recognisable R
    peak are cut around their middle; where the cut reaches past a row, its
    outermost sample is repeated.

    Parameters
    ----------
    fs : float, default=360.0
        Sampling rate in Hz.
    before, after : float, default=0.3, 0.5
        Seconds before and after the R peak. ``round(before * fs)`` samples lie
        before it; it is itself the first of the ``round(after * fs)`` others.
    n_times : int or None, default=None
        Resample the beats to this length, such as 187; None leaves them as cut.
    select : {"center", "largest"}, default="center"
        Of several R peaks in a row take that nearest to the middle, or that of the
        largest QRS complex.
    n_leads : int, default=1
        Number of leads in each flattened row, one after the other. 3-D beats bring
        their own.

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
    ecgbeat.signal.segment_beats : The same as a function.
    ecgbeat.signal.locate_r_peaks : How the R peak of a row is found.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat import RPeakSegmenter
    >>> X = np.zeros((2, 720))
    >>> X[0, 330] = X[1, 385] = 1.0
    >>> beats = RPeakSegmenter(fs=360, before=0.25, after=0.4).fit_transform(X)
    >>> beats.shape, beats.argmax(axis=1)
    ((2, 234), array([90, 90]))

    Every beat of one continuous recording, without ``fit``:

    >>> recording = np.zeros(3600)
    >>> recording[200::300] = 1.0
    >>> RPeakSegmenter(fs=360, n_times=187).segment(recording).shape
    (12, 187)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "fs": [Interval(Real, 0, None, closed="neither")],
        "before": [Interval(Real, 0, None, closed="left")],
        "after": [Interval(Real, 0, None, closed="left")],
        "n_times": [Interval(Integral, 1, None, closed="left"), None],
        "select": [StrOptions(set(SELECTIONS))],
        "n_leads": [Interval(Integral, 1, None, closed="left")],
    }
    _for_a_recording = (
        "For every beat of one continuous recording use RPeakSegmenter(...).segment(recording)."
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
        self, recording: Any, *, r_peaks: Any = None, return_r_peaks: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Cut every beat out of one continuous recording. Needs no ``fit``.

        Parameters
        ----------
        recording : array-like of shape (n_times,) or (n_leads, n_times)
            Recording, finite.
        r_peaks : array-like of int of shape (n_beats,), default=None
            Sample numbers of the beats, such as annotated ones. None detects them.
        return_r_peaks : bool, default=False
            Whether to return the R peaks, too.

        Returns
        -------
        beats : ndarray of shape (n_beats, n_window) or (n_beats, n_leads, n_window)
            One row for each R peak, in their order, float32 if the recording is, else
            float64. No beat is lost: where a window reaches past the recording, its
            outermost sample is repeated. No rows if there is no beat.
        r_peaks : ndarray of shape (n_beats,)
            Sample numbers of the R peaks, int64. Only if asked for.

        Raises
        ------
        TypeError
            If ``r_peaks`` are no whole numbers.
        ValueError
            If a parameter is not usable, the recording is not finite or has more than 2
            axes, or an R peak lies outside it.

        See Also
        --------
        ecgbeat.signal.detect_r_peaks : Finds the R peaks.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), caller_name="RPeakSegmenter"
        )
        if r_peaks is None:
            r_peaks = detect_r_peaks(recording, self.fs)
        beats = cut_beats(recording, r_peaks, self.fs, self.before, self.after)
        if self.n_times is not None:
            beats = resample_beats(beats, self.n_times)
        return (beats, np.asarray(r_peaks, dtype=np.int64)) if return_r_peaks else beats

    def _check_parameters(self) -> None:
        window_samples(self.fs, self.before, self.after)

    def _transform_leads(self, leads: np.ndarray) -> np.ndarray:
        return segment_beats(
            leads, self.fs, self.before, self.after, n_times=self.n_times, select=self.select
        )

    @property
    def _n_features_out(self) -> int:
        """Columns of the flattened result."""
        cut = sum(window_samples(self.fs, self.before, self.after))
        return self.n_leads_ * (self.n_times or cut)
