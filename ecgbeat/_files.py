"""Files that are written whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType


def write_files(contents: Mapping[Path, bytes], *, overwrite: bool = False) -> None:
    """Write files, all of them or none.

    Each content goes to a temporary file beside its target, which is flushed to the disk, read back
    and compared; then all of them are renamed. An error or an interrupt leaves all files and
    folders as they were. A process that is killed between two renames leaves each target whole,
    the old or the new one. A link is replaced, not the file that it points to.

    Parameters
    ----------
    contents : mapping of pathlib.Path to bytes
        Content of each file. Missing folders are created.
    overwrite : bool, default=False
        Whether to replace files that exist.

    Raises
    ------
    FileExistsError
        If a target exists, if only as a link without a target, and ``overwrite`` is False.
    OSError
        If a file cannot be written, such as on a full disk.
    """
    folders = {target.parent: None for target in contents}
    with ExitStack() as stack:  # runs from the last entry to the first
        for folder in folders:
            _make_folder(folder, stack)
        staged = {target: _stage(target, content, stack) for target, content in contents.items()}
        kept = {target: _keep(target, stack, overwrite) for target in staged}
        for target, file in staged.items():
            stack.push(_on_error(_restore, target, kept[target]))
            os.replace(file, target)
        for folder in folders:
            sync(folder)


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, from the system's cache to the disk."""
    if path.is_dir() and os.name != "posix":
        return  # only there can a folder be opened
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folder(folder: Path, stack: ExitStack) -> None:
    """Create a folder and those above it, and remove them again on an error."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        stack.push(_on_error(_remove_folder, path))
        sync(path.parent)
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder.")


def _remove_folder(folder: Path) -> None:
    """Remove a folder, unless another process has put a file into it."""
    try:
        folder.rmdir()
    except OSError:
        return


def _stage(target: Path, content: bytes, stack: ExitStack) -> Path:
    """Write a content to a temporary file beside its target, and compare what is read back."""
    file = _temporary(target, stack)
    try:
        with file.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        written = file.read_bytes()
    except OSError as error:
        message = f"{error.strerror}. No file was changed. The file to write was"
        raise OSError(error.errno, message, str(target)) from error
    if written != content:
        raise OSError(
            f"{target} cannot be written: of {len(content)} bytes, {len(written)} were read back, "
            "or others. Is the disk full or damaged? No file was changed."
        )
    return file


def _keep(target: Path, stack: ExitStack, overwrite: bool) -> Path | None:
    """Give a target that exists a second name, or copy it; return None if there is none."""
    if not os.path.lexists(target):
        return None
    if not overwrite:
        raise FileExistsError(f"{target} exists already. Pass overwrite=True to replace it.")
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder, and cannot be replaced by a file.")
    file = _temporary(target, stack)
    try:
        os.link(target, file, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without links
        shutil.copy2(target, file, follow_symlinks=False)
    return file


def _restore(target: Path, kept: Path | None) -> None:
    """Put back the file that was there, or none."""
    if kept is None:
        target.unlink(missing_ok=True)
    else:
        os.replace(kept, target)


def _temporary(target: Path, stack: ExitStack) -> Path:
    """Return a new name beside a target; its file is removed in the end."""
    file = target.with_name(f".ecgbeat-{secrets.token_hex(8)}")
    stack.callback(file.unlink, missing_ok=True)
    return file


def _on_error(
    action: Callable[..., None], *args: Path | None
) -> Callable[[type[BaseException] | None, BaseException | None, TracebackType | None], None]:
    """Return an exit callback for an ExitStack that acts only if there is an error."""

    def exit_callback(
        kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is not None:
            action(*args)

    return exit_callback
