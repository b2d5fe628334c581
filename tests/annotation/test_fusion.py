"""Simulated fusion beats."""

import numpy as np
import pytest

from ecgbeat.annotation import simulate_fusion_beats
from ecgbeat.datasets import make_recording


@pytest.fixture(scope="module")
def ecg():
    return make_recording(200.0, n_leads=2, weights={"N": 0.8, "V": 0.2}, noise=0, random_state=0)


@pytest.mark.parametrize("lead", [None, 0])
def test_only_normal_beats_change_and_become_fusion_beats(ecg, lead):
    signal = ecg.signal if lead is None else ecg.signal[lead]
    before = signal.copy()
    changed, fusion = simulate_fusion_beats(signal, ecg.annotation, ecg.fs, random_state=0)
    np.testing.assert_array_equal(signal, before)
    assert changed.shape == signal.shape
    assert changed.dtype == signal.dtype
    symbol = dict(zip(ecg.r_peaks.tolist(), ecg.symbols, strict=True))
    n_normal = sum(s == "N" for s in ecg.symbols)
    assert {symbol[sample] for sample in fusion.sample.tolist()} == {"N"}
    assert n_normal // 12 - 1 <= len(fusion.sample) <= n_normal // 12
    assert set(fusion.symbol.tolist()) == {"F"}
    distance = np.abs(np.arange(signal.shape[-1])[:, None] - fusion.sample).min(axis=1)
    differs = np.atleast_2d(changed != signal).any(axis=0)
    assert not differs[distance > 0.46 * ecg.fs].any()
    assert differs[fusion.sample].any()


def test_a_fusion_beat_lies_between_both(ecg):
    changed, fusion = simulate_fusion_beats(ecg.signal, ecg.annotation, ecg.fs, random_state=0)
    window = np.arange(-30, 60)

    def median_beat(signal, samples):
        return np.median([signal[0, s + window] for s in samples], axis=0)

    normal, ventricular = (
        median_beat(
            ecg.signal, [p for p, s in zip(ecg.r_peaks, ecg.symbols, strict=True) if s == c]
        )
        for c in "NV"
    )
    middle = median_beat(changed, fusion.sample)
    distance = np.linalg.norm(normal - ventricular)
    assert np.linalg.norm(middle - normal) < 0.9 * distance
    assert np.linalg.norm(middle - ventricular) < 0.9 * distance
    assert np.linalg.norm(middle - normal) > 0.1 * distance


def test_seed(ecg):
    a, b, c = (
        simulate_fusion_beats(ecg.signal, ecg.annotation, ecg.fs, random_state=seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(a[0], b[0])
    assert not np.array_equal(a[1].sample, c[1].sample)


def test_few_ventricular_beats_give_none():
    ecg = make_recording(60.0, weights={"N": 1.0}, random_state=0)
    changed, fusion = simulate_fusion_beats(ecg.signal, ecg.annotation, ecg.fs)
    np.testing.assert_array_equal(changed, ecg.signal)
    assert len(fusion.sample) == 0


def test_annotation_beyond_the_recording_raises(ecg):
    with pytest.raises(ValueError, match="within the recording"):
        simulate_fusion_beats(ecg.signal[:, :1000], ecg.annotation, ecg.fs)
