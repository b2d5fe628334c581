from pathlib import Path

import pytest

from ecgbeat.datasets._recording_files import find_recordings, stem_of


@pytest.fixture
def folder(tmp_path):
    names = ["b.csv", "a.npy", "c.csv.gz", "a_annotations.csv", "notes.md", "b_annotations.txt"]
    for name in names:
        (tmp_path / name).touch()
    return tmp_path


def find(path, records=None):
    return list(find_recordings(path, records, "_annotations"))


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.csv", "a"), ("a.csv.gz", "a"), ("a.b.npy", "a.b"), ("100.hea", "100.hea")],
)
def test_stems(name, stem):
    assert stem_of(Path(name)) == stem


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
def test_choice(folder, records, names):
    assert find(folder, records) == names


def test_a_record_that_is_not_there(folder):
    with pytest.raises(FileNotFoundError, match=r"no records \['d'\]; it has \['a', 'b', 'c'\]"):
        find(folder, ["a", "d"])


@pytest.mark.parametrize("make_path", [lambda f: f / "x", lambda f: f / "x.csv", lambda f: [f]])
def test_a_path_that_is_not_there(folder, make_path):
    with pytest.raises(FileNotFoundError, match="There is no folder or file"):
        find(make_path(folder))


def test_a_file_of_another_kind(folder):
    with pytest.raises(ValueError, match=r"notes\.md must end in one of \.npy"):
        find(folder / "notes.md")


def test_two_files_of_one_name(folder):
    (folder / "a.csv").touch()
    with pytest.raises(ValueError, match=r"a\.csv and .*a\.npy would both be record 'a'"):
        find(folder)


@pytest.mark.parametrize(("path", "records"), [("empty", None), ([], None), (".", [])])
def test_nothing_to_load(folder, monkeypatch, path, records):
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="There is nothing to load"):
        find(path, records)
