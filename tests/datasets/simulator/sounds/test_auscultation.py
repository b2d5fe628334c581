import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import welch

from ecgbeat.datasets.simulator.sounds.auscultation import (
    AUSCULTATION_SITES,
    NoiseSources,
    Stethoscope,
    draw_murmur_signal,
    draw_noise,
    draw_noise_sources,
    murmur_envelope,
    record_artifact,
    record_heart,
)
from ecgbeat.datasets.simulator.sounds.heart import Murmur, draw_heart

NOISELESS = Stethoscope(fs=4000.0, duration=6.0, noise=0.0)
FIRST = np.arange(-1.0, 12.0)
SECOND = FIRST + 0.35
KINDS = ("ejection", "holosystolic", "diastolic")
NO_NOISE = NoiseSources(0.0, 0.0, 0.0, 0.0, 0.0, 300.0)


def record(label="normal", stethoscope=NOISELESS, *, seed=0, **changes):
    heart = draw_heart(np.random.default_rng(seed), label)._replace(**changes)
    return record_heart(np.random.default_rng(seed + 1000), heart, stethoscope)


def energy_after(sound, onsets, begin=0.0, end=0.15):
    """Mean energy per sample from begin to end seconds after each onset."""
    first, last = int(begin * 4000), int(end * 4000)
    inside = onsets[(onsets + last < len(sound.signal))]
    return np.mean(sound.signal[inside[:, None] + np.arange(first, last)] ** 2, axis=1)


def test_each_of_four_sites_has_four_valves():
    assert {np.shape(site) for site in AUSCULTATION_SITES.values()} == {(2, 2)}
    assert len(AUSCULTATION_SITES) == 4


def test_signal_is_near_zero_between_the_sounds():
    sound = record()
    outside = np.ones(len(sound.signal), dtype=bool)
    for onset in (*sound.s1, *sound.s2):
        outside[onset : onset + 900] = False
    outside[:900] = False  # where a sound from before may end
    assert np.abs(sound.signal[outside]).max() < 0.01
    assert energy_after(sound, sound.s1).min() > 1e-4
    assert energy_after(sound, sound.s2).min() > 1e-5


def test_murmur_fills_the_silence_between_the_sounds():
    def between(label):
        sound = record(label, seed=2)
        first = np.concatenate([energy_after(sound, sound.s1, 0.18, 0.22)])
        second = np.concatenate([energy_after(sound, sound.s2, 0.16, 0.20)])
        return max(np.median(first), np.median(second))

    assert between("murmur") > 20 * between("normal")


def test_beats_of_one_recording_are_similar():
    sound = record()
    whole = sound.s1[sound.s1 + 600 < len(sound.signal)]
    beats = np.corrcoef(sound.signal[whole[:, None] + np.arange(600)])
    assert beats.min() > 0.9


def test_beats_of_two_hearts_differ():
    first, other = (record(seed=seed) for seed in (0, 1))
    beats = [sound.signal[sound.s1[1] : sound.s1[1] + 600] for sound in (first, other)]
    assert np.corrcoef(*beats)[0, 1] < 0.8


def test_s2_omits_extra_beats_without_second_sound():
    for seed in range(40):
        ectopy = draw_heart(np.random.default_rng(seed), "extrastole").ectopy
        loud = record("extrastole", seed=seed, ectopy=ectopy._replace(second=0.5))
        silent = record("extrastole", seed=seed, ectopy=ectopy._replace(second=0.0))
        assert len(silent.s2) < len(loud.s2)
        assert_array_equal(silent.s1, loud.s1)


def test_signal_is_the_same_at_any_sampling_rate():
    slow, fast = record(), record(stethoscope=NOISELESS._replace(fs=8000.0))
    assert_allclose(fast.signal[::2], slow.signal, atol=1e-6)


def test_noise_is_added():
    clean, noisy, noisier = (
        record(stethoscope=NOISELESS._replace(noise=noise)).signal for noise in (0.0, 0.1, 0.2)
    )
    free = np.abs([clean, noisy, noisier]).max(axis=0) < 1.0
    assert free.mean() > 0.99
    assert_allclose((noisier - clean)[free], 2 * (noisy - clean)[free], atol=1e-9)
    assert (noisy - clean).std() > 1e-4


def test_loud_signal_is_clipped():
    sound = record(stethoscope=NOISELESS._replace(noise=50.0))
    assert np.abs(sound.signal).max() == 1.0


def test_onsets_are_sorted_samples_within_the_recording():
    for seed in range(20):
        sound = record("extrastole", seed=seed)
        for onsets in (sound.s1, sound.s2):
            assert onsets.dtype == np.int64
            assert (np.diff(onsets) > 0).all()
            assert onsets[0] >= 0
            assert onsets[-1] < len(sound.signal) == 24000


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_artifact_is_noise_alone(noise):
    sound = record_artifact(np.random.default_rng(0), NOISELESS._replace(noise=noise))
    assert len(sound.s1) == len(sound.s2) == 0
    assert sound.signal.std() > 0.02
    assert np.abs(sound.signal).max() <= 1.0


def murmur(kind, *, frequency=200.0):
    return Murmur(kind, loudness=0.2, frequency=frequency, width=0.5, crest=0.45)


def envelope(kind, t):
    return murmur_envelope(murmur(kind), np.asarray(t, dtype=float), FIRST, SECOND)


def murmur_noise(kind="holosystolic", *, fs=4000.0, **kwargs):
    rng = np.random.default_rng(0)
    stethoscope = Stethoscope(fs=fs, duration=10.0, noise=0.0)
    return draw_murmur_signal(rng, murmur(kind, **kwargs), FIRST, SECOND, stethoscope)


@pytest.mark.parametrize("kind", ["ejection", "holosystolic"])
def test_systolic_murmur_is_silent_in_diastole(kind):
    assert not envelope(kind, np.linspace(0.36, 1.0, 50)).any()


def test_diastolic_murmur_is_silent_in_systole():
    assert not envelope("diastolic", np.linspace(0.0, 0.35, 50)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_envelope_is_at_most_1(kind):
    values = envelope(kind, np.linspace(0.0, 10.0, 5000))
    assert 0.7 < values.max() <= 1.0
    assert values.min() == 0.0


def test_ejection_murmur_rises_and_falls():
    rising, falling = (
        envelope("ejection", np.linspace(0.03, 0.17, 30)),
        envelope("ejection", np.linspace(0.175, 0.35, 30)),
    )
    assert (np.diff(rising) > 0).all()
    assert (np.diff(falling) < 0).all()


def test_holosystolic_murmur_is_constant():
    assert_allclose(envelope("holosystolic", np.linspace(0.08, 0.3, 30)), 1.0)


def test_diastolic_murmur_begins_with_the_second_sound_and_falls():
    assert envelope("diastolic", [0.45]) > 0.5
    assert (np.diff(envelope("diastolic", np.linspace(0.45, 1.0, 50))) < 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_envelope_outside_of_the_beats_is_finite(kind):
    assert np.isfinite(envelope(kind, [-5.0, 50.0])).all()


@pytest.mark.parametrize("frequency", [150.0, 300.0])
def test_murmur_spectrum_lies_around_its_center(frequency):
    axis, power = welch(murmur_noise(frequency=frequency), 4000.0, nperseg=2048)
    within = (axis > frequency / 2.2) & (axis < frequency * 2.2)
    assert power[within].sum() > 0.8 * power.sum()


def test_loudness_is_the_largest_root_mean_square():
    t = np.arange(40000) / 4000.0
    loudest = envelope("holosystolic", t) == 1.0
    assert murmur_noise()[loudest].std() == pytest.approx(0.2, rel=0.1)


def test_murmur_is_the_same_at_any_sampling_rate():
    assert_allclose(murmur_noise(fs=8000.0)[::2], murmur_noise(), atol=1e-9)


def noise_of(sources, *, fs=4000.0, duration=20.0, phase=0.0):
    return draw_noise(
        np.random.default_rng(0),
        sources,
        Stethoscope(fs=fs, duration=duration, noise=1.0),
        respiration=0.25,
        phase=phase,
    )


def share_within(noise, low, high, fs=4000.0):
    frequency, power = welch(noise, fs, nperseg=4096)
    return power[(frequency >= low) & (frequency <= high)].sum() / power.sum()


def test_no_noise_sources_give_zeros():
    assert not noise_of(NO_NOISE).any()


def test_room_noise_has_most_power_at_low_frequencies():
    noise = noise_of(NO_NOISE._replace(room=0.1))
    assert noise.std() == pytest.approx(0.1, rel=0.1)
    assert share_within(noise, 10.0, 200.0) > 2 * share_within(noise, 500.0, 2000.0)


def test_breath_is_loud_twice_a_cycle():
    noise = noise_of(NO_NOISE._replace(breath=0.1))
    phase = (np.arange(len(noise)) / 4000.0 * 0.25) % 1.0
    flowing, still = np.abs(phase - 0.25) < 0.05, np.abs(phase - 0.5) < 0.05
    assert noise[flowing].std() > 5 * noise[still].std()


def test_inspiration_is_louder_than_expiration():
    noise = noise_of(NO_NOISE._replace(breath=0.1))
    phase = (np.arange(len(noise)) / 4000.0 * 0.25) % 1.0
    assert noise[phase < 0.5].std() > 1.5 * noise[phase > 0.5].std()


def test_friction_is_short():
    noise = np.abs(noise_of(NO_NOISE._replace(friction=0.2, strokes=0.5)))
    assert noise.max() > 0.1
    assert np.mean(noise > 0.01) < 0.25


def test_voice_spectrum_lies_around_its_formant():
    noise = noise_of(NO_NOISE._replace(voice=0.1))
    assert share_within(noise, 130.0, 700.0) > 0.85


def test_voice_is_modulated_by_syllables():
    loud = noise_of(NO_NOISE._replace(voice=0.1)).reshape(-1, 200).std(axis=1)
    assert np.mean(loud < 0.005) > 0.2
    assert np.mean(loud > 0.05) > 0.2


def test_noise_is_the_same_at_any_sampling_rate():
    sources = draw_noise_sources(np.random.default_rng(1))
    assert_allclose(noise_of(sources, fs=8000.0)[::2], noise_of(sources), atol=1e-3)


def test_one_recording_in_four_is_noisier():
    strokes = [draw_noise_sources(np.random.default_rng(seed)).strokes for seed in range(200)]
    assert 0.15 < np.mean(np.array(strokes) > min(strokes)) < 0.35


def test_artifact_is_louder_than_other_noise():
    rooms = [
        [draw_noise_sources(np.random.default_rng(seed), artifact=a).room for seed in range(50)]
        for a in (False, True)
    ]
    assert np.median(rooms[1]) > 2 * np.median(rooms[0])
    assert draw_noise_sources(np.random.default_rng(0), artifact=True).voice > 0
