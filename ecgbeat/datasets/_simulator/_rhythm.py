"""When the beats come: their order and the intervals between them."""

from typing import NamedTuple

import numpy as np

BASES = ("N", "L", "R", "/")  # symbols of which a rhythm is made; the others disturb it
_LF_HZ, _LF_WIDTH_HZ, _HF_WIDTH_HZ = 0.1, 0.02, 0.02
_LF_HF_RATIO = 0.5
_BASE_RUN = 15  # beats until the conduction may change, where a patient has several


class Pacemaker(NamedTuple):
    """How one patient's heart keeps time.

    Attributes
    ----------
    rr : float
        Mean interval between beats, in seconds.
    variability : float
        Standard deviation of the intervals, as a share of `rr`.
    respiration : float
        Rate of breathing in Hz; it modulates intervals and amplitudes.
    coupling : dict of str to float
        How early a premature beat (``"A"``, ``"V"``) comes, as a share of `rr`.
    """

    rr: float
    variability: float
    respiration: float
    coupling: dict[str, float]


class Rhythm(NamedTuple):
    """Times of the beats, all in seconds.

    Attributes
    ----------
    time : ndarray of shape (n_beats,)
        Middle of each QRS complex.
    blocked : ndarray of shape (n_blocked,)
        When the QRS complexes would have come of sinus impulses that found the
        ventricles refractory: their P waves are there.
    """

    time: np.ndarray
    blocked: np.ndarray

    def shifted(self, by: float) -> "Rhythm":
        """Return the same rhythm ``by`` seconds later."""
        return Rhythm(self.time + by, self.blocked + by)


def draw_pacemaker(rng: np.random.Generator, heart_rate: float | None) -> Pacemaker:
    """Draw one patient's pacemaker; ``heart_rate`` in beats per minute."""
    drawn = float(np.clip(rng.normal(74.0, 12.0), 50.0, 110.0))
    return Pacemaker(
        rr=60.0 / (drawn if heart_rate is None else heart_rate),
        variability=float(rng.uniform(0.015, 0.04)),
        respiration=float(rng.uniform(0.2, 0.33)),
        coupling={"A": float(rng.uniform(0.56, 0.76)), "V": float(rng.uniform(0.52, 0.72))},
    )


def order_beats(rng: np.random.Generator, counts: dict[str, int]) -> list[str]:
    """Put beats in an order in which they might occur.

    Premature beats come alone, as couplets, in short runs or in bigeminy. At least two
    beats of the base rhythm lie between such episodes, if there are as many.

    Parameters
    ----------
    rng : numpy.random.Generator
    counts : dict of str to int
        Number of beats of each class. Where the base rhythm has too few to hold the
        others apart, more of its first class are added.

    Returns
    -------
    list of str
    """
    episodes = [
        episode
        for symbol, count in counts.items()
        if symbol not in BASES
        for episode in _split_into_episodes(rng, symbol, count)
    ]
    bases = _order_bases(rng, {s: n for s, n in counts.items() if s in BASES and n})
    if sum(map(len, episodes)) > len(bases):
        episodes = [episode[:-1] for episode in episodes]
    bases += bases[:1] * (sum(map(len, episodes)) - len(bases))
    chunks = episodes + [[()]] * (len(bases) - sum(map(len, episodes)))
    gaps = [gap for i in rng.permutation(len(chunks)) for gap in chunks[i]]
    return [symbol for base, gap in zip(bases, gaps, strict=True) for symbol in (base, *gap)]


def _split_into_episodes(
    rng: np.random.Generator, symbol: str, count: int
) -> list[list[tuple[str, ...]]]:
    """Divide beats into episodes: lists of what follows on successive base beats."""
    patterns: list[list[int]] = [[1], [2], [3], [1, 1, 1]]
    chance = {"A": [0.8, 0.08, 0.0, 0.12], "V": [0.72, 0.12, 0.04, 0.12]}
    episodes = []
    while count > 0:
        pattern = patterns[rng.choice(4, p=chance.get(symbol, [1.0, 0.0, 0.0, 0.0]))]
        if sum(pattern) > count:
            pattern = [1]
        count -= sum(pattern)
        episodes.append([(symbol,) * n for n in pattern] + [()])
    return episodes


def _order_bases(rng: np.random.Generator, counts: dict[str, int]) -> list[str]:
    """Let the conduction change now and then between a patient's base classes."""
    runs = [
        [symbol] * min(_BASE_RUN, count - begin)
        for symbol, count in counts.items()
        for begin in range(0, count, _BASE_RUN)
    ]
    if len(counts) == 1:
        return [symbol for run in runs for symbol in run]
    return [symbol for i in rng.permutation(len(runs)) for symbol in runs[i]]


def time_beats(rng: np.random.Generator, symbols: list[str], pacemaker: Pacemaker) -> Rhythm:
    """Tell when each beat comes, the first at 0.

    The sinus node has a clock. An atrial premature beat resets it, so that the pause
    after it is not compensatory. A ventricular one does not: the next impulse of the
    clock is blocked, and the pause makes up for the early beat. A fusion beat comes when
    an impulse and a ventricular beat meet. A pacemaker waits one interval after any beat.
    """
    intervals = pacemaker.rr * (1.0 + _tachogram(rng, len(symbols), pacemaker))
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
        while sinus < before + 0.62 * rr:
            blocked.append(sinus)
            sinus += rr
        time.append(sinus - (0.03 * rr * (1 + 0.3 * z) if symbol == "F" else 0.0))
        sinus += rr
    return Rhythm(np.array(time), np.array(blocked))


def _tachogram(rng: np.random.Generator, n_beats: int, pacemaker: Pacemaker) -> np.ndarray:
    """Draw relative deviations of the intervals with two spectral peaks, at LF and HF."""
    n = max(n_beats, 64)
    frequency = np.fft.rfftfreq(n, d=pacemaker.rr)
    low = np.exp(-0.5 * ((frequency - _LF_HZ) / _LF_WIDTH_HZ) ** 2) / _LF_WIDTH_HZ
    high = np.exp(-0.5 * ((frequency - pacemaker.respiration) / _HF_WIDTH_HZ) ** 2) / _HF_WIDTH_HZ
    phase = rng.uniform(0.0, 2.0 * np.pi, len(frequency))
    series = np.fft.irfft(np.sqrt(_LF_HF_RATIO * low + high) * np.exp(1j * phase), n)
    return (pacemaker.variability * series / series.std())[:n_beats].clip(-0.2, 0.2)
