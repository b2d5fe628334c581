"""Annotated beats, their tables and their files."""

import csv
import io
import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from ecgbeat._files import write_files
from ecgbeat._validation import check_fs, import_extra
from ecgbeat.datasets.wfdb.record import annotation_codes, encode_annotation, parse_annotation

if TYPE_CHECKING:
    import pandas

UNCLASSIFIED = "?"  # label, and WFDB symbol, of beats that are not classified
FORMATS = ("csv", "json", "wfdb")
_RECORD_NAME = re.compile(r"[-\w]+(/[-\w]+)*")  # optional folders, and characters that WFDB allows
# of a record's own files; an annotation would replace its header or its samples
_TAKEN_EXTENSIONS = frozenset({"hea", "dat", "edf", "mat", "flac", "xws", "xyz"})


class _Beats(NamedTuple):
    """Sample numbers, labels and probabilities of beats."""

    sample: np.ndarray
    symbol: np.ndarray
    probability: np.ndarray | None


class AnnotatedBeats(_Beats):
    """Detected and classified beats of one recording.

    A tuple of ``sample``, ``symbol`` and ``probability``. Accepted by all functions of ecgbeat that
    take an annotation.

    Attributes
    ----------
    sample : ndarray of shape (n_beats,)
        Sample numbers of the R peaks, int64, ascending.
    symbol : ndarray of shape (n_beats,)
        Predicted label of each beat. ``"?"`` if it is not classified, which is possible with
        ``abstain_below`` of the annotator.
    probability : ndarray of shape (n_beats, n_classes) or None
        Probability of each class, in the order of ``classes_`` of the annotator. None if the
        classifier has no ``predict_proba``.
    unreadable : ndarray of shape (n_stretches, 2) or None, default=None
        First sample of each stretch in which no ECG can be recognized, and the sample after its
        last, int64, ascending. No beat is classified there. None if the signal quality was not
        examined, that is without ``min_quality`` of the annotator.
    decided_at : ndarray of shape (n_beats,) or None, default=None
        Number of samples that had arrived when each beat was decided, int64. None if the beats
        are not those of a `ecgbeat.BeatStream`.

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

    # no items of the tuple
    unreadable: np.ndarray | None = None
    decided_at: np.ndarray | None = None

    def _replace(self, **changes: Any) -> Self:
        """Return a copy with other items, and the same attributes."""
        beats = super()._replace(**changes)
        beats.unreadable, beats.decided_at = self.unreadable, self.decided_at
        return beats


def select_classified(beats: AnnotatedBeats) -> AnnotatedBeats:
    """Return the beats whose label is not ``"?"``."""
    keep = beats.symbol != UNCLASSIFIED
    probability = None if beats.probability is None else beats.probability[keep]
    classified = beats._replace(
        sample=beats.sample[keep], symbol=beats.symbol[keep], probability=probability
    )
    if beats.decided_at is not None:
        classified.decided_at = beats.decided_at[keep]
    return classified


def beats_table(
    record_names: Sequence[str],
    annotated: Sequence[AnnotatedBeats],
    classes: np.ndarray,
    fs: float,
) -> "pandas.DataFrame":
    """Return the beats of all recordings as a table, one row per beat."""
    pandas = import_extra("pandas", extra="data", purpose="A table of beats")
    n_beats = [len(beats.sample) for beats in annotated]
    sample = _join([beats.sample for beats in annotated], np.int64)
    label = _join([beats.symbol for beats in annotated], classes.dtype)
    intervals = [np.diff(beats.sample, prepend=beats.sample[:1]) / fs for beats in annotated]
    rr = _join(intervals, np.float64)
    index = _join([np.arange(n) for n in n_beats], np.int64)
    rr[index == 0] = np.nan  # no beat before the first
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
        chosen = probability.argmax(axis=1)  # for labels that are not a class, that is "?"
        for value, column in column_of.items():
            chosen[label == value] = column
        columns["probability"] = probability[np.arange(len(label)), chosen]
        columns |= {
            f"probability_{value}": probability[:, column] for value, column in column_of.items()
        }
    return pandas.DataFrame(columns)


def _join(parts: list[np.ndarray], dtype: DTypeLike) -> np.ndarray:
    """Concatenate arrays; return an empty array if the list is empty."""
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def encode_beats(
    beats: AnnotatedBeats,
    *,
    fs: float,
    format: str,  # noqa: A002
    record_name: str,
) -> dict[str, bytes]:
    """Return the beats of one recording as the content of a file.

    Parameters
    ----------
    beats : AnnotatedBeats
        Beats of the recording.
    fs : float
        Sampling rate of the recording in Hz.
    format : {"csv", "json", "wfdb"}
        Format of the file.

        - "csv": a row for each beat, with ``sample``, ``time_s``, ``rr_s`` (interval from the
          previous beat), ``label`` and ``probability``, the highest one of any class, which is
          empty if the classifier has none.
        - "json": an object with ``record_name``, ``fs``, the lists ``sample``, ``label`` and
          ``probability``, and ``unreadable``, a list of pairs of samples; ``probability`` and
          ``unreadable`` may be null.
        - "wfdb": an annotation file with the labels as symbols.
    record_name : str
        Name of the record. Characters other than letters, digits, hyphens and underscores, which
        WFDB does not allow, are replaced by underscores in the name of the file.

    Returns
    -------
    dict of str to bytes
        Name and content of the file: ``<record name>_beats.csv``, ``<record name>_beats.json``
        or ``<record name>.ecgbeat``.

    Raises
    ------
    ValueError
        If ``format`` is unknown, ``fs`` is out of range, the name is empty or, with "wfdb", a label
        is not a WFDB annotation symbol or the samples do not ascend.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.annotation import AnnotatedBeats, encode_beats
    >>> beats = AnnotatedBeats(np.array([90, 450]), np.array(["N", "V"]), np.eye(2))
    >>> files = encode_beats(beats, fs=360, format="csv", record_name="100")
    >>> print(files["100_beats.csv"].decode())
    sample,time_s,rr_s,label,probability
    90,0.2500,,N,1.0000
    450,1.2500,1.0000,V,1.0000
    <BLANKLINE>
    """
    fs = check_fs(fs)
    name = beats_file(record_name, format)
    if format == "csv":
        content = _as_csv(beats, fs)
    elif format == "json":
        content = _as_json(beats, fs, record_name)
    else:
        labels = sorted(set(beats.symbol.tolist()), key=str)
        if wrong := [label for label in labels if label not in annotation_codes().values()]:
            raise ValueError(
                f"Labels must be WFDB annotation symbols, such as 'N', 'S' or 'V', in the format "
                f"'wfdb', got {wrong!r}. Choose the format 'csv' or 'json'."
            )
        content = _as_annotation(beats.sample, beats.symbol.tolist(), fs)
    return {name: content}


def beats_file(record_name: str, format: str) -> str:  # noqa: A002
    """Return the name of the file of a record in one of the formats."""
    if format not in FORMATS:
        raise ValueError(f"format must be one of {FORMATS}, got {format!r}.")
    if not record_name:
        raise ValueError("record_name must have at least one character, got ''.")
    name = re.sub(r"[^-\w]", "_", record_name)
    return f"{name}.ecgbeat" if format == "wfdb" else f"{name}_beats.{format}"


def _as_csv(beats: AnnotatedBeats, fs: float) -> bytes:
    """Return a table of beats as text."""
    times = [f"{time:.4f}" for time in beats.sample / fs]
    intervals = [*[""] * min(1, len(times)), *(f"{rr:.4f}" for rr in np.diff(beats.sample) / fs)]
    probability = [""] * len(times)
    if beats.probability is not None and len(times):
        probability = [f"{p:.4f}" for p in beats.probability.max(axis=1)]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["sample", "time_s", "rr_s", "label", "probability"])
    columns = (beats.sample.tolist(), times, intervals, beats.symbol.tolist(), probability)
    writer.writerows(zip(*columns, strict=True))
    return table.getvalue().encode()


def _as_json(beats: AnnotatedBeats, fs: float, record_name: str) -> bytes:
    """Return beats as an object of JSON."""
    probability = None
    if beats.probability is not None:
        probability = [round(float(p.max()), 4) for p in beats.probability]
    content = {
        "record_name": record_name,
        "fs": fs,
        "sample": beats.sample.tolist(),
        "label": beats.symbol.tolist(),
        "probability": probability,
        "unreadable": None if beats.unreadable is None else beats.unreadable.tolist(),
    }
    return json.dumps(content, allow_nan=False).encode()


def _as_annotation(sample: np.ndarray, symbol: Sequence[str], fs: float) -> bytes:
    """Return an annotation file of WFDB, and raise if it does not hold the beats."""
    content = encode_annotation(sample, symbol, fs)
    found = parse_annotation(content)
    if found.sample.tolist() != sample.tolist() or found.symbol.tolist() != list(symbol):
        raise ValueError(
            "The beats cannot be written in WFDB's format: they must ascend from sample 0 on, "
            f"got {sample!r}."
        )
    return content


def plan_files(
    folder: str | os.PathLike[str],
    record_names: Sequence[str],
    extension: str,
    fs: float,
    labels: Sequence[Any],
    wfdb_symbols: Mapping[Any, str] | None,
    *,
    overwrite: bool,
) -> "AnnotationFiles":
    """Validate the destination of annotations, before beats are detected.

    Raises
    ------
    ValueError
        If a record name, the extension or a symbol is not valid in WFDB.
    FileExistsError
        If a file exists, and ``overwrite`` is False.
    """
    folder = Path(folder).expanduser()
    wrong = [name for name in record_names if not _RECORD_NAME.fullmatch(name)]
    if wrong:
        raise ValueError(
            f"record_names must consist of letters, digits, hyphens and underscores, as WFDB "
            f"requires, got {wrong!r}."
        )
    duplicates = [name for name, n in Counter(record_names).items() if n > 1]
    if duplicates:
        raise ValueError(f"record_names must be unique, got {duplicates!r} more than once.")
    if not re.fullmatch("[a-zA-Z]+", extension):
        raise ValueError(f"extension must consist of letters, got {extension!r}.")
    _check_not_taken(folder, record_names, extension)
    files = [_annotation_file(folder, name, extension) for name in record_names]
    present = [str(file) for file in files if os.path.lexists(file)]
    if present and not overwrite:
        raise FileExistsError(
            f"{len(present)} of the files exist already, the first is {present[0]}. Pass "
            "overwrite=True or another extension."
        )
    symbol_of = _symbols_of_labels(labels, wfdb_symbols)
    return AnnotationFiles(folder, record_names, extension, float(fs), symbol_of, overwrite)


def _check_not_taken(folder: Path, record_names: Sequence[str], extension: str) -> None:
    """Raise for the extension of a header or of a signal file."""
    taken = set(_TAKEN_EXTENSIONS)
    for name in record_names:
        header = _annotation_file(folder, name, "hea")
        if header.is_file():  # signal files may have any extension
            lines = header.read_bytes().decode("latin-1").splitlines()
            files = [line.split()[0] for line in lines if line.strip()]
            taken |= {Path(file).suffix[1:].lower() for file in files}
    if extension.lower() in taken:
        raise ValueError(
            f"extension={extension!r} is that of a header or a signal file, which the annotation "
            "would replace. Choose another one, such as 'ecgbeat'."
        )


def _symbols_of_labels(
    labels: Sequence[Any], wfdb_symbols: Mapping[Any, str] | None
) -> dict[Any, str]:
    """Return the WFDB symbol of each label."""
    known = set(annotation_codes().values())
    given = {} if wfdb_symbols is None else wfdb_symbols
    symbol_of = {label: given.get(label, label) for label in labels}
    wrong = {label: symbol for label, symbol in symbol_of.items() if symbol not in known}
    if wrong:
        example = "{" + ", ".join(f"{label!r}: 'N'" for label in list(wrong)[:2]) + ", ...}"
        raise ValueError(
            f"Labels must be WFDB annotation symbols, such as 'N', 'S' or 'V', got "
            f"{list(wrong.values())!r}. Pass the symbol of each, such as wfdb_symbols={example}."
        )
    return symbol_of


class AnnotationFiles(NamedTuple):
    """Validated destination of annotations."""

    folder: Path
    record_names: Sequence[str]
    extension: str
    fs: float
    symbol_of: Mapping[Any, str]  # of each label
    overwrite: bool

    def write(self, annotated: Sequence[AnnotatedBeats]) -> None:
        """Write one file for each recording, or no file if an error occurs."""
        contents = {
            _annotation_file(self.folder, name, self.extension): self._encode(beats)
            for name, beats in zip(self.record_names, annotated, strict=True)
        }
        write_files(contents, overwrite=self.overwrite)

    def _encode(self, beats: AnnotatedBeats) -> bytes:
        """Return the content of the annotation file of one recording."""
        symbol = [self.symbol_of[label] for label in beats.symbol.tolist()]
        return _as_annotation(beats.sample, symbol, self.fs)


def _annotation_file(folder: Path, record_name: str, extension: str) -> Path:
    """Return the path of the annotation file of a record."""
    return folder / f"{record_name}.{extension}"
