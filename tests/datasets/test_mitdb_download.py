import hashlib
import os
import stat
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pooch
import pytest

from ecgbeat.datasets import fetch_mitdb, load_mitdb
from ecgbeat.datasets.mitdb import download

NAMES = [
    f"{record}.{extension}" for record in ("102", "201") for extension in ("dat", "atr", "hea")
]


@pytest.fixture
def mirror(server, tmp_path, write_record, monkeypatch):
    """A server of two small records in place of the database."""
    source = tmp_path / "source"
    write_record(source, "102", leads=("V5", "V2"))
    write_record(source, "201", leads=("MLII", "V1"))
    server.files = {name: (source / name).read_bytes() for name in NAMES}
    table = {
        name: download._PublishedFile(len(content), hashlib.sha256(content).hexdigest())
        for name, content in server.files.items()
    }
    monkeypatch.setattr(download, "_published_files", lambda: table)
    return server


@pytest.fixture
def pauses(monkeypatch):
    """Pauses of pooch in seconds, which are skipped."""
    seconds = []
    monkeypatch.setattr(pooch.core, "time", SimpleNamespace(sleep=seconds.append))
    return seconds


@pytest.fixture
def fetch(mirror, tmp_path, pauses):  # noqa: ARG001 - skips the pauses
    """Fetch from the mirror."""

    def fetch(*args, path=tmp_path / "mitdb", **kwargs):
        return fetch_mitdb(path, *args, **{"base_url": mirror.url} | kwargs)

    return fetch


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


# --- successful downloads -------------------------------------------------------------


def test_returns_the_same_as_load_mitdb(fetch, tmp_path):
    fetched = fetch()
    loaded = load_mitdb(tmp_path / "source")
    assert fetched.keys() == loaded.keys()
    np.testing.assert_equal(dict(fetched), dict(loaded))
    assert fetched.lead_names == ["V5", "MLII"]


@pytest.mark.parametrize("n_connections", [1, 4, 20])
def test_folder_holds_the_files_and_nothing_else(fetch, mirror, tmp_path, n_connections):
    fetch(n_connections=n_connections)
    assert names_in(tmp_path / "mitdb") == sorted(NAMES)
    assert sorted(mirror.requests) == sorted(NAMES)


def test_second_call_needs_no_server(fetch, mirror):
    fetch()
    assert len(mirror.requests) == len(NAMES)
    fetch()
    fetch("201")
    assert len(mirror.requests) == len(NAMES)


def test_downloads_only_the_records_given(fetch, mirror, tmp_path):
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


def test_warning_points_to_the_caller(fetch):
    with pytest.warns(UserWarning, match="1 of 2 records have no lead 'MLII'") as caught:
        fetch(lead="MLII")
    assert caught[0].filename == __file__


def test_data_home_is_the_default(mirror, tmp_path, monkeypatch):
    monkeypatch.setenv("ECGBEAT_DATA", str(tmp_path / "home"))
    fetch_mitdb(base_url=mirror.url)
    assert names_in(tmp_path / "home" / "mitdb") == sorted(NAMES)


def test_base_url_needs_no_slash_at_the_end(fetch, mirror):
    assert fetch(base_url=mirror.url.rstrip("/")).record_names == ["102", "201"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_files_have_the_permissions_of_the_umask(fetch, tmp_path):
    (tmp_path / "new").touch()
    fetch()
    mode = stat.S_IMODE((tmp_path / "new").stat().st_mode)
    assert stat.S_IMODE((tmp_path / "mitdb" / "102.dat").stat().st_mode) == mode


def test_silent_by_default(fetch, mirror, capfd):
    mirror.manners = ["cut"]
    fetch()
    assert capfd.readouterr() == ("", "")
    assert not pooch.get_logger().filters


def test_verbose_shows_files_and_bytes(fetch, capsys):
    fetch(verbose=1)
    shown = capsys.readouterr().err
    assert "6 of 6 files" in shown
    assert "12.2k/12.2k" in shown


# --- unreliable servers ---------------------------------------------------------------


@pytest.mark.parametrize(
    "manner",
    [
        "cut",
        "no length, cut",
        "no length, too long",
        "wrong byte",
        "other file",
        "500",
        "503",
        "429",
    ],
)
def test_failed_download_is_repeated(fetch, mirror, pauses, tmp_path, manner):
    mirror.manners = [manner] * 2
    fetch(n_connections=1)
    assert names_in(tmp_path / "mitdb") == sorted(NAMES)
    assert mirror.requests[:4] == ["102.dat", "102.dat", "102.dat", "102.atr"]
    assert pauses == [1, 2]


def test_stalled_connection_is_repeated(fetch, mirror, monkeypatch):
    monkeypatch.setattr(download, "_TIMEOUT_S", (1.0, 0.3))
    mirror.manners = ["stall"]
    assert fetch("201").record_names == ["201"]
    assert len(mirror.requests) == 4


@pytest.mark.parametrize(
    ("manner", "error", "message"),
    [
        ("cut", ConnectionError, "could not be downloaded: .*next call downloads only the others"),
        ("503", ConnectionError, "could not be downloaded: 503 Server Error"),
        ("wrong byte", OSError, "arrives damaged: .*does not match the known hash.*base_url"),
        ("other file", OSError, "arrives damaged"),
        ("no length, cut", OSError, "arrives damaged"),
    ],
)
def test_persistent_failure_raises_and_names_the_file(
    fetch, mirror, tmp_path, manner, error, message
):
    mirror.always = manner
    with pytest.raises(error, match=rf"127\.0\.0\.1:\d+/201\.dat {message}"):
        fetch("201", n_retries=2, n_connections=1)
    assert mirror.requests == ["201.dat"] * 3
    assert names_in(tmp_path / "mitdb") == []


@pytest.mark.parametrize("status", ["404", "403", "410"])
def test_file_that_the_server_lacks_raises_at_once(fetch, mirror, tmp_path, status):
    mirror.always = status
    with pytest.raises(FileNotFoundError, match=rf"201\.dat .*answered {status} .*base_url right"):
        fetch("201", n_connections=1)
    assert mirror.requests == ["201.dat"]
    assert names_in(tmp_path / "mitdb") == []


def test_next_call_downloads_the_remaining_files(fetch, mirror, tmp_path):
    mirror.manners = ["good", "good", "good", "cut"]
    with pytest.raises(ConnectionError, match=r"201\.dat"):
        fetch(n_retries=0, n_connections=1)
    assert names_in(tmp_path / "mitdb") == ["102.atr", "102.dat", "102.hea"]
    assert load_mitdb(tmp_path / "mitdb").record_names == ["102"]  # the header came last
    n_requests = len(mirror.requests)
    assert fetch(n_connections=1).record_names == ["102", "201"]
    assert mirror.requests[n_requests:] == ["201.dat", "201.atr", "201.hea"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [(None, "Connection refused"), ("http://nowhere.invalid/", "nowhere.invalid")],
)
def test_absent_server_raises(fetch, tmp_path, closed_port, url, reason):
    with pytest.raises(ConnectionError, match=rf"could not be downloaded: .*{reason}"):
        fetch(base_url=url or closed_port, n_retries=1)
    assert names_in(tmp_path / "mitdb") == []


# warnings.catch_warnings, by which wfdb's are ignored, is not thread-safe
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_concurrent_downloads_do_no_harm(fetch, tmp_path):
    results = []
    threads = [threading.Thread(target=lambda: results.append(fetch())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [data.record_names for data in results] == [["102", "201"]] * 4
    assert names_in(tmp_path / "mitdb") == sorted(NAMES)


# --- files in the folder --------------------------------------------------------------


def test_download_if_missing_false(fetch, mirror, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"lacks 6 of 6 files \(102\.dat, 102\.atr, "):
        fetch(download_if_missing=False)
    assert mirror.requests == []
    assert not (tmp_path / "mitdb").exists()
    fetch()
    assert fetch(download_if_missing=False).record_names == ["102", "201"]


@pytest.mark.parametrize("force", [False, True])
def test_modified_files_are_replaced_by_force_only(fetch, mirror, tmp_path, force):
    fetch()
    own = tmp_path / "mitdb" / "102.atr"
    published = own.read_bytes()
    own.write_bytes(b"mine")
    if force:
        fetch(force=True)
        assert mirror.requests[len(NAMES) :] == ["102.atr"]
        assert own.read_bytes() == published
    else:
        with pytest.raises(FileExistsError, match=r"1 files .* \(102\.atr\).*force=True"):
            fetch()
        assert own.read_bytes() == b"mine"


def test_failed_download_by_force_leaves_the_modified_file(fetch, mirror, tmp_path):
    fetch()
    own = tmp_path / "mitdb" / "102.atr"
    own.write_bytes(b"mine")
    mirror.always = "wrong byte"
    with pytest.raises(OSError, match=r"102\.atr arrives damaged"):
        fetch(force=True)
    assert own.read_bytes() == b"mine"
    assert names_in(tmp_path / "mitdb") == sorted(NAMES)


def test_headers_with_other_line_ends_are_kept(fetch, mirror, tmp_path):
    fetch()
    header = tmp_path / "mitdb" / "102.hea"
    unix = header.read_bytes()
    windows = unix.replace(b"\n", b"\r\n")
    sha256 = hashlib.sha256(windows).hexdigest()
    download._published_files()["102.hea"] = download._PublishedFile(len(windows), sha256)
    fetch()
    assert header.read_bytes() == unix
    assert len(mirror.requests) == len(NAMES)


def test_file_in_place_of_the_folder_raises(fetch, tmp_path):
    (tmp_path / "mitdb").write_text("")
    with pytest.raises(OSError, match=r"Files cannot be written to .*mitdb: File exists"):
        fetch()


def test_full_disk_raises_and_leaves_nothing(fetch, tmp_path, monkeypatch):
    def fill_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", fill_disk)
    with pytest.raises(OSError, match=r"Files cannot be written to .*mitdb: No space left"):
        fetch()
    assert names_in(tmp_path / "mitdb") == []


# --- arguments ------------------------------------------------------------------------


def test_missing_wfdb_raises_before_the_download(fetch, mirror, monkeypatch):
    monkeypatch.setitem(sys.modules, "wfdb", None)
    with pytest.raises(ImportError, match=r"pip install \"ecgbeat\[data\]\""):
        fetch()
    assert mirror.requests == []


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("records", ["110"], r"has no records \['110'\]. It has 102, 201"),
        ("records", "x_108", r"has no records \['x_108'\]"),
        ("records", [], "records is empty"),
        ("base_url", "physionet.org/files/mitdb", "must begin with https"),
        ("n_connections", 0, "integer of at least 1, got 0"),
        ("n_connections", 1.5, "integer of at least 1, got 1.5"),
        ("n_retries", -1, "integer of at least 0, got -1"),
    ],
)
def test_wrong_argument_raises_before_the_download(fetch, mirror, argument, value, message):
    with pytest.raises(ValueError, match=message):
        fetch(**{argument: value})
    assert mirror.requests == []


@pytest.mark.parametrize("records", ["201", ["201"], [201], iter(["201"])])
def test_records_may_be_given_in_several_ways(fetch, records):
    assert fetch(records).record_names == ["201"]


# --- files of the database ------------------------------------------------------------


def test_table_holds_three_files_of_48_records():
    table = download._published_files()
    assert len(table) == 144
    assert {Path(name).stem for name in table} == set(download._record_names(None))
    assert len(download._record_names(None)) == 48
    assert len({file.sha256 for file in table.values()}) == 144
    assert sum(file.n_bytes for file in table.values()) == 93_857_066


@pytest.mark.parametrize(
    ("name", "content", "is_published"),
    [
        ("100.hea", b"100 2\r\n# x\r\n", True),
        ("100.hea", b"100 2\n# x\n", True),
        ("100.hea", b"100 3\n# x\n", False),
        ("100.dat", b"100 2\r\n# x\r\n", True),
        ("100.dat", b"100 2\n# x\n", False),
    ],
)
def test_line_ends_of_headers_are_ignored(tmp_path, name, content, is_published):
    (tmp_path / name).write_bytes(content)
    sha256 = hashlib.sha256(b"100 2\r\n# x\r\n").hexdigest()
    assert download._is_published(tmp_path / name, sha256) is is_published


@pytest.fixture(scope="module")
def real_mitdb(real_data):
    if not (real_data / "mitdb" / "100.dat").is_file():
        pytest.skip("ECGBEAT_DATA holds no mitdb")
    return real_data / "mitdb"


@pytest.mark.usefixtures("pauses")
def test_real_record(server, real_mitdb, tmp_path):
    for extension in ("dat", "atr", "hea"):
        server.files[f"100.{extension}"] = (real_mitdb / f"100.{extension}").read_bytes()
    # PhysioNet's headers have the line ends of Windows, the copy here may have others
    header = server.files["100.hea"].replace(b"\r\n", b"\n")
    server.files["100.hea"] = header.replace(b"\n", b"\r\n")
    server.manners = ["cut", "503", "wrong byte"]
    fetched = fetch_mitdb(tmp_path, ["100"], base_url=server.url)
    loaded = load_mitdb(real_mitdb, ["100"])
    np.testing.assert_array_equal(fetched.recordings[0], loaded.recordings[0])
    np.testing.assert_array_equal(fetched.annotations[0].sample, loaded.annotations[0].sample)


def test_real_folder_is_complete(real_mitdb, closed_port):
    files = list(download._published_files())
    assert download._missing(real_mitdb, files, force=False) == []
    data = fetch_mitdb(real_mitdb, ["100", "234"], base_url=closed_port)
    assert data.record_names == ["100", "234"]
