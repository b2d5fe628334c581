"""The Kaggle ``heartbeat`` set, and the patients of its beats."""

from ecgbeat.datasets.kaggle.loader import load_heartbeat_csv
from ecgbeat.datasets.kaggle.matching import match_kaggle_beats

__all__ = ["load_heartbeat_csv", "match_kaggle_beats"]
