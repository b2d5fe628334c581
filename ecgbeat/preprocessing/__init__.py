"""Transformers of beats (layer 2): filter, segmenter, scaler.

Each takes beats as 2-D rows, as rows of several leads one after the other
(``n_leads=``) or as 3-D, and gives them back in the same form, row for row.
"""

from ecgbeat.preprocessing._filter import BandpassFilter
from ecgbeat.preprocessing._scaler import ZScoreScaler
from ecgbeat.preprocessing._segmenter import RPeakSegmenter

__all__ = ["BandpassFilter", "RPeakSegmenter", "ZScoreScaler"]
