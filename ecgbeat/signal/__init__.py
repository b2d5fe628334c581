"""Pure functions on signals: filtering, R peaks, beats, RR features, scaling, MFCCs.

Functions take and return arrays, and operate along the last axis.
"""

from ecgbeat._recordings import bridge_gaps
from ecgbeat.signal._beat_features import beat_feature_names, beat_features
from ecgbeat.signal._beats import cut_beats, resample_beats, window_samples
from ecgbeat.signal._ectopy import ectopic_probability
from ecgbeat.signal._filtering import bandpass, bandpass_sections
from ecgbeat.signal._filtering import filter_padding as filter_padding  # for export
from ecgbeat.signal._mfcc import MFCC_CONSTRAINTS as MFCC_CONSTRAINTS  # for MFCCExtractor
from ecgbeat.signal._mfcc import mfcc
from ecgbeat.signal._past_features import NextBeat as NextBeat  # for BeatStream
from ecgbeat.signal._past_features import PastBeatFeatures as PastBeatFeatures  # for BeatStream
from ecgbeat.signal._past_features import append_to_each as append_to_each  # for BeatStream
from ecgbeat.signal._past_features import indices_of_equal as indices_of_equal  # for BeatStream
from ecgbeat.signal._qrs import decimation_step as decimation_step  # for BeatStream
from ecgbeat.signal._qrs import qrs_heights as qrs_heights  # for BeatStream
from ecgbeat.signal._qrs import steep_onset as steep_onset  # for BeatStream
from ecgbeat.signal._quality import signal_quality, unreadable_stretches
from ecgbeat.signal._r_peaks import QRSComplexes as QRSComplexes  # for BeatStream
from ecgbeat.signal._r_peaks import detect_r_peaks
from ecgbeat.signal._r_peaks import find_qrs_complexes as find_qrs_complexes  # for BeatStream
from ecgbeat.signal._r_peaks import move_to_r_peaks as move_to_r_peaks  # for BeatStream
from ecgbeat.signal._rr import rr_feature_names, rr_features
from ecgbeat.signal._scaling import mean_and_scale, zscore
from ecgbeat.signal._windows import locate_r_peaks, segment_beats
from ecgbeat.signal._windows import location_settings as location_settings  # for export

__all__ = [
    "bandpass",
    "bandpass_sections",
    "beat_feature_names",
    "beat_features",
    "bridge_gaps",
    "cut_beats",
    "detect_r_peaks",
    "ectopic_probability",
    "locate_r_peaks",
    "mean_and_scale",
    "mfcc",
    "resample_beats",
    "rr_feature_names",
    "rr_features",
    "segment_beats",
    "signal_quality",
    "unreadable_stretches",
    "window_samples",
    "zscore",
]
