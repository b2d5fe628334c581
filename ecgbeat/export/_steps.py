"""Counterparts of transformers in torch."""

from typing import Any

from torch import nn


def step_module(step: Any, name: str) -> nn.Module:
    """Return a module that maps rows as a fitted transformer does."""
    raise TypeError(f"The step {name!r}, {step!r}, cannot be exported.")
