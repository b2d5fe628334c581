"""Tests of the features of beats of a signal that is still arriving."""

import pickle

import numpy as np
import pytest

from ecgbeat.datasets import make_recording
from ecgbeat.signal import NextBeat, PastBeatFeatures, append_to_each, bandpass, beat_features

FS = 120.0


@pytest.fixture(scope="module")
def ecg():
    """Return a filtered recording of two leads with more beats than are remembered."""
    ecg = make_recording(
        360, fs=FS, heart_rate=75.0, n_leads=2, random_state=0, weights={"N": 0.8, "V": 0.2}
    )
    return bandpass(ecg.signal, FS).astype(np.float32), ecg.annotation.sample


def append_all(past, recording, r_peaks):
    """Return the features of all beats but the last, from a few seconds around each."""
    rows = []
    for r_peak, following in zip(r_peaks[:-1].tolist(), r_peaks[1:].tolist(), strict=True):
        first = max(0, r_peak - 200)
        rows.append(
            past.append(
                NextBeat(recording[:, first : r_peak + 100], r_peak - first, r_peak, following)
            )
        )
    return np.array(rows)


@pytest.mark.slow
@pytest.mark.parametrize("future", [False, "none"])
def test_features_equal_those_of_the_recording(ecg, future):
    recording, r_peaks = ecg
    assert len(r_peaks) > 370
    past = PastBeatFeatures(FS, future)
    rows = append_all(past, recording, r_peaks)
    assert len(pickle.dumps(past)) < 300_000 * len(recording)
    expected = beat_features(recording, r_peaks, FS, future=future)[:-1]
    np.testing.assert_allclose(rows, expected, rtol=1e-3, atol=1e-4)


def test_prepared_norms_make_no_difference(ecg):
    class Prepared(PastBeatFeatures):
        def append(self, beat):
            self.prepare()
            return super().append(beat)

    recording, r_peaks = ecg
    pasts = PastBeatFeatures(FS, False), Prepared(FS, False)
    rows = [append_all(past, recording, r_peaks[:100]) for past in pasts]
    np.testing.assert_array_equal(*rows)


def test_next_beat_makes_no_difference_without_future(ecg):
    recording, r_peaks = ecg
    rows = [
        append_all(PastBeatFeatures(FS, "none"), recording, peaks)
        for peaks in (r_peaks[:20], np.append(r_peaks[:19], r_peaks[19] + 60))
    ]
    np.testing.assert_array_equal(*rows)


@pytest.mark.parametrize("future", [False, "none"])
def test_features_of_a_signal_are_equal_beside_others(ecg, future):
    recording, r_peaks = ecg
    noise = np.random.default_rng(0).normal(scale=0.001, size=recording.shape[1])
    leads = [recording, recording[:1], np.stack([recording[0], noise.astype(np.float32)])]
    alone = [append_all(PastBeatFeatures(FS, future), x, r_peaks[:60]) for x in leads]
    # some signals begin later than others
    pasts, delays = [PastBeatFeatures(FS, future) for _ in range(6)], [0, 0, 0, 1, 9, 30]
    together = [[] for _ in pasts]
    for turn in range(59):
        of_turn = [k for k, delay in enumerate(delays) if turn >= delay]
        beats = []
        for k in of_turn:
            r_peak, following = r_peaks[turn - delays[k] :][:2].tolist()
            first = max(0, r_peak - 200)
            window = leads[k % 3][:, first : r_peak + 100]
            beats.append(NextBeat(window, r_peak - first, r_peak, following))
        rows = append_to_each([pasts[k] for k in of_turn], beats)
        for k, row in zip(of_turn, rows, strict=True):
            together[k].append(row)
    for k, rows in enumerate(together):
        np.testing.assert_array_equal(rows, alone[k % 3][: len(rows)])
