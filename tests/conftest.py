"""Common fixtures."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from joblib.externals.loky import reusable_executor

# draw figures in memory
os.environ["MPLBACKEND"] = "Agg"
# several threads are slower for small networks, in particular with pytest-xdist
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_idle_processes():
    """Shut down the worker processes of joblib after each test.

    Idle workers exit after five minutes. A test that requested workers at this moment could wait
    forever.
    """
    yield
    executor = (
        reusable_executor._executor
    )  # None without workers; get_reusable_executor would start them
    if executor is not None:
        executor.shutdown(wait=True)


@pytest.fixture
def untouched_numpy_state():
    """Check that the test does not use the global random generator of NumPy."""
    before = np.random.get_state()  # noqa: NPY002 - required to check it
    yield
    # compare the position and the 624 numbers, which change only after all have been used
    for now, then in zip(np.random.get_state(), before, strict=True):  # noqa: NPY002
        np.testing.assert_array_equal(now, then)


@pytest.fixture(scope="session")
def real_data():
    """Return the folder of real data given by ECGBEAT_DATA."""
    if "ECGBEAT_DATA" not in os.environ:
        pytest.skip("ECGBEAT_DATA is not set")
    return Path(os.environ["ECGBEAT_DATA"])


@pytest.fixture(scope="session")
def bumps():
    """Return 120 rows of noise with a bump at a position that depends on the class."""
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.repeat([0, 1, 2], [60, 40, 20]))
    X = rng.normal(size=(len(codes), 64)).astype(np.float32)
    X[np.arange(len(codes)), 10 + 20 * codes] += 8
    return X, codes


@pytest.fixture(scope="session")
def beats(bumps):
    """Return the bumps with the labels "N", "S" and "V"."""
    X, codes = bumps
    return X, np.array(["N", "S", "V"])[codes]
