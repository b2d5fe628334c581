"""Annotation files in WFDB's format (layer 3)."""

import os
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ecgbeat._validation import import_extra
from ecgbeat.annotation._annotated_beats import AnnotatedBeats

_RECORD_NAME = re.compile(r"[-\w]+(/[-\w]+)*")  # what WFDB allows, and folders before it
_N_BYTES_OF_A_BEAT = 2  # at sample 0, in WFDB's own format
_END = b"\x00\x00"


class AnnotationFiles(NamedTuple):
    """Where annotations go, and by which symbols; checked before there are any."""

    folder: Path
    record_names: Sequence[str]
    extension: str
    fs: float
    symbol_of: Mapping[Any, str]  # by label

    def write(self, annotated: Sequence[AnnotatedBeats]) -> None:
        """Write one file for each recording: all of them, or none where a write fails."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".ecgbeat-", dir=self.folder) as scratch:
            written = [
                self._write_one(Path(scratch), str(number), beats)
                for number, beats in enumerate(annotated)
            ]
            for name, file in zip(self.record_names, written, strict=True):
                target = annotation_file(self.folder, name, self.extension)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(file, target)

    def _write_one(self, folder: Path, name: str, beats: AnnotatedBeats) -> Path:
        symbol = [self.symbol_of[label] for label in beats.symbol.tolist()]
        sample = beats.sample
        if is_empty := len(sample) == 0:  # wfdb refuses: write one beat and take it out again
            sample, symbol = np.zeros(1, np.int64), ["N"]
        # pandas 3 deprecates what wfdb 4.3 calls: not the user's to mend
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            import_extra("wfdb", extra="data", purpose="Writing WFDB files").wrann(
                name, self.extension, sample, np.array(symbol), fs=self.fs, write_dir=str(folder)
            )
        file = annotation_file(folder, name, self.extension)
        if is_empty:
            written = file.read_bytes()
            file.write_bytes(written[: -len(_END) - _N_BYTES_OF_A_BEAT] + _END)
        return file


def annotation_file(folder: Path, record_name: str, extension: str) -> Path:
    """Name the annotation file of a record."""
    return folder / f"{record_name}.{extension}"


def plan_files(
    folder: Any,
    record_names: Sequence[str],
    extension: str,
    fs: float,
    classes: np.ndarray,
    wfdb_symbols: Mapping[Any, str] | None,
    *,
    overwrite: bool,
) -> AnnotationFiles:
    """Check all that could go wrong, before beats are looked for.

    Raises
    ------
    ValueError
        If a record name, the extension or a symbol is none of WFDB's.
    FileExistsError
        If a file is there already, and ``overwrite`` is False.
    """
    folder = Path(folder).expanduser()
    wrong = [name for name in record_names if not _RECORD_NAME.fullmatch(name)]
    if wrong:
        raise ValueError(
            f"record_names={wrong!r} are no names for WFDB records, which are made of letters, "
            "digits, hyphens and underscores."
        )
    doubles = [name for name, n in Counter(record_names).items() if n > 1]
    if doubles:
        raise ValueError(f"record_names must differ, or one file would replace another: {doubles}")
    if not re.fullmatch("[a-zA-Z]+", extension):
        raise ValueError(f"extension must be made of letters only, got {extension!r}.")
    files = [annotation_file(folder, name, extension) for name in record_names]
    present = [str(file) for file in files if file.exists()]
    if present and not overwrite:
        raise FileExistsError(
            f"{len(present)} of the files are there already, the first is {present[0]}. Pass "
            "overwrite=True, or another extension."
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
            "wfdb", extra="data", purpose="Writing WFDB files"
        ).io.annotation.ann_label_table["symbol"]
    ) - {" "}
    given = {} if wfdb_symbols is None else wfdb_symbols
    symbol_of = {label: given.get(label, label) for label in classes.tolist()}
    wrong = {label: symbol for label, symbol in symbol_of.items() if symbol not in known}
    if wrong:
        example = "{" + ", ".join(f"{label!r}: 'N'" for label in list(wrong)[:2]) + ", ...}"
        raise ValueError(
            f"{list(wrong.values())!r} are no WFDB annotation symbols, such as 'N', 'S' or 'V'. "
            f"Say which stand for the labels, such as wfdb_symbols={example}."
        )
    return symbol_of
