"""Tests of the recordings in a folder."""

import pytest

from ecgbeat.datasets.recording.folder import is_table, list_recordings


def names(folder):
    return [file.relative_to(folder).as_posix() for file in list_recordings(folder)]


def touch(folder, *files):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()


def test_recordings_of_all_formats_and_folders_are_found(tmp_path, write_record):
    write_record(tmp_path)
    write_record(tmp_path / "deep" / "er", "101")
    touch(tmp_path, "a.edf", "deep/b.BDF", "c.csv", "d.npy", "deep/e.tsv.gz")
    assert names(tmp_path) == [
        "100.hea", "deep/er/101.hea", "a.edf", "c.csv", "d.npy", "deep/b.BDF", "deep/e.tsv.gz",
    ]  # fmt: skip


def test_files_beside_recordings_are_left_out(tmp_path):
    touch(
        tmp_path, "a_annotations.csv", "a_beats.csv", "LICENSE.txt", "a.pdf", ".b.edf", ".c/d.edf"
    )
    assert names(tmp_path) == []


def test_signal_file_of_a_header_is_no_recording_of_its_own(tmp_path):
    touch(tmp_path, "a.hea", "a.edf")
    assert names(tmp_path) == ["a.hea"]


def test_segments_are_no_records(tmp_path):
    (tmp_path / "all.hea").write_text("all/2 1 360 20\ns1 10\ns2 10\n")
    touch(tmp_path, "s1.hea", "s2.hea")
    assert names(tmp_path) == ["all.hea"]


def test_records_of_a_list_are_those_of_the_list(tmp_path):
    (tmp_path / "RECORDS").write_text("x/1\n")
    touch(tmp_path, "x/1.hea", "2.hea")
    assert names(tmp_path) == ["x/1.hea"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", True), ("a.npz", True), ("a.txt", False), ("a.dat", False), ("a_beats.csv", False)],
)
def test_tables_are_known_by_their_name(tmp_path, name, expected):
    assert is_table(tmp_path / name) is expected


def test_empty_folder_has_none(tmp_path):
    assert names(tmp_path) == []
