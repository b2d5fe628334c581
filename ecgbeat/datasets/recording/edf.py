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
_ONSET = re.compile(rb"([+-]\d+\.?\d*)\x14")  # of a data record, at the start of its annotations
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
        starts = _starts_of_records(self.file, self.header, n_per_record)
        n_times = int(starts[-1]) + n_per_record
        if n_times * len(rows) > _MAX_SAMPLES:
            raise ValueError(
                f"{self.file} holds {n_times} samples with its gaps, and at most "
                f"{_MAX_SAMPLES // len(rows)} of {len(rows)} leads are read. Split the file, or "
                "choose fewer leads."
            )
        columns = (starts[:, np.newaxis] + np.arange(n_per_record)).ravel()
        signal = np.full((len(rows), n_times), np.nan, np.float32)
        # edfio warns if it cannot convert values to the unit of the signal
        with _refusing_damage(self.file), warnings.catch_warnings(action="error"):
            for row, part in zip(signal, signals, strict=True):
                row[columns] = part.data
        return signal


def open_edf(file: Path) -> EdfRecording:
    """Read the header of an EDF or BDF file, and raise if its size contradicts it."""
    edfio = import_extra("edfio", extra="data", purpose="Reading EDF and BDF files")
    with _refusing_damage(file):
        header = _read_header(file)
        read = edfio.read_bdf if header.n_bytes == 3 else edfio.read_edf
        # edfio warns of a number of records that is not stated
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
        return latin.encode("latin-1").decode("utf-8").strip()
    except UnicodeDecodeError:
        return latin.strip()


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


def _read_header(file: Path) -> _Header:
    """Read the sizes, and compare them with that of the file."""
    with file.open("rb") as stream:
        fixed = stream.read(256)
        n_signals = int(fixed[252:256] or b"0")
        rest = stream.read(256 * n_signals)
    is_bdf = fixed[:8] == b"\xffBIOSEMI"
    if not is_bdf and fixed[:8].strip() != b"0":
        raise ValueError("it does not begin as EDF or BDF files do")
    if len(rest) != 256 * n_signals or n_signals < 1 or int(fixed[184:192]) != 256 + len(rest):
        raise ValueError(f"its header does not describe the {n_signals} signals that it states")
    labels = [rest[16 * i : 16 * (i + 1)].strip() for i in range(n_signals)]
    fields = rest[216 * n_signals : 224 * n_signals]
    n_samples = [int(fields[8 * i : 8 * (i + 1)]) for i in range(n_signals)]
    n_bytes = 3 if is_bdf else 2
    of_record = n_bytes * sum(n_samples)
    if min(n_samples) < 0 or not of_record:
        raise ValueError("it states data records without samples")
    n_stated, n_found = int(fixed[236:244]), (file.stat().st_size - 256 - len(rest)) / of_record
    if n_stated not in (-1, n_found) or n_found < 1:  # -1 is not known, while recording
        raise ValueError(f"it states {n_stated} data records, and holds {n_found:g} of them")
    first, n_times = None, 0
    notes = b"BDF Annotations" if is_bdf else b"EDF Annotations"
    if fixed[192:197] in (b"EDF+D", b"BDF+D") and notes in labels:
        first, n_times = sum(n_samples[: labels.index(notes)]), n_samples[labels.index(notes)]
    return _Header(n_bytes, int(n_found), float(fixed[244:252]), n_samples, first, n_times)


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
        starts = np.rint((times - times[0]) / header.record_s * n_per_record).astype(np.int64)
        if (np.diff(starts) < n_per_record).any():
            late = int(np.argmax(np.diff(starts) < n_per_record)) + 2
            raise ValueError(f"its data record {late} begins before the one before it ends")
    return starts


@contextmanager
def _refusing_damage(file: Path) -> Iterator[None]:
    """Turn any error of a parser into the one error for damaged files."""
    try:
        yield
    except ImportError:
        raise
    except Exception as error:  # damaged bytes raise errors of any type
        raise ValueError(f"{file} is damaged: {error}. {_CORRECT}") from error
