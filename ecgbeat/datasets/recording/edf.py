"""EDF and BDF files, https://www.edfplus.info/specs.

The signals are read by edfio. The sizes are checked before, and the times of the parts of an
interrupted recording are read here.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ecgbeat._validation import import_extra

EXTENSIONS = (".edf", ".bdf")
_MAX_SAMPLES = 2**29  # of all leads with the gaps between them: 2 GB
_ONSET = re.compile(rb"([+-]\d{1,15}\.?\d*)\x14")  # at the start of a data record
_INTEGER = re.compile(rb" *[+-]?\d+ *")
_NUMBER = re.compile(rb" *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *")
_RECORD_S = (1e-6, 1e6)  # shortest and longest data record
_JITTER_S = 0.005  # by which data records without a gap may be early or late, by clock or rounding
_CORRECT = "Get an intact copy of the file."


class EdfRecording(NamedTuple):
    """A recording whose header has been read."""

    file: Path
    content: Any  # edfio.Edf or edfio.Bdf
    header: "_Header"
    lead_names: list[str]
    units: list[str]  # "" if not stated
    rates: list[float]  # Hz

    def read(self, rows: list[int]) -> np.ndarray:
        """Read leads of one rate in their unit, float32 of shape (n_leads, n_times).

        Samples between the parts of an interrupted recording are NaN.
        """
        signals = [self.content.signals[row] for row in rows]
        n_per_record = signals[0].samples_per_data_record
        if not n_per_record:
            raise ValueError(f"{self.file}: the data records have no samples of the leads.")
        starts = _starts_of_records(self.file, self.header, n_per_record)
        n_times = int(starts[-1]) + n_per_record
        if n_times * len(rows) > _MAX_SAMPLES:
            raise ValueError(
                f"{self.file} holds {n_times} samples with its gaps, and at most "
                f"{_MAX_SAMPLES // len(rows)} of {len(rows)} leads are read. Split the file, or "
                "choose fewer leads."
            )
        columns: Any = slice(None)
        if n_times > len(starts) * n_per_record:
            columns = (starts[:, np.newaxis] + np.arange(n_per_record)).ravel()
        signal = np.full((len(rows), n_times), np.nan, np.float32)
        with _refusing_damage(self.file):
            for row, part in zip(signal, signals, strict=True):
                row[columns] = _calibrated(part)
        return signal


def open_edf(file: Path, verify: bool) -> EdfRecording:
    """Read the header of an EDF or BDF file; if ``verify``, raise if its size contradicts it."""
    edfio = import_extra("edfio", extra="data", purpose="Reading EDF and BDF files")
    with _refusing_damage(file):
        header = _read_header(file, verify)
        read = edfio.read_bdf if header.n_bytes == 3 else edfio.read_edf
        # edfio warns of another number of records than stated, and returns those that are whole
        with warnings.catch_warnings(action="ignore"):
            content = read(file, header_encoding="latin-1")
        signals = content.signals
        recording = EdfRecording(
            file,
            content,
            header,
            [_as_text(signal.label) for signal in signals],
            [_as_text(signal.physical_dimension) for signal in signals],
            [float(signal.sampling_frequency) for signal in signals],
        )
    if not signals:
        raise ValueError(f"{file} holds annotations alone, and no signal. Pass the recording.")
    return recording


def _as_text(latin: str) -> str:
    """Return a field of the header, which some programs write in UTF-8 against the standard."""
    try:
        text = latin.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        text = latin
    return text.strip("\0 ")


def _calibrated(signal: Any) -> np.ndarray:
    """Return the samples in their unit; without valid limits, edfio returns those of the file."""
    try:
        limits = [*signal.physical_range, *signal.digital_range]
    except ValueError as error:
        raise ValueError(f"a limit of its signal {signal.label!r} is invalid: {error}") from error
    if not np.isfinite(limits).all() or limits[0] == limits[1] or limits[2] == limits[3]:
        raise ValueError(
            f"the limits of its signal {signal.label!r} must be finite and differ, got {limits}"
        )
    return signal.data


class _Header(NamedTuple):
    """Numbers of the header from which the sizes follow."""

    n_bytes: int  # of a sample
    n_records: int
    record_s: float  # duration of a data record
    n_samples: list[int]  # of each signal in a data record, those of annotations too
    first_sample_of_times: int | None  # in a data record that states its time
    n_samples_of_times: int

    @property
    def size(self) -> int:
        """Number of bytes of the header itself."""
        return 256 * (len(self.n_samples) + 1)


def _read_header(file: Path, verify: bool) -> _Header:
    """Read the sizes, and compare them with that of the file."""
    with file.open("rb") as stream:
        fixed = stream.read(256)
        is_bdf = fixed[:8] == b"\xffBIOSEMI"
        if not is_bdf and fixed[:8].strip() != b"0":
            raise ValueError("it does not begin as EDF or BDF files do")
        n_signals = _integer(fixed[252:256], "number of signals")
        rest = stream.read(256 * max(n_signals, 0))
    stated_size = _integer(fixed[184:192], "size of the header")
    if n_signals < 1 or not len(rest) == 256 * n_signals == stated_size - 256:
        raise ValueError(f"its header does not describe the {n_signals} signals that it states")
    labels = [rest[16 * i : 16 * (i + 1)].strip() for i in range(n_signals)]
    fields = rest[216 * n_signals : 224 * n_signals]
    n_samples = [
        _integer(fields[8 * i : 8 * (i + 1)], "number of samples") for i in range(n_signals)
    ]
    n_bytes = 3 if is_bdf else 2
    of_record = n_bytes * sum(n_samples)
    if min(n_samples) < 0 or not of_record:
        raise ValueError("it states data records without samples")
    n_stated = _integer(fixed[236:244], "number of data records")
    n_found = (file.stat().st_size - 256 - len(rest)) / of_record
    if n_found < 1 or (verify and n_stated not in (-1, n_found)):  # -1 while recording
        problem = f"it states {n_stated} data records, and holds {n_found:g} of them"
        raise ValueError(f"{problem}; verify=False (--no-verify) reads those that are whole")
    notes = b"BDF Annotations" if is_bdf else b"EDF Annotations"
    record_s = _number(fixed[244:252], "duration of a data record")
    if not _RECORD_S[0] <= record_s <= _RECORD_S[1] and (record_s or set(labels) != {notes}):
        low, high = _RECORD_S
        raise ValueError(f"its data records must last {low:g} to {high:g} s, got {record_s:g} s")
    first, n_times = None, 0
    if fixed[192:197] in (b"EDF+D", b"BDF+D"):
        if notes not in labels:
            raise ValueError("it is interrupted, and does not state the times of its data records")
        first, n_times = sum(n_samples[: labels.index(notes)]), n_samples[labels.index(notes)]
    return _Header(n_bytes, int(n_found), record_s, n_samples, first, n_times)


def _number(field: bytes, meaning: str) -> float:
    """Return a number of the header; ``float`` would also accept 1_0 and nan."""
    if not _NUMBER.fullmatch(field):
        raise ValueError(f"its {meaning} must be a number, got {field.decode('latin-1')!r}")
    return float(field)


def _integer(field: bytes, meaning: str) -> int:
    """Return an integer of the header."""
    if not _INTEGER.fullmatch(field):
        raise ValueError(f"its {meaning} must be an integer, got {field.decode('latin-1')!r}")
    return int(field)


def _starts_of_records(file: Path, header: _Header, n_per_record: int) -> np.ndarray:
    """Return the sample at which each data record begins, of a lead of so many per record."""
    if header.first_sample_of_times is None:
        return np.arange(header.n_records) * n_per_record
    shape = (header.n_records, sum(header.n_samples) * header.n_bytes)
    records = np.memmap(file, np.uint8, "r", header.size, shape)
    start = header.first_sample_of_times * header.n_bytes
    stop = start + header.n_samples_of_times * header.n_bytes
    onsets = [_ONSET.match(record[start:stop].tobytes()) for record in records]
    with _refusing_damage(file):
        if None in onsets:
            raise ValueError(f"its data record {onsets.index(None) + 1} does not state its time")
        times = np.array([float(onset[1]) for onset in onsets if onset])
        late = np.diff(times) - header.record_s
        jitter = min(_JITTER_S, 0.02 * header.record_s)
        if (late < -jitter).any():
            early = int(np.argmax(late < -jitter)) + 2
            raise ValueError(f"its data record {early} begins before the one before it ends")
    late[late <= jitter] = 0
    gaps = np.minimum(np.rint(late / header.record_s * n_per_record), _MAX_SAMPLES)
    return np.concatenate([[0], np.cumsum(n_per_record + gaps.astype(np.int64))])


@contextmanager
def _refusing_damage(file: Path) -> Iterator[None]:
    """Turn any error of a parser into the one error for damaged files."""
    try:
        yield
    except ImportError:
        raise
    except Exception as error:  # damaged bytes raise errors of any type
        raise ValueError(f"{file} is damaged: {error}. {_CORRECT}") from error
