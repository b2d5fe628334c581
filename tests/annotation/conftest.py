"""Simulated patients, and a classifier that is fitted quickly."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline

from ecgbeat import ZScoreScaler
from ecgbeat.datasets import make_recording
from ecgbeat.labels import Annotation

FS = 360.0


@pytest.fixture(scope="session")
def patients():
    """Six recordings of 30 to 40 s, cut from one recording, and their annotations."""
    return make_patients(FS)


def make_patients(fs):
    """Simulate a recording, and cut it into recordings of six patients."""
    whole = make_recording(
        230, fs=fs, weights={"N": 0.8, "V": 0.2}, heart_rate=70, noise=0.3, random_state=1
    )
    recordings, annotations = [], []
    start = 0
    for number in range(6):
        stop = start + round((30 + 2 * number) * fs)
        recordings.append(whole.signal[start:stop].astype(np.float32))
        recordings[-1].flags.writeable = False
        inside = (whole.r_peaks >= start) & (whole.r_peaks < stop)
        annotations.append(Annotation(whole.r_peaks[inside] - start, whole.symbols[inside]))
        start = stop
    return recordings, annotations


@pytest.fixture(scope="session")
def patients_at():
    """Function that simulates the same patients at another sampling rate."""
    return make_patients


@pytest.fixture
def classifier():
    """A pipeline with probabilities, fitted in milliseconds."""
    return make_pipeline(ZScoreScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5))
