"""Simulator of labeled heart sounds."""

from ecgbeat.datasets.simulator.sounds.heart_sounds import make_heart_sounds

__all__ = ["make_heart_sounds"]
