"""The MIT-BIH Arrhythmia Database."""

from ecgbeat.datasets.mitdb.download import fetch_mitdb
from ecgbeat.datasets.mitdb.loader import load_mitdb

__all__ = ["fetch_mitdb", "load_mitdb"]
