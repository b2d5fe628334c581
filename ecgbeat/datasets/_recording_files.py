"""Which files are recordings, and what they are called (layer 2)."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

NUMPY_ENDINGS = (".npy", ".npz")
TEXT_ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
_ENDINGS = NUMPY_ENDINGS + TEXT_ENDINGS

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def stem_of(file: Path) -> str:
    """Return a file's name without its ending, of which ``.csv.gz`` is one."""
    ending = max((e for e in _ENDINGS if file.name.endswith(e)), key=len, default="")
    return file.name[: len(file.name) - len(ending)]


def find_recordings(
    path: Paths, records: Iterable[str | int] | None, suffix: str
) -> dict[str, Path]:
    """Find the files of recordings.

    Parameters
    ----------
    path : path-like, or sequence of these
        A folder, a file or several files.
    records : iterable of str, default=None
        Names of the records asked for; None takes all.
    suffix : str
        What the names of files end in that hold annotations.

    Returns
    -------
    dict of str to Path
        Names, with a slash where the files lie in several folders, and files.

    Raises
    ------
    FileNotFoundError
        If the folder or a file is missing.
    ValueError
        If there is no recording, or if two would have one name.
    """
    if not suffix:
        raise ValueError(
            "annotations='' would name the recordings themselves: give what the names of the "
            "annotation files end in, or None."
        )
    folder, files = _list_files(path, suffix)
    named: dict[str, Path] = {}
    for file in files:
        name = file.relative_to(folder).with_name(stem_of(file)).as_posix()
        if name in named:
            raise ValueError(
                f"{named[name]} and {file} would both be record {name!r}. Name one file only, or "
                "move the other away."
            )
        named[name] = file
    if not named:
        raise ValueError(f"There is nothing to load: {path} holds no file {', '.join(_ENDINGS)}.")
    return named if records is None else _choose(named, records, folder)


def _list_files(path: Paths, suffix: str) -> tuple[Path, list[Path]]:
    """Return the files, and the folder that holds all of them."""
    if not isinstance(path, (str, os.PathLike)):
        files = [Path(file).expanduser() for file in path]
    elif (folder := Path(path).expanduser()).is_dir():
        files = _recordings_among(folder.iterdir(), suffix)
        return folder, files or _recordings_among(folder.rglob("*"), suffix)
    else:
        files = [folder]
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"There is no folder or file {file}.")
        if not file.name.endswith(_ENDINGS):
            raise ValueError(f"{file} must end in one of {', '.join(_ENDINGS)}.")
    parents = [file.parent.absolute() for file in files]
    return Path(os.path.commonpath(parents or [Path()])), [file.absolute() for file in files]


def _recordings_among(paths: Iterable[Path], suffix: str) -> list[Path]:
    """Leave out what is no file of a known ending, or holds annotations."""
    return sorted(
        file
        for file in paths
        if file.name.endswith(_ENDINGS) and not stem_of(file).endswith(suffix) and file.is_file()
    )


def _choose(named: dict[str, Path], records: Iterable[str | int], folder: Path) -> dict[str, Path]:
    """Keep the records asked for, in their order."""
    wanted = [records] if isinstance(records, str) else [str(name) for name in records]
    if missing := [name for name in wanted if name not in named]:
        raise FileNotFoundError(f"{folder} holds no records {missing}; it has {list(named)}.")
    if not wanted:
        raise ValueError("There is nothing to load: records is empty.")
    return {name: named[name] for name in wanted}
