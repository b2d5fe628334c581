"""Annotation symbols and class maps (layer 0)."""
