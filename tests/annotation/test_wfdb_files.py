import numpy as np
import pytest

from ecgbeat.annotation import AnnotatedBeats
from ecgbeat.annotation._wfdb_files import plan_files

wfdb = pytest.importorskip("wfdb")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of wfdb 4.3 by pandas 3

CLASSES = np.array(["F", "N", "Q", "S", "V"])


def plan(folder, names=("100",), extension="ecgbeat", fs=360, classes=CLASSES, symbols=None, **k):
    return plan_files(
        folder, list(names), extension, fs, classes, symbols, **{"overwrite": False} | k
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
        [7, 1030, 1031, 2054, 2055, 3079],  # gaps about the longest that 10 bits hold
        [10, 12_960_010],  # ten hours later
        [2**31 + 7],
        list(range(0, 90_000, 299)),
    ],
    ids=["at 0", "one", "few", "gaps", "ten hours", "beyond 31 bits", "many"],
)
def test_wfdb_reads_back_what_was_written(tmp_path, sample):
    beats = beats_at(sample)
    plan(tmp_path).write([beats])
    found = read(tmp_path)
    assert found.sample.tolist() == sample
    assert found.symbol == beats.symbol.tolist()


@pytest.mark.parametrize("fs", [360, 360.0, 250, 257.5, np.float64(128)])
def test_wfdb_reads_back_the_sampling_rate(tmp_path, fs):
    plan(tmp_path, fs=fs).write([beats_at([5])])
    assert read(tmp_path).fs == fs


def test_a_recording_without_a_beat_gives_a_file_without_one(tmp_path):
    plan(tmp_path, ["a", "b"]).write([beats_at([]), beats_at([5])])
    found = read(tmp_path, "a")
    assert (list(found.sample), list(found.symbol), found.fs) == ([], [], 360)
    assert read(tmp_path, "b").sample.tolist() == [5]


@pytest.mark.parametrize("symbol", list("NLRBAaJSVrFejnE/fQ?"))
def test_every_beat_symbol_survives(tmp_path, symbol):
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
def test_other_labels_get_the_symbols_they_are_given(tmp_path, classes, symbols):
    plan(tmp_path, classes=classes, symbols=symbols).write([beats_at([5, 9], classes)])
    assert read(tmp_path).symbol == ["N", "V"]


@pytest.mark.parametrize("classes", [np.array(["N", "normal"]), np.array([0, 1]), np.array([" "])])
def test_labels_that_are_no_symbols_are_refused(tmp_path, classes):
    with pytest.raises(ValueError, match=r"no WFDB annotation symbols.*wfdb_symbols=\{"):
        plan(tmp_path / "new", classes=classes)
    assert not (tmp_path / "new").exists()


def test_folders_are_made(tmp_path):
    plan(tmp_path / "a" / "b", ["p1/100", "p2/100"]).write([beats_at([5]), beats_at([6])])
    assert read(tmp_path / "a" / "b" / "p2").sample.tolist() == [6]


@pytest.mark.parametrize("name", ["a b", "", "../a", "a.b", "/a", "a/"])
def test_names_that_are_none_of_wfdbs_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="no names for WFDB records"):
        plan(tmp_path, ["100", name])


def test_names_that_come_twice_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must differ.*\['100'\]"):
        plan(tmp_path, ["100", "101", "100"])


@pytest.mark.parametrize("extension", ["", "a1", ".atr", "a b"])
def test_extensions_are_letters(tmp_path, extension):
    with pytest.raises(ValueError, match="made of letters only"):
        plan(tmp_path, extension=extension)


def test_files_that_are_there_stay(tmp_path):
    plan(tmp_path).write([beats_at([5])])
    with pytest.raises(FileExistsError, match=r"100.ecgbeat. Pass overwrite=True"):
        plan(tmp_path, ["99", "100"])
    plan(tmp_path, overwrite=True).write([beats_at([7])])
    assert read(tmp_path).sample.tolist() == [7]


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    plan(tmp_path).write([beats_at([5])])
    files = plan(tmp_path, ["99", "100"], overwrite=True)
    original = wfdb.wrann

    def fail_at_second(name, *args, **options):
        if name == "1":
            raise OSError("no space left on device")
        return original(name, *args, **options)

    monkeypatch.setattr(wfdb, "wrann", fail_at_second)
    with pytest.raises(OSError, match="no space"):
        files.write([beats_at([8]), beats_at([9])])
    assert [file.name for file in tmp_path.iterdir()] == ["100.ecgbeat"]
    assert read(tmp_path).sample.tolist() == [5]
