"""The band-pass filter over recordings of any length, in bounded memory (layer 3)."""

import math

import numpy as np
from scipy import signal

from ecgbeat.signal._filtering import _PADDING_PERIODS, bandpass_sections

_BLOCK_S = 300.0
_TAIL = 1e-9  # what of the filter's response is left where a block begins


def bandpass_recording(
    leads: np.ndarray,
    fs: float,
    low: float,
    high: float,
    *,
    order: int = 2,
    notch: float | None = None,
    block: float = _BLOCK_S,
) -> np.ndarray:
    """Filter a whole recording as `ecgbeat.signal.bandpass` does, block by block.

    The forward pass hands its state from block to block, so it is that of the whole. The
    backward pass of each block begins as far behind the block as the filter takes to
    settle. What remains of its start is 1e-9 of the signal.

    Parameters
    ----------
    leads : ndarray of shape (n_leads, n_times)
        Recording, finite, of any real type.
    fs, low, high, order, notch
        As in `ecgbeat.signal.bandpass`.
    block : float, default=300.0
        Length of the blocks in seconds.

    Returns
    -------
    ndarray of shape (n_leads, n_times), float32
    """
    sections = bandpass_sections(fs, low, high, order=order, notch=notch)
    n_times = leads.shape[1]
    filtered = np.empty(leads.shape, np.float32)
    if n_times == 0:
        return filtered
    n_settle = settling_samples(sections)
    step = max(round(block * fs), n_settle)
    n_padding = min(n_times, round(_PADDING_PERIODS * fs / low))
    offset = _offset(leads, step)
    tail = leads[:, n_times - n_padding :][:, ::-1] - offset
    state = np.zeros((len(sections), len(leads), 2))
    head = leads[:, :n_padding][:, ::-1] - offset
    if n_padding:
        _, state = signal.sosfilt(sections, head, zi=state)
    for start in range(0, n_times, step):
        stop = min(start + step, n_times)
        forwards, state = signal.sosfilt(sections, leads[:, start:stop] - offset, zi=state)
        ahead = leads[:, stop : stop + n_settle] - offset
        if stop + n_settle >= n_times:
            ahead = np.concatenate([ahead, tail], axis=1)
        if ahead.shape[1]:
            forwards = np.concatenate(
                [forwards, signal.sosfilt(sections, ahead, zi=state)[0]], axis=1
            )
        backwards = signal.sosfilt(sections, forwards[:, ::-1])[:, ::-1]
        filtered[:, start:stop] = backwards[:, : stop - start]
    return filtered


def settling_samples(sections: np.ndarray) -> int:
    """Return after how many samples the filter has forgotten what was before."""
    slowest = max(float(np.abs(np.roots(section[3:])).max()) for section in sections)
    # half as many again, as several poles of nearly one radius decay more slowly than one
    return math.ceil(1.5 * math.log(_TAIL) / math.log(slowest))


def _offset(leads: np.ndarray, step: int) -> np.ndarray:
    """Return the mean of each lead, exact where the lead is constant."""
    first = leads[:, :1].astype(np.float64)
    total = np.zeros_like(first)
    for start in range(0, leads.shape[1], step):
        total += (leads[:, start : start + step] - first).sum(axis=1, keepdims=True)
    return first + total / leads.shape[1]
