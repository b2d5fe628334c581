"""Scores of beat detection and classification."""

from ecgbeat.metrics._annotation_f1 import annotation_f1_score
from ecgbeat.metrics._ec57 import EC57Report, ec57_report
from ecgbeat.metrics._matching import BeatMatches, match_beats

__all__ = ["BeatMatches", "EC57Report", "annotation_f1_score", "ec57_report", "match_beats"]
