"""The command ``ecgbeat``: annotate recordings, train, export and serve models."""

from ecgbeat.command._main import main

__all__ = ["main"]
