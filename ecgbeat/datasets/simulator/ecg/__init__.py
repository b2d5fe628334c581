"""Simulator of labeled electrocardiograms."""
