"""Recordings in CSV and NumPy files."""
