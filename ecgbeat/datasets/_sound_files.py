"""Which files of a folder are sounds (layer 2)."""

import os
from collections import Counter
from pathlib import Path

# what libsndfile reads, and what it does not but phones record: that must not be passed over
_WAV = {".wav", ".wave", ".rf64", ".w64"}
_OGG = {".ogg", ".oga", ".opus"}
_AIFF = {".aif", ".aiff", ".aifc"}
_READ = _WAV | _OGG | _AIFF | {".flac", ".mp3", ".au", ".snd", ".caf"}
_NOT_READ = {".m4a", ".aac", ".wma", ".amr", ".3gp"}
_MOST_ENDINGS = 5  # in an error


def find_sounds(folder: Path) -> dict[str, Path]:
    """Find the audio files in a folder and below it.

    What is hidden (its name begins with a dot) is passed over, folders as well as files.
    Folders that are links are searched too, each folder once.

    Parameters
    ----------
    folder : Path
        Where to look.

    Returns
    -------
    dict of str to Path
        Paths relative to the folder, with slashes, in the order of these names, and the files.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such folder, or a file in its place.
    ValueError
        If it holds no audio file.
    """
    if folder.is_file():
        raise NotADirectoryError(f"path must be a folder of audio files, but {folder} is a file.")
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}. Pass the one that holds your recordings; those of the "
            "PASCAL challenge are at http://www.peterjbentley.com/heartchallenge."
        )
    found: dict[str, Path] = {}
    others: Counter[str] = Counter()
    for file in _walk(folder):
        if file.suffix.lower() in _READ | _NOT_READ:
            found[file.relative_to(folder).as_posix()] = file
        else:
            others[file.suffix or "without an ending"] += 1
    if not found:
        present = ", ".join(f"{n} {ending}" for ending, n in others.most_common(_MOST_ENDINGS))
        raise ValueError(
            f"{folder} holds no audio file, nor do its sub-folders: there are "
            f"{f'only others ({present})' if present else 'no files at all'}. Audio files end in "
            f"{', '.join(sorted(_READ))}."
        )
    return dict(sorted(found.items()))


def _walk(folder: Path) -> list[Path]:
    """List the files that are not hidden; a link that leads back must not go on for ever."""
    files: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        # in order, so that it does not depend on the file system which way leads to a folder
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if (real := os.path.realpath(place)) in seen:
            folders.clear()
            continue
        seen.add(real)
        files += [Path(place, name) for name in names if not name.startswith(".")]
    return files
