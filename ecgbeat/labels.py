"""Annotation symbols and class maps (layer 0)."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

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


class Annotation(NamedTuple):
    """Beat (or other) annotations of one recording, in the words of WFDB.

    Attributes
    ----------
    sample : ndarray of shape (n_annotations,)
        Sample numbers, int64, ascending. For a beat this is its R peak.
    symbol : ndarray of shape (n_annotations,)
        WFDB annotation symbols, such as ``"N"`` or ``"V"``.

    Examples
    --------
    >>> import numpy as np
    >>> annotation = Annotation(np.array([77, 370]), np.array(["N", "V"]))
    >>> annotation.symbol[annotation.sample > 100]
    array(['V'], dtype='<U1')
    """

    sample: np.ndarray
    symbol: np.ndarray


def is_beat(symbols: Any) -> np.ndarray:
    """Tell which annotation symbols mark a beat.

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
    return np.isin(_as_symbols(symbols), sorted(BEAT_SYMBOLS))


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
    ValueError
        If ``annotation`` is no pair of equally long 1-D arrays.

    Examples
    --------
    >>> select_beats(([18, 77, 370, 662], ["+", "N", "A", "V"]), symbols="NV").sample
    array([ 77, 662])
    """
    try:
        # annotations of wfdb, and such with probabilities, are no pairs
        has_names = hasattr(annotation, "sample") and hasattr(annotation, "symbol")
        sample, symbol = (annotation.sample, annotation.symbol) if has_names else annotation
    except (TypeError, ValueError):
        raise ValueError(
            "an annotation must be a pair (sample numbers, symbols), such as "
            f"ecgbeat.labels.Annotation, got {type(annotation).__name__}: {annotation!r}."
        ) from None
    sample, symbol = np.asarray(sample), _as_symbols(symbol)
    if sample.ndim != 1 or sample.shape != symbol.shape:
        raise ValueError(
            "an annotation needs one symbol for each sample number, got sample of shape "
            f"{sample.shape} and symbol of shape {symbol.shape}."
        )
    if sample.size and not np.issubdtype(sample.dtype, np.integer):
        raise ValueError(
            f"the sample numbers of an annotation must be integers, got dtype {sample.dtype}; "
            "seconds times fs, rounded, are samples."
        )
    keep = is_beat(symbol) if symbols is None else np.isin(symbol, list(symbols))
    return Annotation(sample[keep].astype(np.int64), symbol[keep])


def select_and_count(
    annotation: Any, symbols: Iterable[str] | None, mapping: str | Mapping[str, Any] | None
) -> tuple[Annotation, np.ndarray]:
    """Keep the beats of a recording's annotations, and tell which of them count.

    Parameters
    ----------
    annotation : Annotation or pair of array-like
        As in `select_beats`.
    symbols : iterable of str or None
        The symbols that count. None: all that mark a beat, or that ``mapping`` names.
    mapping : str, dict or None
        From symbols to classes. Only a dict leaves symbols out.

    Returns
    -------
    beats : Annotation
        In the order of ``annotation``.
    counts : ndarray of shape (n_beats,), bool
    """
    wanted = None if symbols is None else set(symbols)
    if isinstance(mapping, Mapping):
        wanted = set(mapping) if wanted is None else wanted & set(mapping)
    # who names other symbols, such as flutter waves, counts them as beats
    beats = select_beats(annotation, BEAT_SYMBOLS | (wanted or set()))
    counts = is_beat(beats.symbol) if wanted is None else np.isin(beats.symbol, list(wanted))
    return beats, counts


def to_aami(
    symbols: Any,
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
    symbols = _as_symbols(symbols)
    distinct, codes = np.unique(symbols, return_inverse=True)
    missing = [str(symbol) for symbol in distinct if symbol not in classes]
    if missing and unknown is None:
        raise ValueError(_describe_missing(missing, mapping))
    mapped = [classes.get(str(symbol), unknown) for symbol in distinct]
    # no symbols: the values of the map still say the dtype
    table = np.asarray(mapped) if mapped else np.asarray(list(classes.values()))
    return table[codes].reshape(symbols.shape)


def _as_symbols(symbols: Any) -> np.ndarray:
    """Return symbols as an array of str, also when there are none of them."""
    array = np.asarray(symbols)
    if array.size and array.dtype.kind not in "UO":
        raise ValueError(
            f"annotation symbols must be strings, such as 'N' or 'V', got dtype {array.dtype}."
        )
    return array.astype(str)


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
