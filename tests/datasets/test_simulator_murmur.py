import numpy as np
import pytest
from scipy.signal import welch

from ecgbeat.datasets._simulator._murmur import (
    Murmur,
    draw_murmur,
    murmur_envelope,
    sound_murmur,
)

FIRST = np.arange(-1.0, 12.0)
SECOND = FIRST + 0.35
KINDS = ("ejection", "holosystolic", "diastolic")


def murmur(kind, *, frequency=200.0):
    return Murmur(kind, loudness=0.2, frequency=frequency, width=0.5, crest=0.45)


def envelope(kind, t):
    return murmur_envelope(murmur(kind), np.asarray(t, dtype=float), FIRST, SECOND)


def sound(kind="holosystolic", *, fs=4000.0, **kwargs):
    rng = np.random.default_rng(0)
    return sound_murmur(rng, murmur(kind, **kwargs), FIRST, SECOND, duration=10.0, fs=fs)


@pytest.mark.parametrize("kind", ["ejection", "holosystolic"])
def test_systolic_murmurs_are_silent_in_diastole(kind):
    assert not envelope(kind, np.linspace(0.36, 1.0, 50)).any()


def test_a_diastolic_murmur_is_silent_in_systole():
    assert not envelope("diastolic", np.linspace(0.0, 0.35, 50)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_loudness_is_at_most_1(kind):
    values = envelope(kind, np.linspace(0.0, 10.0, 5000))
    assert 0.7 < values.max() <= 1.0
    assert values.min() == 0.0


def test_an_ejection_murmur_swells_and_fades():
    rising, fading = (
        envelope("ejection", np.linspace(0.03, 0.17, 30)),
        envelope("ejection", np.linspace(0.175, 0.35, 30)),
    )
    assert (np.diff(rising) > 0).all()
    assert (np.diff(fading) < 0).all()


def test_a_holosystolic_murmur_is_level():
    np.testing.assert_allclose(envelope("holosystolic", np.linspace(0.08, 0.3, 30)), 1.0)


def test_a_diastolic_murmur_begins_with_the_second_sound_and_fades():
    assert envelope("diastolic", [0.45]) > 0.5
    assert (np.diff(envelope("diastolic", np.linspace(0.45, 1.0, 50))) < 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_times_outside_of_the_beats_are_no_error(kind):
    assert np.isfinite(envelope(kind, [-5.0, 50.0])).all()


@pytest.mark.parametrize("frequency", [150.0, 300.0])
def test_the_spectrum_lies_around_its_middle(frequency):
    axis, power = welch(sound(frequency=frequency), 4000.0, nperseg=2048)
    within = (axis > frequency / 2.2) & (axis < frequency * 2.2)
    assert power[within].sum() > 0.8 * power.sum()


def test_loudness_is_the_root_mean_square_where_it_is_loudest():
    t = np.arange(40000) / 4000.0
    loudest = envelope("holosystolic", t) == 1.0
    assert sound()[loudest].std() == pytest.approx(0.2, rel=0.1)


def test_one_seed_gives_one_murmur_at_any_sampling_rate():
    np.testing.assert_allclose(sound(fs=8000.0)[::2], sound(), atol=1e-9)


def test_patients_have_all_kinds_and_many_grades():
    drawn = [draw_murmur(np.random.default_rng(seed)) for seed in range(100)]
    assert {m.kind for m in drawn} == set(KINDS)
    assert min(m.loudness for m in drawn) < 0.06
    assert max(m.loudness for m in drawn) > 0.25
    assert all(100.0 < m.frequency < 500.0 for m in drawn)
