import numpy as np
import pytest

from ecgbeat.datasets._simulator._heart import draw_heart
from ecgbeat.datasets._simulator._heart_cycles import draw_cycles

SEEDS = range(60)


def draw(kind="normal", *, seed=0, duration=3.0):
    rng = np.random.default_rng(seed)
    heart = draw_heart(rng, kind)
    return heart, draw_cycles(rng, heart, duration)


@pytest.mark.parametrize("kind", ["normal", "murmur", "extrastole"])
@pytest.mark.parametrize("duration", [1.5, 3.0, 20.0])
def test_beats_reach_beyond_both_ends(kind, duration):
    for seed in SEEDS:
        _, cycles = draw(kind, seed=seed, duration=duration)
        assert cycles.first[0] < -0.3
        assert cycles.first[-1] > duration


@pytest.mark.parametrize("kind", ["normal", "extrastole"])
def test_sounds_alternate(kind):
    for seed in SEEDS:
        _, cycles = draw(kind, seed=seed)
        order = np.stack([cycles.first, cycles.second], axis=1).ravel()
        assert np.diff(order).min() > 0.03


def test_a_recording_begins_anywhere_in_the_cycle():
    phases = []
    for seed in SEEDS:
        heart, cycles = draw(seed=seed)
        phases.append(cycles.first[cycles.first >= 0][0] / heart.pacemaker.rr)
    assert min(phases) < 0.1
    assert max(phases) > 0.9
    assert np.histogram(phases, bins=3, range=(0.0, 1.0))[0].min() > 8


@pytest.mark.parametrize("kind", ["normal", "murmur"])
def test_only_extrastole_has_extra_beats(kind):
    assert not draw(kind)[1].extra.any()


@pytest.mark.parametrize("duration", [1.5, 3.0, 8.0])
def test_an_extra_beat_and_the_one_before_are_within_every_recording(duration):
    for seed in SEEDS:
        _, cycles = draw("extrastole", seed=seed, duration=duration)
        within = (cycles.first >= 0) & (cycles.first < duration)
        assert (within[1:] & cycles.extra[1:] & within[:-1]).any()


def test_extra_beats_come_early_and_their_systole_is_short():
    for seed in SEEDS:
        heart, cycles = draw("extrastole", seed=seed)
        alone = np.flatnonzero(cycles.extra[1:] & ~cycles.extra[:-1]) + 1
        interval = np.diff(cycles.first)
        assert (interval[alone - 1] < 0.95 * heart.pacemaker.rr).all()
        systole = cycles.second - cycles.first
        assert systole[cycles.extra].mean() < 0.97 * systole[~cycles.extra].mean()


def test_the_pause_after_a_ventricular_extra_beat_is_long():
    pauses = []
    for seed in SEEDS:
        heart, cycles = draw("extrastole", seed=seed)
        if heart.ectopy.symbol == "V":
            last = np.flatnonzero(cycles.extra[:-1] & ~cycles.extra[1:])
            pauses += list(np.diff(cycles.first)[last] / heart.pacemaker.rr)
    assert np.median(pauses) > 1.15


def test_inspiration_comes_at_the_rate_of_breathing():
    heart, cycles = draw(duration=120.0)
    axis = np.linspace(0.05, 0.6, 500)
    wave = np.exp(-2j * np.pi * axis[:, None] * cycles.first)
    peak = axis[np.abs(wave @ (cycles.inspiration - cycles.inspiration.mean())).argmax()]
    assert peak == pytest.approx(heart.pacemaker.respiration, abs=0.02)
    assert cycles.inspiration.min() >= 0.0
    assert cycles.inspiration.max() <= 1.0
