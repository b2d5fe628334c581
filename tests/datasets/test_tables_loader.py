import sys
from pathlib import Path

import numpy as np
import pytest

from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_recordings
from ecgbeat.datasets.tables.loader import find_recordings
from ecgbeat.labels import Annotation

SIGNAL = np.random.default_rng(0).normal(size=(2, 300)).round(6)
LEADS = ["MLII", "V5"]


def write_csv(file, signal=SIGNAL, header="MLII,V5"):
    np.savetxt(file, signal.T, delimiter=",", header=header, comments="", fmt="%.6f")


def write_annotations(file):
    file.write_text("sample,symbol\n20,+\n77,N\n250,V\n")


def as_npz(file, signal=SIGNAL):
    np.savez(file, signal=signal, lead_names=LEADS, fs=360.0)


WRITERS = {"a.csv": write_csv, "a.csv.gz": write_csv, "a.txt": write_csv, "a.npz": as_npz}


@pytest.mark.parametrize("name", WRITERS)
def test_round_trip(tmp_path, name):
    WRITERS[name](tmp_path / name)
    data = load_recordings(tmp_path, fs=360, lead=None, dtype=np.float64)
    np.testing.assert_array_equal(data.recordings[0], SIGNAL)
    assert data.record_names == ["a"]
    assert data.lead_names == [LEADS]
    assert data.groups.tolist() == ["a"]
    assert data.fs == 360.0
    assert data.annotations is None


@pytest.mark.parametrize("as_folder", [True, False])
def test_a_folder_and_a_file_are_the_same(tmp_path, as_folder):
    write_csv(tmp_path / "a.csv")
    write_annotations(tmp_path / "a_annotations.csv")
    data = load_recordings(tmp_path if as_folder else tmp_path / "a.csv", 360)
    assert data.record_names == ["a"]
    assert data.annotations[0].symbol.tolist() == ["+", "N", "V"]


def test_kinds_of_files_may_be_mixed(tmp_path):
    write_csv(tmp_path / "a.csv")
    np.save(tmp_path / "b.npy", SIGNAL[1])
    data = load_recordings(tmp_path, 360)
    assert data.lead_names == ["MLII", "lead_0"]
    np.testing.assert_array_equal(data.recordings[1], SIGNAL[1].astype(np.float32))


@pytest.mark.parametrize(("lead", "row"), [("V5", 1), (-1, 1), (("I", "MLII"), 0)])
def test_choice_of_lead(tmp_path, lead, row):
    write_csv(tmp_path / "a.csv")
    data = load_recordings(tmp_path, 360, lead=lead)
    assert data.lead_names == [LEADS[row]]
    np.testing.assert_allclose(data.recordings[0], SIGNAL[row], rtol=1e-6)


def test_a_missing_lead_warns_at_the_callers_line(tmp_path):
    write_csv(tmp_path / "a.csv")
    write_csv(tmp_path / "b.csv", header="I,II")
    with pytest.warns(UserWarning, match=r"1 of 2 records have no lead 'V5'.*b \(I, II\)") as seen:
        assert load_recordings(tmp_path, 360, lead="V5").lead_names == ["V5", "I"]
    assert seen[0].filename == __file__


def test_choice_of_records(tmp_path):
    for name in "abc":
        write_csv(tmp_path / f"{name}.csv")
    assert load_recordings(tmp_path, 360, ["c", "a"]).record_names == ["c", "a"]


@pytest.mark.parametrize("dtype", [np.float32, "float64"])
@pytest.mark.parametrize("lead", [1, None])
def test_dtype_and_layout(tmp_path, dtype, lead):
    np.save(tmp_path / "a.npy", SIGNAL.T)
    recording = load_recordings(tmp_path, 360, lead=lead, dtype=dtype).recordings[0]
    assert recording.dtype == dtype
    assert recording.flags.c_contiguous


def test_gain_and_baseline_give_millivolts(tmp_path):
    np.save(tmp_path / "a.npy", np.array([1024, 1224, 824], np.int16))
    recording = load_recordings(tmp_path, 360, gain=200, baseline=1024).recordings[0]
    assert recording.tolist() == [0.0, 1.0, -1.0]


def test_missing_samples_are_nan(tmp_path):
    signal = SIGNAL.copy()
    signal[0, 10:20] = np.nan
    write_csv(tmp_path / "a.csv", signal)
    recording = load_recordings(tmp_path, 360).recordings[0]
    assert np.flatnonzero(np.isnan(recording)).tolist() == list(range(10, 20))


def test_annotations_of_an_npz(tmp_path):
    np.savez(tmp_path / "a.npz", signal=SIGNAL, sample=[77, 20], symbol=["V", "N"])
    annotation = load_recordings(tmp_path, 360).annotations[0]
    assert annotation.sample.tolist() == [20, 77]
    assert annotation.symbol.tolist() == ["N", "V"]


def test_another_suffix_of_annotations(tmp_path):
    write_csv(tmp_path / "a.csv")
    write_annotations(tmp_path / "a-beats.txt")
    data = load_recordings(tmp_path, 360, annotations="-beats")
    assert data.record_names == ["a"]
    assert data.annotations[0].sample.tolist() == [20, 77, 250]


def test_a_function_reads_annotations(tmp_path):
    write_csv(tmp_path / "a.csv")
    seen = []

    def read(file):
        seen.append(file)
        return [5, 9], ["N", "V"]

    (annotation,) = load_recordings(tmp_path / "a.csv", 360, annotations=read).annotations
    assert isinstance(annotation, Annotation)
    assert annotation.sample.tolist() == [5, 9]
    assert [(type(file), file.name) for file in seen] == [(type(Path()), "a.csv")]


def test_without_annotations(tmp_path):
    write_csv(tmp_path / "a.csv")
    write_annotations(tmp_path / "a_annotations.csv")
    data = load_recordings(tmp_path, 360, annotations=None)
    assert (data.record_names, data.annotations) == (["a"], None)


def test_annotations_of_only_some_recordings_raise(tmp_path):
    for name in "ab":
        write_csv(tmp_path / f"{name}.csv")
    write_annotations(tmp_path / "a_annotations.csv")
    with pytest.raises(FileNotFoundError, match=r"1 of 2 .* such as b_annotations\.csv: .*b\.csv"):
        load_recordings(tmp_path, 360)


@pytest.mark.parametrize("source", ["file", "function"])
def test_annotations_outside_the_recording_raise(tmp_path, source):
    write_csv(tmp_path / "a.csv")
    (tmp_path / "a_annotations.csv").write_text("300,N\n")
    annotations = "_annotations" if source == "file" else lambda _: ([300], ["N"])
    with pytest.raises(
        ValueError, match=r"must lie within the recording of 300 samples, .* first at 300"
    ):
        load_recordings(tmp_path, 360, annotations=annotations)


def test_function_that_returns_unequal_lengths_raises(tmp_path):
    write_csv(tmp_path / "a.csv")
    with pytest.raises(ValueError, match=r"annotations of .*a\.csv must have one symbol for each"):
        load_recordings(tmp_path, 360, annotations=lambda _: ([1, 2], ["N"]))


def test_loaded_recordings_can_be_cut_into_beats(tmp_path):
    write_csv(tmp_path / "a.csv")
    write_annotations(tmp_path / "a_annotations.csv")
    data = load_recordings(tmp_path, 360)
    beats = extract_beats(data.recordings, data.annotations, data.fs, groups=data.groups)
    assert beats.target.tolist() == ["N", "V"]


def test_annotations_are_sorted_by_time(tmp_path):
    write_csv(tmp_path / "a.csv")
    unsorted = lambda _: ([9, 5, 5], ["V", "N", "+"])  # noqa: E731
    (annotation,) = load_recordings(tmp_path, 360, annotations=unsorted).annotations
    assert annotation.sample.tolist() == [5, 5, 9]
    assert annotation.symbol.tolist() == ["N", "+", "V"]


@pytest.mark.parametrize(
    ("annotation", "error", "message"),
    [
        (([-1], ["N"]), ValueError, r"annotations of .*a\.csv must lie within .* first at -1"),
        (([1.5], ["N"]), TypeError, "that is integers, got dtype float64"),
        (([1], None), ValueError, "one symbol for each"),
        (None, ValueError, r"annotations of .*a\.csv must be a pair"),
        (([1], [1]), ValueError, "must be strings"),
    ],
)
def test_wrong_annotations_of_a_function_raise(tmp_path, annotation, error, message):
    write_csv(tmp_path / "a.csv")
    with pytest.raises(error, match=message):
        load_recordings(tmp_path, 360, annotations=lambda _: annotation)


DAMAGED = {
    "a.csv": (b"MLII,V5\n0.5,-1\n0.25,x\n", "line 3 column 2 is not a number"),
    "b.csv.gz": (b"0.5,1\n", "cannot be unpacked"),
    "c.npy": (b"\x93NUMPY", "cannot be read as npy"),
    "d.npz": (b"PK", "cannot be read as npz"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_error_names_the_damaged_file(tmp_path, name):
    content, reason = DAMAGED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"/{name} cannot be read as a recording: .*{reason}"):
        load_recordings(tmp_path, 360)


@pytest.mark.parametrize(
    ("text", "reason"), [("5\n9\n", "must have the columns"), ("5,N\nx,V\n", "line 2 has")]
)
def test_error_names_the_damaged_annotation_file(tmp_path, text, reason):
    write_csv(tmp_path / "a.csv")
    (tmp_path / "a_annotations.csv").write_text(text)
    message = rf"/a_annotations\.csv cannot be read as annotations: .*{reason}"
    with pytest.raises(ValueError, match=message):
        load_recordings(tmp_path, 360)


def test_float_sample_numbers_in_an_npz_raise(tmp_path):
    np.savez(tmp_path / "a.npz", signal=SIGNAL, sample=[1.5], symbol=["N"])
    with pytest.raises(ValueError, match=r"/a\.npz cannot be read as annotations: .*integers"):
        load_recordings(tmp_path, 360)


def test_return_X_y_gives_the_two_lists(tmp_path):  # noqa: N802
    write_csv(tmp_path / "a.csv")
    recordings, annotations = load_recordings(tmp_path, 360, return_X_y=True)
    assert (len(recordings), annotations) == (1, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fs": 0}, "fs must be greater than 0 .in Hz.*got 0"),
        ({"gain": -1}, "gain must be greater than 0"),
        ({"dtype": int}, "dtype must be float32 or float64"),
        ({"annotations": ""}, "annotations='' would name"),
        ({"fs": 250}, r"a\.npz .*states fs=360 Hz, but fs=250"),
    ],
)
def test_wrong_arguments_raise(tmp_path, arguments, message):
    as_npz(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=message):
        load_recordings(tmp_path, **{"fs": 360} | arguments)


def test_missing_pandas_error_names_the_extra(tmp_path, monkeypatch):
    write_csv(tmp_path / "a.csv")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install \"ecgbeat\[data\]\""):
        load_recordings(tmp_path, 360)


def test_numpy_files_need_no_pandas(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", SIGNAL)
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert len(load_recordings(tmp_path, 360).recordings) == 1


def test_silent_by_default(tmp_path, capsys):
    write_csv(tmp_path / "a.csv")
    load_recordings(tmp_path, 360)
    assert capsys.readouterr() == ("", "")


def test_verbose_shows_progress(tmp_path, capsys):
    write_csv(tmp_path / "a.csv")
    load_recordings(tmp_path, 360, verbose=1)
    assert "1/1" in capsys.readouterr().err


# --- files -----------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    names = ["b.csv", "a.npy", "c.csv.gz", "a_annotations.csv", "notes.md", "b_annotations.txt"]
    for name in names:
        (tmp_path / name).touch()
    return tmp_path


def find(path, records=None):
    return list(find_recordings(path, records, "_annotations"))


def test_recordings_of_a_folder_in_order_of_name(folder):
    assert find(folder) == ["a", "b", "c"]


def test_one_file(folder):
    assert find(folder / "b.csv") == ["b"]


@pytest.mark.parametrize("kind", [str, Path])
def test_several_files_in_their_order(folder, kind):
    assert find([kind(folder / "c.csv.gz"), kind(folder / "a.npy")]) == ["c", "a"]


def test_relative_paths(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert find(["b.csv", "./a.npy"]) == ["b", "a"]
    assert find(".") == ["a", "b", "c"]


def test_sub_folders_where_the_folder_has_none_itself(tmp_path):
    for patient in ("p1", "p2"):
        (tmp_path / patient).mkdir()
        (tmp_path / patient / "s.csv").touch()
    assert find(tmp_path) == ["p1/s", "p2/s"]
    assert find([tmp_path / "p1" / "s.csv", tmp_path / "p2" / "s.csv"]) == ["p1/s", "p2/s"]


@pytest.mark.parametrize(("records", "names"), [(["c", "a"], ["c", "a"]), ("b", ["b"])])
def test_choice_of_rows(folder, records, names):
    assert find(folder, records) == names


def test_missing_record_raises(folder):
    with pytest.raises(FileNotFoundError, match=r"no records \['d'\]; it has \['a', 'b', 'c'\]"):
        find(folder, ["a", "d"])


@pytest.mark.parametrize("make_path", [lambda f: f / "x", lambda f: f / "x.csv", lambda f: [f]])
def test_missing_path_raises(folder, make_path):
    with pytest.raises(FileNotFoundError, match="There is no folder or file"):
        find(make_path(folder))


def test_file_of_another_format_raises(folder):
    with pytest.raises(ValueError, match=r"notes\.md must end in one of \.npy"):
        find(folder / "notes.md")


def test_two_files_of_one_name_raise(folder):
    (folder / "a.csv").touch()
    with pytest.raises(ValueError, match=r"a\.csv and .*a\.npy would both be record 'a'"):
        find(folder)


@pytest.mark.parametrize(("path", "records"), [("empty", None), ([], None), (".", [])])
def test_no_record_to_load_raises(folder, monkeypatch, path, records):
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="There is no record to load"):
        find(path, records)
