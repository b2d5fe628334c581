"""The moving average of a network's weights."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class WeightAverage:
    """Exponential moving average of weights and batch-norm statistics over training steps.

    While an epoch trains, the network has its raw weights; at all other times it has
    their average, and the raw ones wait here. The decay of step t is at most
    (1 + t) / (10 + t), as in TensorFlow's ``ExponentialMovingAverage``, so that the
    random weights of the beginning are forgotten within some steps.

    The network's tensors stay the same objects with new values, since the optimizer (and
    a recurrent layer on a GPU) holds on to them.
    """

    def __init__(self) -> None:
        self.n_steps = 0
        self.average: list[Tensor] = []
        self.raw: list[Tensor] = []
        self._live: list[Tensor] = []  # the network's own, during an epoch

    def __getstate__(self) -> dict[str, Any]:
        """Store the weights where every machine can load them, the network's own not at all."""
        kept = {name: [t.cpu() for t in getattr(self, name)] for name in ("average", "raw")}
        return self.__dict__ | kept | {"_live": []}

    @contextmanager
    def epoch(self, network: nn.Module) -> Iterator[None]:
        """Let the network have its raw weights in the block and their average afterwards."""
        self._live = _averaged_tensors(network)
        if self.raw and _equal(self._live, self.average):
            _copy(self.raw, self._live)
        else:  # the first epoch, or weights that someone has loaded: they begin a new average
            self.n_steps = 0
            self.average = [tensor.clone() for tensor in self._live]
        self.raw = []  # so that a copy taken within the block does not go back to them
        self.average = [a.to(t.device) for a, t in zip(self.average, self._live, strict=True)]
        try:
            yield
        finally:  # an interrupted epoch counts, as far as it came
            self.raw = [tensor.clone() for tensor in self._live]
            _copy(self.average, self._live)
            self._live = []

    def step(self, decay: float) -> None:
        """Let the weights of one more training step into the average."""
        if not self._live:
            return  # a step that someone takes outside an epoch
        decay = min(decay, (1 + self.n_steps) / (10 + self.n_steps))
        get_ema_multi_avg_fn(decay)(self.average, self._live, self.n_steps)
        self.n_steps += 1


def _averaged_tensors(network: nn.Module) -> list[Tensor]:
    """Return weights and buffers, without their gradients, that are not mere counters."""
    tensors = itertools.chain(network.parameters(), network.buffers())
    return [tensor.detach() for tensor in tensors if tensor.is_floating_point()]


def _equal(these: list[Tensor], those: list[Tensor]) -> bool:
    return len(these) == len(those) and all(
        torch.equal(this, that.to(this.device)) for this, that in zip(these, those, strict=True)
    )


def _copy(sources: list[Tensor], targets: list[Tensor]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target.copy_(source)
