"""Files are written whole or not at all, whatever fails and whenever the process is killed."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ecgbeat import _files
from ecgbeat._files import write_files

NAMES = ("a.qrs", "b.qrs", "c.qrs")


@pytest.fixture
def targets(tmp_path):
    """Three targets, of which the last does not exist yet."""
    files = [tmp_path / name for name in NAMES]
    for file in files[:2]:
        file.write_bytes(b"old " + file.name.encode())
    return files


def new(targets):
    return {file: b"new " + file.name.encode() for file in targets}


def state(folder):
    """Return the content of all files in a folder, and of those below it."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_all_files_are_replaced(tmp_path, targets):
    write_files(new(targets), overwrite=True)
    assert state(tmp_path) == {name: b"new " + name.encode() for name in NAMES}


def test_permissions_are_those_of_the_umask(tmp_path):
    write_files({tmp_path / "a": b"1"})
    (tmp_path / "b").write_bytes(b"1")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.parametrize("link", [False, True], ids=["file", "dangling link"])
def test_existing_target_is_kept_without_overwrite(tmp_path, link):
    if link:
        (tmp_path / "a").symlink_to(tmp_path / "nowhere")
    else:
        (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileExistsError, match="exists already"):
        write_files({tmp_path / "b": b"1", tmp_path / "a": b"2"})
    assert os.listdir(tmp_path) == ["a"]


def test_link_is_replaced_and_its_file_stays(tmp_path):
    (tmp_path / "other").write_bytes(b"precious")
    (tmp_path / "a").symlink_to("other")
    write_files({tmp_path / "a": b"1"}, overwrite=True)
    assert not (tmp_path / "a").is_symlink()
    assert state(tmp_path) == {"a": b"1", "other": b"precious"}


def fail_at(monkeypatch, name, nth, error):
    """Let the nth call of a function of ``os`` raise."""
    original, calls = getattr(os, name), []

    def fail(*args, **options):
        calls.append(args)
        if len(calls) == nth:
            raise error
        return original(*args, **options)

    monkeypatch.setattr(_files.os, name, fail)


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("name", ["replace", "fsync"])
@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken disk"), KeyboardInterrupt()])
def test_failure_leaves_everything_as_it_was(tmp_path, targets, monkeypatch, nth, name, error):
    before = state(tmp_path)
    fail_at(monkeypatch, name, nth, error)
    with pytest.raises(type(error)):
        write_files(new(targets), overwrite=True)
    assert state(tmp_path) == before


def test_failure_on_a_file_system_without_hard_links(tmp_path, targets, monkeypatch):
    before = state(tmp_path)
    fail_at(monkeypatch, "link", 1, OSError(errno.EPERM, "no links here"))
    fail_at(monkeypatch, "replace", 3, OSError(errno.EIO, "broken disk"))
    with pytest.raises(OSError, match="broken disk"):
        write_files(new(targets), overwrite=True)
    assert state(tmp_path) == before


def test_failure_removes_new_folders(tmp_path):
    (tmp_path / "wall").write_bytes(b"")
    with pytest.raises(OSError, match="wall"):
        write_files({tmp_path / "x" / "y" / "a": b"1", tmp_path / "wall" / "b": b"2"})
    assert state(tmp_path) == {"wall": b""}


def test_third_target_that_is_a_folder(tmp_path, targets):
    targets[2].mkdir()
    before = state(tmp_path)
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write_files(new(targets), overwrite=True)
    assert state(tmp_path) == before


def test_content_that_reads_back_otherwise_raises(tmp_path, targets, monkeypatch):
    before = state(tmp_path)
    read = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda file: read(file)[: -1 if "ecgbeat-" in file.name else None]
    )
    with pytest.raises(OSError, match=r"a\.qrs cannot be written: of 9 bytes, 8 were read back"):
        write_files(new(targets), overwrite=True)
    monkeypatch.undo()
    assert state(tmp_path) == before


# --- in another process: limits and kills

WRITE = """
import os, resource, signal, sys
from pathlib import Path
from ecgbeat._files import write_files
folder = Path(sys.argv[1])
contents = {folder / name: b"new " + name.encode() for name in ("a.qrs", "b.qrs", "c.qrs")}
"""


def run(code, folder):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", WRITE + code, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.usefixtures("targets")
def test_limit_of_the_size_of_files(tmp_path):
    pytest.importorskip("resource")
    before = state(tmp_path)
    limit = (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "contents[folder / 'c.qrs'] = bytes(5001)\n"
        "write_files(contents, overwrite=True)"
    )
    done = run(limit, tmp_path)
    assert done.returncode == 1
    assert "File too large. No file was changed" in done.stderr
    assert "c.qrs" in done.stderr
    assert state(tmp_path) == before


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("n_renames", [1, 2, 3])
def test_kill_between_renames_leaves_whole_files(tmp_path, targets, n_renames):
    kill = f"""
original, calls = os.replace, []
def replace(*args):
    if len(calls) == {n_renames}:
        os.kill(os.getpid(), signal.SIGKILL)
    calls.append(args)
    original(*args)
    if len(calls) == 3 == {n_renames}:
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = replace
write_files(contents, overwrite=True)
"""
    assert run(kill, tmp_path).returncode == -signal.SIGKILL
    found = [file.read_bytes() if file.exists() else None for file in targets]
    old = [b"old a.qrs", b"old b.qrs", None]
    expected = [b"new " + name.encode() for name in NAMES]
    assert found == expected[:n_renames] + old[n_renames:]
