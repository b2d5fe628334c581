import numpy as np
import pytest

from ecgbeat.datasets._simulator._heart import draw_heart, systole_s


def hearts(kind="normal", n=200):
    return [draw_heart(np.random.default_rng(seed), kind) for seed in range(n)]


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


def test_the_second_sound_is_higher_and_shorter():
    first, second = zip(*(heart.valves.frequency[:, 0, 0] for heart in hearts()), strict=True)
    assert np.median(second) > 1.2 * np.median(first)
    first, second = zip(*(heart.valves.decay[:, 0, 0] for heart in hearts()), strict=True)
    assert np.median(second) < 0.85 * np.median(first)


def test_the_pulmonary_valve_lags_by_10_to_50_ms():
    splits = [(heart.split[1], heart.split[1] + heart.inspiration) for heart in hearts()]
    assert min(narrow for narrow, _ in splits) >= 0.010
    assert 0.040 < max(wide for _, wide in splits) <= 0.050


@pytest.mark.parametrize(
    ("kind", "murmur", "ectopy"),
    [("normal", False, False), ("murmur", True, False), ("extrastole", False, True)],
)
def test_a_class_adds_what_its_name_says(kind, murmur, ectopy):
    heart = draw_heart(np.random.default_rng(0), kind)
    assert (heart.murmur is not None) is murmur
    assert (heart.ectopy is not None) is ectopy


@pytest.mark.parametrize("kind", ["murmur", "extrastole"])
def test_a_class_adds_nothing_else(kind):
    normal, other = (draw_heart(np.random.default_rng(0), k) for k in ("normal", kind))
    assert other.pacemaker == normal.pacemaker
    assert other.split == normal.split
    np.testing.assert_array_equal(other.valves.amplitude, normal.valves.amplitude)


def test_premature_beats_leave_the_second_sound_before_them_alone():
    for heart in hearts("extrastole"):
        rr, coupling = heart.pacemaker.rr, heart.pacemaker.coupling[heart.ectopy.symbol]
        assert systole_s(rr) + 0.1 < coupling * rr < rr


def test_some_extra_beats_have_no_second_sound():
    silent = [heart.ectopy.second == 0 for heart in hearts("extrastole")]
    assert 0.25 < np.mean(silent) < 0.55
