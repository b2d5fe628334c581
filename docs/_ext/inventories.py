"""Sphinx inventories of other projects, generated from a list of names.

By default, Sphinx downloads the inventory of each linked project. To build the documentation
without a network connection, this module writes small inventories in the format of Sphinx for the
names listed in inventories.txt.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_HEADER = "# Sphinx inventory version 2\n# Project: {}\n# Version: \n# zlib-compressed follows\n"


class Entry(NamedTuple):
    """Name in the documentation of another project.

    Attributes
    ----------
    key : str
        Key of the project in ``intersphinx_mapping``.
    url : str
        Root URL of the documentation.
    role : str
        Role in the Python domain of Sphinx, such as "class".
    name : str
        Full name of the object.
    place : str
        Page and anchor, relative to ``url``.
    """

    key: str
    url: str
    role: str
    name: str
    place: str


def read_names(path: Path) -> Iterator[Entry]:
    """Yield the entries of a list of names. The format is described in inventories.txt."""
    key = url = role = pattern = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if line.startswith("["):
            key, url = words[0].strip("[]"), words[1]
        elif not line[0].isspace():
            role, pattern = words
        else:
            (name,) = words
            yield Entry(key, url, role, name, pattern.replace("$", name))


def write_inventories(names: Path, folder: Path) -> dict[str, tuple[str, str]]:
    """Write one inventory for each project.

    Parameters
    ----------
    names : Path
        List of names.
    folder : Path
        Folder for the inventories, ``<key>.inv``.

    Returns
    -------
    dict
        Value for ``intersphinx_mapping``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    projects: dict[tuple[str, str], list[str]] = {}
    for key, url, role, name, place in read_names(names):
        projects.setdefault((key, url), []).append(f"{name} py:{role} 1 {place} -\n")
    for (key, _), lines in projects.items():
        compressed = zlib.compress("".join(lines).encode())
        (folder / f"{key}.inv").write_bytes(_HEADER.format(key).encode() + compressed)
    return {key: (url, str(folder / f"{key}.inv")) for key, url in projects}
