"""Simulators of labelled ECG and heart sounds (layer 2, private; see ``ecgbeat.datasets``)."""

from ecgbeat.datasets._simulator._heart_sounds import make_heart_sounds
from ecgbeat.datasets._simulator._heartbeats import make_heartbeats
from ecgbeat.datasets._simulator._recording import make_recording

__all__ = ["make_heart_sounds", "make_heartbeats", "make_recording"]
