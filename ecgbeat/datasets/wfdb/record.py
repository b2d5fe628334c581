"""One WFDB record: header, segments, leads and annotations.

Errors name the file. Where to get an intact one is added by the loader of the database.
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ecgbeat._recordings import Annotation, check_within_recording
from ecgbeat._validation import import_extra

_MILLIVOLTS = {"uv": 1e-3, "mv": 1.0, "v": 1e3}  # per unit
_GAP = "~"  # name of a segment without signals
_ANNOTATION_END = b"\x00\x00"  # closes every annotation file in WFDB's own format


def open_record(path: Path) -> "Record | SegmentedRecord":
    """Read the header of a record and of its segments; ``path`` has no extension."""
    header = _read_header(path)
    if isinstance(header, _import_wfdb().MultiRecord):
        return _open_segments(path, header)
    return _as_record(path, header)


class Record(NamedTuple):
    """A record of one segment whose header has been read."""

    path: Path  # without extension
    header: Any  # wfdb.Record

    @property
    def lead_names(self) -> list[str]:
        """Names of the leads, those that WFDB gives them where the header has none."""
        name = self.path.name
        return [
            str(given or f"record {name}, signal {index}")
            for index, given in enumerate(self.header.sig_name)
        ]

    def n_per_frame(self, lead: int | None) -> int:
        """Return the samples per frame of a lead, or of all leads; 1 if those differ."""
        # some databases store the ECG at a multiple of the rate that the header states
        counts = self.header.samps_per_frame
        distinct = set(counts) if lead is None else {counts[lead]}
        return int(distinct.pop()) if len(distinct) == 1 else 1

    def read(self, lead: int | None, dtype: np.dtype, verify: bool) -> np.ndarray:
        """Read one lead, of shape (n_times,), or all, of shape (n_leads, n_times), in mV.

        Samples that the record marks as invalid are NaN. Units other than voltages stay.
        """
        channels = list(range(self.header.n_sig)) if lead is None else [lead]
        in_frames = self.n_per_frame(lead) == 1
        files = [self.path.parent / self.header.file_name[channel] for channel in channels]
        for file in files:
            _require(file)
        with _refusing_damage(files[0], _describe_size(self, files[0])):
            read = _import_wfdb().rdrecord(
                str(self.path), channels=channels, physical=False, smooth_frames=in_frames
            )
        if verify:
            _verify_checksums(self, read, files)
        signal = read.dac(expanded=not in_frames, return_res=8 * dtype.itemsize)
        signal = signal.T if in_frames else np.stack(signal)
        for row, unit in zip(signal, read.units, strict=True):
            row *= _MILLIVOLTS.get(str(unit).lower(), 1.0)
        # copies, because the transpose of WFDB's columns is not contiguous
        return np.array(signal if lead is None else signal[0], dtype=dtype, order="C")


class SegmentedRecord(NamedTuple):
    """A record of several segments whose headers have been read."""

    path: Path  # without extension
    header: Any  # wfdb.MultiRecord
    lead_names: list[str]
    segments: list[tuple[int, Record]]  # each with the frame at which it starts
    has_layout: bool  # whether segments may lack leads, or hold them in another order

    def n_per_frame(self, lead: int | None) -> int:
        """Return the samples per frame of a lead, or of all leads; 1 if those differ."""
        counts = {
            segment.n_per_frame(None if lead is None else self._index_in(segment, lead))
            for _, segment in self.segments
            if lead is None or self._has(segment, lead)
        }
        if len(counts) > 1:
            problem = f"its segments differ in samples per frame, {sorted(counts)}"
            _refuse(_with_extension(self.path, "hea"), problem, "Choose one lead.")
        return counts.pop() if counts else 1

    def read(self, lead: int | None, dtype: np.dtype, verify: bool) -> np.ndarray:
        """Read one lead, or all, as `Record.read`; NaN where a segment is a gap or lacks it."""
        n_per_frame = self.n_per_frame(lead)
        leads = list(range(len(self.lead_names))) if lead is None else [lead]
        signal = np.full((len(leads), self.header.sig_len * n_per_frame), np.nan, dtype)
        for start, segment in self.segments:
            present = [row for row, name in enumerate(leads) if self._has(segment, name)]
            if not present:
                continue
            rows = [self._index_in(segment, leads[row]) for row in present]
            read = segment.read(None if lead is None else rows[0], dtype, verify)
            columns = slice(start * n_per_frame, (start + segment.header.sig_len) * n_per_frame)
            signal[present, columns] = read[rows] if lead is None else read
        return signal if lead is None else signal[0]

    def _has(self, segment: Record, lead: int) -> bool:
        """Return whether a segment has a lead of the record."""
        return not self.has_layout or self.lead_names[lead] in segment.lead_names

    def _index_in(self, segment: Record, lead: int) -> int:
        """Return the index in a segment of a lead of the record."""
        return segment.lead_names.index(self.lead_names[lead]) if self.has_layout else lead


def sampling_rate(record: Record | SegmentedRecord, lead: int | None) -> float:
    """Return the sampling rate of a lead, or of all leads, in Hz."""
    return float(record.header.fs) * record.n_per_frame(lead)


def read_annotation(
    record: Record | SegmentedRecord, annotator: str, fs: float, verify: bool
) -> Annotation:
    """Read the annotations of a record by one annotator.

    Sample numbers count at ``fs``, the sampling rate of the recording. Those outside of it show
    that the file belongs to another one, and raise an error if ``verify``; else they are dropped.
    """
    file = _with_extension(record.path, annotator)
    _require(file, "annotator=None reads no annotations, records= leaves records out.")
    if file.read_bytes()[-2:] != _ANNOTATION_END:
        _refuse(file, "its end mark is missing, so it is truncated or not an annotation")
    with _refusing_damage(file, "it is not a WFDB annotation"):
        read = _import_wfdb().rdann(str(record.path), annotator)
    sample = np.asarray(read.sample, dtype=np.int64)
    symbol = np.asarray(read.symbol, dtype=str)
    unit = float(read.fs or record.header.fs)
    n_times = round(record.header.sig_len * fs / float(record.header.fs))
    n_units = math.ceil(n_times * unit / fs)  # length of the recording in the file's unit
    if verify:
        try:
            check_within_recording(sample, n_units, "annotations")
        except ValueError as error:
            raise ValueError(f"{file}: {error} verify=False drops those outside.") from error
    is_inside = (sample >= 0) & (sample < n_units)
    sample, symbol = sample[is_inside], symbol[is_inside]
    if unit != fs:
        sample = np.minimum(np.rint(sample * (fs / unit)).astype(np.int64), n_times - 1)
    return Annotation(sample, symbol)


def _read_header(path: Path) -> Any:
    """Read a header of either kind, as ``wfdb.Record`` or ``wfdb.MultiRecord``."""
    file = _with_extension(path, "hea")
    wfdb = _import_wfdb()
    _require(file)
    with _refusing_damage(file, "it is not a WFDB header"):
        return wfdb.rdheader(str(path))


def _as_record(path: Path, header: Any) -> Record:
    """Return the record of a header that describes signals."""
    file = _with_extension(path, "hea")
    if not header.sig_len or not header.n_sig:
        n_signals = f"{header.n_sig} signals of {header.sig_len} samples"
        _refuse(file, f"its first line states {n_signals}")
    if len(header.sig_name or []) != header.n_sig:
        _refuse(file, f"it states {header.n_sig} signals but does not describe each")
    return Record(path, header)


def _open_segments(path: Path, header: Any) -> SegmentedRecord:
    """Read the headers of all segments, and compare them with that of the record."""
    has_layout = header.seg_len[0] == 0
    segments, start = [], 0
    for name, n_times in zip(header.seg_name, header.seg_len, strict=True):
        if name != _GAP and n_times:
            segment = _as_record(path.parent / name, _read_header(path.parent / name))
            found = (segment.header.sig_len, float(segment.header.fs))
            if found != (n_times, float(header.fs)):
                _refuse(
                    _with_extension(path, "hea"),
                    f"it states {n_times} samples at {header.fs:g} Hz in segment {name}, which "
                    f"has {found[0]} at {found[1]:g} Hz",
                )
            segments.append((start, segment))
        start += n_times
    if not segments or start != header.sig_len:
        problem = f"its segments hold {start} samples, not {header.sig_len}"
        _refuse(_with_extension(path, "hea"), problem)
    lead_names = segments[0][1].lead_names
    if has_layout:
        lead_names = list(_read_header(path.parent / header.seg_name[0]).sig_name)
    return SegmentedRecord(path, header, lead_names, segments, has_layout)


def _describe_size(record: Record, file: Path) -> str:
    """Return how the size of a signal file would contradict the header."""
    header = record.header
    return (
        f"its {file.stat().st_size} bytes do not hold the {header.n_sig} signals of "
        f"{header.sig_len} samples in format {header.fmt[0]} that {record.path.name}.hea states"
    )


def _verify_checksums(record: Record, read: Any, files: list[Path]) -> None:
    """Refuse samples whose sum is not the checksum in the header."""
    # in these two cases wfdb returns other samples than the file holds
    if any(read.skew or []) or set(read.samps_per_frame) != {1}:
        return
    sums = read.d_signal.sum(axis=0, dtype=np.int64)
    for file, expected, found in zip(files, read.checksum, sums, strict=True):
        # a signed number of 16 bits
        if expected is not None and (int(found) - expected) % 2**16:
            problem = f"its samples do not match the checksum in {record.path.name}.hea"
            _refuse(file, problem, "verify=False reads it nevertheless.")


def _import_wfdb() -> ModuleType:
    """Import wfdb, or raise an error that names the extra."""
    return import_extra("wfdb", extra="data", purpose="Reading WFDB files")


def _with_extension(path: Path, extension: str) -> Path:
    """Return the path of one of a record's files."""
    return path.with_name(f"{path.name}.{extension}")


def _require(file: Path, remedy: str = "") -> None:
    """Raise if a file is missing."""
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}. {remedy}".rstrip())


def _refuse(file: Path, problem: str, remedy: str = "", cause: Exception | None = None) -> NoReturn:
    """Raise the one error for damaged files."""
    raise ValueError(f"{file} is damaged: {problem}. {remedy}".rstrip()) from cause


@contextmanager
def _refusing_damage(file: Path, problem: str) -> Iterator[None]:
    """Turn any error of a parser of wfdb's into the one error for damaged files."""
    try:
        # wfdb 4.3 uses names that pandas 3 deprecates
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            yield
    except Exception as error:  # damaged bytes raise errors of any type
        _refuse(file, f"{problem} ({error})", cause=error)
