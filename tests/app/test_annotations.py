"""Levels, mean beats and errors that the page draws."""

import numpy as np
import pytest

from ecgbeat.annotation import AnnotatedBeats
from ecgbeat.app._annotations import MISSING, Findings, _as_counts, _figures, _levels
from ecgbeat.app._models import Model
from ecgbeat.datasets import make_recording

ECG = make_recording(60, n_leads=2, noise=0, random_state=0)


def expected_level(counts, step):
    n_columns = -(-counts.shape[1] // step)
    padded = np.full((len(counts), n_columns * step), np.nan)
    padded[:, : counts.shape[1]] = np.where(counts == MISSING, np.nan, counts)
    columns = padded.reshape(len(counts), n_columns, step)
    low = np.where(np.isnan(columns), np.inf, columns).min(axis=2)
    high = np.where(np.isnan(columns), -np.inf, columns).max(axis=2)
    empty = np.isinf(low)
    return np.stack([np.where(empty, MISSING, low), np.where(empty, MISSING, high)], axis=2)


@pytest.mark.parametrize(("n_times", "fs"), [(30_001, 360), (800_003, 360), (400_001, 128), (1, 9)])
@pytest.mark.parametrize("has_gaps", [False, True])
def test_levels_hold_minima_and_maxima(n_times, fs, has_gaps):
    rng = np.random.default_rng(0)
    counts = rng.integers(-32767, 32768, (2, n_times), dtype=np.int16)
    if has_gaps:
        counts[0, n_times // 3 : n_times // 2] = MISSING
        counts[1, ::7] = MISSING
    levels, arrays = _levels(counts, fs)
    steps = [level["step"] for level in levels]
    assert steps == sorted(steps)
    assert levels[-1]["n_columns"] <= 2500
    offset = 0
    for level, array in zip(levels, arrays, strict=True):
        assert level["offset"] == offset
        assert array.shape[1] == level["n_columns"]
        offset += array.nbytes
        if level["kind"] == "samples":
            np.testing.assert_array_equal(array, counts)
        else:
            np.testing.assert_array_equal(array, expected_level(counts, level["step"]))


def test_long_recordings_have_at_most_180_values_a_second():
    levels, arrays = _levels(np.zeros((1, 40 * 60 * 1000), np.int16), 1000)
    assert levels[0]["kind"] == "minmax"
    assert arrays[0].size <= 180 * 40 * 60


def test_counts_keep_gaps_and_resolve_the_ecg_beside_a_spike():
    signal = ECG.signal.copy()
    signal[0, 100] = 5000.0
    signal[1, 200:300] = np.nan
    counts, scale = _as_counts(signal)
    assert scale < 0.001
    assert counts[0, 100] == 32767
    assert (counts[1, 200:300] == MISSING).all()
    assert (counts == MISSING).sum() == 100


def test_counts_of_a_recording_without_samples():
    counts, scale = _as_counts(np.full((1, 50), np.nan))
    assert (counts == MISSING).all()
    assert scale > 0


def compared(quick_models, sample, symbol):
    beats = AnnotatedBeats(np.asarray(sample), np.asarray(symbol), None)
    findings = Findings("x", 360.0, ECG.signal.shape[1], beats, ECG.annotation)
    return _figures(findings, Model(quick_models("nsvf"), {}))


def test_errors_are_missed_false_and_of_another_class(quick_models):
    labels = np.where(np.isin(ECG.symbols, ["A"]), "S", ECG.symbols)
    right = compared(quick_models, ECG.r_peaks, labels)
    assert right["errors"] == []
    assert "100.00" in right["report"]
    changed = labels.copy()
    changed[5] = "V" if labels[5] == "N" else "N"
    sample = np.insert(np.delete(ECG.r_peaks, 10), 20, (ECG.r_peaks[20] + ECG.r_peaks[21]) // 2)
    wrong = compared(quick_models, sample, np.insert(np.delete(changed, 10), 20, "N"))
    errors = [(e["kind"], e["sample"], e["reference"], e["predicted"]) for e in wrong["errors"]]
    assert errors == [
        ("class", ECG.r_peaks[5], labels[5], changed[5]),
        ("missed", ECG.r_peaks[10], labels[10], None),
        ("false", sample[20], None, "N"),
    ]
