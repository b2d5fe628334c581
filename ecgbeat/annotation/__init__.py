"""Extraction, detection and classification of the beats of whole recordings."""

from ecgbeat.annotation._annotated_beats import AnnotatedBeats
from ecgbeat.annotation._annotator import BeatAnnotator
from ecgbeat.annotation._annotator import classify_rows as classify_rows  # for BeatStream
from ecgbeat.annotation._annotator import fitted_steps as fitted_steps  # for BeatStream
from ecgbeat.annotation._extraction import crop_recording, extract_beats
from ecgbeat.annotation._fusion import simulate_fusion_beats
from ecgbeat.annotation._inter_patient import InterPatientClassifier, make_inter_patient_annotator
from ecgbeat.annotation._resampling import (
    resample_recording as resample_recording,
)  # for BeatStream

__all__ = [
    "AnnotatedBeats",
    "BeatAnnotator",
    "InterPatientClassifier",
    "crop_recording",
    "extract_beats",
    "make_inter_patient_annotator",
    "simulate_fusion_beats",
]
