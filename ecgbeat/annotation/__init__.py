"""Extraction, detection and classification of the beats of whole recordings."""

from ecgbeat.annotation._annotated_beats import AnnotatedBeats
from ecgbeat.annotation._annotator import BeatAnnotator
from ecgbeat.annotation._extraction import crop_recording, extract_beats

__all__ = ["AnnotatedBeats", "BeatAnnotator", "crop_recording", "extract_beats"]
