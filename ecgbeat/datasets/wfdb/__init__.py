"""Records in WFDB format."""

from ecgbeat.datasets.wfdb.loader import load_wfdb

__all__ = ["load_wfdb"]
