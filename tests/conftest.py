"""Fixtures shared by all tests."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from joblib.externals.loky import reusable_executor

# draw figures into memory, also on machines with a display
os.environ["MPLBACKEND"] = "Agg"
# threads slow small networks down, especially with several workers of pytest-xdist
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def shut_down_joblib_workers():
    """Shut down the worker processes of joblib after each test.

    Idle workers stop after five minutes. A test that requested workers at that moment never
    finished.
    """
    yield
    # get_reusable_executor() would start workers if there are none
    executor = reusable_executor._executor
    if executor is not None:
        executor.shutdown(wait=True)


@pytest.fixture
def untouched_numpy_state():
    """Check that the test does not change the state of NumPy's global generator."""
    before = np.random.get_state()  # noqa: NPY002 - this generator must not be used
    yield
    # compares the position as well: the 624 numbers change only when all are used
    for now, then in zip(np.random.get_state(), before, strict=True):  # noqa: NPY002
        np.testing.assert_array_equal(now, then)


@pytest.fixture(scope="session")
def real_data():
    """Folder of real data, from the environment variable ECGBEAT_DATA."""
    if "ECGBEAT_DATA" not in os.environ:
        pytest.skip("the environment variable ECGBEAT_DATA is not set")
    return Path(os.environ["ECGBEAT_DATA"])


@pytest.fixture(scope="session")
def bumps():
    """120 rows of noise with a bump at a position given by the class, and the class codes."""
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.repeat([0, 1, 2], [60, 40, 20]))
    X = rng.normal(size=(len(codes), 64)).astype(np.float32)
    X[np.arange(len(codes)), 10 + 20 * codes] += 8
    return X, codes


@pytest.fixture(scope="session")
def beats(bumps):
    """The rows of `bumps`, with the labels "N", "S" and "V"."""
    X, codes = bumps
    return X, np.array(["N", "S", "V"])[codes]
