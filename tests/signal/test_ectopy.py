"""Probability of ectopic beats from the rhythm."""

from importlib.resources import files

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from ecgbeat.labels import to_aami
from ecgbeat.model_selection import DS1
from ecgbeat.signal import _ectopy, ectopic_probability
from ecgbeat.signal._ectopy import _convolve

FS = 360.0
FUTURES = [True, False, "none"]
INTERVALS = st.lists(st.integers(80, 1200), max_size=300)  # samples
few_examples = settings(max_examples=30, deadline=None)


def r_peaks_at_intervals(seconds):
    return np.round(np.cumsum([0.5, *seconds]) * FS).astype(int)


def sinus_rhythm(n_beats, seed=0):
    """Return intervals of about 0.8 s that vary slowly, as with breathing."""
    rng = np.random.default_rng(seed)
    return 0.8 + 0.03 * np.sin(np.arange(n_beats) / 2.5) + rng.normal(0, 0.01, n_beats)


def premature_beats(n_beats=300, premature=(60, 130, 200)):
    """Return the R peaks of a sinus rhythm with early beats and pauses, and the early beats."""
    intervals, premature = sinus_rhythm(n_beats), np.array(premature)
    intervals[premature] *= 0.65
    intervals[premature + 1] *= 1.2
    return r_peaks_at_intervals(intervals), premature + 1


@given(INTERVALS, st.sampled_from(FUTURES))
@few_examples
def test_probabilities_sum_to_one(intervals, future):
    probability = ectopic_probability(np.cumsum([100, *intervals]), FS, future=future)
    assert probability.shape == (len(intervals) + 1, 3)
    assert probability.dtype == np.float64
    assert (probability >= 0).all()
    np.testing.assert_allclose(probability.sum(axis=1), 1)


@pytest.mark.parametrize("future", FUTURES)
def test_no_beats_have_no_probabilities(future):
    assert ectopic_probability(np.empty(0, int), FS, future=future).shape == (0, 3)


@pytest.mark.parametrize("future", FUTURES)
@pytest.mark.parametrize("r_peaks", [[0], [0, 1], [0, 2**60], [0, 1, 2**60]])
def test_few_beats_and_extreme_intervals_have_probabilities(r_peaks, future):
    probability = ectopic_probability(r_peaks, FS, future=future)
    np.testing.assert_allclose(probability.sum(axis=1), 1)


@pytest.mark.parametrize("future", FUTURES)
def test_sinus_rhythm_is_normal(future):
    r_peaks = r_peaks_at_intervals(sinus_rhythm(500))
    probability = ectopic_probability(r_peaks, FS, future=future)
    assert probability[:, 0].min() > 0.8
    assert probability[:, 0].mean() > 0.98


@pytest.mark.parametrize("future", FUTURES)
def test_premature_beats_are_ectopic(future):
    r_peaks, premature = premature_beats()
    probability = ectopic_probability(r_peaks, FS, future=future)
    np.testing.assert_array_equal(np.flatnonzero(probability[:, 0] < 0.5), premature)


@pytest.mark.parametrize("future", FUTURES)
def test_runs_that_are_the_majority_are_ectopic(future):
    """The median interval is that of the runs, so ratios to it would show normal beats.

    From the past alone, the first run cannot be recognized, since sinus rhythm came later.
    """
    rest, run = [1.0, 1.02, 1.05], [0.6, *[0.62] * 9]
    intervals = np.concatenate([[*run, 1.3, *rest] for _ in range(10)])
    is_run = np.concatenate([[*[True] * 10, False, *[False] * 3] for _ in range(10)])
    assert is_run.mean() > 0.7
    r_peaks = r_peaks_at_intervals(intervals)
    found = ectopic_probability(r_peaks, FS, future=future)[1:, 0] < 0.5
    assert found[is_run][0 if future is True else 10 :].mean() > 0.9
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


@pytest.mark.parametrize("fs", [64.0, 100.0, 128.0, 250.0])
@pytest.mark.parametrize("future", FUTURES)
def test_coarse_sampling_changes_probabilities_little(future, fs):
    r_peaks, premature = premature_beats(n_beats=600, premature=range(20, 600, 30))
    fine = ectopic_probability(r_peaks, FS, future=future)
    coarse = ectopic_probability(np.round(r_peaks / FS * fs).astype(int), fs, future=future)
    np.testing.assert_array_equal(np.flatnonzero(coarse[:, 0] < 0.5), premature)
    assert np.abs(coarse - fine)[:, 0].mean() < 0.01


# --- beats that may be read -----------------------------------------------------------


@pytest.mark.parametrize(("future", "n_ahead"), [(False, 1), ("none", 0)])
@given(data=st.data(), intervals=INTERVALS, others=INTERVALS)
@few_examples
def test_later_beats_do_not_change_a_probability(future, n_ahead, data, intervals, others):
    """Nor does the number of beats change its last bit."""
    beat = data.draw(st.integers(0, len(intervals)))
    r_peaks = np.cumsum([100, *intervals])
    expected = ectopic_probability(r_peaks, FS, future=future)[beat]
    known = r_peaks[: beat + 1 + n_ahead]
    changed = np.append(known, known[-1] + np.cumsum(others, dtype=int))
    if len(known) == beat + 1 + n_ahead:  # the last beat of all has no next one
        for other in (known, changed):
            actual = ectopic_probability(other, FS, future=future)[beat]
            np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(("future", "reads"), [(True, 50), (False, 1), ("none", 0)])
def test_beats_that_may_be_read_are(future, reads):
    r_peaks = r_peaks_at_intervals(sinus_rhythm(300))
    moved = r_peaks.copy()
    moved[200] += 30
    before, after = (ectopic_probability(peaks, FS, future=future) for peaks in (r_peaks, moved))
    first = np.flatnonzero((before != after).any(axis=1))[0]
    assert first <= 200 - reads


def test_live_windows_give_what_the_whole_recording_gives():
    """The causal network reads 125 intervals, each relative to 121."""
    r_peaks, _ = premature_beats(n_beats=600, premature=range(20, 600, 30))
    whole = ectopic_probability(r_peaks, FS, future="none")
    window = ectopic_probability(r_peaks[300:], FS, future="none")
    np.testing.assert_allclose(window[250:], whole[550:], atol=1e-6)


def test_far_beats_do_not_matter():
    r_peaks = r_peaks_at_intervals(sinus_rhythm(2000))
    part = ectopic_probability(r_peaks[500:1500], FS)
    np.testing.assert_allclose(ectopic_probability(r_peaks, FS)[700:1300], part[200:800], atol=1e-6)


# --- network --------------------------------------------------------------------------


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dilation", [1, 4])
@pytest.mark.parametrize("n_times", [1, 50, 600])
def test_convolution_equals_that_of_torch(n_times, dilation, causal):
    x = np.random.default_rng(0).standard_normal((n_times, 3), dtype=np.float32)
    layer = torch.nn.Conv1d(3, 4, 5, padding=(4 if causal else 2) * dilation, dilation=dilation)
    weights = {f"layer.{name}": value.numpy() for name, value in layer.state_dict().items()}
    expected = layer(torch.from_numpy(x.T)[None])[0].detach().numpy().T[:n_times]
    actual = _convolve(x, weights, "layer", dilation, causal=causal)
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_weights_are_small():
    file = files("ecgbeat.signal").joinpath(_ectopy._WEIGHTS)
    assert len(file.read_bytes()) < 130 * 1024


@pytest.mark.parametrize(
    ("r_peaks", "fs", "error"),
    [([1.5, 2.5], FS, TypeError), ([5, 5], FS, ValueError), ([1, 2], 0, ValueError)],
)
def test_invalid_input_raises(r_peaks, fs, error):
    with pytest.raises(error):
        ectopic_probability(r_peaks, fs)


@pytest.mark.parametrize("future", ["all", "None", None, 1, 0, 2.0, ["none"], np.array([True])])
def test_invalid_future_raises(future):
    with pytest.raises(ValueError, match="future must be True, False or 'none', got"):
        ectopic_probability([100, 400], FS, future=future)


# --- real data ------------------------------------------------------------------------


@pytest.mark.parametrize(("future", "lowest"), [(True, 0.88), (False, 0.86), ("none", 0.85)])
def test_supraventricular_beats_of_mitdb_are_found(read_beats, future, lowest):
    """The records are not in the training data."""
    records = [read_beats(name) for name in DS1]
    target = np.concatenate([to_aami(symbols) for _, symbols in records])
    ectopic = 1 - np.concatenate(
        [ectopic_probability(r_peaks, FS, future=future)[:, 0] for r_peaks, _ in records]
    )
    known = np.isin(target, ["N", "S"])
    assert average_precision_score(target[known] == "S", ectopic[known]) > lowest


@pytest.mark.parametrize(
    ("record", "future"), [("207", True), ("209", True), ("209", False), ("209", "none")]
)
def test_excerpts_of_mostly_supraventricular_beats_are_recognized(read_beats, record, future):
    r_peaks, symbols = read_beats(record)
    is_supraventricular = to_aami(symbols) == "S"
    count = np.cumsum(np.append(0, is_supraventricular))
    first = np.argmax(count[150:] - count[:-150])
    excerpt = slice(first, first + 150)
    found = ectopic_probability(r_peaks[excerpt], FS, future=future)[:, 0] < 0.5
    assert f1_score(is_supraventricular[excerpt], found) > 0.8


def test_next_beat_after_a_long_interval_is_not_awaited():
    r_peaks = np.cumsum(np.full(60, 0.8 * FS)).astype(int)
    r_peaks[30:] += int(0.5 * FS)  # the beat after number 29 comes after 1.3 s
    later = np.where(np.arange(60) < 30, r_peaks, r_peaks + int(FS))  # or after 2.3 s
    seen, expected = (ectopic_probability(x, FS, future=False)[:30] for x in (r_peaks, later))
    np.testing.assert_array_equal(seen, expected)
    soon = np.where(np.arange(60) < 30, r_peaks, r_peaks - int(0.2 * FS))  # after 1.1 s
    assert np.abs(ectopic_probability(soon, FS, future=False)[29] - seen[29]).max() > 1e-6
