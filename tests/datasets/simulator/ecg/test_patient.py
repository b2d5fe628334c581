import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import welch

from ecgbeat.datasets.simulator.ecg.patient import (
    ATRIAL,
    LEADS,
    QRS,
    SPIKE,
    WAVES,
    NoiseLevels,
    Recorder,
    draw_electrode_noise,
    draw_morphologies,
    draw_noise_levels,
    draw_patient,
    record_ecg,
)
from ecgbeat.datasets.simulator.rhythm import Rhythm

T = WAVES.index("T")
PATIENTS = [draw_morphologies(np.random.default_rng(seed), "N") for seed in range(60)]
NO_VARIATION = {
    "scatter": 0.0,
    "respiratory_modulation": 0.0,
    "second_focus": 0.0,
    "axes": np.eye(3),
}
NO_NOISE = NoiseLevels(wander=0.0, muscle=0.0, motion=0.0, mains=0.0)


def lead(name):
    return np.array(LEADS[name])


def test_twelve_leads_begin_with_those_of_mitdb():
    assert len(LEADS) == 12
    assert list(LEADS)[:2] == ["MLII", "V1"]


def test_einthovens_law_holds():
    assert_allclose(lead("I") + lead("III"), lead("MLII"))


def test_goldbergers_leads_add_up_to_zero():
    assert_allclose(lead("aVR") + lead("aVL") + lead("aVF"), np.zeros(3))


@pytest.mark.parametrize("conduction", ["N", "L", "R"])
def test_patient_has_given_conduction(conduction):
    assert draw_patient(np.random.default_rng(0), conduction=conduction).conduction == conduction


def test_same_seed_gives_same_patient():
    first, second = (draw_patient(np.random.default_rng(3)) for _ in range(2))
    assert_array_equal(first.axes, second.axes)
    assert first.noise_levels == second.noise_levels
    assert first.pacemaker == second.pacemaker


def morphologies(symbol):
    return [patient[symbol] for patient in PATIENTS]


def qrs_duration(morphology):
    begin, end = morphology.qrs_window()
    return end - begin


def test_normal_beats_are_narrow():
    assert max(map(qrs_duration, morphologies("N"))) < 0.12


@pytest.mark.parametrize("symbol", ["L", "R", "V", "V2", "/"])
def test_ventricular_and_blocked_beats_are_wide(symbol):
    assert min(map(qrs_duration, morphologies(symbol))) > 0.12


@pytest.mark.parametrize("symbol", ["V", "V2", "/"])
def test_beats_from_the_ventricles_have_no_p_wave(symbol):
    assert not any(m.amplitude[ATRIAL].any() for m in morphologies(symbol))


def test_only_paced_beats_have_a_spike():
    with_spike = {s for p in PATIENTS for s, m in p.items() if m.amplitude[SPIKE].any()}
    assert with_spike == {"/"}


def test_spike_comes_20_to_40_ms_before_the_qrs_complex():
    ahead = [m.qrs_window()[0] - m.time[SPIKE] for m in morphologies("/")]
    assert min(ahead) >= 0.02
    assert max(ahead) <= 0.04


def test_left_bundle_branch_block_has_no_q_wave():
    q = WAVES.index("Q")
    assert not any(m.amplitude[q].any() for m in morphologies("L"))


def test_left_bundle_branch_block_is_negative_in_v1():
    assert all(m.amplitude[QRS, 1].sum() < 0 for m in morphologies("L"))


def test_right_bundle_branch_block_ends_positive_in_v1():
    last = WAVES.index("S2")
    assert all(m.amplitude[last, 1] > 0.4 for m in morphologies("R"))


@pytest.mark.parametrize("symbol", ["L", "/"])
def test_t_wave_is_discordant(symbol):
    discordant = [m.amplitude[T, 0] * m.amplitude[QRS, 0].sum() < 0 for m in morphologies(symbol)]
    assert all(discordant)


def test_atrial_premature_beats_have_the_qrs_shape_of_the_base_beat():
    for patient in PATIENTS:
        base, early = patient["N"].amplitude[QRS], patient["A"].amplitude[QRS]
        assert_allclose(early, base * (early.sum() / base.sum()), atol=1e-12)


def test_atrial_premature_beats_have_a_different_p_wave():
    ratio = [m["A"].amplitude[0, 0] / m["N"].amplitude[0, 0] for m in PATIENTS]
    assert min(ratio) < 0 < 0.5 < max(ratio)


@pytest.mark.parametrize("symbol", ["N", "L", "R"])
def test_p_wave_does_not_depend_on_the_conduction(symbol):
    for patient in PATIENTS[:5]:
        assert_array_equal(patient[symbol].amplitude[ATRIAL], patient["N"].amplitude[ATRIAL])


def test_patients_differ_in_r_wave():
    sizes = [m.amplitude[WAVES.index("R"), 0] for m in morphologies("N")]
    assert max(sizes) > 3 * min(sizes)
    assert np.std(sizes) > 0.2 * np.mean(sizes)


@pytest.fixture
def patient():
    return draw_patient(np.random.default_rng(5), heart_rate=60.0)._replace(**NO_VARIATION)


def record(patient, symbols, times=None, blocked=(), duration=None, noise=0.0):
    times = 1.0 + np.arange(len(symbols)) if times is None else np.asarray(times, dtype=float)
    return record_ecg(
        np.random.default_rng(0),
        patient,
        np.array(list(symbols), dtype="<U1"),
        Rhythm(times, np.asarray(blocked, dtype=float)),
        Recorder(fs=360.0, n_leads=3, noise=noise, mains=60.0),
        duration=len(symbols) + 1.0 if duration is None else duration,
    )


def test_r_peaks_lie_near_the_times_of_the_beats(patient):
    r_peaks = record(patient, "NVLRA/").r_peaks / 360
    assert_allclose(r_peaks, 1.0 + np.arange(6), atol=0.13)


def test_beats_without_scatter_are_equal(patient):
    signal = record(patient, "NNNN").signal[0]
    assert_allclose(signal[540:900], signal[900:1260], atol=1e-6)


def test_scatter_changes_the_beats(patient):
    signal = record(patient._replace(scatter=0.05), "NNNN").signal[0]
    assert np.abs(signal[540:900] - signal[900:1260]).max() > 0.02


def test_fusion_beat_is_between_normal_and_ventricular(patient):
    normal, fusion, ventricular = (record(patient, s).signal[0, 330:720] for s in "NFV")
    difference = ventricular - normal
    share = (fusion - normal) @ difference / (difference @ difference)
    assert 0.25 < share < 0.65
    # the P wave, which stays the same, ends before sample 330
    assert_allclose(fusion, normal + share * difference, atol=0.01)


def test_blocked_impulse_has_a_p_wave_alone(patient):
    empty = record(patient, "N", times=[1.0], duration=4.0).signal[0]
    added = record(patient, "N", times=[1.0], blocked=[3.0], duration=4.0).signal[0] - empty
    p_wave = np.flatnonzero(np.abs(added) > 0.2 * np.abs(added).max()) / 360
    assert np.abs(added).max() > 0.0
    assert 2.7 < p_wave.min() < p_wave.max() < 2.95


def test_qt_shortens_with_the_interval(patient):
    def t_peak(rr):
        fast = patient._replace(pacemaker=patient.pacemaker._replace(rr=rr))
        ecg = record(fast, "NN", times=[1.0, 1.0 + rr], duration=3.0)
        after = ecg.signal[0, ecg.r_peaks[1] + 50 :]
        return np.abs(after).argmax()

    assert t_peak(0.6) < 0.9 * t_peak(1.0)


def test_beat_cut_by_the_edge_is_not_complete(patient):
    ecg = record(patient, "NNN", times=[0.01, 1.0, 1.99], duration=2.0)
    assert ecg.is_complete.tolist() == [False, True, False]


def test_noise_is_added_to_the_clean_ecg(patient):
    clean, noisy = (record(patient, "NNVN", noise=noise) for noise in (0.0, 1.0))
    double = record(patient, "NNVN", noise=2.0)
    assert_array_equal(clean.r_peaks, noisy.r_peaks)
    assert_allclose(double.signal - clean.signal, 2 * (noisy.signal - clean.signal), atol=1e-12)


def electrode_noise(levels, *, seed=0, duration=120.0, fs=360.0, n_leads=1, mains=60.0):
    recorder = Recorder(fs=fs, n_leads=n_leads, noise=1.0, mains=mains)
    return draw_electrode_noise(np.random.default_rng(seed), levels, recorder, duration)


def share_within(noise, low, high, fs=360.0):
    frequency, power = welch(noise, fs, nperseg=8192)
    return power[(frequency >= low) & (frequency <= high)].sum() / power.sum()


def test_baseline_wander_is_slow():
    assert share_within(electrode_noise(NO_NOISE._replace(wander=0.1))[0], 0.0, 0.8) > 0.98


def test_muscle_noise_is_fast():
    assert share_within(electrode_noise(NO_NOISE._replace(muscle=0.02))[0], 14.0, 152.0) > 0.98


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_hum_has_mains_frequency(mains):
    noise = electrode_noise(NO_NOISE._replace(mains=0.01), mains=mains)[0]
    assert share_within(noise, mains - 0.5, mains + 0.5) > 0.99


def test_hum_above_nyquist_frequency_is_omitted():
    assert not electrode_noise(NO_NOISE._replace(mains=0.01), fs=100.0).any()


def test_electrode_motion_is_rare_and_short():
    noise = np.abs(electrode_noise(NO_NOISE._replace(motion=0.3), duration=600.0)[0])
    assert noise.max() > 0.2
    assert np.mean(noise > 0.02) < 0.2


@pytest.mark.parametrize("part", ["wander", "mains"])
def test_levels_are_root_mean_squares(part):
    noise = electrode_noise(NO_NOISE._replace(**{part: 0.1}), duration=600.0)
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.1, rel=0.3)


@pytest.mark.parametrize("fs", [720.0, 1440.0])
def test_noise_is_the_same_at_any_sampling_rate(fs):
    levels = draw_noise_levels(np.random.default_rng(0))
    fast = electrode_noise(levels, fs=fs, duration=20.5)
    assert_allclose(fast[:, :: int(fs / 360)], electrode_noise(levels, duration=20.5), atol=1e-3)


def test_noise_differs_between_leads():
    first, second = electrode_noise(draw_noise_levels(np.random.default_rng(0)), n_leads=2)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.5


def test_fractional_number_of_samples_is_rounded():
    assert electrode_noise(NO_NOISE, duration=10.001).shape == (1, 3600)


def test_zero_levels_give_zeros():
    assert_array_equal(electrode_noise(NO_NOISE), np.zeros((1, 43200)))
