"""Tests of the safe writing of files."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ecgbeat._files import replace_files


@pytest.fixture
def old(tmp_path):
    """Three files."""
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file in files:
        file.write_bytes(b"old " + file.name.encode())
    return files


def new(files):
    return {file: b"new " * 100 + file.name.encode() for file in files}


def assert_unchanged(folder, files):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        file.name: b"old " + file.name.encode() for file in files
    }


def test_files_are_replaced_and_created(tmp_path, old):
    contents = new([*old, tmp_path / "new" / "folder" / "d"]) | {tmp_path / "e": b""}
    replace_files(contents)
    assert {file: file.read_bytes() for file in contents} == contents
    assert len(list(tmp_path.iterdir())) == 5  # no temporary file


def test_permissions_are_those_of_other_files(tmp_path, old):
    old[0].chmod(0o640)
    replace_files(new([old[0], tmp_path / "d"]))
    plain = tmp_path / "plain"
    plain.touch()
    modes = [stat.S_IMODE(file.stat().st_mode) for file in (old[0], tmp_path / "d", plain)]
    assert modes[0] == 0o640
    assert modes[1] == modes[2]


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("failing", [0, 1, 2])
def test_error_between_renames_restores_all_files(tmp_path, old, failing, links, monkeypatch):
    rename, calls = os.replace, []

    def fail(source, target):
        calls.append(target)
        if len(calls) == failing + 1:
            raise OSError("failed")
        rename(source, target)

    if not links:
        monkeypatch.setattr(os, "link", fail_always)
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="failed"):
        replace_files(new([*old, tmp_path / "folder" / "d"]))
    assert_unchanged(tmp_path, old)


def fail_always(*_, **__):
    raise OSError("no hard links here")


def test_folder_as_third_target_raises(tmp_path, old):
    (tmp_path / "d").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        replace_files(new([*old, tmp_path / "d"]))
    (tmp_path / "d").rmdir()
    assert_unchanged(tmp_path, old)


def test_file_in_place_of_a_folder_raises(tmp_path, old):
    with pytest.raises(OSError, match=r"exists|directory"):
        replace_files(new([*old, old[0] / "d"]))
    assert_unchanged(tmp_path, old)


def test_other_bytes_on_the_disk_raise(tmp_path, old, monkeypatch):
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"other")
    with pytest.raises(OSError, match="could not be written"):
        replace_files(new(old))
    monkeypatch.undo()
    assert_unchanged(tmp_path, old)


def run(folder, statement):
    code = (
        "import os, signal, resource\nfrom pathlib import Path\n"
        "from ecgbeat._files import replace_files\n"
        f"files = [Path({str(folder)!r}, name) for name in 'abc']\n{statement}\n"
        "replace_files({file: b'new ' * 1000 + file.name.encode() for file in files})"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")
def test_largest_allowed_file_is_exceeded(tmp_path, old):
    limit = "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    done = run(tmp_path, limit + "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))")
    assert "OSError" in done.stderr
    assert_unchanged(tmp_path, old)


@pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")
@pytest.mark.parametrize("survived", [0, 1, 2, 3])
def test_killed_process_leaves_old_or_new_files(tmp_path, old, survived):
    done = run(
        tmp_path,
        "rename, calls = os.replace, []\n"
        "def die(*names):\n"
        f"    if len(calls) == {survived}:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    calls.append(names)\n"
        "    rename(*names)\n"
        "os.replace = die",
    )
    assert done.returncode == (0 if survived == 3 else -signal.SIGKILL)
    for number, file in enumerate(old):
        expected = b"new " * 1000 if number < survived else b"old "
        assert file.read_bytes() == expected + file.name.encode()


def test_link_without_target_is_replaced(tmp_path):
    (tmp_path / "a").symlink_to("nowhere")
    replace_files({tmp_path / "a": b"content"})
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"content"
