"""Data sets: simulators and readers (layer 2)."""

from ecgbeat.datasets._heartbeat_csv import load_heartbeat_csv
from ecgbeat.datasets._home import get_data_home
from ecgbeat.datasets._mitdb import load_mitdb
from ecgbeat.datasets._simulator import make_heartbeats, make_recording
from ecgbeat.datasets._wfdb import load_wfdb

__all__ = [
    "get_data_home",
    "load_heartbeat_csv",
    "load_mitdb",
    "load_wfdb",
    "make_heartbeats",
    "make_recording",
]
