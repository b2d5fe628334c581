"""Tests of examples/benchmarks/fit_ectopy.py."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgbeat.signal._ectopy import _apply, network_input

SCRIPT = Path(__file__).parents[1] / "examples" / "benchmarks" / "fit_ectopy.py"

pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="requires the repository")


@pytest.fixture(scope="module")
def script():
    """Import the script as a module."""
    pytest.importorskip("wfdb", reason="requires wfdb")
    spec = importlib.util.spec_from_file_location("fit_ectopy", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_rhythm(script, n_beats=1500):
    """Simulate a sinus rhythm of which every tenth beat is early and supraventricular."""
    early = np.arange(n_beats) % 10 == 9
    intervals = np.random.default_rng(0).normal(0.8, 0.01, n_beats) * np.where(early, 0.6, 1.0)
    return script.Rhythm(np.cumsum(intervals), early.astype(int), np.append(0, np.cumsum(early)))


@pytest.mark.parametrize("seed", range(20))
def test_simulated_runs_are_fast_and_known(script, seed):
    time_s = 0.8 * np.arange(1, 201)
    shifted, label = script.simulate_runs(time_s, np.zeros(200, int), np.random.default_rng(seed))
    intervals = np.diff(shifted, prepend=0.0)
    assert (intervals > 0).all()
    assert set(label) == {0, 1}
    assert intervals[label == 1].max() < 0.8 <= intervals[label == 0].min() + 1e-9


def test_batches_hold_excerpts_with_labels(script):
    x, y = script.draw_batch([make_rhythm(script)], [1.0], np.random.default_rng(0))
    assert x.shape == (script.BATCH_SIZE, 8, y.shape[1])
    assert torch.isfinite(x).all()
    assert set(np.unique(y)) == {script.UNKNOWN, 0, 1}
    assert not x[:, :, -1][y[:, -1] == script.UNKNOWN].any()  # padding


def test_package_computes_what_was_trained(script):
    """The weights are stored in half precision."""
    reports = []
    arrays = script.train([make_rhythm(script)], 8, 0, lambda *report: reports.append(report))
    assert [step for step, *_ in reports] == list(range(1, 9))
    network = script.Network().eval()
    network.load_state_dict({name: torch.from_numpy(v).float() for name, v in arrays.items()})
    x = network_input(np.random.default_rng(0).uniform(0.5, 1.0, 200))
    weights = {name: value.astype(np.float32) for name, value in arrays.items()}
    expected = network(torch.from_numpy(x)[None])[0].detach().numpy()
    np.testing.assert_allclose(_apply(weights, x), expected, atol=1e-4)
