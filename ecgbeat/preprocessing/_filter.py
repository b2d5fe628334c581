"""Band-pass filter (layer 2)."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import OneToOneFeatureMixin

from ecgbeat._validation import Integral, Interval, Real
from ecgbeat.preprocessing._base import BeatTransformer
from ecgbeat.signal import bandpass
from ecgbeat.signal._filtering import bandpass_sections


class BandpassFilter(OneToOneFeatureMixin, BeatTransformer):
    """Remove baseline wander, muscle noise and mains hum from each lead of each row.

    Filters forwards and backwards, so that no wave moves in time. Rows may be of any
    length; wide ones filter better than narrow ones, so filter before
    `RPeakSegmenter`, not after.

    Parameters
    ----------
    fs : float, default=360.0
        Sampling rate in Hz.
    low, high : float, default=0.5, 40.0
        Edges of the band in Hz, ``0 < low < high < fs / 2``.
    order : int, default=2
        Order of the Butterworth prototype, which runs twice.
    notch : float or None, default=None
        Mains frequency in Hz to cut out besides, 50 or 60.
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
    ecgbeat.signal.bandpass : The same as a function, with the method and its source.

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
        "fs": [Interval(Real, 0, None, closed="neither")],
        "low": [Interval(Real, 0, None, closed="neither")],
        "high": [Interval(Real, 0, None, closed="neither")],
        "order": [Interval(Integral, 1, None, closed="left")],
        "notch": [Interval(Real, 0, None, closed="neither"), None],
        "n_leads": [Interval(Integral, 1, None, closed="left")],
    }
    _for_a_recording = "For one continuous recording use ecgbeat.signal.bandpass."

    def __init__(
        self,
        fs: float = 360.0,
        *,
        low: float = 0.5,
        high: float = 40.0,
        order: int = 2,
        notch: float | None = None,
        n_leads: int = 1,
    ) -> None:
        self.fs = fs
        self.low = low
        self.high = high
        self.order = order
        self.notch = notch
        self.n_leads = n_leads

    def _check_parameters(self) -> None:
        bandpass_sections(self.fs, self.low, self.high, order=self.order, notch=self.notch)

    def _transform_leads(self, leads: np.ndarray) -> np.ndarray:
        return bandpass(leads, self.fs, self.low, self.high, order=self.order, notch=self.notch)
