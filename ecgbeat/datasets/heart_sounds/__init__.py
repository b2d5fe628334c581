"""Folders of heart sound recordings."""

from ecgbeat.datasets.heart_sounds.loader import load_heart_sounds

__all__ = ["load_heart_sounds"]
