import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ecgbeat.datasets.simulator.sounds.heart import (
    draw_cycles,
    draw_heart,
    draw_murmur,
    systole_s,
)

SEEDS = range(60)


def hearts(label="normal", n=200):
    return [draw_heart(np.random.default_rng(seed), label) for seed in range(n)]


def test_rates_are_50_to_130_a_minute():
    rates = [60.0 / heart.pacemaker.rr for heart in hearts()]
    assert 50.0 <= min(rates) < 56.0
    assert 115.0 < max(rates) <= 130.0


def test_systole_takes_about_a_third_of_a_second_at_rest():
    assert 0.29 < systole_s(60.0 / 70.0) < 0.36


def test_systole_shortens_less_with_the_rate_than_diastole():
    rr = 60.0 / np.array([60.0, 120.0])
    systole = systole_s(rr)
    diastole = rr - systole
    assert systole[1] / systole[0] > 1.4 * diastole[1] / diastole[0]


def test_valves_oscillate_at_20_to_400_hz():
    frequency = np.stack([heart.valves.frequency for heart in hearts()])
    assert frequency.shape == (200, 2, 2, 3)
    assert frequency.min() > 20.0
    assert frequency.max() < 500.0


def test_second_sound_is_higher_and_shorter():
    first, second = zip(*(heart.valves.frequency[:, 0, 0] for heart in hearts()), strict=True)
    assert np.median(second) > 1.2 * np.median(first)
    first, second = zip(*(heart.valves.decay[:, 0, 0] for heart in hearts()), strict=True)
    assert np.median(second) < 0.85 * np.median(first)


def test_pulmonary_valve_lags_by_10_to_50_ms():
    splits = [(heart.split[1], heart.split[1] + heart.inspiration) for heart in hearts()]
    assert min(narrow for narrow, _ in splits) >= 0.010
    assert 0.040 < max(wide for _, wide in splits) <= 0.050


@pytest.mark.parametrize(
    ("label", "murmur", "ectopy"),
    [("normal", False, False), ("murmur", True, False), ("extrastole", False, True)],
)
def test_classes_differ_in_murmur_and_ectopy(label, murmur, ectopy):
    heart = draw_heart(np.random.default_rng(0), label)
    assert (heart.murmur is not None) is murmur
    assert (heart.ectopy is not None) is ectopy


@pytest.mark.parametrize("label", ["murmur", "extrastole"])
def test_classes_do_not_differ_in_pacemaker_and_valves(label):
    normal, other = (draw_heart(np.random.default_rng(0), k) for k in ("normal", label))
    assert other.pacemaker == normal.pacemaker
    assert other.split == normal.split
    assert_array_equal(other.valves.amplitude, normal.valves.amplitude)


def test_premature_beats_come_after_the_second_sound():
    for heart in hearts("extrastole"):
        rr, coupling = heart.pacemaker.rr, heart.pacemaker.coupling[heart.ectopy.symbol]
        assert systole_s(rr) + 0.1 < coupling * rr < rr


def test_some_extra_beats_have_no_second_sound():
    without_second = [heart.ectopy.second == 0 for heart in hearts("extrastole")]
    assert 0.25 < np.mean(without_second) < 0.55


def test_murmurs_have_all_kinds_and_many_grades():
    drawn = [draw_murmur(np.random.default_rng(seed)) for seed in range(100)]
    assert {m.kind for m in drawn} == {"ejection", "holosystolic", "diastolic"}
    assert min(m.loudness for m in drawn) < 0.06
    assert max(m.loudness for m in drawn) > 0.25
    assert all(100.0 < m.frequency < 500.0 for m in drawn)


def cycles_of(label="normal", *, seed=0, duration=3.0):
    rng = np.random.default_rng(seed)
    heart = draw_heart(rng, label)
    return heart, draw_cycles(rng, heart, duration)


@pytest.mark.parametrize("label", ["normal", "murmur", "extrastole"])
@pytest.mark.parametrize("duration", [1.5, 3.0, 20.0])
def test_beats_reach_beyond_both_ends(label, duration):
    for seed in SEEDS:
        _, cycles = cycles_of(label, seed=seed, duration=duration)
        assert cycles.first[0] < -0.3
        assert cycles.first[-1] > duration


@pytest.mark.parametrize("label", ["normal", "extrastole"])
def test_first_and_second_sounds_alternate(label):
    for seed in SEEDS:
        _, cycles = cycles_of(label, seed=seed)
        order = np.stack([cycles.first, cycles.second], axis=1).ravel()
        assert np.diff(order).min() > 0.03


def test_recording_begins_anywhere_in_the_cycle():
    phases = []
    for seed in SEEDS:
        heart, cycles = cycles_of(seed=seed)
        phases.append(cycles.first[cycles.first >= 0][0] / heart.pacemaker.rr)
    assert min(phases) < 0.1
    assert max(phases) > 0.9
    assert np.histogram(phases, bins=3, range=(0.0, 1.0))[0].min() > 8


@pytest.mark.parametrize("label", ["normal", "murmur"])
def test_only_extrastole_has_extra_beats(label):
    assert not cycles_of(label)[1].is_extra.any()


@pytest.mark.parametrize("duration", [1.5, 3.0, 8.0])
def test_each_recording_contains_an_extra_beat_and_the_one_before(duration):
    for seed in SEEDS:
        _, cycles = cycles_of("extrastole", seed=seed, duration=duration)
        within = (cycles.first >= 0) & (cycles.first < duration)
        assert (within[1:] & cycles.is_extra[1:] & within[:-1]).any()


def test_extra_beats_come_early_and_their_systole_is_short():
    for seed in SEEDS:
        heart, cycles = cycles_of("extrastole", seed=seed)
        alone = np.flatnonzero(cycles.is_extra[1:] & ~cycles.is_extra[:-1]) + 1
        interval = np.diff(cycles.first)
        assert (interval[alone - 1] < 0.95 * heart.pacemaker.rr).all()
        systole = cycles.second - cycles.first
        assert systole[cycles.is_extra].mean() < 0.97 * systole[~cycles.is_extra].mean()


def test_pause_after_ventricular_extra_beat_is_long():
    pauses = []
    for seed in SEEDS:
        heart, cycles = cycles_of("extrastole", seed=seed)
        if heart.ectopy.symbol == "V":
            last = np.flatnonzero(cycles.is_extra[:-1] & ~cycles.is_extra[1:])
            pauses += list(np.diff(cycles.first)[last] / heart.pacemaker.rr)
    assert np.median(pauses) > 1.15


def test_inspiration_has_respiratory_rate():
    heart, cycles = cycles_of(duration=120.0)
    axis = np.linspace(0.05, 0.6, 500)
    wave = np.exp(-2j * np.pi * axis[:, None] * cycles.first)
    peak = axis[np.abs(wave @ (cycles.inspiration - cycles.inspiration.mean())).argmax()]
    assert peak == pytest.approx(heart.pacemaker.respiration, abs=0.02)
    assert cycles.inspiration.min() >= 0.0
    assert cycles.inspiration.max() <= 1.0
