import numpy as np
import pytest

from ecgbeat.datasets._simulator._patient import draw_patient
from ecgbeat.datasets._simulator._rhythm import Rhythm
from ecgbeat.datasets._simulator._simulation import Recorder, simulate

CALM = {"restlessness": 0.0, "breathing": 0.0, "second_focus": 0.0, "axes": np.eye(3)}


@pytest.fixture
def patient():
    return draw_patient(np.random.default_rng(5), heart_rate=60.0)._replace(**CALM)


def record(patient, symbols, times=None, blocked=(), duration=None, noise=0.0):
    times = 1.0 + np.arange(len(symbols)) if times is None else np.asarray(times, dtype=float)
    return simulate(
        np.random.default_rng(0),
        patient,
        np.array(list(symbols), dtype="<U1"),
        Rhythm(times, np.asarray(blocked, dtype=float)),
        Recorder(fs=360.0, n_leads=3, noise=noise, mains=60.0),
        duration=len(symbols) + 1.0 if duration is None else duration,
    )


def test_r_peaks_lie_where_the_beats_are(patient):
    r_peaks = record(patient, "NVLRA/").r_peaks / 360
    np.testing.assert_allclose(r_peaks, 1.0 + np.arange(6), atol=0.13)


def test_beats_of_a_calm_patient_are_all_alike(patient):
    signal = record(patient, "NNNN").signal[0]
    np.testing.assert_allclose(signal[540:900], signal[900:1260], atol=1e-6)


def test_a_restless_patient_has_different_beats(patient):
    signal = record(patient._replace(restlessness=0.05), "NNNN").signal[0]
    assert np.abs(signal[540:900] - signal[900:1260]).max() > 0.02


def test_a_fusion_beat_lies_between_normal_and_ventricular(patient):
    normal, fusion, ventricular = (record(patient, s).signal[0, 330:720] for s in "NFV")
    way = ventricular - normal
    share = (fusion - normal) @ way / (way @ way)
    assert 0.25 < share < 0.65
    # nothing else is in it: the P wave, which it keeps, ends before sample 330
    np.testing.assert_allclose(fusion, normal + share * way, atol=0.01)


def test_a_blocked_impulse_leaves_its_p_wave_alone(patient):
    empty = record(patient, "N", times=[1.0], duration=4.0).signal[0]
    added = record(patient, "N", times=[1.0], blocked=[3.0], duration=4.0).signal[0] - empty
    p_wave = np.flatnonzero(np.abs(added) > 0.2 * np.abs(added).max()) / 360
    assert np.abs(added).max() > 0.0
    assert 2.7 < p_wave.min() < p_wave.max() < 2.95


def test_qt_shortens_with_the_interval(patient):
    def t_peak(rr):
        fast = patient._replace(pacemaker=patient.pacemaker._replace(rr=rr))
        simulation = record(fast, "NN", times=[1.0, 1.0 + rr], duration=3.0)
        after = simulation.signal[0, simulation.r_peaks[1] + 50 :]
        return np.abs(after).argmax()

    assert t_peak(0.6) < 0.9 * t_peak(1.0)


def test_a_beat_cut_by_the_edge_is_not_whole(patient):
    simulation = record(patient, "NNN", times=[0.01, 1.0, 1.99], duration=2.0)
    assert simulation.whole.tolist() == [False, True, False]


def test_noise_leaves_the_heart_alone(patient):
    clean, noisy = (record(patient, "NNVN", noise=noise) for noise in (0.0, 1.0))
    double = record(patient, "NNVN", noise=2.0)
    np.testing.assert_array_equal(clean.r_peaks, noisy.r_peaks)
    np.testing.assert_allclose(
        double.signal - clean.signal, 2 * (noisy.signal - clean.signal), atol=1e-12
    )
