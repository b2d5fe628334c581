"""Data sets: simulators, readers and downloaders (layer 2)."""

from ecgbeat.datasets._fetch_mitdb import fetch_mitdb
from ecgbeat.datasets._heart_sounds import load_heart_sounds
from ecgbeat.datasets._heartbeat_csv import load_heartbeat_csv
from ecgbeat.datasets._home import get_data_home
from ecgbeat.datasets._kaggle_groups import match_kaggle_beats
from ecgbeat.datasets._mitdb import load_mitdb
from ecgbeat.datasets._recordings import load_recordings
from ecgbeat.datasets._wfdb import load_wfdb
from ecgbeat.datasets.simulator import make_heart_sounds, make_heartbeats, make_recording

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
