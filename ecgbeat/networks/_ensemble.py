"""Several networks trained together as one, whose probabilities are averaged."""

import copy
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
    (doi:10.1109/34.58871). In a training, each has its own batches and its own loss, so that it
    takes the steps that it would take alone. They are computed one after another: grouped
    convolutions over all members were not faster on a CPU except in batches of a few beats, and
    ``torch.vmap`` was slower. Fixed kernels are those of all members.

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
    torch.Size([2, 5])
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        take_kernels(self)

    def forward(self, *inputs: Any, member: int | None = None, **options: Any) -> Tensor:
        """Compute the logits of the ensemble, or those of one member.

        Parameters
        ----------
        *inputs, **options
            Passed to each member.
        member : int or None, default=None
            Index of the only member that is computed, for its training. None means all members.

        Returns
        -------
        Tensor of shape (n_beats, n_classes)
            Logits of the member, or of the ensemble, see `combine`.
        """
        if member is not None:
            return self.members[member](*inputs, **options)
        combined = self.combine(torch.stack([one(*inputs, **options) for one in self.members], 1))
        return combined if self.kernels is None else with_kernels(self, combined, *inputs)

    @torch.no_grad()
    def repeat_first(self, optimizer: torch.optim.Optimizer) -> None:
        """Give all members the weights of the first one, and the state of their optimization.

        Parameters
        ----------
        optimizer : torch.optim.Optimizer
            Optimizer of all members. Its state is changed, too.
        """
        first, *others = self.members
        for other in others:
            other.load_state_dict(first.state_dict())
            for source, target in zip(first.parameters(), other.parameters(), strict=True):
                if source in optimizer.state:
                    optimizer.state[target] = copy.deepcopy(optimizer.state[source])

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
