"""Data sets: simulators, readers and downloads."""

from ecgbeat.datasets.heart_sounds import load_heart_sounds
from ecgbeat.datasets.home import get_data_home
from ecgbeat.datasets.kaggle import load_heartbeat_csv, match_kaggle_beats
from ecgbeat.datasets.mitdb import fetch_mitdb, load_mitdb
from ecgbeat.datasets.simulator import make_heart_sounds, make_heartbeats, make_recording
from ecgbeat.datasets.tables import load_recordings
from ecgbeat.datasets.wfdb import load_wfdb

__all__ = [
    "fetch_mitdb",
    "get_data_home",
    "load_heart_sounds",
    "load_heartbeat_csv",
    "load_mitdb",
    "load_recordings",
    "load_wfdb",
    "make_heart_sounds",
    "make_heartbeats",
    "make_recording",
    "match_kaggle_beats",
]
