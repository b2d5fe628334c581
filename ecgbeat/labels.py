"""Annotation symbols and class maps (layer 0)."""

from typing import NamedTuple

import numpy as np


class Annotation(NamedTuple):
    """Beat (or other) annotations of one recording, in the words of WFDB.

    Attributes
    ----------
    sample : ndarray of shape (n_annotations,)
        Sample numbers, int64, ascending. For a beat this is its R peak.
    symbol : ndarray of shape (n_annotations,)
        WFDB annotation symbols, such as ``"N"`` or ``"V"``.
    """

    sample: np.ndarray
    symbol: np.ndarray
