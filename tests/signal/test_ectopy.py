"""Probability of ectopic beats from the rhythm."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from ecgbeat.labels import to_aami
from ecgbeat.signal import ectopic_probability
from ecgbeat.signal._ectopy import _convolve

FS = 360.0
INTERVALS = st.lists(st.integers(80, 1200), max_size=300)  # samples
few_examples = settings(max_examples=30, deadline=None)


def r_peaks_at_intervals(seconds):
    return np.round(np.cumsum([0.5, *seconds]) * FS).astype(int)


def sinus_rhythm(n_beats, seed=0):
    """Return intervals of about 0.8 s that vary slowly, as with breathing."""
    rng = np.random.default_rng(seed)
    return 0.8 + 0.03 * np.sin(np.arange(n_beats) / 2.5) + rng.normal(0, 0.01, n_beats)


@given(INTERVALS)
@few_examples
def test_probabilities_sum_to_one(intervals):
    probability = ectopic_probability(np.cumsum([100, *intervals]), FS)
    assert probability.shape == (len(intervals) + 1, 3)
    assert probability.dtype == np.float64
    assert (probability >= 0).all()
    np.testing.assert_allclose(probability.sum(axis=1), 1)


def test_no_beats_have_no_probabilities():
    assert ectopic_probability(np.empty(0, int), FS).shape == (0, 3)


def test_sinus_rhythm_is_normal():
    probability = ectopic_probability(r_peaks_at_intervals(sinus_rhythm(500)), FS)
    assert probability[:, 0].min() > 0.5
    assert probability[:, 0].mean() > 0.99


def test_premature_beats_are_ectopic():
    intervals = sinus_rhythm(300)
    premature = np.array([60, 130, 200])
    intervals[premature] *= 0.65
    intervals[premature + 1] *= 1.2
    probability = ectopic_probability(r_peaks_at_intervals(intervals), FS)
    np.testing.assert_array_equal(np.flatnonzero(probability[:, 0] < 0.5), premature + 1)


def test_runs_that_are_the_majority_are_ectopic():
    """The median interval is that of the runs, so ratios to it would show normal beats."""
    rest, run = [1.0, 1.02, 1.05], [0.6, *[0.62] * 9]
    intervals = np.concatenate([[*run, 1.3, *rest] for _ in range(10)])
    is_run = np.concatenate([[*[True] * 10, False, *[False] * 3] for _ in range(10)])
    assert is_run.mean() > 0.7
    found = ectopic_probability(r_peaks_at_intervals(intervals), FS)[1:, 0] < 0.5
    assert found[is_run].mean() > 0.9
    assert found[~is_run].mean() < 0.1


@given(INTERVALS, st.integers(0, 10**7))
@few_examples
def test_start_of_the_recording_does_not_matter(intervals, shift):
    r_peaks = np.cumsum([100, *intervals])
    np.testing.assert_array_equal(
        ectopic_probability(r_peaks, FS), ectopic_probability(r_peaks + shift, FS)
    )


def test_sampling_rate_does_not_matter():
    r_peaks = r_peaks_at_intervals(sinus_rhythm(100))
    np.testing.assert_allclose(
        ectopic_probability(r_peaks, FS), ectopic_probability(3 * r_peaks, 3 * FS), atol=1e-6
    )


def test_far_beats_do_not_matter():
    r_peaks = r_peaks_at_intervals(sinus_rhythm(2000))
    part = ectopic_probability(r_peaks[500:1500], FS)
    np.testing.assert_allclose(ectopic_probability(r_peaks, FS)[700:1300], part[200:800], atol=1e-6)


@pytest.mark.parametrize("dilation", [1, 4])
def test_convolution_equals_that_of_torch(dilation):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 50), dtype=np.float32)
    layer = torch.nn.Conv1d(3, 4, 5, padding=2 * dilation, dilation=dilation)
    weights = {f"layer.{name}": value.numpy() for name, value in layer.state_dict().items()}
    expected = layer(torch.from_numpy(x)[None])[0].detach().numpy()
    np.testing.assert_allclose(_convolve(x, weights, "layer", dilation), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("r_peaks", "fs", "error"),
    [([1.5, 2.5], FS, TypeError), ([5, 5], FS, ValueError), ([1, 2], 0, ValueError)],
)
def test_invalid_input_raises(r_peaks, fs, error):
    with pytest.raises(error):
        ectopic_probability(r_peaks, fs)


@pytest.mark.parametrize("record", ["118", "209", "220"])
def test_supraventricular_beats_of_mitdb_are_found(read_record, record):
    _, r_peaks, symbols = read_record(record)
    target = to_aami(symbols)
    ectopic = 1 - ectopic_probability(r_peaks, FS)[:, 0]
    known = np.isin(target, ["N", "S"])
    assert average_precision_score(target[known] == "S", ectopic[known]) > 0.9
