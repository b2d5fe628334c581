"""What all tests share."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from joblib.externals.loky import reusable_executor

# pictures are drawn into memory, also where there is a screen
os.environ["MPLBACKEND"] = "Agg"
# many small nets: threads would only wait for each other, the more so under pytest-xdist
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_idle_processes():
    """End joblib's processes with the test that started them.

    They would end by themselves after five idle minutes; a test that asked for them at that very
    moment waited for ever.
    """
    yield
    executor = reusable_executor._executor  # None if nothing was started; asking would start it
    if executor is not None:
        executor.shutdown(wait=True)


@pytest.fixture
def untouched_numpy_state():
    """Fail the test after which NumPy's global generator is not where it was before."""
    before = np.random.get_state()  # noqa: NPY002 - it is the one to leave alone
    yield
    # the place among the 624 numbers as well as the numbers: they change only when used up
    for now, then in zip(np.random.get_state(), before, strict=True):  # noqa: NPY002
        np.testing.assert_array_equal(now, then)


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data, named by ECGBEAT_DATA."""
    if "ECGBEAT_DATA" not in os.environ:
        pytest.skip("ECGBEAT_DATA does not name a folder of real data")
    return Path(os.environ["ECGBEAT_DATA"])


@pytest.fixture(scope="session")
def bumps():
    """120 rows of noise with a bump whose place tells the class, and the classes as codes."""
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.repeat([0, 1, 2], [60, 40, 20]))
    X = rng.normal(size=(len(codes), 64)).astype(np.float32)
    X[np.arange(len(codes)), 10 + 20 * codes] += 8
    return X, codes


@pytest.fixture(scope="session")
def beats(bumps):
    """The bumps with the labels "N", "S" and "V"."""
    X, codes = bumps
    return X, np.array(["N", "S", "V"])[codes]
