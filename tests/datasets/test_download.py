import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from ecgbeat.datasets._download import download_files, locked
from ecgbeat.datasets._remote_file import RemoteFile, Transfer

QUICK = Transfer(n_retries=1, delay=0.0, timeout=(1.0, 1.0))


@pytest.fixture
def files(server, tmp_path):
    rng = np.random.default_rng(0)
    listed = []
    for index in range(6):
        content = rng.bytes(50_000)
        server.files[f"{index}"] = content
        sha256 = hashlib.sha256(content).hexdigest()
        listed.append(RemoteFile(f"{server.url}{index}", tmp_path / f"{index}", 50_000, sha256))
    return listed


def fetch(files, n_connections=4):
    arrived, done = [], []
    download_files(
        files,
        QUICK._replace(n_connections=n_connections),
        on_bytes=arrived.append,
        on_file=lambda: done.append(True),
    )
    return sum(arrived), len(done)


@pytest.mark.parametrize("n_connections", [1, 4, 20])
def test_all_files_arrive_once(server, files, tmp_path, n_connections):
    assert fetch(files, n_connections) == (300_000, 6)
    assert sorted(os.listdir(tmp_path)) == ["0", "1", "2", "3", "4", "5"]
    assert sorted(name for name, _ in server.requests) == ["0", "1", "2", "3", "4", "5"]


def test_one_connection_serves_many_files(server, files):
    ports = set()
    make = server.answer

    def note(handler, *args):
        ports.add(handler.client_address[1])
        make(handler, *args)

    server.answer = note
    fetch(files, n_connections=1)
    assert len(ports) == 1


def test_the_first_failure_ends_all_and_keeps_what_is_complete(server, files, tmp_path):
    del server.files["2"]
    with pytest.raises(OSError, match="/2 could not be downloaded: the server answered 404"):
        fetch(files, n_connections=1)
    assert sorted(os.listdir(tmp_path)) == ["0", "1"]
    assert len(server.requests) == 3


def test_a_failure_does_not_wait_for_the_pauses_of_others(server, files):
    del server.files["5"]
    server.manners = ["503"]
    with pytest.raises(OSError, match="404"):
        download_files(
            [files[0], files[5]],
            Transfer(n_connections=2, delay=60.0),
            on_bytes=int,
            on_file=int,
        )


def leave_room_for(n_bytes, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=n_bytes))


def test_no_room_on_the_disk_is_told_before_the_first_request(server, files, monkeypatch):
    leave_room_for(200_000, monkeypatch)
    with pytest.raises(OSError, match=r"has 0\.2 MB free, the download needs 0\.3 MB more"):
        fetch(files)
    assert server.requests == []


def test_what_has_arrived_needs_no_room(server, files, monkeypatch):
    for file in files[:3]:
        file.part.write_bytes(server.files[file.target.name])
    leave_room_for(200_000, monkeypatch)
    assert fetch(files) == (300_000, 6)


def test_the_lock_makes_the_folder_and_leaves_nothing_in_it(tmp_path):
    with locked(tmp_path / "new" / "mitdb"):
        assert (tmp_path / "new" / "mitdb").is_dir()
    assert list((tmp_path / "new" / "mitdb").iterdir()) == []


def test_the_second_waits_for_the_first(tmp_path):
    order = []
    waits = threading.Event()

    def second():
        waits.set()
        with locked(tmp_path):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(tmp_path):
        thread.start()
        waits.wait(5)
        thread.join(0.2)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]


def test_a_process_that_is_killed_frees_the_lock(tmp_path):
    code = f"""
        import os
        from pathlib import Path
        from ecgbeat.datasets._download import locked
        with locked(Path({str(tmp_path)!r})):
            os._exit(3)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert done.returncode == 3
    with locked(tmp_path):
        assert tmp_path.is_dir()


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "mitdb").write_text("")
    with pytest.raises(OSError, match=r"Nothing can be written into .*mitdb: File exists"):
        locked(tmp_path / "mitdb").__enter__()


def test_without_filelock_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "filelock", None)
    with pytest.raises(ImportError, match=r"pip install \"ecgbeat\[data\]\""):
        locked(tmp_path / "new").__enter__()
    assert not (tmp_path / "new").exists()
