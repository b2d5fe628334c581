"""Where data sets lie on this machine (layer 2)."""

import os
from pathlib import Path

_VARIABLE = "ECGBEAT_DATA"


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder in which ecgbeat looks for data sets.

    Asking creates nothing.

    Parameters
    ----------
    data_home : path-like, default=None
        The folder. None takes the environment variable ``ECGBEAT_DATA``, and
        ``~/ecgbeat_data`` where that is not set.

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
        data_home = os.environ.get(_VARIABLE) or "~/ecgbeat_data"
    return Path(data_home).expanduser().absolute()
