"""Annotations that count in other units, and every kind of damage that their file can have."""

import warnings

import numpy as np
import pytest

from ecgbeat.datasets import load_wfdb


@pytest.fixture
def folder(tmp_path, write_record):
    write_record(tmp_path, "99")
    write_record(tmp_path, "100")
    return tmp_path


def cut(file, n_bytes):
    content = file.read_bytes()
    file.write_bytes(content[:n_bytes])


def annotate(folder, sample, symbol, **kwargs):
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        import wfdb

        wfdb.wrann("100", "qrs", np.array(sample), symbol, write_dir=str(folder), **kwargs)


def test_missing_file_says_how_to_do_without(folder):
    (folder / "100.atr").unlink()
    message = r"There is no file .*100\.atr\. annotator=None .*records=.*physionet"
    with pytest.raises(FileNotFoundError, match=message):
        load_wfdb(folder)


@pytest.mark.parametrize(
    ("unit", "sample", "converted"),
    [
        (360, [5, 1000, 1999], [5, 1000, 1999]),
        (1000, [14, 2778, 5555], [5, 1000, 1999]),
        (180, [2, 500, 999], [4, 1000, 1998]),
        (250.5, [3, 696, 1391], [4, 1000, 1999]),
    ],
)
def test_other_units_of_time_become_samples(folder, unit, sample, converted):
    annotate(folder, sample, ["N", "V", "N"], fs=unit)
    annotation = load_wfdb(folder, ["100"], annotator="qrs").annotations[0]
    assert annotation.sample.tolist() == converted
    assert annotation.sample.dtype == np.int64
    assert annotation.symbol.tolist() == ["N", "V", "N"]


def test_a_lead_with_several_samples_a_frame_has_annotations_in_its_samples(tmp_path):
    np.zeros(400 * 4, "<i2").tofile(tmp_path / "100.dat")
    (tmp_path / "100.hea").write_text("100 1 62.5 400\n100.dat 16x4 200/mV 16 0 0 0 0 II\n")
    annotate(tmp_path, [5, 399], ["N", "V"])
    data = load_wfdb(tmp_path, annotator="qrs")
    assert data.annotations[0].sample.tolist() == [20, 1596]
    assert data.recordings[0].shape == (1600,)


def test_an_empty_annotation_is_one(folder):
    (folder / "100.atr").write_bytes(b"\x00\x00")
    annotation = load_wfdb(folder).annotations[0]
    assert annotation.sample.dtype == np.int64
    assert len(annotation.sample) == len(annotation.symbol) == 0


def test_notes_do_not_become_beats(folder):
    annotate(folder, [0, 300], ["+", "N"], aux_note=["(AFIB", ""], fs=360)
    assert load_wfdb(folder, ["100"], annotator="qrs").annotations[0].symbol.tolist() == ["+", "N"]


def test_verify_false_drops_what_lies_outside(folder, write_record):
    write_record(folder, "200", n_times=5000)
    (folder / "200.atr").rename(folder / "100.atr")
    annotation = load_wfdb(folder, ["100"], verify=False).annotations[0]
    assert annotation.sample.tolist() == [20, 300, 1000]
    assert annotation.symbol.tolist() == ["+", "N", "V"]


@pytest.mark.parametrize("n_bytes", [0, 1, 3, 4, 7])
def test_annotation_file_that_is_cut_off(folder, n_bytes):
    cut(folder / "100.atr", n_bytes)
    with pytest.raises(ValueError, match=r"100\.atr is damaged: its end mark is missing"):
        load_wfdb(folder)


def test_annotation_file_of_a_longer_record(folder, write_record):
    write_record(folder, "200", n_times=5000)
    (folder / "200.atr").rename(folder / "100.atr")
    with pytest.raises(ValueError, match="annotates sample 4999, but the record has 2000"):
        load_wfdb(folder, records=["100"])


def test_annotation_file_of_odd_length(folder):
    file = folder / "100.atr"
    file.write_bytes(b"\x07" + file.read_bytes())
    with pytest.raises(ValueError, match=r"100\.atr is damaged: it is no WFDB annotation"):
        load_wfdb(folder)
