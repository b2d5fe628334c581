"""Trained models that are part of the package."""

from ecgbeat.pretrained._models import PRETRAINED_NAMES, load_pretrained, model_card

__all__ = ["PRETRAINED_NAMES", "load_pretrained", "model_card"]
