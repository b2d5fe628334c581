"""Patients of the Kaggle ``heartbeat`` rows, found by comparison with MIT-BIH."""

import os
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from ecgbeat._validation import check_finite, check_positive
from ecgbeat.datasets.kaggle.loader import N_TIMES
from ecgbeat.datasets.mitdb.loader import load_mitdb
from ecgbeat.labels import Annotation, is_beat

_STEP = 3  # the rows hold every third sample
_OVERHANG = 0.2  # part of the next interval between annotations that a row includes
_N_SUMS = 3
_CHUNK_ROWS = 2**12  # compared at once, which bounds the memory
_MAX_TOLERANCE = 1e-3  # the recordings have 11 bits: values of a row differ by 5e-4 and more


class _Beats(NamedTuple):
    """Rows of all beats of the records."""

    rows: np.ndarray  # (n_beats, 187), float64
    patient: np.ndarray
    record: np.ndarray
    sample: np.ndarray
    symbol: np.ndarray


def match_kaggle_beats(
    X: ArrayLike,
    path: str | os.PathLike[str] | None = None,
    *,
    records: Iterable[str | int] | None = None,
    tolerance: float = 1e-6,
    verbose: int = 0,
) -> Bunch:
    r"""Find the patients of Kaggle ``heartbeat`` rows, for cross-validation by patient.

    ``mitbih_train.csv`` and ``mitbih_test.csv`` do not contain the patients of their beats,
    and each holds beats of every patient. All rows were cut from the MIT-BIH Arrhythmia
    Database by a known rule. This function cuts every row again from the recordings, and
    finds the one that equals each row of ``X``.

    Parameters
    ----------
    X : array-like of shape (n_beats, 187) or (187,)
        Rows as `load_heartbeat_csv` reads them (without the label), in any number and
        order. A 1-D array is one row.
    path : path-like, default=None
        Folder with the records of MIT-BIH. None takes the folder ``mitdb`` of the data home
        (see `get_data_home`).
    records : iterable of str, default=None
        Names of the records to compare with, such as ``["100", "101"]``; None takes all
        records of the folder.
    tolerance : float, default=1e-6
        Largest difference of a value that counts as equal. The rows have single precision,
        that is up to 6e-8; a copy rounded to four decimals takes 1e-4. At most 1e-3.
    verbose : int, default=0
        Above 0, show a progress bar.

    Returns
    -------
    sklearn.utils.Bunch
        groups : ndarray of shape (n_beats,)
            Patient of each row: its record, except that records 201 and 202 are of the same
            man and both are ``"201"``. ``""`` if no beat matches, so that a splitter keeps
            all such rows together.
        record, symbol : ndarray of shape (n_beats,)
            Record and WFDB symbol of each row, ``""`` if no beat matches.
        sample : ndarray of shape (n_beats,), int64
            R peak in samples of the recording at 360 Hz, -1 if no beat matches.
        matched : ndarray of shape (n_beats,), bool
            Whether a beat matches.
        ambiguous : ndarray of shape (n_beats,), bool
            Whether beats of several patients match. The first one, by record and time, is
            returned.
        share_matched : float
            Mean of ``matched``; NaN for no rows.
        n_ambiguous : int
            Sum of ``ambiguous``.

    Raises
    ------
    ImportError, FileNotFoundError
        As `load_wfdb`.
    ValueError
        If ``X`` does not have 187 columns or is not finite, ``tolerance`` is out of range, or a
        record is damaged.

    See Also
    --------
    load_heartbeat_csv : Load the rows.
    ecgbeat.model_selection.InterPatientSplit : Splitter that takes ``record`` as groups.

    Notes
    -----
    The rule, found by comparing rows with recordings: of the first lead, unfiltered, take
    every third sample from a beat's annotation to 0.2 of the next interval beyond the next
    annotation, of any kind; scale to 0..1 and pad or cut to 187 samples. The last beat of a
    record is left out. Rows of the PTB database match no beat.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from ecgbeat.datasets import match_kaggle_beats
    >>> signal = np.random.default_rng(0).integers(-200, 200, 720).astype("<i2")
    >>> row = signal[47 : int(347 + 0.2 * 100) : 3].astype(float)
    >>> row = np.pad((row - row.min()) / np.ptp(row), (0, 187 - len(row)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     header = f"100 1 360 720\n100.dat 16 200/mV 16 0 0 {signal.sum()} 0 MLII\n"
    ...     _ = Path(folder, "100.hea").write_text(header)
    ...     signal.tofile(Path(folder, "100.dat"))
    ...     beats = [1 << 10 | 47, 5 << 10 | 300, 1 << 10 | 100, 0]
    ...     np.array(beats, "<u2").tofile(Path(folder, "100.atr"))
    ...     found = match_kaggle_beats([row, np.zeros(187)], folder)
    >>> found.groups, found.sample, found.share_matched
    (array(['100', ''], dtype='<U3'), array([47, -1]), 0.5)
    """
    X = _as_rows(X)
    tolerance = check_positive("tolerance", tolerance)
    if tolerance > _MAX_TOLERANCE:
        raise ValueError(
            f"tolerance must be at most {_MAX_TOLERANCE}, the step of the recordings in the scale "
            f"of the rows, got {tolerance!r}."
        )
    # single precision, in mV, is not as fine as that of the rows
    mitdb = load_mitdb(path, records, lead=0, dtype=np.float64, verbose=verbose)
    beats = _rows_of_database(mitdb)
    row, beat = _equal_pairs(X, beats.rows, tolerance)
    match = np.full(len(X), -1)
    match[row[::-1]] = beat[::-1]  # of several pairs of a row, the first stays
    matched = match >= 0
    ambiguous = np.zeros(len(X), dtype=bool)
    ambiguous[row[beats.patient[beat] != beats.patient[match[row]]]] = True
    return Bunch(
        groups=_take(beats.patient, match, ""),
        record=_take(beats.record, match, ""),
        sample=_take(beats.sample, match, -1),
        symbol=_take(beats.symbol, match, ""),
        matched=matched,
        ambiguous=ambiguous,
        share_matched=float(matched.mean()) if len(X) else float("nan"),
        n_ambiguous=int(ambiguous.sum()),
    )


def _as_rows(X: ArrayLike) -> np.ndarray:
    """Return finite rows of 187 columns as float64."""
    X = np.asarray(X)
    if X.ndim == 1 and X.size:
        X = X[None]
    if X.size == 0:  # no rows, of any shape
        return np.empty((0, N_TIMES))
    if X.ndim != 2 or X.shape[1] != N_TIMES:
        is_table = X.ndim == 2 and X.shape[1] == N_TIMES + 1
        hint = " Leave out the label in the last column: X[:, :-1]." if is_table else ""
        raise ValueError(
            f"X must have the {N_TIMES} columns of the Kaggle heartbeat set, got shape "
            f"{X.shape}.{hint}"
        )
    X = X.astype(np.float64)
    check_finite(X, "match_kaggle_beats")
    return X


def _rows_of_database(mitdb: Bunch) -> _Beats:
    """Return the rows of all beats of MIT-BIH."""
    parts = list(map(cut_rows_of_record, mitdb.recordings, mitdb.annotations))
    n_beats = [len(rows) for rows, _ in parts]
    return _Beats(
        np.concatenate([rows for rows, _ in parts]),
        np.repeat(mitdb.groups, n_beats),
        np.repeat(mitdb.record_names, n_beats),
        np.concatenate([beats.sample for _, beats in parts]),
        np.concatenate([beats.symbol for _, beats in parts]),
    )


def cut_rows_of_record(signal: np.ndarray, annotation: Annotation) -> tuple[np.ndarray, Annotation]:
    """Return the rows of all beats of one record but the last, and their annotations.

    ``signal`` is the first lead at 360 Hz, in any unit, with all its annotations. The rows, of
    shape (n_beats, 187), range from 0 to 1; they are NaN where the signal is constant.
    """
    # the end of the record follows the last annotation
    times = np.append(annotation.sample, [len(signal), len(signal)])
    beats = np.flatnonzero(is_beat(annotation.symbol))[:-1]
    following, after = times[beats + 1], times[beats + 2]
    stops = (following + _OVERHANG * (after - following)).astype(np.int64)
    rows = np.zeros((len(beats), N_TIMES))
    for row, start, stop in zip(rows, times[beats].tolist(), stops.tolist(), strict=True):
        segment = signal[start:stop:_STEP]
        if len(segment) == 0 or segment.min() == segment.max():
            row[:] = np.nan
            continue
        lowest, kept = segment.min(), segment[:N_TIMES]
        row[: len(kept)] = (kept - lowest) / (segment.max() - lowest)
    return rows, Annotation(annotation.sample[beats], annotation.symbol[beats])


def _equal_pairs(
    X: np.ndarray, rows: np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs of equal rows, in the order of X and then of ``rows``.

    Sums with random signs, nearly equal for equal rows and almost never for others, exclude most.
    """
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(N_TIMES, _N_SUMS))
    sums = rows @ signs
    order = np.argsort(sums[:, 0], kind="stable")
    pairs = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    for start in range(0, len(X), _CHUNK_ROWS):
        chunk = X[start : start + _CHUNK_ROWS]
        row, beat = _candidates(chunk @ signs, sums, order, N_TIMES * tolerance)
        equal = np.abs(chunk[row] - rows[beat]).max(axis=1, initial=0) <= tolerance
        row, beat = row[equal], beat[equal]
        sorting = np.lexsort((beat, row))
        pairs.append((start + row[sorting], beat[sorting]))
    row, beat = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return row, beat


def _candidates(
    wanted: np.ndarray, sums: np.ndarray, order: np.ndarray, widest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs whose sums differ by ``widest`` at most; ``order`` sorts the first sum."""
    ascending = sums[order, 0]
    first = np.searchsorted(ascending, wanted[:, 0] - widest, side="left")
    n_candidates = np.searchsorted(ascending, wanted[:, 0] + widest, side="right") - first
    row = np.repeat(np.arange(len(wanted)), n_candidates)
    # counts 0, 1, ... anew for each row
    place = np.arange(len(row)) - np.repeat(np.cumsum(n_candidates) - n_candidates, n_candidates)
    beat = order[first[row] + place]
    for column in range(1, _N_SUMS):
        near = np.abs(wanted[row, column] - sums[beat, column]) <= widest
        row, beat = row[near], beat[near]
    return row, beat


def _take(values: np.ndarray, match: np.ndarray, missing: Any) -> np.ndarray:
    """Return the value of each match, ``missing`` if there is none."""
    return np.append(values, np.array([missing], values.dtype))[match]
