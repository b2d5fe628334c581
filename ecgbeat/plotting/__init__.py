"""Displays of recordings, beats, training histories and saliency.

The displays follow scikit-learn's Display convention. matplotlib and captum come with
``pip install "ecgbeat[plot]"``; importing this module needs neither. Confusion matrices, ROC
and calibration curves are scikit-learn's own: ``ConfusionMatrixDisplay.from_estimator`` and
its siblings take ecgbeat's estimators.
"""

from ecgbeat.plotting._beats import BeatsDisplay
from ecgbeat.plotting._recording import RecordingDisplay
from ecgbeat.plotting._saliency import saliency
from ecgbeat.plotting._saliency_display import SaliencyDisplay
from ecgbeat.plotting._training_history import TrainingHistoryDisplay

__all__ = [
    "BeatsDisplay",
    "RecordingDisplay",
    "SaliencyDisplay",
    "TrainingHistoryDisplay",
    "saliency",
]
