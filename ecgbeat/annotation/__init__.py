"""Extraction, detection and classification of the beats of whole recordings."""

from ecgbeat.annotation._annotated_beats import UNCLASSIFIED as UNCLASSIFIED  # for the web page
from ecgbeat.annotation._annotated_beats import AnnotatedBeats, encode_beats
from ecgbeat.annotation._annotated_beats import beats_file as beats_file  # for the command
from ecgbeat.annotation._annotator import BeatAnnotator
from ecgbeat.annotation._annotator import classify_rows as classify_rows  # for BeatStream
from ecgbeat.annotation._annotator import fitted_steps as fitted_steps  # for BeatStream
from ecgbeat.annotation._extraction import crop_recording, extract_beats
from ecgbeat.annotation._fusion import simulate_fusion_beats
from ecgbeat.annotation._inter_patient import InterPatientClassifier, make_inter_patient_annotator
from ecgbeat.annotation._resampling import (
    resample_recording as resample_recording,
)  # for BeatStream
from ecgbeat.annotation._summary import PAUSE_S as PAUSE_S  # for the web page
from ecgbeat.annotation._summary import RUN_BEATS as RUN_BEATS  # for the web page
from ecgbeat.annotation._summary import BeatSummary, summarize_beats
from ecgbeat.annotation._summary import as_clock as as_clock  # for the command
from ecgbeat.annotation._summary import class_name as class_name  # for the web page
from ecgbeat.annotation._summary import is_uncertain as is_uncertain  # for the web page

__all__ = [
    "AnnotatedBeats",
    "BeatAnnotator",
    "BeatSummary",
    "InterPatientClassifier",
    "crop_recording",
    "encode_beats",
    "extract_beats",
    "make_inter_patient_annotator",
    "simulate_fusion_beats",
    "summarize_beats",
]
