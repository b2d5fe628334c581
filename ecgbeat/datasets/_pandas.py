"""pandas, which only some functions need (layer 2)."""

from typing import Any


def import_pandas(what: str) -> Any:
    """Import pandas, or say what needs it and how to install it."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f'{what} needs pandas: pip install "ecgbeat[data]".') from error
    return pandas
