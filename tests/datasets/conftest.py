"""Folders of small WFDB records, written by wfdb itself."""

import warnings

import numpy as np
import pytest


@pytest.fixture
def write_record():
    """A function that writes one record; its signal and annotation are returned."""

    def write(folder, name="100", *, leads=("MLII", "V5"), fs=360, units="mV", n_times=2000):
        # wfdb 4.3 calls what pandas 3 deprecates, in its import too
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            import wfdb

            rng = np.random.default_rng([len(name), n_times])
            signal = rng.normal(size=(n_times, len(leads)))
            sample = np.array([20, 300, 1000, n_times - 1])
            symbol = ["+", "N", "V", "A"]
            folder.mkdir(parents=True, exist_ok=True)
            wfdb.wrsamp(
                name,
                fs=fs,
                units=[units] * len(leads),
                sig_name=list(leads),
                p_signal=signal,
                fmt=["212"] * len(leads),
                adc_gain=[200.0] * len(leads),
                baseline=[0] * len(leads),
                write_dir=str(folder),
            )
            wfdb.wrann(name, "atr", sample, symbol, write_dir=str(folder))
        return signal.T, sample, symbol

    return write
