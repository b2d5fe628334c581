"""Annotations of recordings in text files (layer 2)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ecgbeat.datasets._recording_csv import CsvLayout, lines_of, separator_of, split
from ecgbeat.datasets._recording_files import TEXT_ENDINGS, stem_of
from ecgbeat.datasets._recording_numpy import NumpyRecording
from ecgbeat.labels import Annotation, select_beats

_COLUMNS = ("sample", "symbol")


def find_annotations(
    files: list[Path], opened: Sequence[CsvLayout | NumpyRecording], suffix: str
) -> list[Path] | None:
    """Find what holds the annotations of each recording: a file beside it, or itself.

    Raises
    ------
    FileNotFoundError
        If some recordings have annotations and others do not.
    """
    found = [_find(file, content, suffix) for file, content in zip(files, opened, strict=True)]
    missing = [str(file) for file, source in zip(files, found, strict=True) if source is None]
    if len(missing) == len(files):
        return None
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(files)} recordings have no annotations beside them, such as "
            f"{stem_of(Path(missing[0]))}{suffix}.csv: {', '.join(missing)}. annotations=None "
            "reads none, records= leaves recordings out."
        )
    return [source for source in found if source is not None]


def _find(file: Path, content: CsvLayout | NumpyRecording, suffix: str) -> Path | None:
    """Find what holds the annotations of one recording."""
    if isinstance(content, NumpyRecording) and content.sample is not None:
        return file
    names = (f"{stem_of(file)}{suffix}{ending}" for ending in TEXT_ENDINGS)
    return next((file.with_name(name) for name in names if file.with_name(name).is_file()), None)


def read_annotations(file: Path, content: CsvLayout | NumpyRecording) -> tuple[Any, Any]:
    """Read sample numbers and symbols where `find_annotations` found them.

    Parameters
    ----------
    file : Path
        A text file whose header names the columns ``sample`` and ``symbol``, or that has just
        these two and no header. Not looked at if the recording itself has annotations.
    content : CsvLayout or NumpyRecording
        The recording.

    Returns
    -------
    sample, symbol : ndarray

    Raises
    ------
    ValueError
        If a column is missing, a row too short, or a sample number none; names the line.
    """
    if isinstance(content, NumpyRecording) and content.sample is not None:
        return content.sample, content.symbol
    rows = [
        (number, line)
        for number, line in enumerate(lines_of(file), start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not rows:
        return np.empty(0, np.int64), np.empty(0, str)
    separator = separator_of(rows[0][1])
    header = [name.strip("'\" ").lower() for name in split(rows[0][1], separator)]
    if any(map(_is_whole, header)):
        header = list(_COLUMNS) if len(header) == len(_COLUMNS) else []
    else:
        rows = rows[1:]
    if not set(_COLUMNS) <= set(header):
        _refuse(file, f"it must have the columns {_COLUMNS}, the first line has {header}")
    places = [header.index(name) for name in _COLUMNS]
    table = []
    for number, line in rows:
        cells = split(line, separator)
        if len(cells) != len(header):
            _refuse(file, f"line {number} has {len(cells)} columns, right are {len(header)}")
        sample, symbol = (cells[place] for place in places)
        if not _is_whole(sample) or not symbol:
            _refuse(file, f"line {number} has the sample {sample!r} and the symbol {symbol!r}")
        table.append((int(float(sample)), symbol))
    samples, symbols = zip(*table, strict=True) if table else ((), ())
    return np.array(samples, np.int64), np.array(symbols, str)


def checked(source: Path, annotation: Any, n_times: int) -> Annotation:
    """Return annotations in the order of time, or say what is wrong with them.

    Parameters
    ----------
    source : Path
        Where they are from, for errors.
    annotation : pair of array-like
        Sample numbers and symbols.
    n_times : int
        Length of the recording.

    Returns
    -------
    Annotation
    """
    try:
        sample, symbol = select_beats(annotation, np.unique(np.asarray(annotation[1], str)))
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(f"The annotations of {source}: {error}") from error
    outside = (sample < 0) | (sample >= n_times)
    if outside.any():
        _refuse(
            source, f"sample {sample[outside][0]} is annotated, but the recording has {n_times}"
        )
    order = np.argsort(sample, kind="stable")
    return Annotation(sample[order], symbol[order])


def _is_whole(cell: str) -> bool:
    """Tell whether a cell holds a whole number."""
    try:
        return float(cell).is_integer()
    except ValueError:
        return False


def _refuse(file: Path, problem: str) -> NoReturn:
    """Raise the one error for annotations that cannot be read."""
    raise ValueError(f"{file} cannot be read as annotations: {problem}.")
