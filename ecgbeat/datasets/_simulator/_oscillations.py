"""Sums of damped oscillations on a sampled time axis: how valves and friction sound."""

import numpy as np

_REACH = 14.0  # decays; beyond, an oscillation is 70 dB below its crest
_CREST = 2.0  # decays from the onset to the largest amplitude
_FALL = 4  # decays in which the frequency falls by 63 %; exp(-x) is their fourth power


def sum_oscillations(
    onset: np.ndarray,
    frequency: np.ndarray,
    decay: np.ndarray,
    amplitude: np.ndarray,
    phase: np.ndarray,
    glide: np.ndarray,
    *,
    fs: float,
    n_times: int,
) -> np.ndarray:
    r"""Add up oscillations that swell quickly and die away exponentially.

    With :math:`x = (t - \mathrm{onset}) / \mathrm{decay} \ge 0`, each is

    .. math::
        \mathrm{amplitude} \; \tfrac{1}{4} x^2 e^{2 - x}
        \sin\bigl(2 \pi \, \mathrm{frequency} \cdot \mathrm{decay}
        \, (x + 4 \, \mathrm{glide} \, (1 - e^{-x / 4})) + \mathrm{phase}\bigr),

    so that its amplitude is largest after two decays and its frequency falls from
    ``(1 + glide) * frequency`` to ``frequency``.

    Parameters
    ----------
    onset, decay : ndarray of shape (n_oscillations,)
        In seconds. Onsets may lie outside of the recording.
    frequency : ndarray of shape (n_oscillations,)
        In Hz. One that begins above ``fs / 2`` is left out, as by the anti-aliasing
        filter of a recorder.
    amplitude, phase, glide : ndarray of shape (n_oscillations,)
    fs : float
        Sampling rate in Hz.
    n_times : int
        Length of the recording in samples.

    Returns
    -------
    ndarray of shape (n_times,)
    """
    heard = (amplitude != 0) & ((1.0 + glide) * frequency < fs / 2)
    onset, frequency, decay, amplitude, phase, glide = (
        part[heard] for part in (onset, frequency, decay, amplitude, phase, glide)
    )
    first = np.ceil(onset * fs).astype(np.int64).clip(0, n_times)
    last = np.floor((onset + _REACH * decay) * fs).astype(np.int64).clip(-1, n_times - 1)
    length = (last - first + 1).clip(0)
    which = np.repeat(np.arange(len(onset)), length)
    begin = np.cumsum(length) - length
    sample = np.arange(length.sum()) - begin[which] + first[which]
    x = (sample / fs - onset[which]) / decay[which]
    fall = np.exp(-x / _FALL)
    cycles = (frequency * decay)[which] * (x + _FALL * glide[which] * (1.0 - fall))
    crest = np.exp(_CREST) / _CREST**2 * amplitude
    value = crest[which] * (x * fall**2) ** 2 * np.sin(2.0 * np.pi * cycles + phase[which])
    return np.bincount(sample, weights=value, minlength=n_times)
