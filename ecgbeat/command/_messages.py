"""Errors and warnings as sentences."""

import sys


def as_sentence(error: BaseException) -> str:
    """Return the message of an error in one line, or its type if it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def show_warning(message: Warning | str, *_: object) -> None:
    """Print a warning as a sentence, without the line of code."""
    print(f"ecgbeat: warning: {message}", file=sys.stderr)
