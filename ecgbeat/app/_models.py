"""Trained models by name, each loaded once."""

from functools import cache
from typing import Any, NamedTuple

from ecgbeat.app._requests import RequestError
from ecgbeat.pretrained import PRETRAINED_NAMES, load_pretrained, model_card

DEFAULT_NAME = "nsvf"
LIVE_NAME = "nsvf-live"
BEAT_NAME = "normal-abnormal-187"
ANNOTATOR_NAMES = tuple(name for name in PRETRAINED_NAMES if name != BEAT_NAME)


class Model(NamedTuple):
    """Fitted model, and its card."""

    estimator: Any
    card: dict[str, Any]


def load_annotator(name: Any) -> Model:
    """Return a model for recordings by its name."""
    if name not in ANNOTATOR_NAMES:
        raise RequestError(422, f"model must be one of {ANNOTATOR_NAMES}, got {name!r}.")
    return _load(name)


def load_live(name: Any) -> Model:
    """Return a model for live signals by its name."""
    if name != LIVE_NAME:
        raise RequestError(422, f"model must be {LIVE_NAME!r} for live signals, got {name!r}.")
    return _load(name)


def load_beat_classifier() -> Model:
    """Return the model for single beats."""
    return _load(BEAT_NAME)


def cards() -> list[dict[str, Any]]:
    """Return the cards of all models."""
    return [model_card(name) for name in PRETRAINED_NAMES]


@cache
def _load(name: str) -> Model:
    try:
        return Model(load_pretrained(name), model_card(name))
    except ValueError as error:  # packages of other versions
        raise RequestError(422, str(error)) from error
