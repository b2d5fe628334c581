"""Lists of recordings and annotations: what may come in (layer 3)."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ecgbeat.labels import Annotation, label_beats
from ecgbeat.signal import bridge_gaps

_MOST_LEADS = 16  # a matrix of more rows that is higher than wide has its axes swapped


class ReferenceBeats(NamedTuple):
    """The annotated beats of one recording, in the order of time."""

    sample: np.ndarray  # (n_beats,) int64
    label: np.ndarray  # (n_beats,), of no meaning where the beat does not count
    counts: np.ndarray  # (n_beats,) bool: whether the beat is of a class that was asked for


def check_recordings(recordings: Any, method: str) -> Any:
    """Return a sequence of recordings, or say why it is none.

    Raises
    ------
    TypeError
        If it is a single recording, or no sequence.
    """
    if hasattr(recordings, "to_numpy"):  # of pandas
        recordings = recordings.to_numpy()
    is_bare = False
    if isinstance(recordings, np.ndarray):
        is_bare = recordings.ndim < 2 and recordings.dtype != object
    elif not isinstance(recordings, (list, tuple)):
        raise TypeError(
            f"{method} takes a list of recordings, got {type(recordings).__name__}. Each is an "
            "array of shape (n_times,) or (n_leads, n_times)."
        )
    if is_bare or (len(recordings) and np.isscalar(recordings[0])):
        raise TypeError(
            f"{method} takes a list of recordings, got {type(recordings).__name__} of "
            f"numbers; for one recording write {method}([recording], ...)."
        )
    return recordings


def check_annotations(annotations: Any, n_recordings: int, method: str) -> None:
    """Raise unless there is one annotation for each recording."""
    if annotations is None or isinstance(annotations, Annotation):
        raise TypeError(
            f"{method} takes a list of annotations, one for each recording, got "
            f"{type(annotations).__name__}; for one recording write {method}([recording], "
            "[annotation])."
        )
    if len(annotations) != n_recordings:
        raise ValueError(
            f"{method} needs one annotation for each recording, got {len(annotations)} "
            f"annotations for {n_recordings} recordings."
        )


@contextmanager
def naming_recording(index: int) -> Iterator[None]:
    """Say in every error of the block which recording it is about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"recordings[{index}]: {error}") from error


def open_recording(recording: Any, lead: int | None) -> np.ndarray:
    """Return one lead, or all, as `select_leads` does, with the gaps bridged.

    Raises
    ------
    TypeError, ValueError
        As `select_leads`, and if there are infinite values.
    """
    return bridge_gaps(select_leads(recording, lead))


def select_leads(recording: Any, lead: int | None) -> np.ndarray:
    """Return one lead, or all, as they are.

    Parameters
    ----------
    recording : array-like of shape (n_times,) or (n_leads, n_times)
        NaN marks gaps.
    lead : int or None
        Which row of a 2-D recording; None takes all.

    Returns
    -------
    ndarray of shape (n_leads, n_times), float32 or float64
        A view of a float recording, not to be written to.

    Raises
    ------
    TypeError
        If the recording is not made of real numbers.
    ValueError
        If it has another number of axes, or no such lead.
    """
    x = np.asarray(recording)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"a recording must be made of real numbers, got dtype {x.dtype}.")
    if x.ndim not in (1, 2):
        raise ValueError(
            f"a recording must be (n_times,) or (n_leads, n_times), got shape {x.shape}."
        )
    if x.ndim == 1:
        x = x[np.newaxis]
    elif len(x) > max(x.shape[1], _MOST_LEADS):
        raise ValueError(
            f"a recording must be (n_leads, n_times), got shape {x.shape}, which are {len(x)} "
            "leads: pass recording.T."
        )
    elif lead is not None:
        if not -len(x) <= lead < len(x):
            raise ValueError(
                f"there is no lead={lead!r} in a recording of {len(x)} leads, (n_leads, n_times) "
                f"= {x.shape}."
            )
        x = x[lead][np.newaxis]
    # whole numbers of 16 bits are exact in float32
    small = x.dtype.itemsize <= (4 if x.dtype.kind == "f" else 2)
    if x.dtype not in (np.float32, np.float64):
        x = x.astype(np.float32 if small else np.float64)
    return x


def reference_beats(
    annotation: Any,
    symbols: Collection[str] | None,
    mapping: str | Mapping[str, Any] | None,
    n_times: int,
) -> ReferenceBeats:
    """Return the annotated beats of a recording of ``n_times`` samples, and their labels.

    Parameters
    ----------
    annotation : Annotation or pair
        Sample numbers and WFDB symbols.
    symbols : collection of str or None
        The symbols that count. None: all that mark a beat, or that ``mapping`` names.
    mapping : {"literature", "bxb"}, dict or None
        From symbols to labels; None takes the symbols themselves.
    n_times : int
        Length of the recording.

    Returns
    -------
    ReferenceBeats

    Raises
    ------
    ValueError
        If it is no annotation, or reaches past the recording.
    """
    return ReferenceBeats(*label_beats(annotation, symbols, mapping, n_times=n_times))
