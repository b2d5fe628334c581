"""Label and subject of sound files by their names (layer 2)."""

import re
from collections.abc import Callable, Iterable
from numbers import Integral
from pathlib import PurePath, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

_PASCAL_FOLDER = re.compile("[AB](training_|unlabelledtest)")

# what a user may pass: the name of a rule, or a function of the path relative to the folder
Rule = str | Callable[[PurePath], Any]


class Origin(NamedTuple):
    """What the name of a file tells."""

    label: Any  # str, int or bool; None if the file has none
    subject: str | None


def by_folders(file: PurePath) -> Any:
    """Label by the first sub-folder."""
    if len(file.parts) < 2:
        raise ValueError(
            "it lies in the folder itself, and the labels are the names of sub-folders. If the "
            'names of the files tell the labels, pass rule="pascal" (normal__103_….wav) or a '
            "function that returns the label of a path"
        )
    return file.parts[0]


def by_pascal_names(file: PurePath) -> Any:
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


_RULES: dict[str, Callable[[PurePath], Any]] = {"folders": by_folders, "pascal": by_pascal_names}


def find_rule(rule: Rule) -> Callable[[PurePath], Any]:
    """Return the function that a rule is, or raise ValueError."""
    if callable(rule):
        return rule
    if not isinstance(rule, str) or rule not in _RULES:
        raise ValueError(
            f"rule must be one of {list(_RULES)} or a function of a path, got {rule!r}."
        )
    return _RULES[rule]


def find_origins(names: Iterable[str], rule: Rule) -> dict[str, Origin]:
    """Apply a rule to files.

    Parameters
    ----------
    names : iterable of str
        Paths relative to the folder, with slashes.
    rule : {"folders", "pascal"} or callable
        As in `ecgbeat.datasets.load_heart_sounds`.

    Returns
    -------
    dict of str to Origin

    Raises
    ------
    ValueError
        If the rule is unknown, raises an error, or returns no label; names the file.
    """
    function = find_rule(rule)
    origins = {name: _find_origin(name, function) for name in names}
    first_of_kind: dict[str, tuple[str, Any]] = {}
    for name, (label, _) in origins.items():
        if label is not None:
            first_of_kind.setdefault(_kind(label), (name, label))
    if len(first_of_kind) > 1:
        (one, label), (other, label_2) = list(first_of_kind.values())[:2]
        raise ValueError(
            f"The rule gives labels of several kinds: {label!r} for {one!r}, {label_2!r} for "
            f"{other!r}. All must be str, or all int, or all bool."
        )
    return origins


def _find_origin(name: str, function: Callable[[PurePath], Any]) -> Origin:
    """Apply a rule to one file, and say which one if that fails."""
    try:
        answer = function(PurePosixPath(name))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        if function in _RULES.values():
            reason = str(error)
        raise ValueError(f"There is no label for {name!r}: {reason}.") from error
    label, subject = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, None)
    if not (label is None or (_kind(label) and label != "")):
        raise ValueError(
            f"The rule returned {answer!r} for {name!r}. It must return a label (str, int or "
            "bool; None leaves the file out), or a pair of label and subject."
        )
    if not (subject is None or _kind(subject) in ("str", "int")):
        raise ValueError(
            f"The rule returned the subject {subject!r} for {name!r}. It must be a str or an "
            "int, or None for a file that is a subject of its own."
        )
    return Origin(label, None if subject is None else str(subject))


def _kind(value: Any) -> str:
    """Return what kind a label is, "" if it cannot be one."""
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    if isinstance(value, Integral):
        return "int"
    return "str" if isinstance(value, str) else ""


def choose_labels(origins: dict[str, Origin], labels: Any) -> list[Any] | None:
    """Return the labels wanted as a list, None for all; raise if no file has one of them."""
    if labels is None:
        return None
    wanted = [labels] if _kind(labels) else list(labels)
    present = sorted({origin.label for origin in origins.values()} - {None})
    missing = [label for label in wanted if label not in present]
    if missing or not wanted:
        raise ValueError(f"No file has the labels {missing}; there are {present}.")
    return wanted
