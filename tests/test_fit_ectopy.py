"""Tests of examples/benchmarks/fit_ectopy.py."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgbeat.signal._ectopy import NEXT_ROWS, _apply, network_input

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


@pytest.mark.parametrize("causal", [False, True])
def test_batches_hold_excerpts_with_labels(script, causal):
    rng = np.random.default_rng(0)
    x, y = script.draw_batch([make_rhythm(script)], [1.0], rng, causal=causal)
    assert x.shape == (script.BATCH_SIZE, script.n_inputs(causal), y.shape[1])
    assert torch.isfinite(x).all()
    assert set(np.unique(y)) == {script.UNKNOWN, 0, 1}
    assert not x[:, :, -1][y[:, -1] == script.UNKNOWN].any()  # padding


def test_next_interval_is_hidden_in_some_excerpts(script):
    rng = np.random.default_rng(0)
    x, _ = script.draw_batch([make_rhythm(script)], [1.0], rng, causal=True)
    ratio, known = x[:, NEXT_ROWS].movedim(1, 0)
    assert not ratio[known == 0].any()
    share = known[:, 1:50].mean(axis=1)
    assert {0.0, 1.0} < set(share.tolist())  # none, all and most


@pytest.mark.parametrize("causal", [False, True])
def test_package_computes_what_was_trained(script, causal):
    """The weights are stored in half precision."""
    reports = []
    arrays = script.train(
        [make_rhythm(script)], 8, 0, lambda *report: reports.append(report), causal=causal
    )
    assert [step for step, *_ in reports] == list(range(1, 9))
    network = script.Network(causal).eval()
    network.load_state_dict({name: torch.from_numpy(v).float() for name, v in arrays.items()})
    x = network_input(np.random.default_rng(0).uniform(0.5, 1.0, 200), future=not causal)
    weights = {name: value.astype(np.float32) for name, value in arrays.items()}
    expected = network(torch.from_numpy(x)[None])[0].detach().numpy().T
    np.testing.assert_allclose(_apply(weights, x, causal=causal), expected, atol=1e-4)


def test_weights_are_averaged(script, monkeypatch):
    """The mean of the last two of eight steps, of which the last is also that without a mean."""
    reports = []
    for share in (0.0, 0.25):
        monkeypatch.setattr(script, "AVERAGED", share)
        script.train([make_rhythm(script)], 8, 0, lambda *report: reports.append(report))
    weights = [arrays["last.bias"].astype(float) for *_, arrays in reports]
    plain, averaged = weights[:8], weights[8:]
    np.testing.assert_array_equal(averaged[:7], plain[:7])
    np.testing.assert_allclose(averaged[7], (plain[6] + plain[7]) / 2, rtol=2e-3)
    assert (averaged[7] != plain[7]).any()


def test_written_weights_replace_those_of_one_network(script, monkeypatch, tmp_path):
    target = tmp_path / "weights.npz"
    monkeypatch.setattr(script._ectopy, "__file__", str(tmp_path / "_ectopy.py"))
    monkeypatch.setattr(script._ectopy, "_WEIGHTS", target.name)
    script.write("centered", {"a": np.zeros(1), "b": np.zeros(1)})
    script.write("causal", {"a": np.ones(1)})
    script.write("centered", {"a": np.full(1, 2.0)})
    with np.load(target) as arrays:
        assert dict(arrays) == {"causal.a": [1.0], "centered.a": [2.0]}
