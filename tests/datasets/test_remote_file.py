import hashlib
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import requests

from ecgbeat.datasets._remote_file import CancelledError, Download, RemoteFile, Transfer

CONTENT = np.random.default_rng(0).bytes(200_000)
QUICK = Transfer(n_retries=2, delay=0.0, timeout=(1.0, 0.3))


class Outcome:
    """Runs the download of one file, and notes the bytes reported."""

    def __init__(self, server, folder, url=None):
        server.files["100.dat"] = CONTENT
        sha256 = hashlib.sha256(CONTENT).hexdigest()
        url = url or server.url
        self.file = RemoteFile(f"{url}100.dat", folder / "100.dat", len(CONTENT), sha256)
        self.reports = []
        self.cancelled = threading.Event()

    def run(self, transfer=QUICK):
        with requests.Session() as session:
            Download(
                self.file,
                session=session,
                transfer=transfer,
                report=self.reports.append,
                cancelled=self.cancelled,
            ).run()

    @property
    def is_there(self):
        folder = self.file.target.parent
        return os.listdir(folder) == ["100.dat"] and self.file.target.read_bytes() == CONTENT


@pytest.fixture
def download(server, tmp_path):
    return Outcome(server, tmp_path)


def ranges(server):
    return [asked for _, asked in server.requests]


def test_a_file_arrives_in_one_request(server, download):
    download.run()
    assert download.is_there
    assert ranges(server) == [None]
    assert sum(download.reports) == len(CONTENT)


@pytest.mark.parametrize("manner", ["cut", "no length, cut", "stall"])
def test_a_cut_connection_goes_on_where_it_ended(server, download, manner):
    server.manners = [manner]
    download.run()
    assert download.is_there
    first, second = ranges(server)
    assert first is None
    start = int(second.removeprefix("bytes=").removesuffix("-"))
    assert len(CONTENT) / 2 - 2**12 <= start <= len(CONTENT) / 2
    assert sum(download.reports) == len(CONTENT)


def test_a_line_that_is_cut_again_and_again_gets_through_as_long_as_it_gets_on(server, download):
    server.manners = ["cut"] * 4
    download.run(QUICK._replace(n_retries=1))
    assert download.is_there
    assert len(server.requests) == 5


@pytest.mark.parametrize(("manner", "cut_at"), [("no range, cut", 0.5), ("stall", 0.0)])
def test_a_connection_that_never_gets_on_is_given_up(server, download, manner, cut_at):
    server.always, server.cut_at = manner, cut_at
    with pytest.raises(ConnectionError, match=r"100\.dat could not be downloaded.*What has arri"):
        download.run()
    assert not download.file.target.exists()
    assert len(server.requests) >= 3


def test_the_next_call_resumes(server, download, tmp_path):
    server.always = "cut"
    with pytest.raises(ConnectionError):
        download.run(QUICK._replace(n_retries=0))
    n_bytes = (tmp_path / "100.dat.part").stat().st_size
    assert 0 < n_bytes < len(CONTENT)
    server.always = "good"
    again = Outcome(server, tmp_path)
    again.run()
    assert again.is_there
    assert ranges(server)[-1] == f"bytes={n_bytes}-"
    assert again.reports[0] == n_bytes


def test_a_server_that_knows_no_ranges_sends_all_again(server, download):
    download.file.part.write_bytes(CONTENT[:1000])
    server.always = "no range"
    download.run()
    assert download.is_there
    assert ranges(server) == ["bytes=1000-"]
    assert sum(download.reports) == len(CONTENT)


def test_another_range_than_asked_for_is_not_appended(server, download):
    download.file.part.write_bytes(CONTENT[:1000])
    server.manners = ["other range"]
    download.run()
    assert download.is_there
    assert ranges(server) == ["bytes=1000-", None]


def test_a_part_that_is_complete_needs_no_server(server, download):
    download.file.part.write_bytes(CONTENT)
    download.run()
    assert download.is_there
    assert server.requests == []


@pytest.mark.parametrize("leftover", [CONTENT + b"x", bytes(len(CONTENT)), b"x" * 1000])
def test_a_part_of_something_else_is_replaced(server, download, leftover):
    download.file.part.write_bytes(leftover)
    download.run()
    assert download.is_there
    assert ranges(server)[-1] is None
    assert sum(download.reports) == len(CONTENT)


def test_one_wrong_byte_is_noticed_and_the_file_fetched_anew(server, download):
    server.manners = ["wrong byte"]
    download.run()
    assert download.is_there
    assert ranges(server) == [None, None]


def test_wrong_bytes_each_time_are_an_error_and_leave_nothing(server, download, tmp_path):
    server.always = "wrong byte"
    message = (
        rf"100\.dat arrives damaged: expected 200000 bytes of SHA-256 {download.file.sha256}, "
        r"received 200000 of [0-9a-f]{64}, .*Try later"
    )
    with pytest.raises(OSError, match=message):
        download.run()
    assert len(server.requests) == 2
    assert list(tmp_path.iterdir()) == []
    assert sum(download.reports) == 0


def test_more_bytes_than_the_file_has_are_not_read_on(server, download, tmp_path):
    server.always = "no length, too long"
    with pytest.raises(OSError, match="arrives damaged"):
        download.run()
    assert list(tmp_path.iterdir()) == []


def test_a_page_instead_of_the_file_is_refused_at_once(server, download, tmp_path):
    server.always = "other file"
    with pytest.raises(OSError, match=r"sends 26 bytes where 200000 are missing.*proxy"):
        download.run()
    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", ["404", "403", "410"])
def test_a_file_that_the_server_lacks_is_an_error_at_once(server, download, tmp_path, status):
    server.always = status
    with pytest.raises(OSError, match=rf"127\.0\.0\.1.*100\.dat .*answered {status} .*base_url"):
        download.run()
    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", ["500", "503", "429"])
def test_a_busy_server_is_asked_again(server, download, status):
    server.manners = [status, status]
    download.run()
    assert download.is_there
    assert len(server.requests) == 3


def test_a_server_that_stays_busy_is_given_up(server, download):
    server.always = "503"
    with pytest.raises(ConnectionError, match=r"answered 503 Service Unavailable\. 3 attempts"):
        download.run()
    assert len(server.requests) == 3


def test_a_server_that_is_absent(server, tmp_path, closed_port):
    download = Outcome(server, tmp_path, closed_port)
    download.file.part.write_bytes(CONTENT[:1000])
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1.*Connection refused.*goes on"):
        download.run()
    assert download.file.part.read_bytes() == CONTENT[:1000]


def test_a_name_that_no_server_has(server, tmp_path):
    download = Outcome(server, tmp_path, "http://nowhere.invalid/")
    with pytest.raises(ConnectionError, match=r"nowhere\.invalid/100\.dat could not be downloaded"):
        download.run()


def test_pauses_double(server, download, monkeypatch):
    server.manners = ["503", "503"]
    pauses = []
    monkeypatch.setattr(download.cancelled, "wait", lambda s: pauses.append(s))
    download.run(QUICK._replace(delay=0.25))
    assert pauses == [0.25, 0.5]


def test_a_download_that_is_cancelled_ends(download):
    download.cancelled.set()
    with pytest.raises(CancelledError):
        download.run()
    assert not download.file.target.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the full disk of Linux")
def test_a_full_disk(download):
    download.file.part.symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"Nothing can be written into .*: No space left on device"):
        download.run()
    assert not download.file.target.exists()
