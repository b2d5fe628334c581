"""What `make_recording` and `make_heartbeats` accept in common."""

from collections.abc import Iterable, Mapping
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


def check_classes(name: str, symbols: Iterable[str]) -> None:
    """Raise if a symbol is none of the simulator's."""
    unknown = [symbol for symbol in symbols if symbol not in CLASSES]
    if unknown:
        known = ", ".join(f"{symbol!r} ({meaning})" for symbol, meaning in CLASSES.items())
        raise ValueError(f"{name} contains {unknown[0]!r}, which cannot be simulated. Use {known}.")


def check_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """Return the shares that are greater than 0, or say what is wrong with them.

    Parameters
    ----------
    weights : dict of str to float

    Returns
    -------
    dict of str to float

    Raises
    ------
    ValueError
        For an unknown class, a share that is no finite number of 0 or more, or only zeros.
    """
    check_classes("weights", weights)
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
