import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import welch

from ecgbeat.datasets._simulator._auscultation_noise import (
    Surroundings,
    draw_noise,
    draw_surroundings,
)

SILENT = Surroundings(0.0, 0.0, 0.0, 0.0, 0.0, 300.0)


def draw(surroundings, *, fs=4000.0, duration=20.0, breath=0.0):
    return draw_noise(
        np.random.default_rng(0),
        surroundings,
        respiration=0.25,
        breath=breath,
        duration=duration,
        fs=fs,
    )


def share_within(noise, low, high, fs=4000.0):
    frequency, power = welch(noise, fs, nperseg=4096)
    return power[(frequency >= low) & (frequency <= high)].sum() / power.sum()


def test_silent_surroundings_are_silent():
    assert not draw(SILENT).any()


def test_the_room_rumbles_more_than_it_hisses():
    noise = draw(SILENT._replace(room=0.1))
    assert noise.std() == pytest.approx(0.1, rel=0.1)
    assert share_within(noise, 10.0, 200.0) > 2 * share_within(noise, 500.0, 2000.0)


def test_breath_comes_and_goes_twice_a_cycle():
    noise = draw(SILENT._replace(breath=0.1))
    phase = (np.arange(len(noise)) / 4000.0 * 0.25) % 1.0
    flowing, still = np.abs(phase - 0.25) < 0.05, np.abs(phase - 0.5) < 0.05
    assert noise[flowing].std() > 5 * noise[still].std()


def test_inspiration_is_louder_than_expiration():
    noise = draw(SILENT._replace(breath=0.1))
    phase = (np.arange(len(noise)) / 4000.0 * 0.25) % 1.0
    assert noise[phase < 0.5].std() > 1.5 * noise[phase > 0.5].std()


def test_friction_is_short():
    noise = np.abs(draw(SILENT._replace(friction=0.2, strokes=0.5)))
    assert noise.max() > 0.1
    assert np.mean(noise > 0.01) < 0.25


def test_voices_lie_around_their_formant():
    noise = draw(SILENT._replace(voice=0.1))
    assert share_within(noise, 130.0, 700.0) > 0.85


def test_voices_come_in_syllables():
    loud = draw(SILENT._replace(voice=0.1)).reshape(-1, 200).std(axis=1)
    assert np.mean(loud < 0.005) > 0.2
    assert np.mean(loud > 0.05) > 0.2


def test_one_seed_gives_one_noise_at_any_sampling_rate():
    surroundings = draw_surroundings(np.random.default_rng(1))
    assert_allclose(draw(surroundings, fs=8000.0)[::2], draw(surroundings), atol=1e-3)


def test_one_recording_in_four_is_restless():
    strokes = [draw_surroundings(np.random.default_rng(seed)).strokes for seed in range(200)]
    assert 0.15 < np.mean(np.array(strokes) > min(strokes)) < 0.35


def test_an_artifact_is_louder_than_all_others():
    rooms = [
        [draw_surroundings(np.random.default_rng(seed), artifact=a).room for seed in range(50)]
        for a in (False, True)
    ]
    assert np.median(rooms[1]) > 2 * np.median(rooms[0])
    assert draw_surroundings(np.random.default_rng(0), artifact=True).voice > 0
