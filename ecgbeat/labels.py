"""Annotation symbols and class maps."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._recordings import Annotation, as_annotation, as_symbols, check_within_recording

__all__ = ["AAMI_MAPPINGS", "BEAT_SYMBOLS", "Annotation", "is_beat", "select_beats", "to_aami"]

BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ?")
"""The WFDB annotation symbols that mark a beat; all others mark rhythm, noise or waves.

Flutter waves (``"!"``) and blocked P waves (``"x"``) are not among them.
"""

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
"""The maps from beat symbols to AAMI classes that `to_aami` knows by name."""


def is_beat(symbols: ArrayLike) -> np.ndarray:
    """Return which annotation symbols mark a beat.

    Parameters
    ----------
    symbols : array-like of str
        WFDB annotation symbols.

    Returns
    -------
    ndarray of bool
        True where the symbol is one of `BEAT_SYMBOLS`; shaped as ``symbols``.

    Examples
    --------
    >>> is_beat(["+", "N", "V", "~"])
    array([False,  True,  True, False])
    """
    return np.isin(as_symbols(symbols), sorted(BEAT_SYMBOLS))


def select_beats(annotation: Any, symbols: Iterable[str] | None = None) -> Annotation:
    """Keep the beats of a recording's annotations.

    Parameters
    ----------
    annotation : Annotation or pair of array-like
        Sample numbers and symbols, of equal length; or any object with the attributes
        ``sample`` and ``symbol``, such as ``wfdb.rdann`` returns.
    symbols : iterable of str, default=None
        Keep the annotations with these symbols, such as ``("N", "L", "R", "A", "V")``.
        None keeps every beat (see `is_beat`).

    Returns
    -------
    Annotation
        In the order of ``annotation``.

    Raises
    ------
    TypeError
        If the sample numbers are not integers.
    ValueError
        If ``annotation`` is no pair of 1-D arrays of equal length.

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
    """Annotated beats of one recording, ascending.

    Attributes
    ----------
    sample : ndarray of shape (n_beats,), int64
        Sample numbers.
    label : ndarray of shape (n_beats,)
        Label of each beat; without meaning for beats that are left out.
    is_scored : ndarray of shape (n_beats,), bool
        Whether the beat is of a class that was asked for.
    """

    sample: np.ndarray
    label: np.ndarray
    is_scored: np.ndarray


def label_beats(
    annotation: Any,
    symbols: Iterable[str] | None = None,
    mapping: str | Mapping[str, Any] | None = None,
    *,
    n_times: int | None = None,
) -> LabeledBeats:
    """Return the beats of a recording's annotations with their labels.

    Parameters
    ----------
    annotation : Annotation or pair of array-like
        As in `select_beats`.
    symbols : iterable of str, default=None
        Symbols that are scored. None takes all that mark a beat, or that a dict in
        ``mapping`` names.
    mapping : str, dict or None, default=None
        From symbols to labels, as in `to_aami`. Only a dict leaves symbols out. None takes
        the symbols themselves.
    n_times : int, default=None
        Length of the recording, to be checked.

    Returns
    -------
    LabeledBeats

    Raises
    ------
    TypeError, ValueError
        As `select_beats` and `to_aami`, and if a beat lies outside the recording.
    """
    wanted = None if symbols is None else set(symbols)
    if isinstance(mapping, Mapping):
        wanted = set(mapping) if wanted is None else wanted & set(mapping)
    # other symbols that are asked for, such as flutter waves, count as beats
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
        ``"literature"`` counts the escape beats e, j and n as N, as nearly all papers
        since [2]_ do; ``"bxb"`` counts them as S, as the program of that name, the
        reference implementation of the standard, does. All else is equal: B goes with
        the bundle branch blocks to N, r with the ventricular beats to V, ``?`` to Q.
        A dict maps each symbol to a class of any name.
    unknown : object, default=None
        Class of the symbols that ``mapping`` does not name, such as those that mark
        no beat. None raises an error.

    Returns
    -------
    ndarray
        The classes, shaped as ``symbols``.

    Raises
    ------
    ValueError
        If a symbol has no class and ``unknown`` is None, or if no mapping has the name
        given.

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
    # no symbols: the values of the map still say the dtype
    table = np.asarray(mapped) if mapped else np.asarray(list(classes.values()))
    return table[codes].reshape(symbols.shape)


def _resolve_mapping(mapping: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Look a mapping up by its name, or check the user's own."""
    if isinstance(mapping, Mapping):
        if not mapping:
            raise ValueError("mapping must name at least one symbol, got an empty dict.")
        return mapping
    if mapping not in AAMI_MAPPINGS:
        raise ValueError(
            f"mapping must be one of {sorted(AAMI_MAPPINGS)} or a dict from symbol to class, "
            f"got {mapping!r}."
        )
    return AAMI_MAPPINGS[mapping]


def _describe_missing(missing: list[str], mapping: Any) -> str:
    """Say which symbols have no class, and what can be done for their kind."""
    name = repr(mapping) if isinstance(mapping, str) else "the dict given"
    others = [symbol for symbol in missing if symbol not in BEAT_SYMBOLS]
    remedy = (
        f"{others} mark no beat: leave them out (ecgbeat.labels.is_beat tells which)"
        if others
        else "add them to the dict"
    )
    return (
        f"symbols {missing} have no class in mapping={name}; {remedy}, "
        "or pass unknown= as the class of all that are not named."
    )
