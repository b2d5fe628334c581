"""Which lead of each recording is meant (layer 2)."""

import inspect
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

# a lead by index or name, or several of them in order of preference
Lead = int | str | Sequence[int | str] | None


def choose_leads(
    names: Sequence[str], lead_names: Sequence[Sequence[str]], lead: Lead
) -> list[int | None]:
    """Choose a lead of each record, and warn where it is not the one asked for.

    Parameters
    ----------
    names : sequence of str
        Names of the records.
    lead_names : sequence of sequences of str
        The leads of each record.
    lead : int, str, sequence of these, or None
        As in `ecgbeat.datasets.load_wfdb`.

    Returns
    -------
    list of int or None
        Index of the lead in each record, None for all leads.

    Raises
    ------
    ValueError
        If no record has the lead, or an index is out of range for one.
    """
    if lead is None:
        return [None] * len(names)
    is_single = isinstance(lead, (int, str, np.integer))
    wanted = [lead] if is_single else list(lead)  # type: ignore[arg-type]
    found = [_first_present(present, wanted) for present in lead_names]
    missing = [
        f"{name} ({', '.join(present)})"
        for name, present, index in zip(names, lead_names, found, strict=True)
        if index is None
    ]
    if missing and (len(missing) == len(found) or not all(isinstance(w, str) for w in wanted)):
        raise ValueError(f"lead={lead!r} is not in the records {'; '.join(missing)}.")
    if missing:
        preference = ", ".join(repr(name) for name in [*wanted, 0])
        warnings.warn(
            f"{len(missing)} of {len(found)} records have no lead {lead!r}; their first lead was "
            f"read: {'; '.join(missing)}. lead=({preference}) does so without a "
            "warning, records= can leave them out.",
            UserWarning,
            stacklevel=_level_of_caller(),
        )
    return [0 if index is None else index for index in found]


def _first_present(lead_names: Sequence[str], wanted: Sequence[Any]) -> int | None:
    """Return the index of the first lead wanted that a record has, None if it has none."""
    for lead in wanted:
        if isinstance(lead, str):
            if lead in lead_names:
                return list(lead_names).index(lead)
        elif -len(lead_names) <= lead < len(lead_names):
            return int(lead) % len(lead_names)
    return None


def _level_of_caller() -> int:
    """Return the stack level, for a warning of who asks, of the code that called ecgbeat."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith("ecgbeat."):
        frame, level = frame.f_back, level + 1
    return level
