"""Folder of data sets on this machine."""

import os
from pathlib import Path


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder in which ecgbeat looks for data sets, without creating it.

    Parameters
    ----------
    data_home : path-like, default=None
        Folder. None takes the environment variable ``ECGBEAT_DATA``, and ``~/ecgbeat_data``
        if that is not set.

    Returns
    -------
    pathlib.Path
        Absolute; ``~`` is expanded.

    Examples
    --------
    >>> get_data_home("/data/ecg").name
    'ecg'
    """
    if data_home is None:
        # an empty variable is how shells unset one for a single command
        data_home = os.environ.get("ECGBEAT_DATA") or "~/ecgbeat_data"
    return Path(data_home).expanduser().absolute()
