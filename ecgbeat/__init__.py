"""Heartbeat classification with scikit-learn tools, for ECG and heart sounds.

The public names below are imported when they are first used (PEP 562), so that
``import ecgbeat`` costs neither torch nor librosa.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# public class or function -> module that defines it
_DEFINED_IN = {
    "BandpassFilter": "preprocessing",
    "BeatAnnotator": "annotation",
    "BeatStream": "streaming",
    "ECGCNNClassifier": "classifiers",
    "ECGCNNLSTMClassifier": "classifiers",
    "MFCCExtractor": "features",
    "RPeakSegmenter": "preprocessing",
    "ZScoreScaler": "preprocessing",
    "load_model": "persistence",
    "load_pretrained": "pretrained",
    "save_model": "persistence",
}
_MODULES = (
    "annotation",
    "app",
    "classifiers",
    "datasets",
    "export",
    "features",
    "labels",
    "metrics",
    "model_selection",
    "networks",
    "persistence",
    "plotting",
    "preprocessing",
    "pretrained",
    "signal",
    "streaming",
)

__all__ = [
    "BandpassFilter",
    "BeatAnnotator",
    "BeatStream",
    "ECGCNNClassifier",
    "ECGCNNLSTMClassifier",
    "MFCCExtractor",
    "RPeakSegmenter",
    "ZScoreScaler",
    "__version__",
    "annotation",
    "app",
    "classifiers",
    "datasets",
    "export",
    "features",
    "labels",
    "load_model",
    "load_pretrained",
    "metrics",
    "model_selection",
    "networks",
    "persistence",
    "plotting",
    "preprocessing",
    "pretrained",
    "save_model",
    "signal",
    "streaming",
]


def __getattr__(name: str) -> object:
    """Import a public name at its first use."""
    if name in _MODULES:
        return importlib.import_module(f"ecgbeat.{name}")
    if name in _DEFINED_IN:
        value = getattr(importlib.import_module(f"ecgbeat.{_DEFINED_IN[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'ecgbeat' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)


if TYPE_CHECKING:  # what editors and type checkers see
    from ecgbeat import (
        annotation,
        app,
        classifiers,
        datasets,
        export,
        features,
        labels,
        metrics,
        model_selection,
        networks,
        persistence,
        plotting,
        preprocessing,
        pretrained,
        signal,
        streaming,
    )
    from ecgbeat.annotation import BeatAnnotator
    from ecgbeat.classifiers import ECGCNNClassifier, ECGCNNLSTMClassifier
    from ecgbeat.features import MFCCExtractor
    from ecgbeat.persistence import load_model, save_model
    from ecgbeat.preprocessing import BandpassFilter, RPeakSegmenter, ZScoreScaler
    from ecgbeat.pretrained import load_pretrained
    from ecgbeat.streaming import BeatStream
