"""From recordings to annotated beats (layer 3)."""

from ecgbeat.annotation._extraction import extract_beats

__all__ = ["extract_beats"]
