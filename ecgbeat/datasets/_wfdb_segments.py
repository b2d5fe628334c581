"""WFDB records that consist of several others, one after the other (layer 2)."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ecgbeat.datasets._wfdb_record import (
    Record,
    as_record,
    import_wfdb,
    read_header,
    read_leads,
    refuse,
    with_ending,
)

_GAP = "~"  # the name of a segment without signals


class SegmentedRecord(NamedTuple):
    """A record of several segments whose headers have been read."""

    path: Path  # as in Record
    source: str
    header: Any  # wfdb.MultiRecord
    lead_names: list[str]
    segments: list[tuple[int, Record]]  # where in the record each starts
    has_layout: bool  # whether segments may lack leads and have them in another order

    def n_per_frame(self, lead: int | None) -> int:
        """Return how many samples the lead, or every lead, has in a frame; 1 if they differ."""
        counts = {
            segment.n_per_frame(self.index_in(segment, lead))
            for _, segment in self.segments
            if lead is None or self.has(segment, lead)
        }
        if len(counts) > 1:
            problem = f"its segments differ in samples per frame, {sorted(counts)}"
            refuse(with_ending(self.path, "hea"), f"{problem}; choose one lead", self.source)
        return counts.pop() if counts else 1

    def sampling_rate(self, lead: int | None) -> float:
        """Return the sampling rate of the lead, or of all leads, in Hz."""
        return float(self.header.fs) * self.n_per_frame(lead)

    def has(self, segment: Record, lead: int) -> bool:
        """Tell whether a segment has a lead of the record."""
        return not self.has_layout or self.lead_names[lead] in segment.lead_names

    def index_in(self, segment: Record, lead: int | None) -> int | None:
        """Return the index in a segment of a lead of the record."""
        if lead is None or not self.has_layout:
            return lead
        return segment.lead_names.index(self.lead_names[lead])


def open_any_record(path: Path, source: str) -> Record | SegmentedRecord:
    """Read the header of a record of either kind, and of its segments.

    Parameters
    ----------
    path : Path
        The record's files without their ending.
    source : str
        Sentence for errors: where to get the files.

    Returns
    -------
    Record or SegmentedRecord

    Raises
    ------
    FileNotFoundError, ValueError
        If a header is missing or damaged, or does not fit the others.
    """
    header = read_header(path, source)
    if not isinstance(header, import_wfdb().MultiRecord):
        return as_record(path, header, source)
    has_layout = header.seg_len[0] == 0
    segments, start = [], 0
    for name, n_times in zip(header.seg_name, header.seg_len, strict=True):
        if name != _GAP and n_times:
            segments.append((start, _open_segment(path, header, name, n_times, source)))
        start += n_times
    if not segments or start != header.sig_len:
        problem = f"its segments hold {start} samples, not {header.sig_len}"
        refuse(with_ending(path, "hea"), problem, source)
    lead_names = segments[0][1].lead_names
    if has_layout:
        lead_names = list(read_header(path.parent / header.seg_name[0], source).sig_name)
    return SegmentedRecord(path, source, header, lead_names, segments, has_layout)


def read_any_leads(
    record: Record | SegmentedRecord, lead: int | None, dtype: np.dtype, verify: bool
) -> np.ndarray:
    """Read one lead, or all, in mV, of a record of either kind.

    Parameters
    ----------
    record : Record or SegmentedRecord
        From `open_any_record`.
    lead, dtype, verify
        As in `read_leads`.

    Returns
    -------
    ndarray of shape (n_times,) or (n_leads, n_times)
        As `read_leads`; NaN also where a segment is a gap or lacks the lead.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_leads`.
    """
    if isinstance(record, Record):
        return read_leads(record, lead, dtype, verify)
    n_per_frame = record.n_per_frame(lead)
    leads = range(len(record.lead_names)) if lead is None else [lead]
    signal = np.full((len(leads), record.header.sig_len * n_per_frame), np.nan, dtype)
    for start, segment in record.segments:
        columns = slice(start * n_per_frame, (start + segment.header.sig_len) * n_per_frame)
        if lead is not None:
            if record.has(segment, lead):
                index = record.index_in(segment, lead)
                signal[0, columns] = read_leads(segment, index, dtype, verify)
            continue
        read = read_leads(segment, None, dtype, verify)
        for row, name in enumerate(leads):
            if record.has(segment, name):
                signal[row, columns] = read[record.index_in(segment, name)]
    return signal if lead is None else signal[0]


def segments_named_in(header: Path) -> list[Path]:
    """Return the segments, without their endings, of which a header makes one record."""
    text = header.read_text(encoding="ascii", errors="replace")
    lines = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    if not lines or "/" not in lines[0][0]:  # as in record/number_of_segments
        return []
    return [header.with_name(line[0]) for line in lines[1:]]


def _open_segment(path: Path, header: Any, name: str, n_times: int, source: str) -> Record:
    """Read the header of a segment, and check it against that of the whole record."""
    segment = as_record(path.parent / name, read_header(path.parent / name, source), source)
    found = (segment.header.sig_len, float(segment.header.fs))
    if found != (n_times, float(header.fs)):
        refuse(
            with_ending(path, "hea"),
            f"it tells of {n_times} samples at {header.fs:g} Hz in segment {name}, which has "
            f"{found[0]} at {found[1]:g} Hz",
            source,
        )
    return segment
