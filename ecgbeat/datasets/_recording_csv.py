"""A recording from a text file with a column for each lead (layer 2)."""

import csv
import gzip
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from ecgbeat.datasets._pandas import import_pandas

_N_LINES = 1000  # that are looked at before the whole is read
_LEAST_TIMES = 8  # rows in which a first column must rise to look like the time
_MISSING = ["", "-", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NAN", "null", "NULL", "None"]
# column names that mean the time, in lower case and without brackets
_TIME = re.compile(
    r"(elapsed )?time([_ ].*)?|timestamps?|t([_ ]?m?s)?|m?s|sec(onds)?|"
    r"samples?([_ ](#|no\.?|number))?|index|unnamed: 0|"
)


class CsvLayout(NamedTuple):
    """How a file divides into columns, and which of them are leads."""

    file: Path
    separator: str | None  # None stands for blanks
    decimal: str
    n_skipped: int  # lines above the first row of numbers
    n_columns: int
    columns: list[int]  # those that hold leads
    lead_names: list[str]


def find_layout(file: Path, time_column: int | str | None) -> CsvLayout:
    """Look at the first lines of a file.

    Parameters
    ----------
    file : Path
        The file, also gzipped.
    time_column : int, str or None
        As in `ecgbeat.datasets.load_recordings`.

    Returns
    -------
    CsvLayout

    Raises
    ------
    ValueError
        If there are no numbers, the header does not fit, or the time column is not clear.
    """
    lines = list(islice(lines_of(file), _N_LINES))
    n_skipped = next((index for index, line in enumerate(lines) if _is_row(line)), None)
    if n_skipped is None:
        refuse(file, "it holds no row of numbers" if any(map(str.strip, lines)) else "it is empty")
    separator, decimal = _signs_of(lines[n_skipped])
    cells = split(lines[n_skipped], separator)
    header = _find_header(file, lines[:n_skipped], separator, len(cells))
    first_column = [split(row, separator)[0] for row in lines[n_skipped:] if row.strip()]
    times = _find_times(file, header, time_column, first_column, len(cells), decimal)
    columns = [column for column in range(len(cells)) if column not in times]
    if not columns:
        refuse(file, "its only column holds the time, and none a lead")
    names = [header[c] if header else f"lead_{i}" for i, c in enumerate(columns)]
    return CsvLayout(file, separator, decimal, n_skipped, len(cells), columns, names)


def read_columns(layout: CsvLayout) -> np.ndarray:
    """Read all leads.

    Parameters
    ----------
    layout : CsvLayout
        From `find_layout`.

    Returns
    -------
    ndarray of shape (n_leads, n_times), float64
        Cells that are empty, or say that their value is missing, are NaN.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        If a cell is no number or a row has too many or too few cells; names the line.
    """
    try:
        frame = import_pandas("Reading CSV files").read_csv(
            layout.file,
            sep=layout.separator or r"\s+",
            decimal=layout.decimal,
            header=None,
            index_col=False,
            skiprows=layout.n_skipped,
            dtype=dict.fromkeys(layout.columns, np.float64),
            keep_default_na=False,
            na_values=_MISSING,
            skipinitialspace=True,
            encoding="utf-8-sig",
            encoding_errors="replace",
        )
    except (ValueError, OSError, EOFError) as error:  # pandas' own are ValueErrors
        refuse(layout.file, _first_bad_line(layout) or str(error), error)
    signal = np.ascontiguousarray(frame[layout.columns].to_numpy(np.float64).T)
    # pandas fills rows up that are too short, and takes words for infinity
    is_suspect = np.isinf(signal).any() or (frame.iloc[:, -1].isna().any() and _is_ragged(layout))
    if is_suspect and (problem := _first_bad_line(layout)):
        refuse(layout.file, problem)
    return signal


def refuse(file: Path, problem: str, cause: Exception | None = None) -> NoReturn:
    """Raise the one error for files that hold no recording."""
    raise ValueError(f"{file} cannot be read as a recording: {problem}.") from cause


def lines_of(file: Path) -> Iterator[str]:
    """Yield the lines of a file, packed or not."""
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rt", encoding="utf-8-sig", errors="replace") as lines:
            yield from lines
    except (EOFError, gzip.BadGzipFile) as error:
        refuse(file, f"it cannot be unpacked ({error})", error)


def separator_of(line: str) -> str | None:
    """Guess what divides the cells of a line; None stands for blanks."""
    return next((sign for sign in ";\t," if sign in line), None)


def split(line: str, separator: str | None) -> list[str]:
    """Divide a line into its cells."""
    line = line.strip(" \r\n")
    if separator is None:
        return line.split() or [""]
    cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [""])
    return [cell.strip() for cell in cells]


def _signs_of(line: str) -> tuple[str | None, str]:
    """Return what divides the cells of a row of numbers, and its decimal sign."""
    separator = separator_of(line)
    return separator, "," if separator in (";", "\t") and "," in line else "."


def _is_row(line: str) -> bool:
    """Tell numbers, perhaps behind a clock time, from a line of words."""
    separator, decimal = _signs_of(line)
    cells = split(line, separator)
    if len(cells) > 1 and _is_clock(cells[0]):
        cells = cells[1:]
    problems = [_cell_problem(cell, decimal) for cell in cells]
    return not any(problems) and any(cell not in _MISSING for cell in cells)


def _is_clock(cell: str) -> bool:
    """Tell whether a cell holds a time of day or since the start, such as 0:00.003."""
    return ":" in cell and any(map(str.isdigit, cell))


def _cell_problem(cell: str, decimal: str) -> str | None:
    """Say what is wrong with a cell, None if nothing is."""
    if cell in _MISSING:
        return None
    try:
        number = float(cell.replace(decimal, "."))
    except ValueError:
        return f"is no number: {cell!r}"
    return f"is infinite: {cell!r}" if np.isinf(number) else None


def _find_header(
    file: Path, lines: list[str], separator: str | None, n_columns: int
) -> list[str] | None:
    """Find the names of the columns above the numbers; a row of units may follow them."""
    words = [line for line in lines if line.strip() and not line.startswith("#")]
    comments = [line.lstrip("# ") for line in lines if line.startswith("#")]
    candidates = words[:1] or comments[-1:]
    for line in candidates:
        # names may hold blanks where the numbers stand between them
        names = [name.strip("'\" ") for name in split(line, separator)]
        if len(names) == n_columns:
            return names
        if words:
            refuse(file, f"its header {line.strip()!r} does not name the {n_columns} columns")
    return None


def _find_times(
    file: Path,
    header: list[str] | None,
    time_column: int | str | None,
    first_column: list[str],
    n_columns: int,
    decimal: str,
) -> set[int]:
    """Return the columns that hold the time, and refuse to guess where that is not clear."""
    if time_column is None:
        return set()
    if time_column != "auto":
        names = header or []
        known = [*range(-n_columns, n_columns), *names]
        if time_column not in known:
            refuse(file, f"it has no time_column={time_column!r}, but {names or n_columns} columns")
        index = names.index(time_column) if isinstance(time_column, str) else time_column
        return {index % n_columns}
    plain = [re.sub(r"[\[(].*?[\])]", "", name).strip().lower() for name in header or []]
    found = {index for index, name in enumerate(plain) if _TIME.fullmatch(name)}
    if found or n_columns == 1:
        return found
    if _is_clock(first_column[0]):
        return {0}
    if _rises(first_column, decimal):
        refuse(
            file,
            f"its first column rises from row to row (from {first_column[0]!r} on), as the time "
            "does and no lead, but no header says so. time_column=0 leaves it out, "
            "time_column=None reads it as a lead",
        )
    return set()


def _rises(cells: list[str], decimal: str) -> bool:
    """Tell whether numbers grow in each row."""
    if any(_cell_problem(cell, decimal) or cell in _MISSING for cell in cells):
        return False
    values = np.array([float(cell.replace(decimal, ".")) for cell in cells])
    return len(values) >= _LEAST_TIMES and bool((np.diff(values) > 0).all())


def _is_ragged(layout: CsvLayout) -> bool:
    """Tell in a hurry whether some rows may be longer or shorter than others."""
    if layout.separator is None:
        return True
    counts = {line.count(layout.separator) for line in lines_of(layout.file) if line.strip()}
    return counts != {layout.n_columns - 1}


def _first_bad_line(layout: CsvLayout) -> str | None:
    """Describe the first line that is no row; slow, and run only on suspicion."""
    for number, line in enumerate(lines_of(layout.file), start=1):
        if number <= layout.n_skipped or not line.strip():
            continue
        cells = split(line, layout.separator)
        if len(cells) != layout.n_columns:
            return f"line {number} has {len(cells)} columns, the others have {layout.n_columns}"
        for column in layout.columns:
            if problem := _cell_problem(cells[column], layout.decimal):
                return f"line {number} column {column + 1} {problem}"
    return None
