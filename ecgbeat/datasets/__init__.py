"""Data sets: simulators, readers and downloads."""

from ecgbeat.datasets.heart_sounds.loader import load_heart_sounds
from ecgbeat.datasets.home import get_data_home
from ecgbeat.datasets.kaggle.loader import load_heartbeat_csv
from ecgbeat.datasets.kaggle.matching import match_kaggle_beats
from ecgbeat.datasets.mitdb.download import fetch_mitdb
from ecgbeat.datasets.mitdb.loader import load_mitdb
from ecgbeat.datasets.recording.loader import load_recording
from ecgbeat.datasets.simulator.ecg.heartbeats import make_heartbeats
from ecgbeat.datasets.simulator.ecg.recording import make_recording
from ecgbeat.datasets.simulator.sounds.heart_sounds import make_heart_sounds
from ecgbeat.datasets.tables.loader import load_recordings
from ecgbeat.datasets.wfdb.loader import load_wfdb

__all__ = [
    "fetch_mitdb",
    "get_data_home",
    "load_heart_sounds",
    "load_heartbeat_csv",
    "load_mitdb",
    "load_recording",
    "load_recordings",
    "load_wfdb",
    "make_heart_sounds",
    "make_heartbeats",
    "make_recording",
    "match_kaggle_beats",
]
