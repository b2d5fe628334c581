"""Fixtures for the tests of `ecgbeat.signal`."""

import warnings
from functools import cache

import numpy as np
import pytest


@pytest.fixture(scope="session")
def read_beats(real_data):
    """Function that reads R peaks and beat symbols of a record of MIT-BIH."""
    wfdb = pytest.importorskip("wfdb", reason="reading MIT-BIH requires the extra 'data'")

    @cache
    def read(name):
        with warnings.catch_warnings():
            # wfdb 4.3 calls a function that pandas 3 deprecates
            warnings.filterwarnings("ignore", "The inplace keyword", DeprecationWarning)
            annotation = wfdb.rdann(str(real_data / "mitdb" / name), "atr")
        symbols = np.array(annotation.symbol)
        is_beat = np.isin(symbols, list("NLRBAaJSVrFejnE/fQ?"))
        return annotation.sample[is_beat].astype(np.int64), symbols[is_beat]

    return read


@pytest.fixture(scope="session")
def read_record(real_data, read_beats):
    """Function that reads signals, R peaks and beat symbols of a record of MIT-BIH."""
    wfdb = pytest.importorskip("wfdb", reason="reading MIT-BIH requires the extra 'data'")

    @cache
    def read(name):
        signals = wfdb.rdrecord(str(real_data / "mitdb" / name)).p_signal.T
        signals.flags.writeable = False  # shared by the tests
        return signals, *read_beats(name)

    return read


@pytest.fixture(scope="session")
def simulate_beats():
    """Function that simulates a noiseless recording at 360 Hz, and returns it with its R peaks."""

    def simulate(n_beats=12, interval=300, n_leads=None):
        r_peaks = 150 + interval * np.arange(n_beats)
        t = (np.arange(r_peaks[-1] + 200) - r_peaks[:, None]) / 360
        qrs = np.exp(-((t / 0.012) ** 2)) - 0.2 * np.exp(-(((t - 0.03) / 0.012) ** 2))
        wave = (qrs + 0.25 * np.exp(-(((t - 0.25) / 0.05) ** 2))).sum(axis=0)
        if n_leads is not None:
            wave = wave * np.linspace(1, -0.5, n_leads)[:, None]
        return wave, r_peaks

    return simulate
