"""Simulated noise for r_peaks.py, with the signal-to-noise ratio of the WFDB program nst."""

import numpy as np
from scipy import signal, stats

_HALF_QRS_S = 0.05
_N_MEASURED = 300  # beats, and seconds of noise, used for the signal-to-noise ratio
_TRIMMED = 0.05  # fraction trimmed on each side


def add_noise(x, fs, kind, snr_db, rng, *, reference):
    """Add simulated noise with a signal-to-noise ratio as defined in the WFDB program nst.

    The signal power is A**2 / 8, where A is the peak-to-peak amplitude of the QRS complexes: the
    range of values within 50 ms of each of the first 300 beats, averaged without the largest and
    the smallest 5 %. The noise power is the square of the noise amplitude: the standard deviation
    of each of the first 300 seconds, averaged in the same way. Noise that is slower than one
    second has little influence on this amplitude. In contrast to nst, all types of beats are
    measured, and the noise is added to the whole record, without an initial learning period.

    Parameters
    ----------
    x : ndarray of shape (n_times,)
        Recording.
    fs : float
        Sampling rate in Hz.
    kind : {"baseline", "electrode", "motion", "muscle"}
        Kind of noise.
    snr_db : float
        Signal-to-noise ratio in dB.
    rng : numpy.random.Generator
        Random number generator.
    reference : ndarray of int
        Sample numbers of the beats.

    Returns
    -------
    ndarray of shape (n_times,)
    """
    return mix(x, fs, NOISES[kind](rng, len(x), fs), snr_db, reference=reference)


def mix(x, fs, noise, snr_db, *, reference):
    """Add a given noise of the same length, with the signal-to-noise ratio of `add_noise`."""
    power = _qrs_amplitude(x, fs, reference) ** 2 / 8
    gain = np.sqrt(power / 10 ** (snr_db / 10)) / _noise_amplitude(noise, fs)
    return x + gain * noise


def _qrs_amplitude(x, fs, reference):
    """Return the mean peak-to-peak amplitude of the first beats."""
    half = round(_HALF_QRS_S * fs)
    ranges = [np.ptp(x[max(0, beat - half) : beat + half + 1]) for beat in reference[:_N_MEASURED]]
    return stats.trim_mean(ranges, _TRIMMED)


def _noise_amplitude(noise, fs):
    """Return the mean standard deviation within one second."""
    n_chunk = min(round(fs), len(noise))
    n_chunks = min(_N_MEASURED, len(noise) // n_chunk)
    chunks = noise[: n_chunk * n_chunks].reshape(n_chunks, n_chunk)
    return stats.trim_mean(chunks.std(axis=1), _TRIMMED)


def baseline_noise(rng, n_times, fs):
    """Simulate baseline wander: amplitude 1 / f up to 0.5 Hz, and 1 / f**2 above."""
    return _shaped(rng, n_times, fs, lambda f: np.where(f < 0.5, f, 2 * f**2) ** -1.0 * (f > 0.03))


def muscle_noise(rng, n_times, fs):
    """Simulate muscle noise: 20 to 150 Hz with a gradual roll-off, in bursts of seconds."""
    wave = _shaped(
        rng, n_times, fs, lambda f: 1 / np.sqrt((1 + (20 / f) ** 2) * (1 + (f / 150) ** 4))
    )
    effort = _shaped(rng, n_times, fs, lambda f: 1.0 * (f < 0.3))
    return wave * np.exp(0.7 * effort)


def motion_noise(rng, n_times, fs):
    """Simulate motion artifacts: 0.5 to 12 Hz, with an amplitude that varies over seconds.

    The noise is in the frequency band of the QRS complex, and the most difficult at a given power.
    """
    wave = _shaped(
        rng, n_times, fs, lambda f: 1 / np.sqrt((1 + (0.5 / f) ** 4) * (1 + (f / 12) ** 4))
    )
    effort = _shaped(rng, n_times, fs, lambda f: 1.0 * (f < 0.3))
    return wave * np.exp(0.6 * effort)


def electrode_noise(rng, n_times, fs):
    """Simulate electrode artifacts that resemble beats, with baseline wander and muscle noise.

    The artifacts occur about once per second, and more often during motion. Half of them are steps
    that decay within 0.1 to 1 s, and half are single waves of 20 to 150 ms with either sign.
    """
    motion = np.exp(_shaped(rng, n_times, fs, lambda f: 1.0 * (f < 0.1)))
    artifacts = np.zeros(n_times)
    for start in np.flatnonzero(rng.random(n_times) < motion / motion.mean() / fs):
        size = rng.laplace()
        if rng.random() < 0.5:
            decay = rng.uniform(0.1, 1.0) * fs
            shape = np.exp(-np.arange(int(5 * decay)) / decay)
        else:
            width = rng.uniform(0.02, 0.15) * fs
            shape = 2 * signal.windows.gaussian(int(4 * width) + 1, width / 2)
        part = artifacts[start : start + len(shape)]
        part += size * shape[: len(part)]
    # limit the slope of the edges
    artifacts = signal.sosfilt(
        signal.butter(1, min(30.0, 0.45 * fs), fs=fs, output="sos"), artifacts
    )
    waves = [artifacts, baseline_noise(rng, n_times, fs), muscle_noise(rng, n_times, fs)]
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
    """Simulate Gaussian noise of variance 1 with a given amplitude spectrum."""
    n_fft = 2 ** int(np.ceil(np.log2(max(2, n_times))))  # fast transform for any length
    frequencies = np.fft.rfftfreq(n_fft, 1 / fs)
    amplitude = np.zeros(len(frequencies))
    amplitude[1:] = amplitude_at(frequencies[1:])
    spectrum = amplitude * (rng.standard_normal((len(amplitude), 2)) @ [1, 1j])
    wave = np.fft.irfft(spectrum, n_fft)[:n_times]
    return wave / (wave.std() or 1.0)
