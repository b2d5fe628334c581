"""Which patient has how many beats of which class."""

from collections.abc import Sequence

import numpy as np

from ecgbeat.datasets._simulator._rhythm import BASES

_FEWEST_PATIENTS = 4  # with a class, so that StratifiedGroupKFold finds it in each fold
_PREVALENCE = {"A": 0.4, "V": 0.6, "F": 0.3}  # share of the patients that have it
# patients of these base classes have it only where there are too few others
_SPARED = {"A": ("L", "/"), "V": (), "F": ("L", "R", "/")}


def apportion(total: int, shares: Sequence[float] | np.ndarray, *, minimum: int = 0) -> np.ndarray:
    """Divide a whole number by shares, with the largest remainders rounded up.

    Parameters
    ----------
    total : int
        At least ``minimum * len(shares)``.
    shares : sequence of float
        Positive; they need not add up to 1.
    minimum : int, default=0
        What each share gets in any case.

    Returns
    -------
    ndarray of shape (len(shares),)
        Integers that add up to ``total``.
    """
    share = np.asarray(shares, dtype=float)
    exact = np.full(len(share), float(minimum))
    free = np.ones(len(share), dtype=bool)
    while free.any():
        rest = total - minimum * (~free).sum()
        exact[free] = rest * share[free] / share[free].sum()
        short = free & (exact < minimum)
        if not short.any():
            break
        exact[short] = minimum
        free &= ~short
    whole = np.floor(exact + 1e-9).astype(np.int64)
    missing = int(total - whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:missing]] += 1
    return whole


def allot_beats(
    rng: np.random.Generator, n_beats: int, n_patients: int, shares: dict[str, float]
) -> list[dict[str, int]]:
    """Deal out the beats.

    Conduction (N, L, R) and pacing divide the patients into groups, with overlap only
    where there are too few of them to give each class four. The other classes fall on
    any patient, atrial premature and fusion beats first on those with normal conduction.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_beats, n_patients : int
    shares : dict of str to float
        Share of each class; all classes get at least one beat.

    Returns
    -------
    list of dict of str to int
        Per patient the number of beats of each class that it has.
    """
    least = min(_FEWEST_PATIENTS, n_patients)
    totals = dict(zip(shares, apportion(n_beats, list(shares.values()), minimum=1), strict=True))
    carriers = _deal_bases(rng, {s: x for s, x in shares.items() if s in BASES}, n_patients, least)
    has_bases = bool(carriers)
    for symbol in (s for s in shares if s not in BASES):
        n = max(least, round(_PREVALENCE[symbol] * n_patients)) if has_bases else n_patients
        order = rng.permutation(n_patients)
        spared = np.isin(order, [p for base in _SPARED[symbol] for p in carriers.get(base, [])])
        carriers[symbol] = order[np.argsort(spared, kind="stable")][:n]
    counts: list[dict[str, int]] = [{} for _ in range(n_patients)]
    for symbol, total in totals.items():
        who = carriers[symbol][:total]
        spread = rng.gamma(12.0 if symbol in BASES else 1.5, size=len(who)) + 0.1
        each = apportion(int(total), spread, minimum=min(3, int(total) // len(who)))
        for patient, n in zip(who, each, strict=True):
            counts[patient][symbol] = int(n)
    return counts


def _deal_bases(
    rng: np.random.Generator, shares: dict[str, float], n_patients: int, least: int
) -> dict[str, np.ndarray]:
    """Give every patient at least one base class, and every base class its patients."""
    if not shares:
        return {}
    order = rng.permutation(n_patients)
    total = max(n_patients, least * len(shares))
    sizes = np.minimum(apportion(total, list(shares.values()), minimum=least), n_patients)
    end = np.cumsum(sizes)
    return {
        symbol: order[np.arange(stop - size, stop) % n_patients]
        for symbol, size, stop in zip(shares, sizes, end, strict=True)
    }
