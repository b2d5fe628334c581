"""Cross-validation by patient (layer 2)."""

from ecgbeat.model_selection._inter_patient import DS1, DS2, PACED, InterPatientSplit

__all__ = ["DS1", "DS2", "PACED", "InterPatientSplit"]
