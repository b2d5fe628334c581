"""Annotated beats, and tables of them (layer 3)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ecgbeat._validation import import_extra


class AnnotatedBeats(NamedTuple):
    """Beats of one recording as a `BeatAnnotator` sees them.

    Where a function of ecgbeat takes an annotation, it takes this, too.

    Attributes
    ----------
    sample : ndarray of shape (n_beats,)
        Sample numbers of the R peaks, int64, ascending.
    symbol : ndarray of shape (n_beats,)
        The predicted label of each beat.
    probability : ndarray of shape (n_beats, n_classes) or None
        Of each class, in the order of the annotator's ``classes_``. None if the classifier
        has no ``predict_proba``.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.annotation import AnnotatedBeats
    >>> from ecgbeat.labels import select_beats
    >>> beats = AnnotatedBeats(
    ...     np.array([77, 370]), np.array(["N", "V"]), np.array([[0.9, 0.1], [0.2, 0.8]])
    ... )
    >>> beats.sample[beats.probability[:, 1] > 0.5]
    array([370])
    >>> select_beats(beats, symbols="V")
    Annotation(sample=array([370]), symbol=array(['V'], dtype='<U1'))
    """

    sample: np.ndarray
    symbol: np.ndarray
    probability: np.ndarray | None


def beats_table(
    record_names: Sequence[str], annotated: Sequence[AnnotatedBeats], classes: Any, fs: float
) -> Any:
    """Put the beats of all recordings into one pandas.DataFrame, one row a beat."""
    pandas = import_extra("pandas", extra="data", purpose="A table of beats")
    n_beats = [len(beats.sample) for beats in annotated]
    sample = _join([beats.sample for beats in annotated], np.int64)
    label = _join([beats.symbol for beats in annotated], classes.dtype)
    intervals = [np.diff(beats.sample, prepend=beats.sample[:1]) / fs for beats in annotated]
    rr = _join(intervals, np.float64)
    index = _join([np.arange(n) for n in n_beats], np.int64)
    rr[index == 0] = np.nan  # the first beat follows none
    columns = {
        "record": np.repeat(np.asarray(record_names, dtype=object), n_beats),
        "beat": index,
        "sample": sample,
        "time_s": sample / fs,
        "rr_s": rr,
        "label": label,
    }
    if annotated and all(beats.probability is not None for beats in annotated):
        probability = np.concatenate([beats.probability for beats in annotated])
        column_of = {value: column for column, value in enumerate(classes.tolist())}
        chosen = np.array([column_of[value] for value in label.tolist()], np.int64)
        columns["probability"] = probability[np.arange(len(label)), chosen]
        columns |= {
            f"probability_{value}": probability[:, column] for value, column in column_of.items()
        }
    return pandas.DataFrame(columns)


def _join(parts: list[np.ndarray], dtype: Any) -> np.ndarray:
    """Concatenate, also nothing."""
    return np.concatenate(parts) if parts else np.empty(0, dtype)
