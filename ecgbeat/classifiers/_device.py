"""Where to compute, and how precisely."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def resolve_device(device: Any) -> Any:
    """Return the best device of this machine for ``"auto"``, anything else as it is."""
    if not isinstance(device, str) or device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def autocast(precision: str, device: Any) -> AbstractContextManager:
    """Return the context in which a network computes in the wanted precision.

    ``"auto"`` is bfloat16 on GPUs that have it in hardware and float32 elsewhere.
    """
    kind = torch.device(device).type if device is not None else "cpu"
    if precision == "auto":
        lower = kind == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        precision = "bfloat16" if lower else "float32"
    if precision == "float32":
        return nullcontext()
    return torch.autocast(kind, dtype=torch.bfloat16)
