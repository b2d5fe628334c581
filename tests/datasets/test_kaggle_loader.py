import gzip
import sys

import numpy as np
import pytest

from ecgbeat.datasets import load_heartbeat_csv
from ecgbeat.datasets.kaggle.loader import _read_table

STEMS = {"mitbih_train": 5, "mitbih_test": 5, "ptbdb_normal": 1, "ptbdb_abnormal": 2}


def write_csv(folder, stem, n_beats, seed=0):
    rng = np.random.default_rng([seed, n_beats])
    labels = {
        "ptbdb_normal": np.zeros(n_beats),
        "ptbdb_abnormal": np.ones(n_beats),
    }.get(stem, np.arange(n_beats) % 5)
    np.savetxt(
        folder / f"{stem}.csv", np.column_stack([rng.random((n_beats, 187)), labels]), delimiter=","
    )


@pytest.fixture
def folder(tmp_path):
    for n_beats, stem in enumerate(STEMS, start=6):
        write_csv(tmp_path, stem, n_beats)
    return tmp_path


@pytest.fixture
def rebuilt(tmp_path):
    rng = np.random.default_rng(0)
    for stem in ("mitbih_train", "mitbih_test"):
        np.savez(
            tmp_path / f"{stem}.npz",
            X=rng.random((3, 187)).astype(np.float32),
            y=np.array([0, 2, 4], np.int8),
            record=np.array(["100", "201", "202"]),
            sample=np.array([77, 370, 662], np.int32),
            symbol=np.array(["N", "V", "/"]),
        )
    return tmp_path


@pytest.mark.parametrize(
    ("subset", "n_beats"),
    [
        ("train", 6),
        ("test", 7),
        ("mitbih", 13),
        (None, 13),
        ("normal", 8),
        ("abnormal", 9),
        ("ptb", 17),
    ],
)
def test_subsets(folder, subset, n_beats):
    bunch = load_heartbeat_csv(folder, subset=subset)
    assert bunch.data.shape == (n_beats, 187)
    assert bunch.data.dtype == np.float32
    assert bunch.target.shape == (n_beats,)
    assert bunch.target.dtype == np.int64


def test_mitbih_is_train_then_test(folder):
    both = load_heartbeat_csv(folder)
    test = load_heartbeat_csv(folder, subset="test")
    np.testing.assert_array_equal(both.data[both.files == "mitbih_test"], test.data)
    assert both.files.tolist() == ["mitbih_train"] * 6 + ["mitbih_test"] * 7


def test_ptb_is_binary_at_125_hz(folder):
    ptb = load_heartbeat_csv(folder, subset="ptb")
    assert ptb.target.tolist() == [0] * 8 + [1] * 9
    assert (ptb.target_names, ptb.fs) == (["normal", "abnormal"], 125.0)


def test_mitbih_has_five_classes_at_120_hz(folder):
    bunch = load_heartbeat_csv(folder)
    assert (bunch.target_names, bunch.fs) == (["N", "S", "V", "F", "Q"], 120.0)


@pytest.mark.parametrize("stem", STEMS)
def test_name_of_a_file_decides_its_classes(folder, stem):
    bunch = load_heartbeat_csv(folder / f"{stem}.csv")
    assert len(bunch.target_names) == (2 if stem.startswith("ptb") else 5)
    assert bunch.filenames == [str(folder / f"{stem}.csv")]


def test_csv_has_no_patients(folder):
    bunch = load_heartbeat_csv(folder)
    assert (bunch.groups, bunch.records, bunch.symbols, bunch.r_peaks) == (None,) * 4
    assert "groups is None" in bunch.DESCR


def test_rebuilt_set_has_patients(rebuilt):
    bunch = load_heartbeat_csv(rebuilt)
    assert bunch.records.tolist() == ["100", "201", "202"] * 2
    assert bunch.groups.tolist() == ["100", "201", "201"] * 2  # 201 and 202 are one man
    assert bunch.r_peaks.tolist() == [77, 370, 662] * 2
    assert bunch.symbols.tolist() == ["N", "V", "/"] * 2
    assert "groups holds the patient" in bunch.DESCR


def test_csv_comes_before_npz(rebuilt):
    write_csv(rebuilt, "mitbih_train", 6)
    assert len(load_heartbeat_csv(rebuilt, subset="train").data) == 6


def test_data_and_target_alone(folder):
    X, y = load_heartbeat_csv(folder, subset="test", return_X_y=True)
    bunch = load_heartbeat_csv(folder, subset="test")
    np.testing.assert_array_equal(X, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)


def test_as_frame(folder):
    pd = pytest.importorskip("pandas", reason="pandas is in the extra [data]")
    bunch = load_heartbeat_csv(folder, subset="test", as_frame=True)
    assert isinstance(bunch.target, pd.Series)
    assert list(bunch.data.columns) == bunch.feature_names
    assert list(bunch.frame.columns) == [*bunch.feature_names, "target"]
    assert (bunch.data.dtypes == np.float32).all()


def test_as_frame_without_pandas_raises(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"ecgbeat\[data\]"):
        load_heartbeat_csv(folder, as_frame=True)


def test_pandas_is_not_needed_otherwise(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert len(load_heartbeat_csv(folder).data) == 13


def test_data_home_is_the_default(folder, monkeypatch, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    folder.rename(home / "kaggle_heartbeat")
    monkeypatch.setenv("ECGBEAT_DATA", str(home))
    assert len(load_heartbeat_csv(subset="test").data) == 7


def test_missing_folder_raises(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder or file .*nowhere.*kaggle\.com"):
        load_heartbeat_csv(tmp_path / "nowhere")


def test_missing_file_error_lists_the_files_present(folder):
    (folder / "mitbih_train.csv").unlink()
    (folder / "mitbih_test.csv").unlink()
    message = (
        r"no mitbih_train\.csv \(it has \['ptbdb_normal', 'ptbdb_abnormal'\]: choose by subset"
    )
    with pytest.raises(FileNotFoundError, match=message):
        load_heartbeat_csv(folder)


def test_missing_half_of_a_pair_raises(folder):
    (folder / "ptbdb_abnormal.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"no ptbdb_abnormal\.csv"):
        load_heartbeat_csv(folder, subset="ptb")


def test_file_of_another_format_raises(tmp_path):
    (tmp_path / "archive.zip").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"archive\.zip must end in .*unpack the archive"):
        load_heartbeat_csv(tmp_path / "archive.zip")


def test_unknown_subset_raises(folder):
    with pytest.raises(ValueError, match=r"subset must be one of \['train'.*got 'all'"):
        load_heartbeat_csv(folder, subset="all")


def test_subset_of_a_file_is_an_error(folder):
    with pytest.raises(ValueError, match="is one file"):
        load_heartbeat_csv(folder / "mitbih_test.csv", subset="test")


@pytest.mark.parametrize(
    ("subset", "counts"),
    [("train", [72471, 2223, 5788, 641, 6431]), ("test", [18118, 556, 1448, 162, 1608])],
)
def test_real_class_counts_are_those_of_kaggle(real_data, subset, counts):
    if not (real_data / "kaggle_heartbeat").is_dir():
        pytest.skip("ECGBEAT_DATA holds no kaggle_heartbeat")
    bunch = load_heartbeat_csv(subset=subset)
    assert np.bincount(bunch.target).tolist() == counts
    assert 0 <= bunch.data.min() <= bunch.data.max() <= 1
    if bunch.records is not None:  # the CSV files do not tell
        assert len(np.unique(bunch.records)) == 48
        assert len(np.unique(bunch.groups)) == 47


# --- one file --------------------------------------------------------------------------


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
    table = _read_table(write("\n".join(lines) + "\n"), 5)
    assert table.data.dtype == np.float32
    assert table.data.flags.c_contiguous
    assert table.target.dtype == np.int64
    np.testing.assert_allclose(table.data, good_rows()[:, :-1], rtol=1e-6)
    assert table.target.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_the_end_of_the_last_line_does_not_matter(write, lines, end):
    newline = "\r\n" if end == "\r\n" else "\n"
    assert len(_read_table(write(newline.join(lines) + end), 5).data) == N_BEATS


def test_reads_a_single_beat(write, lines):
    assert _read_table(write(lines[0]), 5).data.shape == (1, 187)


def test_reads_gzip(tmp_path, lines):
    file = tmp_path / "mitbih_train.csv.gz"
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert len(_read_table(file, 5).data) == N_BEATS


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: [], "file is empty"),
        (lambda _: ["", "", ""], "holds no beats"),
        (lambda lines: [*lines[:2], lines[2] + ",1.0", lines[3]], "line 3 has 189 columns"),
        (lambda lines: [line.rsplit(",", 1)[0] for line in lines], "line 1 has 187 columns"),
        (lambda lines: [lines[0].replace(",", ";")], "line 1 has 1 columns"),
        (lambda lines: [*lines[:3], lines[3][:2000]], r"line 4 has 81 columns.*file is truncated"),
        (lambda lines: [with_cell(lines[0], 4, "oops")], "line 1 column 5 is not a number: 'oops'"),
        (
            lambda lines: [lines[0], with_cell(lines[1], 4, "")],
            "line 2 column 5 is not a number",
        ),
        (lambda lines: [lines[0], with_cell(lines[1], 7, "nan")], "line 2 column 8 is not finite"),
        (lambda lines: [lines[0], with_cell(lines[1], 7, "1e99")], "column 8 is not finite"),
        (lambda lines: [",".join(map(str, range(187))) + ",label", *lines], "line 1 column 188"),
        (lambda lines: [",".join(f"s{i}" for i in range(188)), *lines], "line 1 .*a header?"),
        (
            lambda lines: [lines[0], with_cell(lines[1], 187, "5")],
            "row 2 has the label 5, not 0 to 4",
        ),
        (lambda lines: [lines[0], with_cell(lines[1], 187, "-1")], "row 2 has the label -1"),
        (lambda lines: [lines[0], with_cell(lines[1], 187, "0.5")], "row 2: the label 0.5 is not"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_damaged_csv_names_file_place_and_source(write, lines, damage, message):
    file = write("\n".join(damage(lines)))
    with pytest.raises(ValueError, match=message) as caught:
        _read_table(file, 5)
    assert str(file) in str(caught.value)
    assert "kaggle.com/datasets/shayanfazeli/heartbeat" in str(caught.value)
    assert "physionet.org" in str(caught.value)


def test_label_range_is_that_of_the_set(write, lines):
    with pytest.raises(ValueError, match="row 3 has the label 2, not 0 to 1"):
        _read_table(write("\n".join(lines)), 2)


def test_truncated_gzip_raises(tmp_path, lines):
    file = tmp_path / "mitbih_train.csv.gz"
    file.write_bytes(gzip.compress("\n".join(lines).encode())[:500])
    with pytest.raises(ValueError, match="cannot be unpacked"):
        _read_table(file, 5)


def test_binary_file_named_csv_raises(tmp_path):
    file = tmp_path / "mitbih_train.csv"
    file.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 10)
    with pytest.raises(ValueError, match="is damaged: line 1"):
        _read_table(file, 5)


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


def test_npz_with_record_sample_and_symbol(tmp_path, arrays):
    np.savez(tmp_path / "mitbih_test.npz", **arrays)
    table = _read_table(tmp_path / "mitbih_test.npz", 5)
    assert table.record.tolist() == ["100", "100", "201", "202"]
    assert table.sample.dtype == np.int64
    assert "".join(table.symbol) == "NAVF"
    np.testing.assert_array_equal(table.data, arrays["X"])


def test_npz_with_beats_and_labels_alone(tmp_path, arrays):
    np.savez(tmp_path / "mitbih_test.npz", X=arrays["X"], y=arrays["y"])
    table = _read_table(tmp_path / "mitbih_test.npz", 5)
    assert (table.record, table.sample, table.symbol) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.zeros((4, 186), np.float32)}, r"X has shape \(4, 186\), not \(n_beats, 187"),
        ({"y": np.zeros(3, int)}, r"y has shape \(3,\), but X holds 4 beats"),
        ({"record": np.array("100")}, r"record has shape \(\)"),
        ({"y": np.zeros(4)}, "y integer, got float32 and float64"),
        ({"y": np.array([0, 1, 2, 9])}, "row 4 has the label 9"),
        ({"X": np.full((4, 187), np.nan, np.float32)}, "row 1 is not finite"),
        ({"X": np.zeros((0, 187), np.float32)}, "but X holds 0 beats"),
        ({"symbol": np.array(list("NAVF"), dtype=object)}, "cannot be read as npz"),
    ],
)
def test_damaged_npz_names_file_and_problem(tmp_path, arrays, change, message):
    np.savez(tmp_path / "mitbih_test.npz", **(arrays | change))
    with pytest.raises(ValueError, match=rf"mitbih_test\.npz is damaged: .*{message}"):
        _read_table(tmp_path / "mitbih_test.npz", 5)


def test_npz_without_labels_raises(tmp_path, arrays):
    np.savez(tmp_path / "mitbih_test.npz", X=arrays["X"])
    with pytest.raises(ValueError, match=r"lacks the arrays \['y'\], it has \['X'\]"):
        _read_table(tmp_path / "mitbih_test.npz", 5)


@pytest.mark.parametrize("n_bytes", [1, 300])
def test_truncated_npz_raises(tmp_path, arrays, n_bytes):
    file = tmp_path / "mitbih_test.npz"
    np.savez(file, **arrays)
    file.write_bytes(file.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match="cannot be read as npz"):
        _read_table(file, 5)
