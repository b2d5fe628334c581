import hashlib
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from ecgbeat.datasets import _mitdb_files, fetch_mitdb, load_mitdb

NAMES = [f"{record}.{ending}" for record in ("102", "201") for ending in ("dat", "atr", "hea")]


@pytest.fixture
def mirror(server, tmp_path, write_record, monkeypatch):
    """A server of two small records that pass for the database."""
    source = tmp_path / "source"
    write_record(source, "102", leads=("V5", "V2"))
    write_record(source, "201", leads=("MLII", "V1"))
    server.files = {name: (source / name).read_bytes() for name in NAMES}
    table = {
        name: (len(content), hashlib.sha256(content).hexdigest())
        for name, content in server.files.items()
    }
    monkeypatch.setattr(_mitdb_files, "_read_table", lambda: table)
    return server


@pytest.fixture
def fetch(mirror, tmp_path):
    """Fetch from the mirror without pauses."""

    def fetch(*args, path=tmp_path / "mitdb", **kwargs):
        return fetch_mitdb(path, *args, **{"base_url": mirror.url, "delay": 0.0} | kwargs)

    return fetch


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


def test_returns_what_load_mitdb_returns(fetch, tmp_path):
    fetched = fetch()
    loaded = load_mitdb(tmp_path / "source")
    assert fetched.keys() == loaded.keys()
    np.testing.assert_equal(dict(fetched), dict(loaded))
    assert fetched.lead_names == ["V5", "MLII"]


def test_the_folder_holds_the_files_and_nothing_else(fetch, tmp_path):
    fetch()
    assert names_in(tmp_path / "mitdb") == sorted(NAMES)


def test_a_second_call_asks_the_server_for_nothing(fetch, mirror):
    fetch()
    assert len(mirror.requests) == len(NAMES)
    fetch()
    fetch("201")
    assert len(mirror.requests) == len(NAMES)


def test_only_the_records_asked_for(fetch, mirror, tmp_path):
    assert fetch(["201"]).record_names == ["201"]
    assert names_in(tmp_path / "mitdb") == ["201.atr", "201.dat", "201.hea"]
    assert fetch().record_names == ["102", "201"]
    assert len(mirror.requests) == len(NAMES)


def test_arguments_reach_load_mitdb(fetch):
    recordings, annotations = fetch(
        "201", lead=None, annotator=None, dtype=np.float64, return_X_y=True
    )
    assert recordings[0].shape == (2, 2000)
    assert recordings[0].dtype == np.float64
    assert annotations is None


def test_a_warning_points_to_the_caller(fetch):
    with pytest.warns(UserWarning, match="1 of 2 records have no lead 'MLII'") as caught:
        fetch(lead="MLII")
    assert caught[0].filename == __file__


def test_data_home_is_the_default(mirror, tmp_path, monkeypatch):
    monkeypatch.setenv("ECGBEAT_DATA", str(tmp_path / "home"))
    fetch_mitdb(base_url=mirror.url)
    assert names_in(tmp_path / "home" / "mitdb") == sorted(NAMES)


def test_an_interrupted_download_goes_on_in_the_next_call(fetch, mirror, tmp_path):
    mirror.manners = ["good", "good", "good", "cut"]
    with pytest.raises(ConnectionError, match=r"201\.dat.*the next call goes on"):
        fetch(n_retries=0, n_connections=1)
    assert "201.dat" not in names_in(tmp_path / "mitdb")
    n_bytes = (tmp_path / "mitdb" / "201.dat.part").stat().st_size
    n_requests = len(mirror.requests)
    assert fetch(n_connections=1).record_names == ["102", "201"]
    assert mirror.requests[n_requests:] == [
        ("201.dat", f"bytes={n_bytes}-" if n_bytes else None),
        ("201.atr", None),
        ("201.hea", None),
    ]
    assert names_in(tmp_path / "mitdb") == sorted(NAMES)


def test_a_record_with_a_header_is_complete(fetch, mirror, tmp_path):
    mirror.manners = ["good", "good", "good", "404"]
    with pytest.raises(OSError, match="404"):
        fetch(n_connections=1)
    assert load_mitdb(tmp_path / "mitdb").record_names == ["102"]


def test_without_a_server(fetch, tmp_path, closed_port):
    with pytest.raises(ConnectionError, match=r"http://127\.0\.0\.1:\d+/.*Connection refused"):
        fetch(base_url=closed_port, n_retries=1)
    assert names_in(tmp_path / "mitdb") == []


def test_download_if_missing_false(fetch, mirror, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"lacks 6 of 6 files \(102\.dat, 102\.atr, "):
        fetch(download_if_missing=False)
    assert mirror.requests == []
    assert not (tmp_path / "mitdb").exists()
    fetch()
    assert fetch(download_if_missing=False).record_names == ["102", "201"]


@pytest.mark.parametrize("force", [False, True])
def test_files_of_the_users_own_are_replaced_by_force_only(fetch, mirror, tmp_path, force):
    fetch()
    own = tmp_path / "mitdb" / "102.atr"
    published = own.read_bytes()
    own.write_bytes(b"mine")
    if force:
        fetch(force=True)
        assert mirror.requests[len(NAMES) :] == [("102.atr", None)]
        assert own.read_bytes() == published
    else:
        with pytest.raises(FileExistsError, match=r"1 files .* \(102\.atr\).*force=True"):
            fetch()
        assert own.read_bytes() == b"mine"


def test_a_failed_download_by_force_leaves_the_users_file(fetch, mirror, tmp_path):
    fetch()
    own = tmp_path / "mitdb" / "102.atr"
    own.write_bytes(b"mine")
    mirror.always = "wrong byte"
    with pytest.raises(OSError, match=r"102\.atr arrives damaged"):
        fetch(force=True)
    assert own.read_bytes() == b"mine"
    assert names_in(tmp_path / "mitdb") == sorted(NAMES)


def test_headers_with_other_line_ends_stay(fetch, mirror, tmp_path):
    fetch()
    header = tmp_path / "mitdb" / "102.hea"
    unix = header.read_bytes()
    windows = unix.replace(b"\n", b"\r\n")
    _mitdb_files._read_table()["102.hea"] = (len(windows), hashlib.sha256(windows).hexdigest())
    fetch()
    assert header.read_bytes() == unix
    assert len(mirror.requests) == len(NAMES)


@pytest.mark.parametrize("module", ["wfdb", "requests", "filelock"])
def test_a_missing_module_is_told_before_the_download(fetch, mirror, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install \"ecgbeat\[data\]\""):
        fetch()
    assert mirror.requests == []


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("records", ["110"], r"has no records \['110'\]"),
        ("base_url", "physionet.org/files/mitdb", "must begin with https"),
        ("n_connections", 0, "whole number from 1 on, got 0"),
        ("n_connections", 1.5, "whole number from 1 on, got 1.5"),
        ("n_retries", -1, "whole number from 0 on, got -1"),
        ("delay", -1.0, "delay must be 0 or greater"),
    ],
)
def test_wrong_arguments_are_told_before_the_download(fetch, mirror, argument, value, message):
    with pytest.raises(ValueError, match=message):
        fetch(**{argument: value})
    assert mirror.requests == []


def test_two_processes_at_once_share_the_work(mirror, tmp_path):
    table = _mitdb_files._read_table()
    code = f"""
        from ecgbeat.datasets import _mitdb_files, fetch_mitdb
        _mitdb_files._read_table = lambda: {table!r}
        data = fetch_mitdb({str(tmp_path / "mitdb")!r}, base_url={mirror.url!r}, delay=0.0)
        print(data.record_names)
    """
    mirror.manners = ["cut"] * 3
    command = [sys.executable, "-c", textwrap.dedent(code)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0] for process in both] == ["['102', '201']\n"] * 2
    assert names_in(tmp_path / "mitdb") == sorted(NAMES)
    assert len(mirror.requests) == len(NAMES) + 3


def test_silent_by_default(fetch, capsys):
    fetch()
    assert capsys.readouterr() == ("", "")


def test_verbose_shows_files_and_bytes(fetch, capsys):
    fetch(verbose=1)
    shown = capsys.readouterr().err
    assert "6 of 6 files" in shown
    assert "12.2k/12.2k" in shown


def test_a_real_record(server, real_data, tmp_path):
    if not (real_data / "mitdb" / "100.dat").is_file():
        pytest.skip("ECGBEAT_DATA holds no mitdb")
    for ending in ("dat", "atr", "hea"):
        server.files[f"100.{ending}"] = (real_data / "mitdb" / f"100.{ending}").read_bytes()
    # PhysioNet's headers have the line ends of Windows, the copy here may have others
    header = server.files["100.hea"].replace(b"\r\n", b"\n")
    server.files["100.hea"] = header.replace(b"\n", b"\r\n")
    server.manners = ["cut", "503", "wrong byte"]
    fetched = fetch_mitdb(tmp_path, ["100"], base_url=server.url, delay=0.0)
    loaded = load_mitdb(real_data / "mitdb", ["100"])
    np.testing.assert_array_equal(fetched.recordings[0], loaded.recordings[0])
    np.testing.assert_array_equal(fetched.annotations[0].sample, loaded.annotations[0].sample)


def test_the_real_folder_needs_no_download(real_data, closed_port):
    if not (real_data / "mitdb" / "100.dat").is_file():
        pytest.skip("ECGBEAT_DATA holds no mitdb")
    data = fetch_mitdb(real_data / "mitdb", ["100", "234"], base_url=closed_port)
    assert data.record_names == ["100", "234"]


# --- files of the database -------------------------------------------------------------


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
