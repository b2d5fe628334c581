"""Several networks trained together as one, whose probabilities are averaged."""

import math
import re
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ecgbeat.networks._kernels import take_kernels, with_kernels


class Ensemble(nn.Module):
    """Networks of different weights that read the same beats (Hansen & Salamon 1990).

    The probabilities of the ensemble are the mean of those of its members
    (doi:10.1109/34.58871). The members share the batches of a training, and each has its own
    loss, so that it takes the steps that it would take alone. They are computed one after
    another: grouped convolutions over all members were not faster on a CPU except in batches
    of a few beats, and ``torch.vmap`` was slower. Fixed kernels are those of all members.

    Parameters
    ----------
    members : iterable of torch.nn.Module
        Networks that map the same input to logits of the same shape, (n_beats, n_classes).

    Examples
    --------
    >>> import torch
    >>> from ecgbeat.networks import BeatCNN, Ensemble
    >>> ensemble = Ensemble(BeatCNN(n_classes=5) for _ in range(3))
    >>> ensemble(torch.zeros(2, 187)).shape
    torch.Size([2, 3, 5])
    >>> ensemble.eval()(torch.zeros(2, 187)).shape
    torch.Size([2, 5])
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        take_kernels(self)

    def forward(self, *inputs: Any, **options: Any) -> Tensor:
        """Compute the logits of all members, or those of the ensemble.

        Parameters
        ----------
        *inputs, **options
            Passed to each member.

        Returns
        -------
        Tensor of shape (n_beats, n_members, n_classes) or (n_beats, n_classes)
            In training mode, the logits of all members. Otherwise those of the ensemble, see
            `combine`.
        """
        logits = torch.stack([member(*inputs, **options) for member in self.members], dim=1)
        if self.training:
            return logits
        combined = self.combine(logits)
        return combined if self.kernels is None else with_kernels(self, combined, *inputs)

    @staticmethod
    def combine(logits: Tensor) -> Tensor:
        """Return the logarithm of the mean of the probabilities of all members.

        Its softmax is this mean, so that it stands for the logits of a single network.

        Parameters
        ----------
        logits : Tensor of shape (n_beats, n_members, n_classes)
            Logits of all members.

        Returns
        -------
        Tensor of shape (n_beats, n_classes)
        """
        log_p = torch.log_softmax(logits, dim=-1)
        return torch.logsumexp(log_p, dim=1) - math.log(logits.shape[1])


def count_members(state: Iterable[str]) -> int:
    """Return the number of networks, by the names in the state of one or of an ensemble."""
    found = (re.match(r"(?:_orig_mod\.)?members\.(\d+)\.", name) for name in state)
    return len({match[1] for match in found if match}) or 1


def uncompiled(network: Any) -> Any:
    """Return the network that ``torch.compile`` has wrapped, or a network that is not compiled."""
    return getattr(network, "_orig_mod", network)


def members_of(network: nn.Module | None) -> list[Any]:
    """Return the members of an ensemble, or the only network, not compiled."""
    network = uncompiled(network)
    return list(network.members) if isinstance(network, Ensemble) else [network]
