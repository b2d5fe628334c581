"""Text files of recordings, with a column for each lead, and of annotations.

The messages of all errors are reasons alone. The loader names the file.
"""

import csv
import gzip
import io
import re
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

from ecgbeat._validation import import_extra

_N_LINES_EXAMINED = 1000  # before the whole file is read
_MIN_ASCENDING_ROWS = 8  # of a first column that looks like the time
_MISSING = ["", "-", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NAN", "null", "NULL", "None"]
# column names that mean the time, in lower case and without brackets
_TIME = re.compile(
    r"(elapsed )?time([_ ].*)?|timestamps?|t([_ ]?m?s)?|m?s|sec(onds)?|"
    r"samples?([_ ](#|no\.?|number))?|index|unnamed: 0|"
)
_ANNOTATION_COLUMNS = ("sample", "symbol")
_MAX_VALUE = float(np.finfo(np.float32).max)  # recordings are float32
_MAX_SAMPLE = 2**53  # up to which a float holds every integer
_MAX_LINE = 2**24  # characters
_MAX_COLUMNS = 10_000  # far more than any recording has leads
_BLOCK = 2**20  # characters that are searched for a damaged row at a time
_MAX_NAME = 200  # characters of the name of a column
# deflate packs up to 1000 to 1, but no recording to less than a hundredth
_MAX_RATIO = 200
_MIN_BOUND = 2**28  # bytes, up to which any content is unpacked


class TextRecording(NamedTuple):
    """A recording whose file has been examined, but not read."""

    file: Path
    separator: str | None  # None stands for blanks
    decimal: str
    n_skipped: int  # lines above the first row of numbers
    n_columns: int
    columns: list[int]  # of leads
    lead_names: list[str]
    annotation: tuple[np.ndarray, np.ndarray] | None = None
    units: tuple[str, ...] = ()  # of leads, "" if not stated

    def read(self) -> np.ndarray:
        """Read all leads, float64 of shape (n_leads, n_times), NaN where a value is missing."""
        pandas = import_extra("pandas", extra="data", purpose="Reading CSV files")
        try:
            with _open_text(self.file) as lines:
                frame = pandas.read_csv(
                    lines,
                    sep=self.separator or r"\s+",
                    decimal=self.decimal,
                    header=None,
                    index_col=False,
                    skiprows=self.n_skipped,
                    dtype=dict.fromkeys(self.columns, np.float64),
                    keep_default_na=False,
                    na_values=_MISSING,
                    skipinitialspace=True,
                )
        except Exception as error:  # gzip and pandas raise nearly any for a damaged file
            reason = str(error) or type(error).__name__
            raise ValueError(_find_bad_line(self) or reason) from error
        signal = np.ascontiguousarray(frame[self.columns].to_numpy(np.float64).T)
        # pandas fills up rows that are too short, and accepts words for infinity
        is_suspect = (np.abs(signal) > _MAX_VALUE).any() or frame.iloc[:, -1].isna().any()
        if is_suspect and (problem := _find_bad_line(self)):
            raise ValueError(problem)
        return signal


def open_text(file: Path, time_column: int | str | None) -> TextRecording:
    """Examine the first lines of a text file, which may be gzipped."""
    lines = list(islice(read_lines(file), _N_LINES_EXAMINED))
    n_skipped = next((index for index, line in enumerate(lines) if _is_numeric(line)), None)
    if n_skipped is None:
        is_empty = not any(map(str.strip, lines))
        raise ValueError("it is empty" if is_empty else "it holds no row of numbers")
    separator, decimal = _signs_of(lines[n_skipped])
    n_columns = len(_split(lines[n_skipped], separator))
    header = _find_header(lines[:n_skipped], separator, n_columns)
    if time_column in ("auto", "rising"):
        first_column = [_first_cell(row, separator) for row in lines[n_skipped:] if row.strip()]
        times = _detect_times(header, first_column, n_columns, decimal, time_column)
    else:
        times = _find_times(header, time_column, n_columns)
    columns = [column for column in range(n_columns) if column not in times]
    if not columns:
        raise ValueError("its only column holds the time, and there is no lead")
    names = [header[c] if header else f"lead_{i}" for i, c in enumerate(columns)]
    stated = _find_units(lines[:n_skipped], separator, n_columns)
    units = tuple(stated[column] for column in columns) if stated else tuple(map(_unit_of, names))
    return TextRecording(
        file, separator, decimal, n_skipped, n_columns, columns, names, units=units
    )


def read_text_annotation(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read sample numbers and symbols from a text file.

    Without a header, it must have just the columns ``sample`` and ``symbol``.
    """
    rows = [
        (number, line)
        for number, line in enumerate(read_lines(file), start=1)
        if line.strip() and not line.startswith("#")
    ]
    samples, symbols = [], []
    if rows:
        separator = _separator_of(rows[0][1])
        header = [name.strip("'\" ").lower() for name in _split(rows[0][1], separator)]
        if any(map(_is_integer, header)):
            header = list(_ANNOTATION_COLUMNS) if len(header) == 2 else []
        else:
            rows = rows[1:]
        if not set(_ANNOTATION_COLUMNS) <= set(header):
            names = f"the columns {_ANNOTATION_COLUMNS}, the first line has {header}"
            raise ValueError(f"it must have {names}")
    for number, line in rows:
        cells = _split(line, separator)
        if len(cells) != len(header):
            raise ValueError(f"line {number} has {len(cells)} columns, not {len(header)}")
        sample, symbol = (cells[header.index(name)] for name in _ANNOTATION_COLUMNS)
        if not _is_integer(sample) or not symbol:
            raise ValueError(f"line {number} has the sample {sample!r} and the symbol {symbol!r}")
        samples.append(int(float(sample)))
        symbols.append(symbol)
    return np.array(samples, np.int64), np.array(symbols, str)


def read_lines(file: Path) -> Iterator[str]:
    """Yield the lines of a file, gzipped or not, in bounded memory."""
    number = 0
    with _open_text(file) as stream:
        try:
            while line := stream.readline(_MAX_LINE):
                number += 1
                if len(line) == _MAX_LINE:
                    raise ValueError(f"line {number} has more than {_MAX_LINE - 1} characters")
                yield line
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"it cannot be unpacked behind line {number} ({error})") from error


@contextmanager
def _open_text(file: Path) -> Iterator[TextIO]:
    """Open a text file, gzipped or not."""
    with file.open("rb") as raw:
        stream: Any = raw
        if file.suffix == ".gz":
            stream = io.BufferedReader(_Unpacked(raw, file.stat().st_size))
        with io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace") as text:
            yield text


class _Unpacked(io.RawIOBase):
    """Content of a gzip file, up to a bounded size."""

    def __init__(self, raw: io.BufferedReader, n_packed: int) -> None:
        self._content = gzip.GzipFile(fileobj=raw)
        self._n_packed = n_packed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n_read = self._content.readinto(buffer)
        check_unpacked_size(self._content.tell(), self._n_packed)
        return n_read


def check_unpacked_size(n_unpacked: int, n_packed: int) -> None:
    """Raise if packed content is far larger than that of any recording (a bomb)."""
    if n_unpacked > max(_MIN_BOUND, _MAX_RATIO * n_packed):
        raise ValueError(
            f"its {n_packed} bytes unpack to {n_unpacked} and more, over {_MAX_RATIO} times as "
            "many. Unpack it yourself if that is right"
        )


def _split(line: str, separator: str | None) -> list[str]:
    """Split a line into its cells."""
    line = line.strip(" \r\n")
    cells = line.split(separator, _MAX_COLUMNS)
    if len(cells) > _MAX_COLUMNS:
        raise ValueError(
            f"the line that begins with {line[:20]!r} has more than {_MAX_COLUMNS} columns; each "
            "lead must be a column, and each time a row"
        )
    if separator is None:
        return cells or [""]
    if '"' in line:
        try:
            cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [""])
        except csv.Error as error:  # a cell of more than 131072 characters
            raise ValueError(f"the line that begins with {line[:20]!r}: {error}") from error
    return [cell.strip() for cell in cells]


def _first_cell(line: str, separator: str | None) -> str:
    """Return the first cell of a line, without splitting the others."""
    if '"' in line:
        return _split(line, separator)[0]
    return line.strip(" \r\n").split(separator, 1)[0].strip()


def _separator_of(line: str) -> str | None:
    """Return the separator of the cells of a line; None stands for blanks."""
    return next((sign for sign in ";\t," if sign in line), None)


def _signs_of(line: str) -> tuple[str | None, str]:
    """Return the separator of the cells of a row of numbers, and its decimal sign."""
    separator = _separator_of(line)
    return separator, "," if separator in (";", "\t") and "," in line else "."


def _is_numeric(line: str) -> bool:
    """Return whether a line holds numbers, perhaps behind a clock time."""
    separator, decimal = _signs_of(line)
    cells = _split(line, separator)
    if len(cells) > 1 and _is_clock_time(cells[0]):
        cells = cells[1:]
    problems = [_cell_problem(cell, decimal) for cell in cells]
    return not any(problems) and any(cell not in _MISSING for cell in cells)


def _is_clock_time(cell: str) -> bool:
    """Return whether a cell holds a time of day or since the start, such as 0:00.003."""
    return ":" in cell and any(map(str.isdigit, cell))


def _is_integer(cell: str) -> bool:
    """Return whether a cell holds an integer that a float represents."""
    try:
        number = float(cell)
    except ValueError:
        return False
    # Python accepts the digits of any script, and 1_0 for 10
    return abs(number) <= _MAX_SAMPLE and number.is_integer() and cell.isascii() and "_" not in cell


def _cell_problem(cell: str, decimal: str) -> str | None:
    """Return what is wrong with a cell, None if it is a number or missing."""
    if cell in _MISSING:
        return None
    try:
        number = float(cell.replace(decimal, "."))
    except ValueError:
        return f"is not a number: {cell!r}"
    is_finite = np.isnan(number) or abs(number) <= _MAX_VALUE
    precision = "" if np.isinf(number) else " in single precision"
    return None if is_finite else f"is infinite{precision}: {cell!r}"


def _find_header(lines: list[str], separator: str | None, n_columns: int) -> list[str] | None:
    """Return the column names above the numbers, between which a row of units may lie."""
    words = [line for line in lines if line.strip() and not line.startswith("#")]
    comments = [line.lstrip("# ") for line in lines if line.startswith("#")]
    # a row of numbers with one damaged cell must not pass as names or units
    for line, is_damaged in zip(words, (_is_damaged_header, _has_number_like), strict=False):
        if is_damaged(_split(line, separator)):
            raise ValueError(f"line {lines.index(line) + 1} is no row of numbers: {line[:80]!r}")
    if len(words) > 2:
        number = lines.index(words[2]) + 1
        raise ValueError(f"line {number} is no row of numbers: {words[2][:80]!r}")
    for line in words[:1] or comments[-1:]:
        # names may hold blanks even if the numbers are separated by them
        names = [name.strip("'\" ") for name in _split(line, separator)]
        if len(names) == n_columns:
            if longest := next((name for name in names if len(name) > _MAX_NAME), None):
                raise ValueError(f"its header has a name of {len(longest)} characters")
            return names
        if words:
            raise ValueError(
                f"its header {line.strip()[:80]!r} does not name the {n_columns} columns"
            )
    return None


def _find_units(lines: list[str], separator: str | None, n_columns: int) -> list[str]:
    """Return the cells of the row of units below the names, if there is one."""
    words = [line for line in lines if line.strip() and not line.startswith("#")]
    units = [unit.strip("'\" ") for unit in _split(words[1], separator)] if words[1:] else []
    return units if len(units) == n_columns else []


def _unit_of(name: str) -> str:
    """Return the unit in brackets behind the name of a lead, "" if there is none."""
    found = re.search(r"[\[(]\s*(\w+)\s*[\])]\s*$", name)
    return found[1] if found else ""


def _is_damaged_header(cells: list[str]) -> bool:
    """Return whether cells look like numbers, but for columns counted from 0 or 1 on."""
    numbers = [cell for cell in cells if _is_number_like(cell)]
    return numbers not in ([str(i + first) for i in range(len(numbers))] for first in (0, 1))


def _has_number_like(cells: list[str]) -> bool:
    """Return whether some cells look like numbers."""
    return any(map(_is_number_like, cells))


def _is_number_like(cell: str) -> bool:
    """Return whether a cell begins as a number does, behind a quote perhaps."""
    return re.match(r"['\"]?[+-]?\.?\d", cell) is not None


def _find_times(
    header: list[str] | None, time_column: int | str | None, n_columns: int
) -> set[int]:
    """Return the column that the caller named, if any."""
    if time_column is None:
        return set()
    names = header or []
    if time_column not in [*range(-n_columns, n_columns), *names]:
        raise ValueError(f"it has no time_column={time_column!r}, but {names or n_columns} columns")
    index = names.index(time_column) if isinstance(time_column, str) else time_column
    return {index % n_columns}


def _detect_times(
    header: list[str] | None,
    first_column: list[str],
    n_columns: int,
    decimal: str,
    time_column: int | str | None,
) -> set[int]:
    """Return the columns that hold the time; raise with "auto" where that is not clear."""
    plain = [re.sub(r"[\[(].*?[\])]", "", name).strip().lower() for name in header or []]
    found = {index for index, name in enumerate(plain) if _TIME.fullmatch(name)}
    if found or n_columns == 1:
        return found
    if _is_clock_time(first_column[0]):
        return {0}
    if _is_ascending(first_column, decimal):
        if time_column == "rising":
            return {0}
        raise ValueError(
            f"its first column rises from row to row (from {first_column[0]!r} on), as the time "
            "does and no lead, but no header says so. time_column=0 leaves it out, "
            "time_column=None reads it as a lead"
        )
    return set()


def _is_ascending(cells: list[str], decimal: str) -> bool:
    """Return whether numbers grow in each row."""
    if any(_cell_problem(cell, decimal) or cell in _MISSING for cell in cells):
        return False
    values = np.array([float(cell.replace(decimal, ".")) for cell in cells])
    return len(values) >= _MIN_ASCENDING_ROWS and bool((np.diff(values) > 0).all())


def _find_bad_line(recording: TextRecording) -> str | None:
    """Describe the first line that is not a row; run only on suspicion."""
    try:
        for number, line in _unusual_lines(recording):
            if problem := _row_problem(recording, line):
                return f"line {number} {problem}"
    except (OSError, EOFError, zlib.error):
        deque(read_lines(recording.file), maxlen=0)  # raises with the number of the line
        raise
    return None


def _unusual_lines(recording: TextRecording) -> Iterator[tuple[int, str]]:
    """Yield the lines below the header with their numbers, but for blocks of plain rows.

    To pass over these blocks takes seconds for millions of rows.
    """
    plain = _plain_rows(recording)
    number = 0
    with _open_text(recording.file) as stream:
        while block := stream.read(_BLOCK) + stream.readline(_MAX_LINE):
            if number < recording.n_skipped or not plain.fullmatch(block):
                lines = enumerate(block.split("\n"), start=number + 1)
                yield from (item for item in lines if item[0] > recording.n_skipped)
            number += block.count("\n")


def _row_problem(recording: TextRecording, line: str) -> str | None:
    """Return what is wrong with a row, None if its cells are numbers or missing."""
    if not line.strip():
        return None
    cells = _split(line, recording.separator)
    if len(cells) != recording.n_columns:
        return f"has {len(cells)} columns, the others have {recording.n_columns}"
    for column in recording.columns:
        if problem := _cell_problem(cells[column], recording.decimal):
            return f"column {column + 1} {problem}"
    return None


def _plain_rows(recording: TextRecording) -> re.Pattern[str]:
    """Return a pattern of rows of short numbers, which never tries a second way to match."""
    gap, separator = r"\ *+", recording.separator
    between = r"[ \t]++" if separator is None else gap + re.escape(separator) + gap
    decimals = rf"(?:{re.escape(recording.decimal)}[0-9]{{0,20}}+)?+(?:[eE][-+]?+0[0-9])?+"
    # an empty cell cannot be seen between blanks
    missing = sorted(_MISSING[separator is None :], key=len, reverse=True)
    number = rf"(?>[-+]?+[0-9]{{1,20}}+{decimals}|{'|'.join(map(re.escape, missing))})"
    other = r"[^\s,;\"]++"  # a time, which is not checked
    cells = [number if c in recording.columns else other for c in range(recording.n_columns)]
    return re.compile(rf"(?:{gap}{between.join(cells)}{gap}\n)*+")
