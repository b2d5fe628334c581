"""Pure functions on signals (layer 1): filtering, R peaks, beats, rhythm, scaling, MFCCs.

They take and return arrays, know no estimators, and act along the last axis.
"""

from ecgbeat.signal._beats import cut_beats, locate_r_peaks, resample_beats, segment_beats
from ecgbeat.signal._filtering import bandpass
from ecgbeat.signal._gaps import bridge_gaps
from ecgbeat.signal._mfcc import mfcc
from ecgbeat.signal._r_peaks import detect_r_peaks
from ecgbeat.signal._rr import rr_feature_names, rr_features
from ecgbeat.signal._scaling import mean_and_scale, zscore

__all__ = [
    "bandpass",
    "bridge_gaps",
    "cut_beats",
    "detect_r_peaks",
    "locate_r_peaks",
    "mean_and_scale",
    "mfcc",
    "resample_beats",
    "rr_feature_names",
    "rr_features",
    "segment_beats",
    "zscore",
]
