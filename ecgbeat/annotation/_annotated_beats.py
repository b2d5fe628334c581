"""Annotated beats, their tables and their WFDB files."""

import os
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ecgbeat._files import replace_files
from ecgbeat._validation import import_extra

if TYPE_CHECKING:
    import pandas

_RECORD_NAME = re.compile(r"[-\w]+(/[-\w]+)*")  # optional folders, and characters that WFDB allows
_N_BYTES_OF_A_BEAT = 2  # at sample 0, in the annotation format of WFDB
_END = b"\x00\x00"
_NOT_ANNOTATIONS = {
    "hea",
    "dat",
    "mat",
    "edf",
    "bdf",
    "wav",
    "flac",
    "csv",
    "npy",
    "npz",
    "txt",
    "json",
}


class AnnotatedBeats(NamedTuple):
    """Detected and classified beats of one recording.

    Accepted by all functions of ecgbeat that take an annotation.

    Attributes
    ----------
    sample : ndarray of shape (n_beats,)
        Sample numbers of the R peaks, int64, ascending.
    symbol : ndarray of shape (n_beats,)
        Predicted label of each beat.
    probability : ndarray of shape (n_beats, n_classes) or None
        Probability of each class, in the order of ``classes_`` of the annotator. None if the
        classifier has no ``predict_proba``.

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

    sample: np.ndarray
    symbol: np.ndarray
    probability: np.ndarray | None


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
        chosen = np.array([column_of[value] for value in label.tolist()], np.int64)
        columns["probability"] = probability[np.arange(len(label)), chosen]
        columns |= {
            f"probability_{value}": probability[:, column] for value, column in column_of.items()
        }
    return pandas.DataFrame(columns)


def _join(parts: list[np.ndarray], dtype: DTypeLike) -> np.ndarray:
    """Concatenate arrays; return an empty array if the list is empty."""
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def plan_files(
    folder: str | os.PathLike[str],
    record_names: Sequence[str],
    extension: str,
    fs: float,
    classes: np.ndarray,
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
    if extension.lower() in _NOT_ANNOTATIONS:
        raise ValueError(
            f"extension={extension!r} is that of a file of headers, signals or tables, which the "
            "annotations would replace. Pass another one, such as 'ecgbeat'."
        )
    files = [_annotation_file(folder, name, extension) for name in record_names]
    present = [str(file) for file in files if os.path.lexists(file)]  # also a dangling link
    if present and not overwrite:
        raise FileExistsError(
            f"{len(present)} of the files exist already, the first is {present[0]}. Pass "
            "overwrite=True or another extension."
        )
    return AnnotationFiles(
        folder, record_names, extension, float(fs), _symbols_of_labels(classes, wfdb_symbols)
    )


def _symbols_of_labels(
    classes: np.ndarray, wfdb_symbols: Mapping[Any, str] | None
) -> dict[Any, str]:
    """Return the WFDB symbol of each label."""
    known = set(
        import_extra(
            "wfdb", extra="data", purpose="A WFDB annotation file"
        ).io.annotation.ann_label_table["symbol"]
    ) - {" "}
    given = {} if wfdb_symbols is None else wfdb_symbols
    symbol_of = {label: given.get(label, label) for label in classes.tolist()}
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

    def write(self, annotated: Sequence[AnnotatedBeats]) -> None:
        """Write one file for each recording, or no file if an error occurs."""
        contents = {
            _annotation_file(self.folder, name, self.extension): self._encode(name, beats)
            for name, beats in zip(self.record_names, annotated, strict=True)
        }
        replace_files(contents)

    def _encode(self, record_name: str, beats: AnnotatedBeats) -> bytes:
        """Return the content of the annotation file of one recording."""
        wfdb = import_extra("wfdb", extra="data", purpose="A WFDB annotation file")
        symbol = [self.symbol_of[label] for label in beats.symbol.tolist()]
        sample = beats.sample
        # wfdb cannot write empty files: a beat is written and removed
        if is_empty := len(sample) == 0:
            sample, symbol = np.zeros(1, np.int64), ["N"]
        with tempfile.TemporaryDirectory(prefix="ecgbeat-") as scratch:
            # wfdb 4.3 calls functions that pandas 3 deprecates
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                wfdb.wrann("x", "ann", sample, np.array(symbol), fs=self.fs, write_dir=scratch)
            if not _is_complete(Path(scratch, "x"), sample, symbol):
                raise OSError(
                    f"The annotations of record {record_name!r} could not be written to the "
                    f"temporary folder {scratch}. Is the disk full?"
                )
            content = Path(scratch, "x.ann").read_bytes()
        return content[: -len(_END) - _N_BYTES_OF_A_BEAT] + _END if is_empty else content


def _is_complete(record: Path, sample: np.ndarray, symbol: list[str]) -> bool:
    """Return whether a file holds what was written: wfdb does not notice a full disk."""
    wfdb = import_extra("wfdb", extra="data", purpose="A WFDB annotation file")
    try:
        written = wfdb.rdann(str(record), "ann")
    except Exception:  # wfdb has no error of its own for damaged files
        return False
    return np.array_equal(written.sample, sample) and written.symbol == symbol


def _annotation_file(folder: Path, record_name: str, extension: str) -> Path:
    """Return the path of the annotation file of a record."""
    return folder / f"{record_name}.{extension}"
