import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ecgbeat.datasets._simulator._auscultation import (
    PLACES,
    Stethoscope,
    record_artifact,
    record_heart,
)
from ecgbeat.datasets._simulator._heart import draw_heart

QUIET = Stethoscope(fs=4000.0, duration=6.0, noise=0.0)


def record(kind="normal", stethoscope=QUIET, *, seed=0, **changes):
    heart = draw_heart(np.random.default_rng(seed), kind)._replace(**changes)
    return record_heart(np.random.default_rng(seed + 1000), heart, stethoscope)


def energy_after(sound, onsets, begin=0.0, end=0.15):
    """Mean energy per sample from begin to end seconds after each onset."""
    first, last = int(begin * 4000), int(end * 4000)
    inside = onsets[(onsets + last < len(sound.signal))]
    return np.mean(sound.signal[inside[:, None] + np.arange(first, last)] ** 2, axis=1)


def test_there_are_four_places_each_with_four_valves():
    assert {np.shape(place) for place in PLACES.values()} == {(2, 2)}
    assert len(PLACES) == 4


def test_the_signal_lies_where_the_sounds_are():
    sound = record()
    outside = np.ones(len(sound.signal), dtype=bool)
    for onset in (*sound.s1, *sound.s2):
        outside[onset : onset + 900] = False
    outside[:900] = False  # where a sound from before may end
    assert np.abs(sound.signal[outside]).max() < 0.01
    assert energy_after(sound, sound.s1).min() > 1e-4
    assert energy_after(sound, sound.s2).min() > 1e-5


def test_a_murmur_fills_what_is_silent_otherwise():
    def between(kind):
        sound = record(kind, seed=2)
        first = np.concatenate([energy_after(sound, sound.s1, 0.18, 0.22)])
        second = np.concatenate([energy_after(sound, sound.s2, 0.16, 0.20)])
        return max(np.median(first), np.median(second))

    assert between("murmur") > 20 * between("normal")


def test_the_beats_of_one_recording_sound_alike():
    sound = record()
    whole = sound.s1[sound.s1 + 600 < len(sound.signal)]
    beats = np.corrcoef(sound.signal[whole[:, None] + np.arange(600)])
    assert beats.min() > 0.9


def test_hearts_sound_different():
    first, other = (record(seed=seed) for seed in (0, 1))
    beats = [sound.signal[sound.s1[1] : sound.s1[1] + 600] for sound in (first, other)]
    assert np.corrcoef(*beats)[0, 1] < 0.8


def test_extra_beats_without_second_sound_have_none_in_s2():
    for seed in range(40):
        ectopy = draw_heart(np.random.default_rng(seed), "extrastole").ectopy
        loud = record("extrastole", seed=seed, ectopy=ectopy._replace(second=0.5))
        silent = record("extrastole", seed=seed, ectopy=ectopy._replace(second=0.0))
        assert len(silent.s2) < len(loud.s2)
        assert_array_equal(silent.s1, loud.s1)


def test_without_noise_two_rates_give_the_same_signal():
    slow, fast = record(), record(stethoscope=QUIET._replace(fs=8000.0))
    assert_allclose(fast.signal[::2], slow.signal, atol=1e-6)


def test_noise_is_added():
    clean, noisy, noisier = (
        record(stethoscope=QUIET._replace(noise=noise)).signal for noise in (0.0, 0.1, 0.2)
    )
    free = np.abs([clean, noisy, noisier]).max(axis=0) < 1.0
    assert free.mean() > 0.99
    assert_allclose((noisier - clean)[free], 2 * (noisy - clean)[free], atol=1e-9)
    assert (noisy - clean).std() > 1e-4


def test_what_is_too_loud_is_clipped():
    sound = record(stethoscope=QUIET._replace(noise=50.0))
    assert np.abs(sound.signal).max() == 1.0


def test_events_lie_in_the_recording():
    for seed in range(20):
        sound = record("extrastole", seed=seed)
        for onsets in (sound.s1, sound.s2):
            assert onsets.dtype == np.int64
            assert (np.diff(onsets) > 0).all()
            assert onsets[0] >= 0
            assert onsets[-1] < len(sound.signal) == 24000


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_an_artifact_is_noise_alone(noise):
    sound = record_artifact(np.random.default_rng(0), QUIET._replace(noise=noise))
    assert len(sound.s1) == len(sound.s2) == 0
    assert sound.signal.std() > 0.02
    assert np.abs(sound.signal).max() <= 1.0
