"""Simulator of labelled ECG recordings (layer 2, private; see ``ecgbeat.datasets``)."""

from ecgbeat.datasets._simulator._heartbeats import make_heartbeats
from ecgbeat.datasets._simulator._recording import make_recording

__all__ = ["make_heartbeats", "make_recording"]
