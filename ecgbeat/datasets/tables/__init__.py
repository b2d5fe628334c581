"""Recordings in CSV and NumPy files."""

from ecgbeat.datasets.tables.loader import load_recordings

__all__ = ["load_recordings"]
