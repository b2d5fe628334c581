"""A beat as it reaches the network, and what its columns are (layer 3)."""

from typing import Any, NamedTuple

import numpy as np

from ecgbeat.plotting._estimators import unwrap
from ecgbeat.plotting._saliency import rows_of_network, wave_shape
from ecgbeat.preprocessing import BandpassFilter, RPeakSegmenter


class NetworkInput(NamedTuple):
    """One beat as a network sees it."""

    waveform: np.ndarray  # (n_leads, n_times)
    relevance: np.ndarray  # (n_leads, n_times)
    fs: float | None  # in Hz, None if nobody knows
    before: float | None  # seconds from the first sample to the R peak
    unit: str  # "" if it was scaled


def read_beat(
    classifier: Any, row: np.ndarray, relevance: np.ndarray, fs: float, before: float | None
) -> NetworkInput:
    """Return what reaches the network of a single row.

    Parameters
    ----------
    classifier : estimator
        Fitted; ends in a network.
    row : ndarray of shape (1, n_features) or (1, n_leads, n_times)
        As the classifier takes it.
    relevance : ndarray
        Of one row that reaches the network.
    fs, before : float
        Of ``row``.

    Returns
    -------
    NetworkInput
    """
    rows, net = rows_of_network(classifier, row)
    n_leads, n_times, _ = wave_shape(net, rows.shape)
    n_wave = n_leads * n_times
    waveform = rows.reshape(-1)[:n_wave].reshape(n_leads, n_times)
    transformers, _ = unwrap(classifier)
    rate: float | None = fs
    for step in transformers:
        if isinstance(step, RPeakSegmenter):
            n_cut = round(step.before * step.fs) + round(step.after * step.fs)
            rate = step.fs * (step.n_times or n_cut) / n_cut
            before = step.before
    is_cut = any(isinstance(step, RPeakSegmenter) for step in transformers)
    if not is_cut and rows.shape[-1] != row.shape[-1]:  # another step has made new columns
        rate = before = None
    keeps_unit = (BandpassFilter, RPeakSegmenter)
    is_scaled = not all(isinstance(step, keeps_unit) for step in transformers)
    return NetworkInput(
        waveform,
        relevance.reshape(-1)[:n_wave].reshape(n_leads, n_times),
        rate,
        before,
        "" if is_scaled else "mV",
    )
