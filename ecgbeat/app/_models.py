"""Trained models by name, each loaded once."""

from functools import cache
from typing import Any, NamedTuple

from ecgbeat.annotation import BeatAnnotator, make_inter_patient_annotator
from ecgbeat.app._requests import RequestError
from ecgbeat.datasets import make_recording

PRETRAINED_NAMES = ("nsvf", "nsvf-live")


class Model(NamedTuple):
    """Fitted model, and its card."""

    estimator: Any
    card: dict[str, Any]


@cache
def load(name: str) -> Model:
    """Return a model by its name."""
    if name not in PRETRAINED_NAMES:
        raise RequestError(400, f"model must be one of {PRETRAINED_NAMES}, got {name!r}.")
    return Model(_quick(name), {"name": name, "title": name, "classes": ["F", "N", "S", "V"]})


def _quick(name: str) -> BeatAnnotator:
    weights = {"N": 0.8, "A": 0.08, "V": 0.08, "F": 0.04}
    ecgs = [make_recording(60, weights=weights, random_state=seed) for seed in range(6)]
    annotator = make_inter_patient_annotator(360, future="live" not in name, random_state=0)
    return annotator.fit([ecg.signal for ecg in ecgs], [ecg.annotation for ecg in ecgs])
