"""What the simulators accept in common."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ecgbeat._validation import Integral, Interval, Real
from ecgbeat.datasets._simulator._patient import LEADS

CLASSES = {
    "N": "normal",
    "L": "left bundle branch block",
    "R": "right bundle branch block",
    "A": "atrial premature",
    "V": "premature ventricular",
    "F": "fusion of ventricular and normal",
    "/": "paced",
}
CONSTRAINTS: dict[str, list[Any]] = {
    "fs": [Interval(Real, 100.0, 2000.0, closed="both")],
    "weights": [Mapping, None],
    "noise": [Interval(Real, 0.0, 100.0, closed="both")],
    "mains": [Interval(Real, 1.0, 1000.0, closed="both")],
    "n_leads": [Interval(Integral, 1, len(LEADS), closed="both")],
    "random_state": ["random_state"],
}


def check_classes(name: str, classes: Iterable[str], known: Mapping[str, str] = CLASSES) -> None:
    """Raise if a class is none of those known, which are given with their meaning."""
    unknown = [symbol for symbol in classes if symbol not in known]
    if unknown:
        listed = ", ".join(f"{symbol!r} ({meaning})" for symbol, meaning in known.items())
        raise ValueError(
            f"{name} contains {unknown[0]!r}, which cannot be simulated. Use {listed}."
        )


def check_weights(
    weights: Mapping[str, float], known: Mapping[str, str] = CLASSES
) -> dict[str, float]:
    """Return the shares that are greater than 0, or say what is wrong with them.

    Parameters
    ----------
    weights : dict of str to float
    known : dict of str to str
        The classes that there are, with their meaning.

    Returns
    -------
    dict of str to float

    Raises
    ------
    ValueError
        For an unknown class, a share that is no finite number of 0 or more, or only zeros.
    """
    check_classes("weights", weights, known)
    for symbol, share in weights.items():
        if not isinstance(share, Real) or not 0 <= share < float("inf"):
            raise ValueError(
                f"weights[{symbol!r}] must be a finite number of 0 or more, got {share!r}."
            )
    shares = {symbol: float(share) for symbol, share in weights.items() if share > 0}
    if not shares:
        raise ValueError(
            f"weights must give at least one class a share greater than 0, got {dict(weights)!r}."
        )
    return shares


def check_shares(
    classes: Sequence[str],
    weights: Mapping[str, float] | None,
    default: Mapping[str, float],
    known: Mapping[str, str] = CLASSES,
) -> dict[str, float]:
    """Return the share of each class, or say what is wrong with classes or weights.

    Parameters
    ----------
    classes : sequence of str
    weights : dict of str to float or None
        Must name the same classes; None stands for ``default``.
    default : dict of str to float
        Share of every class that there is.
    known : dict of str to str
        The classes that there are, with their meaning.

    Returns
    -------
    dict of str to float
        In the order of ``classes``.

    Raises
    ------
    ValueError
        If a class is unknown or named twice, or ``weights`` does not fit ``classes``.
    """
    wanted = [str(symbol) for symbol in classes]
    if not wanted or len(set(wanted)) < len(wanted):
        raise ValueError(
            "classes must be a sequence of one or more different names, such as "
            f"{tuple(known)[:2]!r}, got {classes!r}."
        )
    check_classes("classes", wanted, known)
    if weights is None:
        return {symbol: default[symbol] for symbol in wanted}
    shares = check_weights(weights, known)
    if set(shares) != set(wanted):
        raise ValueError(
            f"weights must have a share greater than 0 for each of classes={tuple(wanted)!r} and "
            f"for no other, got {dict(weights)!r}."
        )
    return {symbol: shares[symbol] for symbol in wanted}
