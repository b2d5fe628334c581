import hashlib
from pathlib import Path

import pytest

from ecgbeat.datasets._mitdb_files import is_as_published, record_names, remote_files
from ecgbeat.datasets._remote_file import RemoteFile

ALL = remote_files(record_names(None), Path("mitdb"), "https://host/mitdb/1.0.0/")


def test_the_table_holds_three_files_of_48_records():
    assert len(ALL) == 144
    assert len({file.sha256 for file in ALL}) == 144
    assert sum(file.n_bytes for file in ALL) == 93_857_066
    assert {file.n_bytes for file in ALL if file.target.suffix == ".dat"} == {1_950_000}


def test_the_header_comes_last_of_its_record():
    assert [file.target.name for file in ALL[:3]] == ["100.dat", "100.atr", "100.hea"]


@pytest.mark.parametrize("base_url", ["https://host/a", "https://host/a/"])
def test_addresses(base_url):
    (file, *_) = remote_files(["234"], Path("folder"), base_url)
    assert file.url == "https://host/a/234.dat"
    assert file.target == Path("folder/234.dat")


def test_all_records_are_those_of_the_database():
    names = record_names(None)
    assert (len(names), names[0], names[-1]) == (48, "100", "234")


@pytest.mark.parametrize("records", ["100", ["100"], [100], iter(["100"])])
def test_names_of_records(records):
    assert record_names(records) == ["100"]


@pytest.mark.parametrize("records", [["100", "110"], "110", [110], "x_108"])
def test_records_that_the_database_lacks(records):
    with pytest.raises(ValueError, match=r"has no records \['(110|x_108)'\]. It has 100, 101, "):
        record_names(records)


def test_no_records():
    with pytest.raises(ValueError, match="was asked for no record"):
        record_names([])


def published(target, content):
    return RemoteFile("", target, len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    ("name", "content", "same"),
    [
        ("100.hea", b"100 2\r\n# x\r\n", True),
        ("100.hea", b"100 2\n# x\n", True),
        ("100.hea", b"100 3\n# x\n", False),
        ("100.dat", b"100 2\r\n# x\r\n", True),
        ("100.dat", b"100 2\n# x\n", False),
    ],
)
def test_line_ends_of_headers_do_not_count(tmp_path, name, content, same):
    (tmp_path / name).write_bytes(content)
    assert is_as_published(published(tmp_path / name, b"100 2\r\n# x\r\n")) is same


def test_the_real_files_are_those_of_the_table(real_data):
    files = remote_files(record_names(None), real_data / "mitdb", "")
    if not files[0].target.is_file():
        pytest.skip("ECGBEAT_DATA holds no mitdb")
    assert [file.target.name for file in files if not is_as_published(file)] == []
