"""Simulator of labeled electrocardiograms."""

from ecgbeat.datasets.simulator.ecg.heartbeats import make_heartbeats
from ecgbeat.datasets.simulator.ecg.recording import make_recording

__all__ = ["make_heartbeats", "make_recording"]
