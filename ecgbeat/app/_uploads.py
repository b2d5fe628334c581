"""Recordings of uploaded files, which are treated as hostile."""

import math
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.types import Message

from ecgbeat.app._requests import RequestError
from ecgbeat.datasets import load_recording

_MAX_FILES = 32
_MAX_FIELD_BYTES = 2**16
_MAX_HEADER_BYTES = 2**16
_MAX_ANNOTATION_BYTES = 2**22  # of 48 hours, with notes
_MAX_HOURS = 48.0
_MAX_VALUES = 2**27  # of all leads, at the rate of the annotator or their own
_MAX_LEADS = 64
_MAX_MILLIVOLTS = 1e12  # whose squares do not overflow; counts of 32 bits are below it
_RANGE_OF_FS = (20.0, 20_000.0)  # in Hz
_ANNOTATOR_FS = 360.0
_UNNAMED = "record recording, "  # in front of the number of a lead, by WFDB
_SIGNALS = (".edf", ".bdf", ".csv", ".tsv", ".txt", ".npy")
_ANNOTATION = ".atr"
_ARCHIVES = (b"PK", b"\x1f\x8b", b"BZh", b"\xfd7zX")  # zip, gzip, bzip2, xz
_ONSET = re.compile(rb"([+-]\d{1,30}(?:\.\d*)?)\x14")  # of a part of a recording, in s
_COMPRESSED_FORMATS = {"508", "516", "524"}  # FLAC


class Recording(NamedTuple):
    """Recording to annotate."""

    signal: np.ndarray  # (n_leads, n_times), in mV, NaN where samples are missing
    fs: float
    lead_names: list[str]
    record_name: str
    annotation: Any = None  # of the reference


class Upload(NamedTuple):
    """Files of a form, and its other fields."""

    files: dict[str, BinaryIO]  # by their names, which are no paths
    fields: dict[str, str]


@contextmanager
def _naming(names: Mapping[str, str]) -> Iterator[None]:
    """Answer errors of the readers with 422, with the names of the upload in their messages."""
    try:
        yield
    except RequestError:
        raise
    except MemoryError:
        raise RequestError(
            413, "The recording is too large for the memory of the server."
        ) from None
    except Exception as error:  # damaged files make the readers raise almost anything
        message = str(error) if isinstance(error, (ValueError, OSError, TypeError)) else ""
        for own, given in names.items():
            message = message.replace(own, given)
        sentence = message or f"The recording cannot be read ({type(error).__name__})."
        raise RequestError(422, sentence) from error


@asynccontextmanager
async def _counted(request: Request) -> AsyncIterator[Request]:
    """Yield a request whose body is counted while it arrives, under the name of the upload."""
    received, name = request.app.state.received, request.headers.get("x-upload", "")

    async def receive() -> Message:
        message = await request.receive()
        received[name] = received.get(name, 0) + len(message.get("body", b""))
        return message

    try:
        yield Request(request.scope, receive)
    finally:
        received.pop(name, None)


@asynccontextmanager
async def read_form(request: Request) -> AsyncIterator[Upload]:
    """Yield the files and fields of a form; its files are deleted afterwards."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise RequestError(
            415, f"The body must be multipart/form-data or application/json, got {kind!r}."
        )
    try:
        async with _counted(request) as counted:
            form = await counted.form(
                max_files=_MAX_FILES, max_fields=_MAX_FILES, max_part_size=_MAX_FIELD_BYTES
            )
    except RequestError:
        raise
    except Exception as error:  # of the parser, which answers with 400 in words of its own
        detail = getattr(error, "detail", type(error).__name__)
        raise RequestError(400, f"The form cannot be read: {detail}") from None
    try:
        yield Upload(_files_of(form), _fields_of(form))
    finally:
        await form.close()


def _files_of(form: FormData) -> dict[str, BinaryIO]:
    """Return the files of a form by their names."""
    files: dict[str, BinaryIO] = {}
    for part in form.getlist("files"):
        if not isinstance(part, UploadFile):
            raise RequestError(400, "The field 'files' must hold files, with their names.")
        name = part.filename or ""
        if not name or name in files or re.search(r"[/\\\x00-\x1f\x7f]", name) or len(name) > 255:
            raise RequestError(
                400, f"Files must have names of their own, without folders, got {name[:255]!r}."
            )
        files[name] = part.file
    if not files:
        raise RequestError(400, "The form must have a field 'files' with at least one file.")
    return files


def _fields_of(form: FormData) -> dict[str, str]:
    """Return the fields of a form that are not empty."""
    fields: dict[str, str] = {}
    for name, value in form.multi_items():
        if isinstance(value, str) and value.strip():
            fields[name] = f"{fields[name]},{value}" if name in fields else value.strip()
    return fields


def read_upload(upload: Upload) -> Recording:
    """Return the recording of an upload; its files are deleted at once."""
    fs = as_fs(upload.fields["fs"]) if "fs" in upload.fields else None
    leads = [name.strip() for name in upload.fields.get("leads", "").split(",") if name.strip()]
    verify = upload.fields.get("verify", "true")
    if verify not in ("true", "false"):
        raise RequestError(422, f"verify must be 'true' or 'false', got {verify[:80]!r}.")
    with TemporaryDirectory(prefix="ecgbeat-") as name:
        folder = Path(name)
        stored = _store(upload.files, folder)
        with _naming({f"{name}/": "", **{new: old for old, new in stored.names.items()}}):
            loaded = load_recording(
                stored.path,
                fs=fs,
                unit=upload.fields.get("unit", "mV"),
                leads=leads or None,
                verify=verify == "true",
            )
            return _checked(
                Recording(
                    np.atleast_2d(loaded.signal),
                    float(loaded.fs),
                    [str(lead).removeprefix(_UNNAMED) for lead in loaded.lead_names],
                    stored.record_name,
                    loaded.annotation,
                )
            )


def read_signal(body: Mapping[str, Any]) -> Recording:
    """Return the recording of a JSON object."""
    if "fs" not in body:
        raise RequestError(422, "The object must have fs, the sampling rate in Hz.")
    given = body.get("signal")
    if isinstance(given, list) and len(given) > _MAX_LEADS and isinstance(given[0], list):
        raise RequestError(413, f"signal may have {_MAX_LEADS} leads, got {len(given)} lists.")
    with _naming({}):
        signal = np.atleast_2d(as_numbers(given, "signal"))
        if signal.ndim != 2:
            raise ValueError(
                f"signal must be one lead, or a list of leads, got {signal.ndim} dims."
            )
        names = body.get("lead_names") or [f"lead {row}" for row in range(len(signal))]
        if len(names) != len(signal):
            raise ValueError(f"lead_names must name {len(signal)} leads, got {names!r}.")
        name = str(body.get("record_name", "signal"))[:80]
        return _checked(Recording(signal, as_fs(body["fs"]), [str(n) for n in names], name))


def read_row(upload: Upload) -> np.ndarray:
    """Return the numbers of a file with a single row or column of text, or of a NumPy file."""
    name, file = next(iter(upload.files.items()))
    with _naming({}):
        if name.lower().endswith(".npy"):
            _refuse_archive(file)
            file.seek(0)
            return as_numbers(np.load(file, allow_pickle=False).ravel(), "The file")
        text = file.read(_MAX_FIELD_BYTES).decode("utf-8-sig", "replace")
        numbers = [word for word in re.split(r"[\s,;]+", text) if word]
        return as_numbers(numbers, "The file")


def as_numbers(values: Any, name: str) -> np.ndarray:
    """Return numbers of a JSON value or of words; None and "" are missing."""
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise RequestError(
            422, f"{name} must consist of numbers, in lists of equal length."
        ) from None
    if numbers.ndim == 0 or numbers.size == 0:
        raise RequestError(422, f"{name} must be a list of numbers, got an empty or missing one.")
    return numbers


def as_fs(value: Any) -> float:
    """Return a sampling rate."""
    try:
        fs = float(value)
    except (TypeError, ValueError, OverflowError):
        fs = math.nan
    low, high = _RANGE_OF_FS
    if not low <= fs <= high:
        raise RequestError(422, f"fs must be a number from {low:g} to {high:g} Hz, got {value!r}.")
    return fs


def _checked(recording: Recording) -> Recording:
    """Return a recording whose size and values can be annotated."""
    fs = as_fs(recording.fs)
    n_leads, n_times = recording.signal.shape
    hours = n_times / fs / 3600
    n_values = n_leads * n_times * max(1.0, _ANNOTATOR_FS / fs)
    if n_leads > _MAX_LEADS or hours > _MAX_HOURS or n_values > _MAX_VALUES:
        raise RequestError(
            413,
            f"A recording may have {_MAX_LEADS} leads, {_MAX_HOURS:g} hours, and "
            f"{_MAX_VALUES / _ANNOTATOR_FS / 3600:.0f} hours of all leads together, got {n_leads} "
            f"leads of {hours:.3g} hours. Choose some leads, or a stretch.",
        )
    flat = recording.signal.ravel()
    largest = max(np.fmax.reduce(flat), -np.fmin.reduce(flat)) if flat.size else 0.0
    if largest > _MAX_MILLIVOLTS:
        raise RequestError(
            422, f"Samples must be within {_MAX_MILLIVOLTS:g} mV, got one of {largest:g} mV."
        )
    return recording


# --- files under names of their own -----------------------------------------------------


class _Stored(NamedTuple):
    """Files of an upload in a folder."""

    path: Path
    record_name: str
    names: dict[str, str]  # name in the upload -> name in the folder


def _store(files: Mapping[str, BinaryIO], folder: Path) -> _Stored:
    """Write the files of an upload under other names."""
    headers = [name for name in files if _suffix(name) == ".hea"]
    signals = [name for name in files if _suffix(name) in _SIGNALS]
    annotations = [name for name in files if _suffix(name) == _ANNOTATION]
    if len(headers) + len(signals) > 1 or len(annotations) > 1:
        raise RequestError(
            422, f"Upload the files of one recording at a time, got {sorted(files)!r}."
        )
    for name in annotations:
        if files[name].seek(0, os.SEEK_END) > _MAX_ANNOTATION_BYTES:
            raise RequestError(413, f"{name} is no annotation of 48 hours: it has more than 4 MB.")
    names = dict.fromkeys(annotations, f"recording{_ANNOTATION}")
    if headers:
        names[headers[0]] = "recording.hea"
        header, of_signals = _rewrite_header(files[headers[0]], headers[0], files)
        names |= of_signals
    elif signals:
        names[signals[0]] = f"recording{_suffix(signals[0])}"
        _refuse_archive(files[signals[0]])
        _refuse_long_gaps(files[signals[0]])
    else:
        raise RequestError(
            415,
            "Upload a WFDB header (.hea) with its signal files, or a file of one of the kinds "
            f"{', '.join(_SIGNALS)}, got {sorted(files)!r}.",
        )
    for given, own in names.items():
        if own.endswith(".hea"):
            (folder / own).write_bytes(header)
        else:
            _copy(files[given], folder / own)
    main = (headers + signals)[0]
    return _Stored(folder / names[main], Path(main).stem[:80], names)


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def _copy(source: BinaryIO, target: Path) -> None:
    """Copy an uploaded file from its beginning."""
    source.seek(0)
    with target.open("xb") as stream:
        shutil.copyfileobj(source, stream, 2**20)


def _rewrite_header(
    file: BinaryIO, name: str, files: Mapping[str, BinaryIO]
) -> tuple[bytes, dict[str, str]]:
    """Return a WFDB header with names of our own, and the new names of its signal files."""
    file.seek(0)
    content = file.read(_MAX_HEADER_BYTES + 1)
    if len(content) > _MAX_HEADER_BYTES:
        raise RequestError(413, f"{name} is no WFDB header: it has more than 64 kB.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = [line for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.lstrip().startswith("#")]
    words = lines[0].split() if lines else []
    n_signals = int(words[1]) if len(words) > 1 and re.fullmatch(r"\d{1,3}", words[1]) else 0
    if not 0 < n_signals <= _MAX_LEADS or len(lines) != n_signals + 1 or "/" in words[0]:
        raise RequestError(
            422,
            f"{name} must be the WFDB header of a record of one segment, with a line for each of "
            f"1 to {_MAX_LEADS} signals.",
        )
    written, names = [" ".join(["recording", *words[1:]])], dict[str, str]()
    for line in lines[1:]:
        given, _, rest = line.strip().partition(" ")
        if given not in files:  # whose names are no paths
            raise RequestError(
                422,
                f"{name} names the signal file {given[:255]!r}, which must be a file of the same "
                f"upload, got {sorted(files)!r}.",
            )
        if re.match(r"\s*\d+", rest) and rest.split()[0][:3] in _COMPRESSED_FORMATS:
            raise RequestError(415, f"{name} has compressed signals, which are not accepted.")
        own = names.setdefault(given, f"signal{len(names)}.dat")
        written.append(f"{own} {rest}")
    return ("\n".join(written) + "\n").encode(), names


def _refuse_archive(file: BinaryIO) -> None:
    """Refuse a compressed file, under whatever name."""
    file.seek(0)
    if file.read(4).startswith(_ARCHIVES):
        raise RequestError(415, "Compressed files are not accepted. Unpack the file before.")


def _refuse_long_gaps(file: BinaryIO) -> None:
    """Refuse an interrupted EDF or BDF recording that takes too much memory with its gaps."""
    file.seek(0)
    head = file.read(256)
    if head[192:197] not in (b"EDF+D", b"BDF+D"):
        return
    with _naming({}):
        n_signals = int(head[252:256])
        file.seek(256 + 216 * n_signals)
        rate = sum(int(file.read(8)) for _ in range(n_signals)) / float(head[244:252])
        onsets = [float(onset) for onset in _ONSET.findall(file.read())] or [0.0]
    duration = max(onsets) - min(onsets)
    if not abs(duration * rate) <= _MAX_VALUES:
        raise RequestError(413, f"The recording is too long with its gaps: {duration:g} s.")
