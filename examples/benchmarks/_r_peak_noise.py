"""Noise of our own making for r_peaks.py, at a signal-to-noise ratio as WFDB's nst defines it."""

import numpy as np
from scipy import signal, stats

_HALF_QRS_S = 0.05
_N_MEASURED = 300  # beats, and seconds of noise, that set the signal-to-noise ratio
_TRIMMED = 0.05  # of these on either side


def add_noise(x, fs, kind, snr_db, rng, *, reference):
    """Add synthetic noise at a signal-to-noise ratio defined as in WFDB's program nst.

    Signal power is A**2 / 8, where A is the QRS complexes' peak-to-peak amplitude: the range
    of values 50 ms to either side of each of the first 300 beats, averaged without the
    largest and the smallest 5 %. Noise power is the square of the noise's amplitude: the
    standard deviation of each of its first 300 seconds, averaged likewise, so that what moves
    slower than a second counts for little. Unlike nst, beats of all kinds are measured, and
    the noise lasts from the first sample to the last, without a quiet part to learn from.

    Parameters
    ----------
    x : ndarray of shape (n_times,)
        Recording.
    fs : float
        Sampling rate in Hz.
    kind : {"baseline", "electrode", "motion", "muscle"}
        What makes the noise.
    snr_db : float
        Signal-to-noise ratio in dB.
    rng : numpy.random.Generator
        Draws the noise.
    reference : ndarray of int
        The beats, whose amplitude is measured.

    Returns
    -------
    ndarray of shape (n_times,)
    """
    noise = NOISES[kind](rng, len(x), fs)
    power = _qrs_amplitude(x, fs, reference) ** 2 / 8
    gain = np.sqrt(power / 10 ** (snr_db / 10)) / _noise_amplitude(noise, fs)
    return x + gain * noise


def _qrs_amplitude(x, fs, reference):
    """Measure the peak-to-peak amplitude of the first beats."""
    half = round(_HALF_QRS_S * fs)
    ranges = [np.ptp(x[max(0, beat - half) : beat + half + 1]) for beat in reference[:_N_MEASURED]]
    return stats.trim_mean(ranges, _TRIMMED)


def _noise_amplitude(noise, fs):
    """Measure the standard deviation within one second."""
    n_chunk = min(round(fs), len(noise))
    n_chunks = min(_N_MEASURED, len(noise) // n_chunk)
    chunks = noise[: n_chunk * n_chunks].reshape(n_chunks, n_chunk)
    return stats.trim_mean(chunks.std(axis=1), _TRIMMED)


def baseline_noise(rng, n_times, fs):
    """Draw wander: amplitude falls with 1 / f up to 0.5 Hz (breathing, posture), then 1 / f**2."""
    return _shaped(rng, n_times, fs, lambda f: np.where(f < 0.5, f, 2 * f**2) ** -1.0 * (f > 0.03))


def muscle_noise(rng, n_times, fs):
    """Draw muscle activity: 20 to 150 Hz, falling off slowly below, in bursts of seconds."""
    wave = _shaped(
        rng, n_times, fs, lambda f: 1 / np.sqrt((1 + (20 / f) ** 2) * (1 + (f / 150) ** 4))
    )
    effort = _shaped(rng, n_times, fs, lambda f: 1.0 * (f < 0.3))
    return wave * np.exp(0.7 * effort)


def motion_noise(rng, n_times, fs):
    """Draw rocking of the electrodes: 0.5 to 12 Hz, waxing and waning over seconds.

    It lies in the band of the QRS complex, and is the hardest noise for its power.
    """
    wave = _shaped(
        rng, n_times, fs, lambda f: 1 / np.sqrt((1 + (0.5 / f) ** 4) * (1 + (f / 12) ** 4))
    )
    effort = _shaped(rng, n_times, fs, lambda f: 1.0 * (f < 0.3))
    return wave * np.exp(0.6 * effort)


def electrode_noise(rng, n_times, fs):
    """Draw electrode motion: jolts that look like beats, with wander and muscle noise.

    Jolts come about once a second, crowded where the patient moves. Half of them are steps
    that decay within 0.1 to 1 s, half are single waves of 20 to 150 ms of either sign.
    """
    motion = np.exp(_shaped(rng, n_times, fs, lambda f: 1.0 * (f < 0.1)))
    jolts = np.zeros(n_times)
    for start in np.flatnonzero(rng.random(n_times) < motion / motion.mean() / fs):
        size = rng.laplace()
        if rng.random() < 0.5:
            decay = rng.uniform(0.1, 1.0) * fs
            shape = np.exp(-np.arange(int(5 * decay)) / decay)
        else:
            width = rng.uniform(0.02, 0.15) * fs
            shape = 2 * signal.windows.gaussian(int(4 * width) + 1, width / 2)
        part = jolts[start : start + len(shape)]
        part += size * shape[: len(part)]
    # edges as sharp as the skin under an electrode can move
    jolts = signal.sosfilt(signal.butter(1, min(30.0, 0.45 * fs), fs=fs, output="sos"), jolts)
    waves = [jolts, baseline_noise(rng, n_times, fs), muscle_noise(rng, n_times, fs)]
    return sum(
        weight * wave / (_noise_amplitude(wave, fs) or 1.0)
        for weight, wave in zip((1.0, 0.5, 0.3), waves, strict=True)
    )


NOISES = {
    "electrode": electrode_noise,
    "motion": motion_noise,
    "muscle": muscle_noise,
    "baseline": baseline_noise,
}


def _shaped(rng, n_times, fs, amplitude_at):
    """Draw Gaussian noise of variance 1 whose spectrum has the amplitude of a function of Hz."""
    n_fft = 2 ** int(np.ceil(np.log2(max(2, n_times))))  # of any length, fast to transform
    frequencies = np.fft.rfftfreq(n_fft, 1 / fs)
    amplitude = np.zeros(len(frequencies))
    amplitude[1:] = amplitude_at(frequencies[1:])
    spectrum = amplitude * (rng.standard_normal((len(amplitude), 2)) @ [1, 1j])
    wave = np.fft.irfft(spectrum, n_fft)[:n_times]
    return wave / (wave.std() or 1.0)
