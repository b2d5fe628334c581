"""Heart rhythm: order of normal and premature beats, and the intervals between them."""

from typing import NamedTuple

import numpy as np

BASE_CLASSES = ("N", "L", "R", "/")  # beats of the base rhythm; other beats interrupt it
_LF_HZ, _LF_WIDTH_HZ, _HF_WIDTH_HZ = 0.1, 0.02, 0.02
_LF_HF_RATIO = 0.5
_RUN_LENGTH = 15  # beats until the conduction may change in a patient with several base classes


class Pacemaker(NamedTuple):
    """Heart rate of one patient and its variability."""

    rr: float  # mean interval between beats, in seconds
    variability: float  # standard deviation of the intervals, as a share of rr
    respiration: float  # respiratory rate in Hz; modulates intervals and amplitudes
    coupling: dict[str, float]  # interval before a beat "A" or "V", as a share of rr


class Rhythm(NamedTuple):
    """Times of the beats, all in seconds."""

    time: np.ndarray  # middle of each QRS complex
    blocked: np.ndarray  # expected QRS complexes of blocked sinus impulses, with a P wave alone

    def shifted(self, by: float) -> "Rhythm":
        """Return the same rhythm ``by`` seconds later."""
        return Rhythm(self.time + by, self.blocked + by)


def draw_pacemaker(rng: np.random.Generator, heart_rate: float | None) -> Pacemaker:
    """Draw the pacemaker of one patient; ``heart_rate`` in beats per minute."""
    drawn = float(np.clip(rng.normal(74.0, 12.0), 50.0, 110.0))
    return Pacemaker(
        rr=60.0 / (drawn if heart_rate is None else heart_rate),
        variability=float(rng.uniform(0.015, 0.04)),
        respiration=float(rng.uniform(0.2, 0.33)),
        coupling={"A": float(rng.uniform(0.56, 0.76)), "V": float(rng.uniform(0.52, 0.72))},
    )


def order_beats(rng: np.random.Generator, counts: dict[str, int]) -> list[str]:
    """Draw a plausible order of ``counts`` beats of each class.

    Premature beats come alone, as couplets, in short runs or in bigeminy, separated by at least
    two beats of the base rhythm where possible. If the base rhythm has too few beats to separate
    the others, beats of its first class are added.
    """
    episodes = [
        episode
        for symbol, count in counts.items()
        if symbol not in BASE_CLASSES
        for episode in _split_into_episodes(rng, symbol, count)
    ]
    bases = _order_base_beats(rng, {s: n for s, n in counts.items() if s in BASE_CLASSES and n})
    if sum(map(len, episodes)) > len(bases):
        episodes = [episode[:-1] for episode in episodes]
    bases += bases[:1] * (sum(map(len, episodes)) - len(bases))
    chunks = episodes + [[()]] * (len(bases) - sum(map(len, episodes)))
    gaps = [gap for i in rng.permutation(len(chunks)) for gap in chunks[i]]
    return [symbol for base, gap in zip(bases, gaps, strict=True) for symbol in (base, *gap)]


def _split_into_episodes(
    rng: np.random.Generator, symbol: str, count: int
) -> list[list[tuple[str, ...]]]:
    """Divide premature beats into episodes: lists of the beats after successive base beats."""
    patterns: list[list[int]] = [[1], [2], [3], [1, 1, 1]]
    probabilities = {"A": [0.8, 0.08, 0.0, 0.12], "V": [0.72, 0.12, 0.04, 0.12]}
    episodes = []
    while count > 0:
        pattern = patterns[rng.choice(4, p=probabilities.get(symbol, [1.0, 0.0, 0.0, 0.0]))]
        if sum(pattern) > count:
            pattern = [1]
        count -= sum(pattern)
        episodes.append([(symbol,) * n for n in pattern] + [()])
    return episodes


def _order_base_beats(rng: np.random.Generator, counts: dict[str, int]) -> list[str]:
    """Order the base beats in runs of one conduction."""
    runs = [
        [symbol] * min(_RUN_LENGTH, count - begin)
        for symbol, count in counts.items()
        for begin in range(0, count, _RUN_LENGTH)
    ]
    if len(counts) == 1:
        return [symbol for run in runs for symbol in run]
    return [symbol for i in rng.permutation(len(runs)) for symbol in runs[i]]


def time_beats(rng: np.random.Generator, symbols: list[str], pacemaker: Pacemaker) -> Rhythm:
    """Draw the time of each beat, the first being at 0.

    An atrial premature beat resets the sinus node. A ventricular one does not: the next sinus
    impulse is blocked, and the pause is compensatory. In a fusion beat, a sinus impulse and a
    ventricular beat coincide. An artificial pacemaker paces one interval after any beat.
    """
    intervals = pacemaker.rr * (1.0 + _draw_tachogram(rng, len(symbols), pacemaker))
    scatter = rng.standard_normal(len(symbols))
    time, blocked = [0.0], []
    sinus = float(intervals[0])
    for symbol, rr, z in zip(symbols[1:], intervals[1:], scatter[1:], strict=True):
        before = time[-1]
        if symbol == "V":
            time.append(before + max(pacemaker.coupling["V"] + 0.025 * z, 0.4) * rr)
            continue
        if symbol == "A":
            time.append(before + max(pacemaker.coupling["A"] + 0.03 * z, 0.45) * rr)
            sinus = time[-1] + rr * (1.06 + 0.03 * z)
            continue
        if symbol == "/":
            time.append(before + pacemaker.rr * (1.0 + 0.003 * z))
            sinus = time[-1] + rr
            continue
        while sinus < before + 0.62 * rr:  # the ventricles are still refractory
            blocked.append(sinus)
            sinus += rr
        time.append(sinus - (0.03 * rr * (1 + 0.3 * z) if symbol == "F" else 0.0))
        sinus += rr
    return Rhythm(np.array(time), np.array(blocked))


def _draw_tachogram(rng: np.random.Generator, n_beats: int, pacemaker: Pacemaker) -> np.ndarray:
    """Draw relative deviations of the intervals, with spectral peaks at LF and HF."""
    n = max(n_beats, 64)
    frequency = np.fft.rfftfreq(n, d=pacemaker.rr)
    low = np.exp(-0.5 * ((frequency - _LF_HZ) / _LF_WIDTH_HZ) ** 2) / _LF_WIDTH_HZ
    high = np.exp(-0.5 * ((frequency - pacemaker.respiration) / _HF_WIDTH_HZ) ** 2) / _HF_WIDTH_HZ
    phase = rng.uniform(0.0, 2.0 * np.pi, len(frequency))
    tachogram = np.fft.irfft(np.sqrt(_LF_HF_RATIO * low + high) * np.exp(1j * phase), n)
    return (pacemaker.variability * tachogram / tachogram.std())[:n_beats].clip(-0.2, 0.2)
