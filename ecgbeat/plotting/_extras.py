"""matplotlib and captum, which only the pictures need (layer 3)."""

from typing import Any


def import_pyplot(what: str) -> Any:
    """Import matplotlib, or say what needs it and how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f'{what} needs matplotlib: pip install "ecgbeat[plot]".') from error
    return plt


def import_captum(what: str) -> Any:
    """Import captum's attribution methods, or say what needs them and how to install them."""
    try:
        import captum.attr
    except ImportError as error:
        raise ImportError(f'{what} needs captum: pip install "ecgbeat[plot]".') from error
    return captum.attr
