"""Simulator of labeled heart sounds."""
