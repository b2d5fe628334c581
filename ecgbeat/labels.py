"""Annotation symbols and their classes."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._recordings import (
    Annotation,
    AnnotationLike,
    as_annotation,
    as_symbols,
    check_within_recording,
)

__all__ = ["AAMI_MAPPINGS", "BEAT_SYMBOLS", "Annotation", "is_beat", "select_beats", "to_aami"]

BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ?")
"""WFDB annotation symbols of beats; all others mark rhythm, noise or waves.

Flutter waves (``"!"``) and blocked P waves (``"x"``) are not among them.
"""

# all other symbols of WFDB annotation files
NON_BEAT_SYMBOLS = frozenset("[!]x()ptu`'^|~+sT*D=\"@ ")

_LITERATURE = {
    **dict.fromkeys("NLRBejn", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VEr", "V"),
    "F": "F",
    **dict.fromkeys("/fQ?", "Q"),
}

AAMI_MAPPINGS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "bxb": MappingProxyType(_LITERATURE | dict.fromkeys("ejn", "S")),
        "literature": MappingProxyType(_LITERATURE),
    }
)
"""Maps from beat symbols to AAMI classes, by the names that `to_aami` accepts."""


def is_beat(symbols: ArrayLike) -> np.ndarray:
    """Return whether each annotation symbol marks a beat.

    Parameters
    ----------
    symbols : array-like of str
        WFDB annotation symbols.

    Returns
    -------
    ndarray of bool
        True for the symbols of `BEAT_SYMBOLS`, of the shape of ``symbols``.

    Raises
    ------
    ValueError
        If ``symbols`` are not strings.

    Examples
    --------
    >>> is_beat(["+", "N", "V", "~"])
    array([False,  True,  True, False])
    """
    return np.isin(as_symbols(symbols), sorted(BEAT_SYMBOLS))


def select_beats(annotation: AnnotationLike, symbols: Iterable[str] | None = None) -> Annotation:
    """Select the beats of an annotated recording.

    Parameters
    ----------
    annotation : Annotation or pair of array-like
        Sample numbers and symbols, of equal length; or any object with the attributes
        ``sample`` and ``symbol``, such as ``wfdb.rdann`` returns.
    symbols : iterable of str, default=None
        Symbols to select, such as ``("N", "L", "R", "A", "V")``. None selects every beat (see
        `is_beat`).

    Returns
    -------
    Annotation
        Selected annotations, in the order of ``annotation``.

    Raises
    ------
    TypeError
        If the sample numbers are not integers.
    ValueError
        If ``annotation`` is not a pair of 1-D arrays of equal length, or the symbols are not
        strings.

    Examples
    --------
    >>> select_beats(([18, 77, 370, 662], ["+", "N", "A", "V"]), symbols="NV").sample
    array([ 77, 662])
    """
    sample, symbol = as_annotation(annotation)
    symbol = as_symbols(symbol)
    keep = is_beat(symbol) if symbols is None else np.isin(symbol, list(symbols))
    return Annotation(sample[keep], symbol[keep])


class LabeledBeats(NamedTuple):
    """Annotated beats of one recording, ascending."""

    sample: np.ndarray  # (n_beats,) int64
    label: np.ndarray  # (n_beats,), undefined for beats that are left out
    is_scored: np.ndarray  # (n_beats,) bool, whether the beat is of a selected class


def label_beats(
    annotation: AnnotationLike,
    symbols: Iterable[str] | None = None,
    mapping: str | Mapping[str, Any] | None = None,
    *,
    n_times: int | None = None,
) -> LabeledBeats:
    """Return the annotated beats of a recording, ascending, with their labels.

    Only beats of ``symbols`` are scored; with None all that mark a beat, or that a dict in
    ``mapping`` contains. ``mapping`` is as in `to_aami`; None takes the symbols as labels. Beats
    outside of the ``n_times`` samples of the recording are an error.
    """
    wanted = None if symbols is None else set(symbols)
    if isinstance(mapping, Mapping):
        wanted = set(mapping) if wanted is None else wanted & set(mapping)
    # other selected symbols, such as flutter waves, are beats, too
    sample, symbol = select_beats(annotation, BEAT_SYMBOLS | (wanted or set()))
    if n_times is not None:
        check_within_recording(sample, n_times, "annotations")
    order = np.argsort(sample, kind="stable")
    sample, symbol = sample[order], symbol[order]
    is_scored = is_beat(symbol) if wanted is None else np.isin(symbol, list(wanted))
    labels = symbol[is_scored] if mapping is None else to_aami(symbol[is_scored], mapping)
    label = np.zeros(len(sample), labels.dtype)
    label[is_scored] = labels
    return LabeledBeats(sample, label, is_scored)


def to_aami(
    symbols: ArrayLike,
    mapping: str | Mapping[str, Any] = "literature",
    *,
    unknown: Any = None,
) -> np.ndarray:
    """Map annotation symbols to the five classes of the AAMI standard.

    The classes are N (normal and bundle branch block), S (supraventricular ectopic),
    V (ventricular ectopic), F (fusion of both) and Q (paced or unclassifiable) [1]_.

    Parameters
    ----------
    symbols : array-like of str
        WFDB annotation symbols.
    mapping : {"literature", "bxb"} or dict, default="literature"
        ``"literature"`` maps the escape beats e, j and n to N, as nearly all papers since
        [2]_; ``"bxb"`` maps them to S, as the program of that name, the reference
        implementation of the standard. Both map B to N as a bundle branch block, r to V as a
        ventricular beat, and ``?`` to Q. A dict maps each symbol to a class of any name.
    unknown : object, default=None
        Class of the symbols that are not in ``mapping``, such as non-beat symbols. None
        raises an error for them.

    Returns
    -------
    ndarray
        Classes, of the shape of ``symbols``.

    Raises
    ------
    ValueError
        If a symbol has no class and ``unknown`` is None, ``mapping`` is unknown, or the
        symbols are not strings.

    References
    ----------
    .. [1] ANSI/AAMI EC57:2012, Testing and reporting performance results of cardiac
       rhythm and ST segment measurement algorithms.
    .. [2] P. de Chazal, M. O'Dwyer, R. B. Reilly (2004). Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features. IEEE Trans.
       Biomed. Eng. 51(7). doi:10.1109/TBME.2004.827359

    Examples
    --------
    >>> to_aami(["N", "L", "j", "A", "V", "F", "/"])
    array(['N', 'N', 'N', 'S', 'V', 'F', 'Q'], dtype='<U1')
    >>> to_aami(["j", "V"], mapping="bxb")
    array(['S', 'V'], dtype='<U1')
    >>> to_aami(["N", "V", "+"], {"N": "normal"}, unknown="other")
    array(['normal', 'other', 'other'], dtype='<U6')
    """
    classes = _resolve_mapping(mapping)
    symbols = as_symbols(symbols)
    distinct, codes = np.unique(symbols, return_inverse=True)
    missing = [str(symbol) for symbol in distinct if symbol not in classes]
    if missing and unknown is None:
        raise ValueError(_describe_missing(missing, mapping))
    mapped = [classes.get(str(symbol), unknown) for symbol in distinct]
    # without symbols, the dtype is that of the classes of the mapping
    table = np.asarray(mapped) if mapped else np.asarray(list(classes.values()))
    return table[codes].reshape(symbols.shape)


def _resolve_mapping(mapping: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the mapping of a name, or the dict itself."""
    if isinstance(mapping, Mapping):
        if not mapping:
            raise ValueError("mapping must contain at least one symbol, got an empty dict.")
        return mapping
    if mapping not in AAMI_MAPPINGS:
        raise ValueError(
            f"mapping must be one of {sorted(AAMI_MAPPINGS)} or a dict from symbol to class, "
            f"got {mapping!r}."
        )
    return AAMI_MAPPINGS[mapping]


def _describe_missing(missing: list[str], mapping: str | Mapping[str, Any]) -> str:
    """Return a message on symbols without a class."""
    name = repr(mapping) if isinstance(mapping, str) else "the dict given"
    others = [symbol for symbol in missing if symbol not in BEAT_SYMBOLS]
    remedy = (
        f"{others} mark no beat: leave them out by ecgbeat.labels.select_beats"
        if others
        else "add them to the dict"
    )
    return (
        f"symbols {missing} have no class in mapping={name}; {remedy}, or pass a class for all "
        "other symbols as unknown."
    )
