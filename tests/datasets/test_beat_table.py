"""Every kind of damage that a file of beats can have."""

import gzip

import numpy as np
import pytest

from ecgbeat.datasets._beat_table import read_beat_table

N_BEATS = 4


def good_rows():
    beats = np.random.default_rng(0).random((N_BEATS, 187))
    return np.column_stack([beats, np.arange(N_BEATS)])


@pytest.fixture
def lines():
    return [",".join(f"{value:.18e}" for value in row) for row in good_rows()]


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="mitbih_train.csv"):
        file = tmp_path / name
        file.write_text(text)
        return file

    return write_file


def with_cell(line, column, cell):
    cells = line.split(",")
    cells[column] = cell
    return ",".join(cells)


def test_reads_float32_beats_and_int64_labels(write, lines):
    table = read_beat_table(write("\n".join(lines) + "\n"), 5)
    assert table.data.dtype == np.float32
    assert table.data.flags.c_contiguous
    assert table.target.dtype == np.int64
    np.testing.assert_allclose(table.data, good_rows()[:, :-1], rtol=1e-6)
    assert table.target.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_the_end_of_the_last_line_does_not_matter(write, lines, end):
    newline = "\r\n" if end == "\r\n" else "\n"
    assert len(read_beat_table(write(newline.join(lines) + end), 5).data) == N_BEATS


def test_reads_a_single_beat(write, lines):
    assert read_beat_table(write(lines[0]), 5).data.shape == (1, 187)


def test_reads_gzip(tmp_path, lines):
    file = tmp_path / "mitbih_train.csv.gz"
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert len(read_beat_table(file, 5).data) == N_BEATS


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: [], "file is empty"),
        (lambda _: ["", "", ""], "holds no beats"),
        (lambda lines: [*lines[:2], lines[2] + ",1.0", lines[3]], "line 3 has 189 columns"),
        (lambda lines: [line.rsplit(",", 1)[0] for line in lines], "line 1 has 187 columns"),
        (lambda lines: [lines[0].replace(",", ";")], "line 1 has 1 columns"),
        (lambda lines: [*lines[:3], lines[3][:2000]], r"line 4 has 81 columns.*file is cut off"),
        (lambda lines: [with_cell(lines[0], 4, "oops")], "line 1 column 5 is no number: 'oops'"),
        (lambda lines: [lines[0], with_cell(lines[1], 4, "")], "line 2 column 5 is no number: ''"),
        (lambda lines: [lines[0], with_cell(lines[1], 7, "nan")], "line 2 column 8 is not finite"),
        (lambda lines: [lines[0], with_cell(lines[1], 7, "1e99")], "column 8 is not finite"),
        (lambda lines: [",".join(map(str, range(187))) + ",label", *lines], "line 1 column 188"),
        (lambda lines: [",".join(f"s{i}" for i in range(188)), *lines], "line 1 .*a header?"),
        (
            lambda lines: [lines[0], with_cell(lines[1], 187, "5")],
            "row 2 has the label 5, .*0 to 4",
        ),
        (lambda lines: [lines[0], with_cell(lines[1], 187, "-1")], "row 2 has the label -1"),
        (lambda lines: [lines[0], with_cell(lines[1], 187, "0.5")], "row 2: the label 0.5 is no"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_damaged_csv_names_file_place_and_source(write, lines, damage, message):
    file = write("\n".join(damage(lines)))
    with pytest.raises(ValueError, match=message) as caught:
        read_beat_table(file, 5)
    assert str(file) in str(caught.value)
    assert "kaggle.com/datasets/shayanfazeli/heartbeat" in str(caught.value)
    assert "physionet.org" in str(caught.value)


def test_label_range_is_that_of_the_set(write, lines):
    with pytest.raises(ValueError, match="row 3 has the label 2, right are 0 to 1"):
        read_beat_table(write("\n".join(lines)), 2)


def test_gzip_that_is_cut_off(tmp_path, lines):
    file = tmp_path / "mitbih_train.csv.gz"
    file.write_bytes(gzip.compress("\n".join(lines).encode())[:500])
    with pytest.raises(ValueError, match="cannot be unpacked"):
        read_beat_table(file, 5)


def test_binary_file_named_csv(tmp_path):
    file = tmp_path / "mitbih_train.csv"
    file.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 10)
    with pytest.raises(ValueError, match="is damaged: line 1"):
        read_beat_table(file, 5)


@pytest.fixture
def arrays():
    rows = good_rows()
    return {
        "X": rows[:, :-1].astype(np.float32),
        "y": rows[:, -1].astype(np.int8),
        "record": np.array(["100", "100", "201", "202"]),
        "sample": np.arange(N_BEATS, dtype=np.int32),
        "symbol": np.array(list("NAVF")),
    }


def test_npz_tells_record_sample_and_symbol(tmp_path, arrays):
    np.savez(tmp_path / "mitbih_test.npz", **arrays)
    table = read_beat_table(tmp_path / "mitbih_test.npz", 5)
    assert table.record.tolist() == ["100", "100", "201", "202"]
    assert table.sample.dtype == np.int64
    assert "".join(table.symbol) == "NAVF"
    np.testing.assert_array_equal(table.data, arrays["X"])


def test_npz_with_beats_and_labels_alone(tmp_path, arrays):
    np.savez(tmp_path / "mitbih_test.npz", X=arrays["X"], y=arrays["y"])
    table = read_beat_table(tmp_path / "mitbih_test.npz", 5)
    assert (table.record, table.sample, table.symbol) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.zeros((4, 186), np.float32)}, r"X has shape \(4, 186\), right is \(n_beats, 187"),
        ({"y": np.zeros(3, int)}, r"y has shape \(3,\), but X holds 4 beats"),
        ({"record": np.array("100")}, r"record has shape \(\)"),
        ({"y": np.zeros(4)}, "y integer, they are float32 and float64"),
        ({"y": np.array([0, 1, 2, 9])}, "row 4 has the label 9"),
        ({"X": np.full((4, 187), np.nan, np.float32)}, "row 1 is not finite"),
        ({"X": np.zeros((0, 187), np.float32)}, "but X holds 0 beats"),
        ({"symbol": np.array(list("NAVF"), dtype=object)}, "cannot be read as npz"),
    ],
)
def test_damaged_npz_names_file_and_problem(tmp_path, arrays, change, message):
    np.savez(tmp_path / "mitbih_test.npz", **(arrays | change))
    with pytest.raises(ValueError, match=rf"mitbih_test\.npz is damaged: .*{message}"):
        read_beat_table(tmp_path / "mitbih_test.npz", 5)


def test_npz_without_labels(tmp_path, arrays):
    np.savez(tmp_path / "mitbih_test.npz", X=arrays["X"])
    with pytest.raises(ValueError, match=r"lacks the arrays \['y'\], it has \['X'\]"):
        read_beat_table(tmp_path / "mitbih_test.npz", 5)


@pytest.mark.parametrize("n_bytes", [1, 300])
def test_npz_that_is_cut_off(tmp_path, arrays, n_bytes):
    file = tmp_path / "mitbih_test.npz"
    np.savez(file, **arrays)
    file.write_bytes(file.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match="cannot be read as npz"):
        read_beat_table(file, 5)
