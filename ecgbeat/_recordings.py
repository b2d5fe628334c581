"""Checks of recordings, annotations and sample numbers.

All functions validate recordings, lists of recordings, leads, annotations and sample numbers here,
so that the same mistake raises the same error everywhere.
"""

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._validation import check_positive, sum_is_finite

__all__ = [
    "GAP_METHODS",
    "Annotation",
    "AnnotationLike",
    "as_annotation",
    "as_recording",
    "as_sample_numbers",
    "as_signals",
    "as_symbols",
    "bridge_gaps",
    "check_annotated_recordings",
    "check_ascending",
    "check_not_transposed",
    "check_one_per_recording",
    "check_recordings",
    "check_within_recording",
    "error_naming_recording",
    "find_lead",
    "from_bunch",
    "lead_row",
    "select_leads",
    "stretch",
]

GAP_METHODS = ("hold", "linear", "raise")
_BLOCK_SAMPLES = 2**18  # in which gaps are filled


class Annotation(NamedTuple):
    """Annotations of one recording in the format of WFDB: beats and others.

    Attributes
    ----------
    sample : ndarray of shape (n_annotations,)
        Sample numbers, int64, ascending. For a beat, its R peak.
    symbol : ndarray of shape (n_annotations,)
        WFDB annotation symbols, such as ``"N"`` or ``"V"``.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.labels import Annotation
    >>> annotation = Annotation(np.array([77, 370]), np.array(["N", "V"]))
    >>> annotation.symbol[annotation.sample > 100]
    array(['V'], dtype='<U1')
    """

    sample: np.ndarray
    symbol: np.ndarray


class _AnnotationObject(Protocol):
    """Object with the attributes of `Annotation`, such as ``wfdb.rdann`` returns."""

    @property
    def sample(self) -> ArrayLike: ...
    @property
    def symbol(self) -> ArrayLike: ...


# argument of `as_annotation`: such an object, or a pair of sample numbers and symbols
AnnotationLike = _AnnotationObject | Sequence[Any] | np.ndarray


# --- signals --------------------------------------------------------------------------


def as_recording(x: ArrayLike, *, gaps: str | None = "linear") -> np.ndarray:
    """Return a recording, ``(n_times,)`` or ``(n_leads, n_times)``, as a float array.

    float32 is kept, all other types become float64. ``gaps`` is a method of `bridge_gaps`; None
    does not check the values.
    """
    recording = as_signals(x, "A recording")
    if recording.ndim > 2:
        raise ValueError(
            "A recording must be of shape (n_times,) or (n_leads, n_times), got shape "
            f"{recording.shape}. Pass several recordings as a list, and windows of one beat each "
            "to RPeakSegmenter or segment_beats."
        )
    check_not_transposed(recording)
    return recording if gaps is None else _fill_gaps(recording, gaps)


def as_signals(x: ArrayLike, name: str = "x") -> np.ndarray:
    """Return signals along the last axis as a float array, without checking the values."""
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} must be an array of samples: {error}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}.")
    if array.ndim == 0:
        raise ValueError(f"{name} must be an array of samples, got the number {array.item()!r}.")
    return array if array.dtype == np.float32 else array.astype(np.float64, copy=False)


def check_not_transposed(x: np.ndarray) -> None:
    """Raise if a 2-D recording has more leads than samples."""
    if x.ndim == 2 and len(x) > x.shape[1] > 0:
        raise ValueError(
            f"A recording must be of shape (n_leads, n_times), got shape {x.shape}, that is "
            f"{len(x)} leads of {x.shape[1]} samples. Pass recording.T."
        )


def select_leads(recording: ArrayLike, lead: int | None) -> np.ndarray:
    """Return one lead of a recording, or all with None: ``(n_leads, n_times)``, values unchecked.

    The result may be a view of ``recording``, so it must not be modified.
    """
    x = np.asarray(recording) if hasattr(recording, "dtype") else recording
    if isinstance(x, np.ndarray) and x.dtype.kind in "fiub":
        largest = 4 if x.dtype.kind == "f" else 2  # bytes that float32 represents exactly
        if x.dtype.itemsize <= largest:
            x = x.astype(np.float32, copy=False)  # half the memory of float64
    leads = np.atleast_2d(as_recording(x, gaps=None))
    if lead is None:
        return leads
    row = lead_row(lead, [str(number) for number in range(len(leads))])
    return leads[row : row + 1]


def lead_row(lead: int | str, lead_names: Sequence[str]) -> int:
    """Return the row of a lead given by number or name."""
    row = find_lead(lead, lead_names)
    if row is None:
        raise ValueError(
            f"There is no lead {lead!r} in a recording of {len(lead_names)} "
            f"lead{'s' * (len(lead_names) != 1)}: pass a number from 0 to "
            f"{len(lead_names) - 1}, or one of the names {list(lead_names)}."
        )
    return row


def find_lead(lead: int | str, lead_names: Sequence[str]) -> int | None:
    """Return the row of a lead given by number or name, None if there is no such lead."""
    if isinstance(lead, str):
        return list(lead_names).index(lead) if lead in lead_names else None
    return int(lead) % len(lead_names) if -len(lead_names) <= lead < len(lead_names) else None


def stretch(n_times: int, fs: float, start: float, stop: float | None) -> slice:
    """Return the samples from ``start`` to ``stop`` (in s; None is the end) of a recording."""
    start = check_positive("start", start, unit="s", strict=False)
    stop = n_times / fs if stop is None else check_positive("stop", stop, unit="s")
    if start >= n_times / fs:
        raise ValueError(
            f"start must lie within the recording of {n_times / fs:g} s, got {start:g}."
        )
    if stop <= start:
        raise ValueError(f"stop must be greater than start={start:g}, got {stop:g}.")
    return slice(round(start * fs), min(round(stop * fs), n_times))


# --- gaps -----------------------------------------------------------------------------


def bridge_gaps(x: ArrayLike, method: str = "linear") -> np.ndarray:
    """Fill missing samples.

    Parameters
    ----------
    x : array-like of shape (..., n_times)
        Signal; NaN marks missing samples.
    method : {"linear", "hold", "raise"}, default="linear"
        With "linear", a gap is filled with a straight line from the sample before it to the
        sample after it; with "hold", with the sample before it; with "raise", a gap is an error.
        At the ends, the nearest sample is repeated. A lead of NaN alone becomes zeros.

    Returns
    -------
    ndarray of shape (..., n_times)
        float32 if ``x`` is float32, else float64. Not a copy if ``x`` has this type already and
        no gaps.

    Raises
    ------
    TypeError
        If ``x`` does not hold real numbers.
    ValueError
        If ``x`` has infinite values or is a single number, ``method`` is unknown, or there is
        a gap and ``method`` is "raise".

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.signal import bridge_gaps
    >>> bridge_gaps([np.nan, 1.0, np.nan, 3.0])
    array([1., 1., 2., 3.])
    >>> bridge_gaps([np.nan, 1.0, np.nan, 3.0], "hold")
    array([1., 1., 1., 3.])
    """
    return _fill_gaps(as_signals(x), method, "method")


def _fill_gaps(x: np.ndarray, method: str, name: str = "gaps") -> np.ndarray:
    """Fill the gaps of a float array as `bridge_gaps` does."""
    if method not in GAP_METHODS:
        raise ValueError(f"{name} must be one of {GAP_METHODS}, got {method!r}.")
    if sum_is_finite(x):
        return x
    if (is_infinite := np.isinf(x)).any():
        raise ValueError(
            "A recording must be finite or, where samples are missing, NaN, but "
            f"{_count_and_first(is_infinite, 'infinite')}. Replace them by NaN."
        )
    del is_infinite  # masks of a long recording take a quarter of its memory
    if not (is_missing := np.isnan(x)).any():  # finite values whose sum overflows
        return x
    if method == "raise":
        raise ValueError(
            f"A recording must have no gaps with {name}='raise', but "
            f"{_count_and_first(is_missing, 'NaN')}. Fill them, or set {name}='linear'."
        )
    del is_missing
    filled = np.empty(x.shape, x.dtype)
    for index in np.ndindex(x.shape[:-1]):
        _fill_row(x[index], filled[index], hold=method == "hold")
    return filled


def _count_and_first(mask: np.ndarray, kind: str) -> str:
    """Describe the number of values of a kind in an array, and the index of the first."""
    first = ", ".join(str(int(i)) for i in np.unravel_index(int(mask.argmax()), mask.shape))
    return f"{int(mask.sum())} of {mask.size} values are {kind}, the first at index [{first}]"


def _fill_row(row: np.ndarray, filled: np.ndarray, *, hold: bool) -> None:
    """Copy a row to ``filled`` without its gaps, block by block, which bounds the memory."""
    before = np.empty(0, np.int64)  # last known sample of the blocks before
    after = 0  # first known sample behind the block, or the length of the row
    for start in range(0, len(row), _BLOCK_SAMPLES):
        stop = min(start + _BLOCK_SAMPLES, len(row))
        filled[start:stop] = row[start:stop]
        is_missing = np.isnan(row[start:stop])
        known = start + np.flatnonzero(~is_missing)
        if len(known) < stop - start:
            after = after if after >= stop else _next_known(row, stop)
            missing = start + np.flatnonzero(is_missing)
            around = np.concatenate([before, known, np.arange(after, min(after + 1, len(row)))])
            filled[missing] = _bridge(row, missing, around, hold=hold)
        before = known[-1:] if len(known) else before


def _next_known(row: np.ndarray, start: int) -> int:
    """Return the first sample from ``start`` on that is not missing, or the length of the row."""
    for first in range(start, len(row), _BLOCK_SAMPLES):
        is_known = ~np.isnan(row[first : first + _BLOCK_SAMPLES])
        if is_known.any():
            return first + int(is_known.argmax())
    return len(row)


def _bridge(
    row: np.ndarray, missing: np.ndarray, known: np.ndarray, *, hold: bool
) -> np.ndarray | float:
    """Return values for missing samples of a row from the known ones around them."""
    if len(known) == 0:
        return 0.0
    if not hold:
        return np.interp(missing, known, row[known])
    previous = np.searchsorted(known, missing) - 1
    return row[known[np.maximum(previous, 0)]]


# --- lists of recordings --------------------------------------------------------------


def check_recordings(
    recordings: Any, caller: str, fs: float | None = None, *, any_order: bool = False
) -> Sequence[Any]:
    """Return a sequence of recordings.

    The rows of a 2-D array are recordings of one lead; a 3-D array holds recordings of several
    leads. A Bunch, as from `ecgbeat.datasets.load_wfdb`, stands for its recordings, which must be
    sampled at ``fs``, with leads in the same order unless ``any_order``. ``caller`` is the name of
    the function, for the message.
    """
    bunch = recordings if _is_bunch(recordings) else None
    if bunch is not None:
        recordings = _recordings_of_bunch(bunch, caller, fs)
    if hasattr(recordings, "to_numpy"):  # pandas
        recordings = recordings.to_numpy()
    is_single = False
    if isinstance(recordings, np.ndarray):
        is_single = recordings.ndim < 2 and recordings.dtype != object
    elif not isinstance(recordings, (list, tuple)):
        raise TypeError(
            f"{caller} takes a list of recordings, got {type(recordings).__name__}. Each is an "
            "array of shape (n_times,) or (n_leads, n_times); the Bunch of a loader of recordings "
            "is accepted as a whole."
        )
    if is_single or (len(recordings) and np.isscalar(recordings[0])):
        raise TypeError(
            f"{caller} takes a list of recordings, got {type(recordings).__name__} of "
            f"numbers. For one recording, write {caller}([recording], ...)."
        )
    if bunch is not None:
        _check_leads(bunch, len(recordings), any_order)
    return recordings


def _is_bunch(recordings: Any) -> bool:
    """Return whether recordings are those of a Bunch, as the loaders return it."""
    return isinstance(recordings, Mapping) and "recordings" in recordings


def _recordings_of_bunch(bunch: Mapping[str, Any], caller: str, fs: float | None) -> Any:
    """Return the recordings of a Bunch whose sampling rate, if it has one, is ``fs``."""
    own_fs = bunch.get("fs")
    if own_fs is not None and check_positive("fs of the Bunch", own_fs, unit="Hz") != (
        fs or own_fs
    ):
        raise ValueError(
            f"The Bunch of recordings has fs={own_fs!r} Hz, but {caller} works at fs={fs!r} Hz. "
            "Set fs to the rate of the recordings, as in fs=bunch.fs."
        )
    return bunch["recordings"]


def _check_leads(bunch: Mapping[str, Any], n_recordings: int, any_order: bool) -> None:
    """Raise if leads of a Bunch are not named, or, unless ``any_order``, in another order."""
    all_leads = bunch.get("lead_names")
    if all_leads is None:
        return
    names = bunch.get("record_names", range(n_recordings))
    check_one_per_recording("lead_names", all_leads, n_recordings)
    check_one_per_recording("record_names", names, n_recordings)
    if any_order:
        return
    seen: dict[tuple[str, ...], tuple[Any, list[str]]] = {}
    for name, leads in zip(names, all_leads, strict=True):
        if isinstance(leads, str):  # one lead, chosen by the loader
            continue
        leads = [str(lead) for lead in leads]
        first_name, first_leads = seen.setdefault(tuple(sorted(leads)), (name, leads))
        if leads != first_leads:
            raise ValueError(
                f"The Bunch holds the same leads in another order: {first_leads} in record "
                f"{first_name}, {leads} in record {name}. Load one lead by its name, as in "
                f"lead={first_leads[0]!r}, or put the rows of the recordings in the same order."
            )


def from_bunch(recordings: Any, key: str, given: Any) -> Any:
    """Return an argument; if it is None, the entry of a Bunch of recordings, if they are one."""
    return recordings.get(key) if given is None and _is_bunch(recordings) else given


def check_annotated_recordings(
    recordings: Any,
    annotations: Any,
    caller: str,
    fs: float | None = None,
    *,
    any_order: bool = False,
) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return recordings, as `check_recordings`, and one annotation for each.

    Those of a Bunch are used if ``annotations`` is None.
    """
    if _is_bunch(recordings):
        has_own = recordings.get("annotations") is not None
        if has_own and annotations is not None:
            raise ValueError(
                f"{caller} got annotations, and a Bunch that holds others. Pass the Bunch alone, "
                "or its recordings with these annotations."
            )
        if not has_own and annotations is None:
            raise ValueError(
                f"{caller} requires annotations, but those of the Bunch are None. Load them, or "
                "pass them as annotations."
            )
    annotations = from_bunch(recordings, "annotations", annotations)
    recordings = check_recordings(recordings, caller, fs, any_order=any_order)
    check_one_per_recording("annotations", annotations, len(recordings), caller)
    return recordings, annotations


def check_one_per_recording(
    name: str, values: Any, n_recordings: int | None = None, caller: str | None = None
) -> None:
    """Raise if ``values`` is not a list with one entry for each recording.

    ``caller`` is the name of a function of recordings and annotations, for the message.
    """
    is_list = hasattr(values, "__len__") and getattr(values, "ndim", 1) > 0
    if not is_list or isinstance(values, (str, Mapping)) or hasattr(values, "symbol"):
        example = f"{caller}([recording], [annotation])" if caller else f"{name}=[annotation]"
        raise TypeError(
            f"{name} must be a list with one entry for each recording, got "
            f"{type(values).__name__}. For one recording, write {example}."
        )
    if n_recordings is not None and len(values) != n_recordings:
        raise ValueError(
            f"{name} must have one entry for each recording, got {len(values)} for "
            f"{n_recordings} recordings."
        )


@contextmanager
def error_naming_recording(index: int, name: str = "recordings") -> Iterator[None]:
    """Put the list and the number of the recording in front of every error of the block."""
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"{name}[{index}]: {error}") from error


# --- sample numbers and annotations ---------------------------------------------------


def as_sample_numbers(samples: ArrayLike, name: str) -> np.ndarray:
    """Return sample numbers as a 1-D array of int64, in the order given."""
    array = np.asarray(samples)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(
            f"{name} must hold sample numbers, that is integers, got dtype {array.dtype}. Convert "
            "seconds by np.round(seconds * fs).astype(int)."
        )
    if array.ndim != 1:
        raise ValueError(
            f"{name} must be a 1-D array of sample numbers, got shape {array.shape}. Pass those "
            "of one recording at a time."
        )
    return array.astype(np.int64)


def check_ascending(samples: np.ndarray, name: str, *, strict: bool = False) -> None:
    """Raise if sample numbers are not ascending."""
    steps = np.diff(samples)
    wrong = np.flatnonzero(steps <= 0 if strict else steps < 0)
    if wrong.size:
        at = int(wrong[0])
        raise ValueError(
            f"{name} must be {'strictly ' if strict else ''}ascending, but {name}[{at + 1}] = "
            f"{samples[at + 1]} follows {name}[{at}] = {samples[at]}. Sort them, with their "
            f"labels{', and remove duplicates' if strict else ''}."
        )


_CROP = "ecgbeat.annotation.crop_recording crops a recording with its annotations."


def check_within_recording(
    samples: np.ndarray, n_times: int, name: str, remedy: str = _CROP
) -> None:
    """Raise if sample numbers lie outside a recording of ``n_times`` samples."""
    outside = samples[(samples < 0) | (samples >= n_times)]
    if outside.size:
        raise ValueError(
            f"{name} must lie within the recording of {n_times} samples, got {outside.size} "
            f"outside, the first at {int(outside[0])}. Check that they belong to this recording "
            f"and to its sampling rate. {remedy}"
        )


def as_annotation(annotation: AnnotationLike, name: str = "annotation") -> Annotation:
    """Return sample numbers, in the order given, and the label of each.

    The argument is a pair, or any object with the attributes ``sample`` and ``symbol``, such as
    ``wfdb.rdann`` and `BeatAnnotator.predict` return.
    """
    try:
        if hasattr(annotation, "sample") and hasattr(annotation, "symbol"):
            sample, symbol = annotation.sample, annotation.symbol
        else:
            sample, symbol = annotation
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be a pair (sample numbers, symbols), such as "
            f"ecgbeat.labels.Annotation, got {type(annotation).__name__}: "
            f"{reprlib.repr(annotation)}."
        ) from None
    sample, symbol = as_sample_numbers(sample, f"sample of {name}"), np.asarray(symbol)
    if sample.shape != symbol.shape:
        raise ValueError(
            f"{name} must have one symbol for each sample number, got sample of shape "
            f"{sample.shape} and symbol of shape {symbol.shape}."
        )
    return Annotation(sample, symbol)


def as_symbols(symbols: ArrayLike) -> np.ndarray:
    """Return annotation symbols as an array of str, also if it is empty."""
    array = np.asarray(symbols)
    if array.size and array.dtype.kind not in "UO":
        raise ValueError(
            f"Annotation symbols must be strings, such as 'N' or 'V', got dtype {array.dtype}."
        )
    return array.astype(str)
