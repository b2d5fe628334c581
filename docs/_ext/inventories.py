"""Small inventories of other projects' documentation, from a list of names.

Sphinx would download the inventory of each project to link to its pages. So that a build needs
no network, inventories.txt lists the names that we link to, and this module writes them down in
Sphinx's format.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_HEADER = "# Sphinx inventory version 2\n# Project: {}\n# Version: \n# zlib-compressed follows\n"


class Entry(NamedTuple):
    """A name that can be linked to.

    Attributes
    ----------
    key : str
        The project, as ``intersphinx_mapping`` calls it.
    url : str
        Where its documentation begins.
    role : str
        Kind of object in Sphinx's Python domain, such as "class".
    name : str
    place : str
        Where the name stands, relative to ``url``.
    """

    key: str
    url: str
    role: str
    name: str
    place: str


def read_names(path: Path) -> Iterator[Entry]:
    """Yield the entries of a list of names, whose form its own first lines tell."""
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
        The list of names.
    folder : Path
        Where to write ``<key>.inv``.

    Returns
    -------
    dict
        For ``intersphinx_mapping``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    projects: dict[tuple[str, str], list[str]] = {}
    for key, url, role, name, place in read_names(names):
        projects.setdefault((key, url), []).append(f"{name} py:{role} 1 {place} -\n")
    for (key, _), lines in projects.items():
        compressed = zlib.compress("".join(lines).encode())
        (folder / f"{key}.inv").write_bytes(_HEADER.format(key).encode() + compressed)
    return {key: (url, str(folder / f"{key}.inv")) for key, url in projects}
