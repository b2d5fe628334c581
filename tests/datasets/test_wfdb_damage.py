"""Damage of WFDB files that resembles something valid."""

import numpy as np
import pytest

from ecgbeat.datasets import load_wfdb


@pytest.fixture
def folder(tmp_path):
    np.arange(720, dtype="<i2").tofile(tmp_path / "r.dat")
    (tmp_path / "r.hea").write_text("r 1 360 720\nr.dat 16 200/mV\n")
    return tmp_path


@pytest.mark.parametrize("units", ["?V", "\u00c2\u00b5V", "1mV", "uV?", "millivolt"])
def test_unknown_voltage_raises(folder, units):
    (folder / "r.hea").write_text(f"r 1 360 720\nr.dat 16 200/{units}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"r\.hea is damaged: .*line 2 .*Correct the line"):
        load_wfdb(folder, annotator=None)


def test_unit_that_contains_a_voltage_stays(folder):
    (folder / "r.hea").write_text("r 1 360 720\nr.dat 16 200/mV/s\n")
    recording = load_wfdb(folder, annotator=None).recordings[0]
    np.testing.assert_allclose(recording, np.arange(720) / 200, rtol=1e-6)


def test_frame_that_is_longer_than_the_file_raises(folder):
    (folder / "r.hea").write_text("r 1 360 1\nr.dat 16x999999999999 200/mV\n")
    with pytest.raises(ValueError, match=r"r\.dat is damaged: its 1440 bytes do not hold"):
        load_wfdb(folder, annotator=None)


def test_segment_outside_of_the_folder_is_named_without_a_list(folder):
    (folder / "w.hea").write_text("w/2 1 360 721\n../r 720\n~ 1\n")
    with pytest.raises(ValueError, match=r"w\.hea is damaged: .*line 2 is damaged: '\.\./r 720'"):
        load_wfdb(folder, annotator=None)


def test_space_beyond_ascii_does_not_separate_names(folder):
    (folder / "RECORDS").write_bytes(b"r\xa0r\n")
    with pytest.raises(ValueError, match="RECORDS is damaged: line 1 holds"):
        load_wfdb(folder, annotator=None)


def test_folders_that_list_each_other_by_links_raise(folder):
    for name, other in (("a", "b"), ("b", "a")):
        (folder / name).mkdir()
        (folder / name / other).symlink_to(folder / other)
        (folder / name / "RECORDS").write_text(f"{other}/\n")
    (folder / "RECORDS").write_text("a/\n")
    with pytest.raises(ValueError, match="RECORDS is damaged"):
        load_wfdb(folder, annotator=None)


@pytest.mark.parametrize("comment", ["", "# a comment\n\n"])
def test_zero_samples_are_an_unknown_number(folder, comment):
    (folder / "r.hea").write_text(f"{comment}r 1 360\nr.dat 16 200/mV\n")
    expected = load_wfdb(folder, annotator=None).recordings[0]
    (folder / "r.hea").write_text(f"{comment}r 1 360 0 12:00:00\nr.dat 16 200/mV\n")
    np.testing.assert_array_equal(load_wfdb(folder, annotator=None).recordings[0], expected)
    (folder / "r.dat").write_bytes(b"")
    with pytest.raises(ValueError, match=r"1 signals of 0 samples"):
        load_wfdb(folder, annotator=None)


@pytest.mark.parametrize("name", ["II", "MLXI", "mlii"])
def test_layout_without_a_lead_of_a_segment_raises(folder, name):
    (folder / "r.hea").write_text("r 1 360 720\nr.dat 16 200/mV 16 0 0 -3304 0 MLII\n")
    (folder / "layout.hea").write_text(f"layout 1 360 0\n~ 0 200/mV 16 0 0 0 0 {name}\n")
    (folder / "w.hea").write_text("w/2 1 360 720\nlayout 0\nr 720\n")
    with pytest.raises(ValueError, match=r"r\.hea is damaged: its leads \['MLII'\] are not in"):
        load_wfdb(folder, ["w"], annotator=None)
