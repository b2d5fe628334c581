import sys

import numpy as np
import pytest

from ecgbeat.datasets import load_heartbeat_csv

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
def test_a_file_is_read_as_what_its_name_says(folder, stem):
    bunch = load_heartbeat_csv(folder / f"{stem}.csv")
    assert len(bunch.target_names) == (2 if stem.startswith("ptb") else 5)
    assert bunch.filenames == [str(folder / f"{stem}.csv")]


def test_csv_has_no_patients_and_says_so(folder):
    bunch = load_heartbeat_csv(folder)
    assert (bunch.groups, bunch.records, bunch.symbols, bunch.r_peaks) == (None,) * 4
    assert "groups is None" in bunch.DESCR


def test_rebuilt_set_has_patients_and_says_so(rebuilt):
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


def test_as_frame_without_pandas_says_what_to_install(folder, monkeypatch):
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


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder or file .*nowhere.*kaggle\.com"):
        load_heartbeat_csv(tmp_path / "nowhere")


def test_missing_file_names_what_is_there(folder):
    (folder / "mitbih_train.csv").unlink()
    (folder / "mitbih_test.csv").unlink()
    message = (
        r"no mitbih_train\.csv \(it has \['ptbdb_normal', 'ptbdb_abnormal'\]: choose by subset"
    )
    with pytest.raises(FileNotFoundError, match=message):
        load_heartbeat_csv(folder)


def test_half_of_a_pair_missing(folder):
    (folder / "ptbdb_abnormal.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"no ptbdb_abnormal\.csv"):
        load_heartbeat_csv(folder, subset="ptb")


def test_file_of_another_kind(tmp_path):
    (tmp_path / "archive.zip").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"archive\.zip must end in .*unpack the archive"):
        load_heartbeat_csv(tmp_path / "archive.zip")


def test_unknown_subset(folder):
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
