"""Audio files of a folder, with label and subject of each."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from numbers import Integral
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

# str, int or bool; None stands for no label
Label = str | int | bool | None
# name of a rule, or a function of the path relative to the folder
Rule = str | Callable[[PurePath], Any]

_WAV = {".wav", ".wave", ".rf64", ".w64"}
_OGG = {".ogg", ".oga", ".opus"}
_AIFF = {".aif", ".aiff", ".aifc"}
_READABLE = _WAV | _OGG | _AIFF | {".flac", ".mp3", ".au", ".snd", ".caf"}
# libsndfile cannot read these, but they must not be skipped silently: phones record them
_UNREADABLE = {".m4a", ".aac", ".wma", ".amr", ".3gp"}
_N_EXTENSIONS_SHOWN = 5  # in an error
_PASCAL_FOLDER = re.compile("[AB](training_|unlabelledtest)")


def find_sounds(folder: Path) -> dict[str, Path]:
    """Find the audio files in a folder and below it that are not hidden.

    Return them by their paths relative to the folder, with slashes, in the order of these paths.
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
        if file.suffix.lower() in _READABLE | _UNREADABLE:
            found[file.relative_to(folder).as_posix()] = file
        else:
            others[file.suffix or "without extension"] += 1
    if not found:
        common = others.most_common(_N_EXTENSIONS_SHOWN)
        present = ", ".join(f"{n} {extension}" for extension, n in common)
        raise ValueError(
            f"{folder} holds no audio file, nor do its sub-folders: there are "
            f"{f'only others ({present})' if present else 'no files at all'}. Audio files end in "
            f"{', '.join(sorted(_READABLE))}."
        )
    return dict(sorted(found.items()))


def _walk(folder: Path) -> list[Path]:
    """List the files that are not hidden, without following a link back."""
    files: list[Path] = []
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        # sorted, so that the path found of a linked folder does not depend on the file system
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if (real := os.path.realpath(parent)) in seen:
            folders.clear()
            continue
        seen.add(real)
        files += [Path(parent, name) for name in names if not name.startswith(".")]
    return files


class Origin(NamedTuple):
    """Label and subject of a file."""

    label: Label
    subject: str | None


def find_origins(names: Iterable[str], rule: Rule) -> dict[str, Origin]:
    """Apply a rule to files, given by their paths relative to the folder."""
    function = find_rule(rule)
    origins = {name: _find_origin(name, function) for name in names}
    first_of_type: dict[str, tuple[str, Label]] = {}
    for name, (label, _) in origins.items():
        if label is not None:
            first_of_type.setdefault(_label_type(label), (name, label))
    if len(first_of_type) > 1:
        (name_1, label_1), (name_2, label_2) = list(first_of_type.values())[:2]
        raise ValueError(
            f"The rule returned labels of several types: {label_1!r} for {name_1!r}, {label_2!r} "
            f"for {name_2!r}. All must be str, or all int, or all bool."
        )
    return origins


def find_rule(rule: Rule) -> Callable[[PurePath], Any]:
    """Return the function of a rule, or raise ValueError."""
    if callable(rule):
        return rule
    if not isinstance(rule, str) or rule not in _RULES:
        raise ValueError(
            f"rule must be one of {list(_RULES)} or a function of a path, got {rule!r}."
        )
    return _RULES[rule]


def _by_folders(file: PurePath) -> str:
    """Label by the first sub-folder."""
    if len(file.parts) < 2:
        raise ValueError(
            "it is not in a sub-folder, and the labels are the names of sub-folders. If the names "
            'of the files contain the labels, pass rule="pascal" (normal__103_….wav) or a '
            "function that returns the label of a path"
        )
    return file.parts[0]


def _by_pascal_names(file: PurePath) -> tuple[str | None, str | None]:
    """Label by the name up to the first ``_``, subject by the first part that is a number."""
    name = file.stem
    if name[:1].isdecimal():  # of the challenge's archives: Btraining_normal/103_….wav
        name = "_".join([*filter(_PASCAL_FOLDER.match, file.parts[:-1]), name])
    label, *rest = re.sub("^[AB]training_", "", name).split("_")
    if not rest or not label or label.isdecimal():
        raise ValueError(
            "its name does not begin with a label and _, as normal__103_1305031931979_B.wav does"
        )
    is_unlabelled = label.lower().endswith("unlabelledtest")
    return None if is_unlabelled else label, next(filter(str.isdecimal, rest), None)


_RULES = {"folders": _by_folders, "pascal": _by_pascal_names}


def _find_origin(name: str, function: Callable[[PurePath], Any]) -> Origin:
    """Apply a rule to one file, and name the file in errors."""
    try:
        result = function(PurePosixPath(name))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        if function in _RULES.values():
            reason = str(error)
        raise ValueError(f"There is no label for {name!r}: {reason}.") from error
    label, subject = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
    if not (label is None or (_label_type(label) and label != "")):
        raise ValueError(
            f"The rule returned {result!r} for {name!r}. It must return a label (str, int or "
            "bool; None leaves the file out), or a pair of label and subject."
        )
    if not (subject is None or _label_type(subject) in ("str", "int")):
        raise ValueError(
            f"The rule returned the subject {subject!r} for {name!r}. It must be a str or an "
            "int, or None for a file that is a subject of its own."
        )
    return Origin(label, None if subject is None else str(subject))


def _label_type(value: Any) -> str:
    """Return the type of a label, "" if it cannot be one."""
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    if isinstance(value, Integral):
        return "int"
    return "str" if isinstance(value, str) else ""


def check_labels(origins: dict[str, Origin], labels: Any) -> list[Any] | None:
    """Return the labels to keep, None for all; raise if no file has one of them."""
    if labels is None:
        return None
    kept = [labels] if _label_type(labels) else list(labels)
    labels_of_files: set[Any] = {origin.label for origin in origins.values()}
    present = sorted(labels_of_files - {None})
    missing = [label for label in kept if label not in present]
    if missing or not kept:
        raise ValueError(f"No file has the labels {missing}; there are {present}.")
    return kept
