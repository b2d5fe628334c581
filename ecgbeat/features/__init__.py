"""Features of sounds (layer 2)."""

from ecgbeat.features._mfcc import MFCCExtractor

__all__ = ["MFCCExtractor"]
