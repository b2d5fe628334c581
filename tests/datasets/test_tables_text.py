import gzip
import itertools
import re

import numpy as np
import pytest

from ecgbeat.datasets import load_recordings
from ecgbeat.datasets.tables import text
from ecgbeat.datasets.tables.text import open_text, read_text_annotation

ROWS = [[0.5, -1.0], [0.25, 2.0], [-0.125, 3.5]]


def read(tmp_path, text, time_column="auto", name="a.csv"):
    file = tmp_path / name
    if isinstance(text, str):
        text = text.encode()
    file.write_bytes(text)
    recording = open_text(file, time_column)
    return recording.read().T.tolist(), recording.lead_names


@pytest.mark.parametrize(
    "text",
    [
        "0.5,-1\n0.25,2\n-0.125,3.5\n",
        "0.5,-1\r\n0.25,2\r\n-0.125,3.5",
        "0.5;-1\n0.25;2\n-0.125;3.5\n",
        "0,5;-1\n0,25;2\n-0,125;3,5\n",
        "0.5\t-1\n0.25\t2\n-0.125\t3.5\n",
        "  0.5   -1\n 0.25    2\n-0.125 3.5\n",
        "5.0e-01 -1.0e+00\n2.5e-01 2.0e+00\n-1.25e-01 3.5e+00\n",
        "0.5, -1\n0.25, 2\n\n-0.125, 3.5\n\n",
        '"0.5","-1"\n"0.25","2"\n"-0.125","3.5"\n',
        "\ufeff0.5,-1\n0.25,2\n-0.125,3.5\n",
    ],
)
def test_separators_and_decimal_signs(tmp_path, text):
    assert read(tmp_path, text) == (ROWS, ["lead_0", "lead_1"])


@pytest.mark.parametrize(
    "head",
    [
        "MLII,V5\n",
        "'MLII','V5'\n",
        '"MLII","V5"\n',
        "MLII,V5\n'mV','mV'\n",
        "# made today\n# by me, at home, alone\nMLII,V5\n",
        "# MLII,V5\n",
        "\ufeffMLII,V5\r\n",
        "\nMLII, V5\n\n",
    ],
)
def test_headers(tmp_path, head):
    assert read(tmp_path, head + "0.5,-1\n0.25,2\n-0.125,3.5\n") == (ROWS, ["MLII", "V5"])


def test_comments_that_name_no_leads(tmp_path):
    text = "# sampled at 360 Hz\n0.5,-1\n0.25,2\n-0.125,3.5\n"
    assert read(tmp_path, text) == (ROWS, ["lead_0", "lead_1"])


@pytest.mark.parametrize(
    "name",
    ["time", "Time (s)", "time[ms]", "time_s", "t", "'sample #'", "'Elapsed time'", "index", "",
     "Unnamed: 0", "Timestamp", "seconds", "sample"],
)  # fmt: skip
def test_column_named_as_time_is_left_out(tmp_path, name):
    text = f"{name},MLII,V5\n0,0.5,-1\n1,0.25,2\n2,-0.125,3.5\n"
    assert read(tmp_path, text) == (ROWS, ["MLII", "V5"])


@pytest.mark.parametrize(
    "head", ["", "MLII,V5\n", "'Elapsed time','MLII','V5'\n'mm:ss','mV','mV'\n"]
)
def test_clock_times_are_left_out(tmp_path, head):
    if head.startswith("MLII"):
        head = "clock," + head
    rows, names = read(tmp_path, head + "'0:00.000',0.5,-1\n'0:00.003',0.25,2\n0:01,-0.125,3.5\n")
    assert rows == ROWS
    assert names == (["MLII", "V5"] if head else ["lead_0", "lead_1"])


@pytest.mark.parametrize("name", ["lead I", "II", "V1", "ECG", "T wave", "systole", "S1"])
def test_names_of_leads_are_not_times(tmp_path, name):
    assert read(tmp_path, f"{name},V5\n0.5,-1\n0.25,2\n-0.125,3.5\n")[1] == [name, "V5"]


RISING = "".join(f"{row / 360:.4f},{row % 5}\n" for row in range(20))


@pytest.mark.parametrize("head", ["", "what,V5\n"])
def test_rising_first_column_without_name_raises(tmp_path, head):
    with pytest.raises(ValueError, match=r"first column rises .*time_column=0 .*time_column=None"):
        read(tmp_path, head + RISING)


@pytest.mark.parametrize(
    ("time_column", "names"),
    [(0, ["V5"]), (-2, ["V5"]), ("what", ["V5"]), (1, ["what"]), (None, ["what", "V5"])],
)
def test_the_time_column_can_be_named(tmp_path, time_column, names):
    rows, found = read(tmp_path, "what,V5\n" + RISING, time_column)
    assert found == names
    assert len(rows) == 20


@pytest.mark.parametrize("time_column", [2, -3, "time"])
def test_missing_time_column_raises(tmp_path, time_column):
    with pytest.raises(ValueError, match=rf"no time_column={time_column!r}"):
        read(tmp_path, "what,V5\n" + RISING, time_column)


def test_a_single_column_that_rises_is_a_lead(tmp_path):
    assert read(tmp_path, "".join(f"{row}\n" for row in range(9)))[0] == [[r] for r in range(9)]


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "NA", "-", "null"])
@pytest.mark.parametrize("column", [0, 1])
def test_missing_cells_are_nan(tmp_path, cell, column):
    cells = ["0.25", "2"]
    cells[column] = cell
    rows, _ = read(tmp_path, f"MLII,V5\n0.5,-1\n{','.join(cells)}\n-0.125,3.5\n")
    assert np.flatnonzero(np.isnan(np.ravel(rows))).tolist() == [2 + column]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0.1,abc", "line 4 column 2 is not a number: 'abc'"),
        ("abc,0.1", "line 4 column 1 is not a number: 'abc'"),
        ("0.1", "line 4 has 1 columns, the others have 2"),
        ("0.1,0.2,0.3", "line 4 has 3 columns, the others have 2"),
        ("0.1,inf", "line 4 column 2 is infinite: 'inf'"),
        ("0.1;0.2", "line 4 has 1 columns"),
        ("# a remark", "line 4 has 1 columns"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\n0.3,0.4\n"])
def test_error_names_the_damaged_line(tmp_path, line, message, end):
    text = f"MLII,V5\n0.5,-1\n0.25,2\n{line}{end}"
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_error_names_a_damaged_line_far_below(tmp_path):
    text = "MLII,V5\n" + "0.5,-1\n" * 3000 + "0.5,x\n"
    with pytest.raises(ValueError, match="line 3002 column 2 is not a number: 'x'"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        ("MLII,V5\n", "holds no row of numbers"),
        ("<html>\n404\n</html>", "its header '<html>' does not name|line 3"),
        ("MLII,V5,V1\n0.5,1\n", "header 'MLII,V5,V1' does not name the 2 columns"),
        ("time\n0\n1\n", "only column holds the time"),
    ],
)
def test_files_without_recording_raise(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_truncated_gzip_raises(tmp_path):
    packed = gzip.compress(np.random.default_rng(0).bytes(2000).hex("\n").encode())
    with pytest.raises(ValueError, match="cannot be unpacked"):
        read(tmp_path, packed[:500], name="a.csv.gz")


def test_text_named_gzip_raises(tmp_path):
    with pytest.raises(ValueError, match="cannot be unpacked"):
        read(tmp_path, "0.5,1\n", name="a.csv.gz")


def test_all_rows_are_read(tmp_path):
    signal = np.random.default_rng(0).normal(size=(5000, 3))
    np.savetxt(tmp_path / "a.txt", signal)
    data = load_recordings(tmp_path, 360, lead=None, dtype=np.float64)
    # pandas 2 may differ in the last bit
    np.testing.assert_allclose(data.recordings[0], signal.T, rtol=1e-15)


# --- annotations -----------------------------------------------------------------------


def read_annotation(tmp_path, text):
    file = tmp_path / "a_annotations.csv"
    file.write_text(text)
    sample, symbol = read_text_annotation(file)
    assert sample.dtype == np.int64
    return sample.tolist(), symbol.tolist()


@pytest.mark.parametrize(
    "text",
    [
        "sample,symbol\n5,N\n9,V\n",
        "5,N\n9,V\n",
        "5;N\n9;V\n",
        "5 N\n9 V",
        "sample\tsymbol\n5\tN\n\n9\tV\n",
        "Time,Sample,Symbol,aux\n0.1,5,N,\n0.2,9,V,(AFIB\n",
        "symbol,sample\nN,5\nV,9\n",
        "# by Ann\n'sample','symbol'\n5.0,N\n9.0,V\n",
        '"sample","symbol"\n"5","N"\n"9","V"\n',
    ],
)
def test_formats_of_annotations(tmp_path, text):
    assert read_annotation(tmp_path, text) == ([5, 9], ["N", "V"])


def test_symbols_that_look_like_missing_values_or_marks(tmp_path):
    assert read_annotation(tmp_path, "sample,symbol\n1,NA\n2,/\n3,+\n4,1\n")[1] == [
        "NA",
        "/",
        "+",
        "1",
    ]


@pytest.mark.parametrize("text", ["", "sample,symbol\n", "# none\n"])
def test_empty_annotations(tmp_path, text):
    assert read_annotation(tmp_path, text) == ([], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample,label\n5,N\n", r"must have the columns .*first line has \['sample', 'label'\]"),
        ("5\n9\n", "must have the columns"),
        ("5,N,x\n", "must have the columns"),
        ("sample,symbol\n5,N\n9\n", "line 3 has 1 columns, not 2"),
        ("sample,symbol\n5,N\nx,V\n", "line 3 has the sample 'x' and the symbol 'V'"),
        ("sample,symbol\n0.5,N\n", "line 2 has the sample '0.5'"),
        ("5,N\n9,\n", "line 2 has the sample '9' and the symbol ''"),
    ],
)
def test_damaged_annotations_raise(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_annotation(tmp_path, text)


@pytest.mark.parametrize("row", ["1", "-0.25,nan", "1e-03;2", "5 6"])
@pytest.mark.parametrize("bad", ["x", "1e39"])
def test_damaged_row_behind_many_is_named(tmp_path, monkeypatch, row, bad):
    n_rows = 700_000
    examined = []
    examine = text._row_problem
    monkeypatch.setattr(text, "_row_problem", lambda *a: examined.append(a) or examine(*a))
    damaged = re.sub(r"^[^,; ]+", bad, row)
    with pytest.raises(ValueError, match=rf"line {n_rows + 1} column 1 is "):
        read(tmp_path, f"{row}\n" * n_rows + f"{damaged}\n", time_column=None)
    assert len(examined) < n_rows  # blocks of plain rows are passed over


@pytest.mark.parametrize("separator", [",", ";", "\t", None])
def test_plain_rows_have_no_problem(separator):
    cells = ["1", "-2.5", "+3", "1e-03", "9" * 20 + "e09", "nan", "-", "", "--", "x", "1e39", "inf"]
    cells += ["1,5", "1_0", "\u0661", " 4", "\t6", "\xa07", '"8"', "1.", ".", "None", "#N/A"]
    decimal = "," if separator in (";", "\t") else "."
    recording = text.TextRecording(None, separator, decimal, 0, 2, [0, 1], [])
    plain = text._plain_rows(recording)
    rows = [(separator or " ").join(pair) for pair in itertools.product(cells, repeat=2)]
    matched = [row for row in rows if plain.fullmatch(f"{row}\n")]
    assert len(matched) > 50
    assert not any(text._row_problem(recording, row) for row in matched)
