"""Where to compute, and how precisely."""

import copy
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

_TRIALS = 5  # the quickest of so many training steps counts
_WORTHWHILE = 0.9  # bfloat16 must take less than this share of float32's time


def resolve_device(device: Any) -> Any:
    """Return the best device of this machine for ``"auto"``, anything else as it is."""
    if not isinstance(device, str) or device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def autocast(precision: str, device: Any) -> AbstractContextManager:
    """Return the context in which a network computes in the wanted precision.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
    device : str, torch.device or None
        None is the CPU.
    """
    if precision == "float32":
        return nullcontext()
    return torch.autocast(_kind(device), dtype=torch.bfloat16)


def faster_precision(network: nn.Module, rows: Tensor, device: Any) -> str:
    """Return the precision in which training steps are faster on this machine.

    A copy of the network is trained on some rows, in both precisions in turn; neither the
    network nor torch's random numbers are touched. bfloat16 has to be a tenth faster.

    Parameters
    ----------
    network : nn.Module
        On ``device``.
    rows : Tensor of shape (n_beats, n_features)
        One training batch.
    device : str, torch.device or None

    Returns
    -------
    {"float32", "bfloat16"}
    """
    kind = _kind(device)
    if kind == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return "float32"
    trainee = copy.deepcopy(network).train()
    rows = rows.to(device or "cpu")
    seconds = {"float32": float("inf"), "bfloat16": float("inf")}
    with torch.random.fork_rng(devices=[torch.device(device)] if kind == "cuda" else []):
        for _ in range(_TRIALS):
            for precision in seconds:
                elapsed = _time_of_step(trainee, rows, precision, kind)
                seconds[precision] = min(seconds[precision], elapsed)
    worthwhile = seconds["bfloat16"] < _WORTHWHILE * seconds["float32"]
    return "bfloat16" if worthwhile else "float32"


def _time_of_step(network: nn.Module, rows: Tensor, precision: str, kind: str) -> float:
    """Return the seconds that one pass forwards and backwards takes."""
    start = time.perf_counter()
    with autocast(precision, kind):
        output = network(rows)
    output.float().sum().backward()
    if kind == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _kind(device: Any) -> str:
    return torch.device(device).type if device is not None else "cpu"
