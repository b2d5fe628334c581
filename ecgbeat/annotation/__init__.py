"""From recordings to annotated beats (layer 3)."""

from ecgbeat.annotation._annotated_beats import AnnotatedBeats
from ecgbeat.annotation._annotator import BeatAnnotator
from ecgbeat.annotation._extraction import extract_beats

__all__ = ["AnnotatedBeats", "BeatAnnotator", "extract_beats"]
