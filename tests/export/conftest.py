"""Fixtures for the tests of exports."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def leads():
    """30 windows of 2 s and 3 leads at 360 Hz, with an off-center beat, noise and an offset."""
    rng = np.random.default_rng(0)
    t = (np.arange(720) - 360 - rng.integers(-36, 37, size=(30, 1))) / 360
    wave = np.exp(-((t / 0.012) ** 2)) + 0.25 * np.exp(-(((t - 0.25) / 0.05) ** 2))
    X = wave[:, None] * np.array([[1.0], [-0.5], [2.0]]) + np.array([[0.0], [3.0], [-1.0]])
    return X + 0.01 * rng.normal(size=X.shape)
