import copy
import json
import pickle
import re
import warnings

import numpy as np
import pytest

from ecgbeat.annotation import AnnotatedBeats, encode_beats
from ecgbeat.annotation._annotated_beats import beats_table, plan_files
from ecgbeat.labels import select_beats
from ecgbeat.metrics import annotation_f1_score, ec57_report

wfdb = pytest.importorskip("wfdb")
# wfdb 4.3 calls functions that pandas 3 deprecates
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FS = 100.0
CLASSES = np.array(["N", "V"])
BEATS = AnnotatedBeats(
    np.array([100, 180, 300]),
    np.array(["N", "V", "N"]),
    np.array([[0.9, 0.1], [0.25, 0.75], [0.6, 0.4]]),
)
NO_BEATS = AnnotatedBeats(np.empty(0, np.int64), CLASSES[:0], np.empty((0, 2)))


def test_beats_are_a_tuple_of_three():
    sample, symbol, probability = BEATS
    assert (sample is BEATS.sample, symbol is BEATS.symbol) == (True, True)
    assert probability.shape == (3, 2)
    assert BEATS.unreadable is None  # not examined


def test_unreadable_stretches_are_kept():
    stretches = np.array([[0, 10]])
    beats = BEATS._replace()
    beats.unreadable = stretches
    assert beats._replace(sample=BEATS.sample + 1).unreadable is stretches
    assert pickle.loads(pickle.dumps(beats)).unreadable.tolist() == [[0, 10]]
    assert copy.deepcopy(beats).unreadable.tolist() == [[0, 10]]


def test_beats_are_accepted_as_an_annotation():
    assert select_beats(BEATS, "V").sample.tolist() == [180]
    truth = [(BEATS.sample, BEATS.symbol)]
    assert annotation_f1_score(truth, [BEATS], FS) == 1.0
    report = ec57_report(truth, [BEATS], FS, learning_period=0)
    assert report.gross["veb_sensitivity"] == 1.0


def test_beats_can_be_pickled():
    copy = pickle.loads(pickle.dumps(BEATS))
    np.testing.assert_array_equal(copy.probability, BEATS.probability)


def test_table_has_one_row_per_beat():
    table = beats_table(["a", "b", "c"], [BEATS, NO_BEATS, BEATS], CLASSES, FS)
    assert list(table.columns) == [
        "record",
        "beat",
        "sample",
        "time_s",
        "rr_s",
        "label",
        "probability",
        "probability_N",
        "probability_V",
    ]
    assert table["record"].tolist() == ["a"] * 3 + ["c"] * 3
    assert table["beat"].tolist() == [0, 1, 2] * 2
    assert table["sample"].tolist() == [100, 180, 300] * 2
    assert table["time_s"].tolist() == [1.0, 1.8, 3.0] * 2
    np.testing.assert_allclose(table["rr_s"], [np.nan, 0.8, 1.2] * 2)
    assert table["label"].tolist() == ["N", "V", "N"] * 2
    assert table["probability"].tolist() == [0.9, 0.75, 0.6] * 2
    assert table["probability_V"].tolist() == [0.1, 0.75, 0.4] * 2


def test_probability_column_is_that_of_the_label():
    beats = BEATS._replace(symbol=np.array(["V", "V", "V"]))
    table = beats_table(["a"], [beats], CLASSES, FS)
    assert table["probability"].tolist() == [0.1, 0.75, 0.4]


@pytest.mark.parametrize("annotated", [[], [NO_BEATS], [NO_BEATS, NO_BEATS]], ids=len)
def test_no_beats_give_an_empty_table(annotated):
    table = beats_table(["r"] * len(annotated), annotated, CLASSES, FS)
    assert len(table) == 0
    assert table["sample"].dtype == np.int64


def test_table_without_probabilities_lacks_their_columns():
    table = beats_table(["a"], [BEATS._replace(probability=None)], CLASSES, FS)
    assert list(table.columns)[-1] == "label"


def test_labels_may_be_numbers():
    beats = BEATS._replace(symbol=np.array([3, 7, 3]))
    table = beats_table(["a"], [beats], np.array([3, 7]), FS)
    assert table["label"].tolist() == [3, 7, 3]
    assert table["probability_7"].tolist() == [0.1, 0.75, 0.4]


# --- WFDB files

AAMI = np.array(["F", "N", "Q", "S", "V"])


def plan(folder, names=("100",), extension="ecgbeat", fs=360, classes=AAMI, symbols=None, **k):
    return plan_files(
        folder, list(names), extension, fs, list(classes), symbols, **{"overwrite": False} | k
    )


def beats_at(sample, symbol=None):
    symbol = np.resize(np.array(["N", "V", "S"]), len(sample)) if symbol is None else symbol
    return AnnotatedBeats(np.array(sample, dtype=np.int64), np.asarray(symbol), None)


def read(folder, name="100", extension="ecgbeat"):
    return wfdb.rdann(str(folder / name), extension)


@pytest.mark.parametrize(
    "sample",
    [
        [0],
        [5],
        [0, 300, 650],
        [7, 1030, 1031, 2054, 2055, 3079],  # intervals around 1023, the largest in 10 bits
        [10, 12_960_010],  # ten hours later
        [2**31 + 7],
        list(range(0, 90_000, 299)),
    ],
    ids=["at 0", "one", "few", "long intervals", "ten hours", "beyond 31 bits", "many"],
)
def test_written_file_can_be_read_by_wfdb(tmp_path, sample):
    beats = beats_at(sample)
    plan(tmp_path).write([beats])
    found = read(tmp_path)
    assert found.sample.tolist() == sample
    assert found.symbol == beats.symbol.tolist()


@pytest.mark.parametrize("fs", [360, 360.0, 250, 257.5, np.float64(128)])
def test_sampling_rate_can_be_read_by_wfdb(tmp_path, fs):
    plan(tmp_path, fs=fs).write([beats_at([5])])
    assert read(tmp_path).fs == fs


def test_recording_without_beats_gives_an_empty_file(tmp_path):
    plan(tmp_path, ["a", "b"]).write([beats_at([]), beats_at([5])])
    found = read(tmp_path, "a")
    assert (list(found.sample), list(found.symbol), found.fs) == ([], [], 360)
    assert read(tmp_path, "b").sample.tolist() == [5]


@pytest.mark.parametrize("symbol", list("NLRBAaJSVrFejnE/fQ?"))
def test_every_beat_symbol_is_written(tmp_path, symbol):
    plan(tmp_path, classes=np.array([symbol])).write([beats_at([9], [symbol])])
    assert read(tmp_path).symbol == [symbol]


@pytest.mark.parametrize(
    ("classes", "symbols"),
    [
        (np.array(["normal", "pvc"]), {"normal": "N", "pvc": "V"}),
        (np.array([0, 1]), {0: "N", 1: "V"}),
        (np.array([False, True]), {False: "N", True: "V"}),
        (np.array(["N", "pvc"]), {"pvc": "V"}),
    ],
)
def test_labels_are_mapped_to_wfdb_symbols(tmp_path, classes, symbols):
    plan(tmp_path, classes=classes, symbols=symbols).write([beats_at([5, 9], classes)])
    assert read(tmp_path).symbol == ["N", "V"]


@pytest.mark.parametrize("classes", [np.array(["N", "normal"]), np.array([0, 1]), np.array([" "])])
def test_labels_without_wfdb_symbol_raise(tmp_path, classes):
    with pytest.raises(ValueError, match=r"must be WFDB annotation symbols.*wfdb_symbols=\{"):
        plan(tmp_path / "new", classes=classes)
    assert not (tmp_path / "new").exists()


def test_folders_are_created(tmp_path):
    plan(tmp_path / "a" / "b", ["p1/100", "p2/100"]).write([beats_at([5]), beats_at([6])])
    assert read(tmp_path / "a" / "b" / "p2").sample.tolist() == [6]


@pytest.mark.parametrize("name", ["a b", "", "../a", "a.b", "/a", "a/"])
def test_invalid_record_names_raise(tmp_path, name):
    with pytest.raises(ValueError, match="record_names must consist of letters, digits"):
        plan(tmp_path, ["100", name])


def test_duplicate_record_names_raise(tmp_path):
    with pytest.raises(ValueError, match=r"must be unique, got \['100'\]"):
        plan(tmp_path, ["100", "101", "100"])


@pytest.mark.parametrize("extension", ["", "a1", ".atr", "a b"])
def test_extension_with_other_characters_raises(tmp_path, extension):
    with pytest.raises(ValueError, match="must consist of letters"):
        plan(tmp_path, extension=extension)


@pytest.mark.parametrize("extension", ["hea", "dat", "DAT", "mat"])
def test_extension_of_a_records_own_file_raises(tmp_path, extension):
    with pytest.raises(ValueError, match="is that of a header or a signal file"):
        plan(tmp_path, extension=extension, overwrite=True)


def test_extension_of_the_signal_file_in_the_header_raises(tmp_path):
    (tmp_path / "100.hea").write_text("100 1 360 720\n100.sig 16 200\n")
    with pytest.raises(ValueError, match="extension='sig' is that of"):
        plan(tmp_path, ["99", "100"], extension="sig", overwrite=True)


def test_dangling_link_is_an_existing_file(tmp_path):
    (tmp_path / "100.ecgbeat").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError, match=r"100\.ecgbeat"):
        plan(tmp_path)


def test_content_is_that_which_wfdb_writes(tmp_path):
    sample, symbol = [7, 1030, 90_000], ["N", "V", "S"]
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        wfdb.wrann("99", "qrs", np.array(sample), symbol, fs=257.5, write_dir=str(tmp_path))
    plan(tmp_path, fs=257.5).write([beats_at(sample, symbol)])
    assert (tmp_path / "100.ecgbeat").read_bytes() == (tmp_path / "99.qrs").read_bytes()


@pytest.mark.parametrize("sample", [[5, 3], [-4, 3]])
def test_beats_that_do_not_ascend_from_0_are_not_written(tmp_path, sample):
    with pytest.raises(ValueError, match="must ascend from sample 0"):
        plan(tmp_path).write([beats_at([1]), beats_at(sample)][1:])
    assert not list(tmp_path.iterdir())


def test_existing_file_is_kept_without_overwrite(tmp_path):
    plan(tmp_path).write([beats_at([5])])
    with pytest.raises(FileExistsError, match=r"100.ecgbeat. Pass overwrite=True"):
        plan(tmp_path, ["99", "100"])
    plan(tmp_path, overwrite=True).write([beats_at([7])])
    assert read(tmp_path).sample.tolist() == [7]


def test_failed_write_changes_no_file(tmp_path):
    plan(tmp_path).write([beats_at([5])])
    files = plan(tmp_path, ["99", "100"], overwrite=True)
    (tmp_path / "99.ecgbeat").mkdir()
    with pytest.raises(IsADirectoryError, match=r"99\.ecgbeat is a folder"):
        files.write([beats_at([8]), beats_at([9])])
    (tmp_path / "99.ecgbeat").rmdir()
    assert [file.name for file in tmp_path.iterdir()] == ["100.ecgbeat"]
    assert read(tmp_path).sample.tolist() == [5]


# --- files ----------------------------------------------------------------------------


def encoded(beats=BEATS, **changes):
    parameters = {"fs": FS, "format": "csv", "record_name": "100"} | changes
    ((name, content),) = encode_beats(beats, **parameters).items()
    return name, content


def test_csv_of_beats_has_a_row_each():
    name, content = encoded()
    assert name == "100_beats.csv"
    assert content.decode().splitlines() == [
        "sample,time_s,rr_s,label,probability",
        "100,1.0000,,N,0.9000",
        "180,1.8000,0.8000,V,0.7500",
        "300,3.0000,1.2000,N,0.6000",
    ]


def test_json_of_beats_can_be_parsed():
    beats = BEATS._replace()
    beats.unreadable = np.array([[400, 500]])
    name, content = encoded(beats, format="json", record_name="a b")
    assert name == "a_b_beats.json"
    assert json.loads(content) == {
        "record_name": "a b",
        "fs": FS,
        "sample": [100, 180, 300],
        "label": ["N", "V", "N"],
        "probability": [0.9, 0.75, 0.6],
        "unreadable": [[400, 500]],
    }


def test_annotation_file_of_beats_is_read_by_wfdb(tmp_path):
    name, content = encoded(format="wfdb", record_name="patient 1.5")
    assert name == "patient_1_5.ecgbeat"
    (tmp_path / name).write_bytes(content)
    read = wfdb.rdann(str(tmp_path / "patient_1_5"), "ecgbeat")
    assert (read.sample.tolist(), read.symbol, read.fs) == ([100, 180, 300], ["N", "V", "N"], FS)


@pytest.mark.parametrize("kind", ["csv", "json", "wfdb"])
def test_recording_without_beats_has_a_file(kind):
    assert encoded(NO_BEATS, format=kind)[1]


@pytest.mark.parametrize("record_name", ["../x", "/etc/x", "..\\x", "a\x00b", "<b>", "C:x"])
def test_name_of_the_file_has_no_path(record_name):
    name, _ = encoded(record_name=record_name)
    assert re.fullmatch(r"[-\w]+\.csv", name)


def test_csv_and_json_without_probabilities():
    beats = AnnotatedBeats(BEATS.sample, BEATS.symbol, None)
    assert encoded(beats)[1].decode().splitlines()[1] == "100,1.0000,,N,"
    assert json.loads(encoded(beats, format="json")[1])["probability"] is None


def test_labels_that_wfdb_does_not_know_raise_in_its_format_only():
    beats = AnnotatedBeats(np.array([10]), np.array(["abnormal"]), None)
    assert b"abnormal" in encoded(beats)[1]
    with pytest.raises(ValueError, match=r"got \['abnormal'\]. Choose the format 'csv'"):
        encoded(beats, format="wfdb")


@pytest.mark.parametrize("wrong", [{"format": "xml"}, {"fs": 0}, {"record_name": ""}])
def test_invalid_argument_of_encode_beats_raises(wrong):
    with pytest.raises(ValueError, match="must"):
        encoded(**wrong)
