"""Simulators of labeled ECGs and heart sounds.

`ecg` and `sounds` hold the two simulators; `shares`, `rhythm` and `waveforms` are common to both.
The documented names are those of `ecgbeat.datasets`; all modules in here are private to it.
"""

from ecgbeat.datasets.simulator.ecg import make_heartbeats, make_recording
from ecgbeat.datasets.simulator.sounds import make_heart_sounds

__all__ = ["make_heart_sounds", "make_heartbeats", "make_recording"]
