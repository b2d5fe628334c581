"""Shares of the classes in a simulated data set: validation and apportionment."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ecgbeat._validation import Real

MIN_PATIENTS_PER_CLASS = 4  # so that each fold of StratifiedGroupKFold holds each class


def check_shares(
    classes: Sequence[str],
    weights: Mapping[str, float] | None,
    default: Mapping[str, float],
    known: Mapping[str, str],
) -> dict[str, float]:
    """Return the share of each class, in the order of ``classes``, or raise ValueError.

    ``known`` maps every class that can be simulated to its description.
    """
    names = [str(name) for name in classes]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            "classes must be a sequence of one or more different names, such as "
            f"{tuple(known)[:2]!r}, got {classes!r}."
        )
    _check_known("classes", names, known)
    if weights is None:
        return {name: default[name] for name in names}
    shares = check_weights(weights, known)
    if set(shares) != set(names):
        raise ValueError(
            f"weights must have a share greater than 0 for each of classes={tuple(names)!r} and "
            f"for no other, got {dict(weights)!r}."
        )
    return {name: shares[name] for name in names}


def check_weights(weights: Mapping[str, float], known: Mapping[str, str]) -> dict[str, float]:
    """Return the shares greater than 0 as floats; raise ValueError if there are none."""
    _check_known("weights", weights, known)
    for name, share in weights.items():
        if not isinstance(share, Real) or not 0 <= share < float("inf"):
            raise ValueError(
                f"weights[{name!r}] must be a finite number of 0 or more, got {share!r}."
            )
    shares = {name: float(share) for name, share in weights.items() if share > 0}
    if not shares:
        raise ValueError(
            f"weights must give at least one class a share greater than 0, got {dict(weights)!r}."
        )
    return shares


def _check_known(parameter: str, names: Iterable[str], known: Mapping[str, str]) -> None:
    """Raise if a class cannot be simulated."""
    unknown = [name for name in names if name not in known]
    if unknown:
        listed = ", ".join(f"{name!r} ({description})" for name, description in known.items())
        raise ValueError(
            f"{parameter} contains {unknown[0]!r}, which cannot be simulated. Use {listed}."
        )


def apportion(total: int, shares: Sequence[float] | np.ndarray, *, minimum: int = 0) -> np.ndarray:
    """Divide an integer in proportion to positive shares, by the largest-remainder method.

    The parts are at least ``minimum`` each and add up to ``total``.
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
