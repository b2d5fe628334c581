"""One WFDB record: header, segments, leads and annotations.

Errors name the file. Where to get an intact one is added by the loader of the database.
"""

import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ecgbeat._recordings import Annotation, check_within_recording
from ecgbeat._validation import import_extra

# per unit in lower case; the micro sign has two code points
MILLIVOLTS = {"nv": 1e-6, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "mv": 1.0, "v": 1e3, "kv": 1e6}
_GAP = "~"  # name of a segment without signals
_MAX_GAP = 2**28  # values in the gaps of a record: a week of one lead at 443 Hz
_RANGE_OF_FS = (1e-3, 1e7)  # in Hz
_RANGE_OF_GAIN = (1e-12, 1e12)  # steps per unit
_MAX_BASELINE = 2**31  # steps
_MAX_HEADER_BYTES = 2**24
_ROUNDING = 1e-6  # of a number of frames
_CORRECT = "Correct the line, or get an intact copy of the file."
_ADC_GAIN = 200.0  # of leads whose gain is not known, as WFDB defines
# bytes per sample of each format, None if they are compressed
_FORMATS = {
    **{"8": 1.0, "16": 2.0, "24": 3.0, "32": 4.0, "61": 2.0, "80": 1.0, "160": 2.0},
    **{"212": 1.5, "310": 4 / 3, "311": 4 / 3, "508": None, "516": None, "524": None},
}
# lines of a header, https://wfdb.io/spec/header-files.html: each field needs those before it
_NUMBER, _COUNT, _INTEGER = r"(?:\d+\.?\d*|\.\d+)", r"\d{1,18}", r"-?\d{1,10}"
_RECORD_LINE = re.compile(
    rf"[-\w]+(?:/(?P<n_seg>{_COUNT}))?\s+(?P<n_sig>{_COUNT})(?:\s+(?P<fs>{_NUMBER})"
    rf"(?:/-?{_NUMBER}(?:\(-?{_NUMBER}\))?)?(?:\s+(?P<sig_len>{_COUNT})"
    # the second as in PhysioNet's Challenge of 2020
    r"(?:\s+[\d:.]+(?:\s+\d+/\d+/\d+)?|\s+\d\d?-[A-Za-z]{3}-\d{4}\s+[\d:.]+)?)?)?",
    re.ASCII,
)
_SIGNAL_LINE = re.compile(
    rf"(?P<file_name>~|[-\w]+(?:\.\w+)?)\s+(?P<fmt>\d+)(?:x(?P<samps_per_frame>{_COUNT}))?"
    rf"(?::(?P<skew>{_COUNT}))?(?:\+(?P<byte_offset>{_COUNT}))?"
    rf"(?:\s+(?P<adc_gain>-?{_NUMBER}(?:e[-+]?\d+)?)(?:\((?P<baseline>{_INTEGER})\))?"
    rf"(?:/(?P<units>[a-zA-Z0-9_^?%/µμ°-]+))?(?:\s+(?P<adc_res>{_COUNT})"
    rf"(?:\s+(?P<adc_zero>{_INTEGER})(?:\s+(?P<init_value>{_INTEGER})"
    rf"(?:\s+(?P<checksum>{_INTEGER})(?:\s+(?P<block_size>{_COUNT})"
    r"(?:\s+(?P<sig_name>\S.*))?)?)?)?)?)?)?",
    re.ASCII,
)
_SEGMENT_LINE = re.compile(rf"(?P<seg_name>~|[-\w]+)\s+(?P<seg_len>{_COUNT})", re.ASCII)
_VOLTAGE = re.compile(r"v(?![a-z/])|volt")  # not mV/s, which stays as it is
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# annotation files, https://wfdb.io/spec/annotation-files.html: symbols by their code, a space
# where a code has none
_SYMBOLS = ' NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r'
_NO_ANNOTATION, _NOTE, _N_CODES = 0, 22, 50
_SKIP, _NUM, _TEXT = 59, 60, 63  # words that are no annotations
_END_OF_NOTES = (_SKIP << 10, 2**16 - 1, 2**16 - 1, 1)  # back by one sample, and forth
_MAX_STEP, _MAX_SKIP = 2**10 - 1, 2**31 - 1  # samples
_TIME_RESOLUTION = "## time resolution: "
_ANNOTATION_END = b"\x00\x00"
_DEFINITIONS = ("## annotation type definitions", "## end of definitions")


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
    states_zero: bool = False  # samples; their number is that of the file

    @property
    def lead_names(self) -> list[str]:
        """Names of the leads, those that WFDB gives them where the header has none."""
        return _lead_names(self.path, self.header.sig_name)

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
        for file in dict.fromkeys(files):
            self._check_size(file)
        source: AbstractContextManager[Path] = nullcontext(self.path)
        if self.states_zero:
            source = _without_number_of_samples(self.path, dict.fromkeys(files))
        with source as path, _refusing_damage(files[0], _describe_size(self, files[0])):
            read = _import_wfdb().rdrecord(
                str(path), channels=channels, physical=False, smooth_frames=in_frames
            )
        if verify:
            _verify_checksums(self, read, files)
        signal = read.dac(expanded=not in_frames, return_res=8 * dtype.itemsize)
        signal = signal.T if in_frames else np.stack(signal)
        for row, channel in zip(signal, channels, strict=True):
            row *= MILLIVOLTS.get(str(self.header.units[channel]).lower(), 1.0)
        # copies, because the transpose of WFDB's columns is not contiguous
        return np.array(signal if lead is None else signal[0], dtype=dtype, order="C")

    def _check_size(self, file: Path) -> None:
        """Refuse a signal file that is shorter than the header states."""
        found = _n_frames(self.header, file)
        if found + _ROUNDING < self.header.sig_len:
            _refuse(file, _describe_size(self, file))
        skew = max((skew or 0) for skew in self.header.skew)
        if skew > found:
            problem = f"it states a skew of {skew} samples, and the file has {found:.0f}"
            _refuse(_with_extension(self.path, "hea"), problem, _CORRECT)


def _lead_names(path: Path, given: Iterable[str | None]) -> list[str]:
    """Return the names of leads, those that WFDB gives them where the header has none."""
    return [name or f"record {path.name}, signal {index}" for index, name in enumerate(given)]


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
        self._check_gaps(leads, n_per_frame)
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

    def _check_gaps(self, leads: list[int], n_per_frame: int) -> None:
        """Refuse gaps that do not fit in memory, and segments that are shorter than stated."""
        for _, segment in self.segments:
            for name in dict.fromkeys(segment.header.file_name):
                segment._check_size(self.path.parent / name)
        n_missing = len(leads) * self.header.sig_len - sum(
            segment.header.sig_len * sum(self._has(segment, lead) for lead in leads)
            for _, segment in self.segments
        )
        if n_missing * n_per_frame > _MAX_GAP:
            _refuse(
                _with_extension(self.path, "hea"),
                f"it states gaps of {n_missing} samples, and ecgbeat reads at most {_MAX_GAP} of "
                "all leads",
                "Read its segments one by one, by records=.",
            )

    def _has(self, segment: Record, lead: int) -> bool:
        """Return whether a segment has a lead of the record."""
        return not self.has_layout or self.lead_names[lead] in segment.lead_names

    def _index_in(self, segment: Record, lead: int) -> int:
        """Return the index in a segment of a lead of the record."""
        return segment.lead_names.index(self.lead_names[lead]) if self.has_layout else lead


def sampling_rate(record: Record | SegmentedRecord, lead: int | None) -> float:
    """Return the sampling rate of a lead, or of all leads, in Hz."""
    return float(record.header.fs) * record.n_per_frame(lead)


def lead_units(record: Record | SegmentedRecord) -> list[str]:
    """Return the unit of each lead, that of the first segment that has it."""
    if isinstance(record, Record):
        return [str(unit) for unit in record.header.units]
    units: dict[str, str] = {}
    for _, segment in record.segments:
        names = segment.lead_names if record.has_layout else record.lead_names
        for name, unit in zip(names, segment.header.units, strict=True):
            units.setdefault(name, str(unit))
    return [units.get(name, "mV") for name in record.lead_names]


def read_annotation(
    record: Record | SegmentedRecord, annotator: str, fs: float, verify: bool
) -> Annotation:
    """Read the annotations of a record by one annotator.

    Sample numbers count at ``fs``, the sampling rate of the recording. Those outside of it show
    that the file belongs to another one, and raise an error if ``verify``; else they are dropped.
    """
    file = _with_extension(record.path, annotator)
    _require(file, "annotator=None reads no annotations, records= leaves records out.")
    try:
        sample, symbol, found_unit = parse_annotation(file.read_bytes())
    except ValueError as error:
        _refuse(file, str(error), cause=error)
    unit = found_unit or float(record.header.fs)
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


def check_annotator(annotator: str | None) -> None:
    """Raise unless annotation files can have an extension."""
    if annotator is not None and not re.fullmatch(r"[-+\w]+(\.[-+\w]+)*", str(annotator)):
        raise ValueError(
            "annotator must be the extension of annotation files without its dot, such as 'atr', "
            f"or None, got {annotator!r}."
        )


class ParsedAnnotation(NamedTuple):
    """Content of an annotation file."""

    sample: np.ndarray  # int64, ascending
    symbol: np.ndarray
    fs: float | None  # rate at which samples count, None if the file does not state it


def annotation_codes() -> dict[int, str]:
    """Return the symbol of each code that WFDB defines for annotations."""
    return {code: symbol for code, symbol in enumerate(_SYMBOLS) if symbol != " "}


def parse_annotation(content: bytes) -> ParsedAnnotation:
    """Parse the content of an annotation file strictly.

    Not by ``wfdb.rdann``, which never ends for some damaged files and invents symbols for others.
    """
    samples, codes, texts = _parse_words(content)
    symbol_of = annotation_codes()
    fs, is_note, in_definitions = None, np.zeros(len(samples), bool), False
    for index, (sample, code, text) in enumerate(zip(samples, codes, texts, strict=True)):
        if sample != 0 or code != _NOTE or not (text.startswith("## ") or in_definitions):
            continue
        is_note[index] = True
        if text in _DEFINITIONS:
            in_definitions = text == _DEFINITIONS[0]
        elif in_definitions:
            number, name = _parse_definition(text)
            symbol_of[number] = name
        elif text.startswith(_TIME_RESOLUTION):
            fs = _parse_time_resolution(text)
    keep = ~is_note & (np.array(codes, np.int64) != _NO_ANNOTATION)
    sample = np.array(samples, np.int64)[keep]
    kept = np.array(codes, np.int64)[keep].tolist()
    if undefined := sorted(set(kept) - set(symbol_of)):
        raise ValueError(f"annotations have the codes {undefined}, which WFDB does not define")
    if (falls := np.flatnonzero(np.diff(sample) < 0)).size:
        first, second = sample[falls[0] : falls[0] + 2].tolist()
        raise ValueError(f"sample numbers must ascend, got {second} after {first}")
    return ParsedAnnotation(sample, np.array([symbol_of[code] for code in kept], str), fs)


def _parse_words(content: bytes) -> tuple[list[int], list[int], list[str]]:
    """Return the sample, the code and the text of all annotations of a file."""
    if content[-2:] != _ANNOTATION_END:
        raise ValueError("its end mark is missing, so it is truncated or not an annotation")
    if len(content) % 2:
        raise ValueError(f"it is not a WFDB annotation, because {len(content)} bytes are odd")
    words = np.frombuffer(content, "<u2").tolist()
    samples: list[int] = []
    codes: list[int] = []
    texts: list[str] = []
    time, position = 0, 0
    while position < len(words) and words[position] != 0:
        code, value = words[position] >> 10, words[position] & 0x3FF
        position += 1
        if code == _SKIP:
            high, low = (*words[position : position + 2], 0, 0)[:2]
            time += (high << 16 | low) - (2**32 if high >> 15 else 0)
            position += 2
        elif code < _N_CODES:
            time += value
            samples.append(time)
            codes.append(code)
            texts.append("")
        elif code < _NUM or not samples:
            raise ValueError(f"a word has the code {code}, which WFDB does not define")
        elif code == _TEXT:
            start = 2 * position
            texts[-1] = content[start : start + value].decode("latin-1").rstrip("\0")
            position += (value + 1) // 2
    if position >= len(words):
        raise ValueError("its end mark is missing, so it is truncated or not an annotation")
    if any(words[position:]):
        raise ValueError("bytes follow its end mark")
    return samples, codes, texts


def _parse_definition(text: str) -> tuple[int, str]:
    """Return the code and the symbol that a note defines."""
    match = re.fullmatch(r"(\d{1,2}) (\S+)(?: .*)?", text)
    if match is None or not 0 < int(match[1]) < _N_CODES:
        raise ValueError(f"{text!r} does not define an annotation")
    return int(match[1]), match[2]


def _parse_time_resolution(text: str) -> float:
    """Return the rate of a note in Hz."""
    number = text.removeprefix(_TIME_RESOLUTION).strip()
    if not re.fullmatch(_NUMBER, number, re.ASCII) or not _is_within(number, _RANGE_OF_FS):
        raise ValueError(f"its time resolution must be a number of Hz, got {number!r}")
    return float(number)


def encode_annotation(sample: np.ndarray, symbol: Sequence[str], fs: float) -> bytes:
    """Return the content of an annotation file.

    Not by ``wfdb.wrann``, which writes no empty file, and which does not report a full disk.
    """
    text = f"{_TIME_RESOLUTION}{np.format_float_positional(fs, trim='-')}".encode("ascii")
    code_of = {symbol: code for code, symbol in annotation_codes().items()}
    words = [_NOTE << 10, _TEXT << 10 | len(text)]
    words += np.frombuffer(text + bytes(len(text) % 2), "<u2").tolist()
    words += _END_OF_NOTES
    for step, name in zip(np.diff(sample, prepend=0).tolist(), symbol, strict=True):
        while step > _MAX_STEP:
            skip = min(step, _MAX_SKIP)
            words += [_SKIP << 10, skip >> 16, skip & 0xFFFF]
            step -= skip
        words.append(code_of[name] << 10 | step & _MAX_STEP)
    return np.array([*words, 0], "<u2").tobytes()


def _read_header(path: Path) -> Any:
    """Read a header of either kind, as ``wfdb.Record`` or ``wfdb.MultiRecord``.

    wfdb skips bytes and fields that it does not understand, so each line is matched first.
    """
    file = _with_extension(path, "hea")
    wfdb = _import_wfdb()
    _require(file)
    first, *lines = _header_lines(file)
    record = _match_line(file, _RECORD_LINE, *first, "the first line of a WFDB header")
    kind, pattern, n_stated = "signal", _SIGNAL_LINE, int(record["n_sig"] or 0)
    if record["n_seg"] is not None:
        kind, pattern, n_stated = "segment", _SEGMENT_LINE, int(record["n_seg"])
    if not int(record["n_sig"] or 0) or not n_stated:
        _refuse(file, f"its first line states 0 {kind}s")
    if record["fs"] is not None and not _is_within(record["fs"], _RANGE_OF_FS):
        low, high = _RANGE_OF_FS
        problem = f"it states fs={record['fs']} Hz, which must be within {low:g} and {high:g}"
        _refuse(file, problem, _CORRECT)
    fields = [_match_line(file, pattern, *line, f"a {kind} of a WFDB header") for line in lines]
    if len(fields) != n_stated:
        _refuse(file, f"it states {n_stated} {kind}s but does not describe each")
    with _refusing_damage(file, "it is not a WFDB header"):
        header = wfdb.rdheader(str(path))
        _check_agreement(header, fields)
    if kind == "signal":
        for (number, _), field in zip(lines, fields, strict=True):
            _check_signal(file, number, field)
        header.units = [field["units"] or "mV" for field in fields]
        header.sig_name = [field["sig_name"] for field in fields]
    return header


def _header_lines(file: Path) -> list[tuple[int, str]]:
    """Return the lines of a header that are no comments, with their numbers."""
    if file.stat().st_size > _MAX_HEADER_BYTES:
        _refuse(file, f"it is not a WFDB header, with its {file.stat().st_size} bytes")
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = [
        (number, line.strip(" \t"))
        for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1)
    ]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not lines:
        _refuse(file, "it is not a WFDB header, because it has no line")
    return lines


def _match_line(
    file: Path, pattern: re.Pattern[str], number: int, line: str, name: str
) -> dict[str, str | None]:
    """Return the fields of a line; refuse it unless all of it is understood."""
    match = None if _CONTROL_CHARACTER.search(line) else pattern.fullmatch(line)
    if match is None:
        shown = line if len(line) <= 100 else f"{line[:100]}..."
        problem = f"it is not a WFDB header, or line {number} is damaged: {shown!r} is not {name}"
        _refuse(file, problem, _CORRECT)
    return match.groupdict()


def _is_within(number: str, bounds: tuple[float, float]) -> bool:
    """Return whether a number, or its negative, is within bounds."""
    return bounds[0] <= abs(float(number)) <= bounds[1]


def _check_signal(file: Path, number: int, field: dict[str, str | None]) -> None:
    """Refuse a signal whose values would give wrong samples."""
    gain, units = field["adc_gain"] or "0", field["units"] or "mV"
    low, high = _RANGE_OF_GAIN
    problem = ""
    if field["fmt"] not in _FORMATS and (field["fmt"], field["file_name"]) != ("0", _GAP):
        problem = f"the format {field['fmt']}, which must be one of {', '.join(_FORMATS)}"
    elif float(gain) and not _is_within(gain, _RANGE_OF_GAIN):
        problem = f"a gain of {gain}, whose size must be within {low:g} and {high:g}"
    elif abs(int(field["baseline"] or 0)) > _MAX_BASELINE:
        problem = f"a baseline of {field['baseline']}, which must be within 32 bits"
    elif _VOLTAGE.search(units.lower()) and units.lower() not in MILLIVOLTS:
        problem = f"the unit {units!r}; a voltage must be in nV, uV, mV, V or kV"
    elif not int(field["samps_per_frame"] or 1):
        problem = "0 samples per frame"
    if problem:
        _refuse(file, f"its line {number} states {problem}", _CORRECT)


def _check_agreement(header: Any, fields: list[dict[str, str | None]]) -> None:
    """Raise if wfdb reads other numbers than those matched."""
    for row, field in enumerate(fields):
        for name, text in field.items():
            if text is None or name in ("units", "sig_name"):
                continue
            read = getattr(header, name)[row]
            if isinstance(read, str):
                agrees = read == text
            else:
                agrees = float(read) == (float(text) or (_ADC_GAIN if name == "adc_gain" else 0.0))
            if not agrees:
                raise ValueError(f"{name} of entry {row + 1} is {text} but is read as {read}")


def _as_record(path: Path, header: Any) -> Record:
    """Return the record of a header that describes signals."""
    file = _with_extension(path, "hea")
    if isinstance(header, _import_wfdb().MultiRecord):
        _refuse(file, "it is a segment, and has segments itself")
    if _GAP in header.file_name:
        _refuse(file, "it states signals without a file, and is no layout of a segmented record")
    formats = set(zip(header.file_name, header.fmt, strict=True))
    if len(formats) != len(set(header.file_name)):
        _refuse(file, "it states several formats for the signals of one file")
    if len(list(groupby(header.file_name))) != len(formats):
        _refuse(file, "the signals of one file must follow each other", _CORRECT)
    states_zero = header.sig_len == 0  # unknown, as a missing number
    if not header.sig_len:
        header.sig_len = int(_n_frames(header, path.parent / header.file_name[0]) + _ROUNDING)
    if header.sig_len <= 0:
        _refuse(file, f"it states {header.n_sig} signals of 0 samples")
    return Record(path, header, states_zero)


@contextmanager
def _without_number_of_samples(path: Path, files: Iterable[Path]) -> Iterator[Path]:
    """Yield the path of a copy of a header that states 0 samples, without that number.

    wfdb takes a missing number from the size of the file, but reads nothing at 0.
    """
    (_, first), *rest = _header_lines(_with_extension(path, "hea"))
    lines = [" ".join(first.split()[:3]), *(line for _, line in rest)]
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        _with_extension(copy, "hea").write_text("\n".join(lines), encoding="utf-8")
        for file in files:
            copy.with_name(file.name).symlink_to(file.resolve())
        yield copy


def _n_frames(header: Any, file: Path) -> float:
    """Return the number of frames that a signal file has room for, not rounded."""
    _require(file)
    channels = [row for row, name in enumerate(header.file_name) if name == file.name]
    n_per_frame = sum(header.samps_per_frame[row] for row in channels)
    n_bytes = _FORMATS.get(header.fmt[channels[0]])
    if n_bytes is None:
        import soundfile  # type: ignore[import-untyped]

        with _refusing_damage(file, "it is not a FLAC file"):
            # a channel for each signal, which repeats in frames of several samples
            return soundfile.info(file).frames / max(header.samps_per_frame[c] for c in channels)
    size = file.stat().st_size - (header.byte_offset[channels[0]] or 0)
    return size / n_bytes / n_per_frame


def _open_segments(path: Path, header: Any) -> SegmentedRecord:
    """Read the headers of all segments, and compare them with that of the record."""
    file = _with_extension(path, "hea")
    has_layout = header.seg_name[0] != _GAP and header.seg_len[0] == 0
    segments, start = [], 0
    for name, n_times in zip(header.seg_name, header.seg_len, strict=True):
        if name != _GAP and n_times:
            segment = _as_record(path.parent / name, _read_header(path.parent / name))
            found = (segment.header.sig_len, float(segment.header.fs))
            if found != (n_times, float(header.fs)):
                _refuse(
                    file,
                    f"it states {n_times} samples at {header.fs:g} Hz in segment {name}, which "
                    f"has {found[0]} at {found[1]:g} Hz",
                )
            segments.append((start, segment))
        start += n_times
    header.sig_len = header.sig_len or start
    if start != header.sig_len or not start:
        _refuse(file, f"its segments hold {start} samples, not {header.sig_len}")
    if has_layout:
        layout = _read_header(path.parent / header.seg_name[0])
        lead_names = _lead_names(path.with_name(header.seg_name[0]), layout.sig_name)
        _check_layout(header.seg_name[0], lead_names, segments)
    elif segments:
        lead_names = segments[0][1].lead_names
    else:
        lead_names = _lead_names(path, [None] * header.n_sig)
    counts = {len(lead_names)} | {s.header.n_sig for _, s in segments if not has_layout}
    if counts != {header.n_sig}:
        _refuse(file, f"it states {header.n_sig} signals, and its segments {sorted(counts)}")
    return SegmentedRecord(path, header, lead_names, segments, has_layout)


def _check_layout(name: str, lead_names: list[str], segments: Iterable[tuple[int, Record]]) -> None:
    """Refuse a layout that lacks a lead of a segment, which could not be read by its name."""
    for _, segment in segments:
        if missing := sorted(set(segment.lead_names) - set(lead_names)):
            problem = f"its leads {missing} are not in the layout {name}.hea, {lead_names}"
            _refuse(_with_extension(segment.path, "hea"), problem, "Correct either of them.")


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
    # lead by lead, since the sums along rows of a few leads take twenty times as long
    sums = [samples.sum(dtype=np.int64) for samples in read.d_signal.T]
    for file, expected, found in zip(files, read.checksum, sums, strict=True):
        # a signed number of 16 bits
        if expected is not None and (int(found) - expected) % 2**16:
            problem = f"its samples do not match the checksum in {record.path.name}.hea"
            _refuse(file, problem, "verify=False (--no-verify) reads it nevertheless.")


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
