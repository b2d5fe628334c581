"""Safe writing of files: all files of a call, or none."""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

_PREFIX = ".ecgbeat-"


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write several files, and replace those that exist.

    Every file is written under a temporary name in its own folder, flushed to the disk, read
    back and compared. Only when all are complete do they get their names. After an error, all
    files are as before. If the process is killed, each file is either the old or the new one.

    Parameters
    ----------
    contents : mapping of Path to bytes
        Content of each file. Missing folders are created.

    Raises
    ------
    OSError
        If a file cannot be written, such as on a full disk.
    """
    with contextlib.ExitStack() as cleanup:
        for target in contents:
            cleanup.enter_context(_folder(target.parent))
            if target.is_dir():
                raise IsADirectoryError(f"{target} is a folder, and no file can replace it.")
        written = {
            target: _write_temporary(target, content, cleanup)
            for target, content in contents.items()
        }
        old = {
            target: _keep(target, cleanup) if os.path.lexists(target) else None
            for target in contents
        }
        try:
            for target, file in written.items():
                os.replace(file, target)
        except BaseException:
            for target, file in old.items():
                _restore(target, file)
            raise
        for folder in {target.parent for target in contents}:
            _flush_folder(folder)


@contextlib.contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """Create a folder for the block; remove it again if the block raises."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for path in missing:
            with contextlib.suppress(OSError):  # another program has put a file there
                path.rmdir()
        raise


def _write_temporary(target: Path, content: bytes, cleanup: contextlib.ExitStack) -> Path:
    """Write a file beside its target under a temporary name, and return its path."""
    handle, name = tempfile.mkstemp(prefix=_PREFIX, dir=target.parent)
    file = Path(name)
    cleanup.callback(file.unlink, missing_ok=True)
    with open(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    file.chmod(stat.S_IMODE(target.stat().st_mode) if target.is_file() else _default_mode())
    if file.read_bytes() != content:
        raise OSError(f"{target} could not be written: the disk returned other bytes.")
    return file


def _default_mode() -> int:
    """Return the permissions of a new file, which a temporary file does not have."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _keep(target: Path, cleanup: contextlib.ExitStack) -> Path:
    """Give a file a second, temporary name, by which it can be restored."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target.parent))
    cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
    kept = folder / target.name
    try:
        os.link(target, kept, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without hard links
        shutil.copy2(target, kept, follow_symlinks=False)
    return kept


def _restore(target: Path, kept: Path | None) -> None:
    """Undo a replacement: return the old file to its name, or remove the new one."""
    if kept is None:
        target.unlink(missing_ok=True)
    else:
        os.replace(kept, target)


def _flush_folder(folder: Path) -> None:
    """Flush the names of a folder to the disk, where the system can."""
    with contextlib.suppress(OSError):  # Windows cannot open folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
