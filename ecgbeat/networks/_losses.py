"""The losses that torch does not have."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class FocalLoss(nn.CrossEntropyLoss):
    """Cross-entropy in which beats that are well classified count less.

    The loss of a class of probability p is multiplied by (1 - p) ** gamma (Lin et al. 2017,
    doi:10.1109/ICCV.2017.324), so that a majority of easy beats does not outweigh the few
    hard ones. A drop-in for ``torch.nn.CrossEntropyLoss`` with numbers of classes as
    targets; give it to a classifier as ``criterion=FocalLoss, criterion__gamma=2``.

    Unlike there, classes are many and told by softmax, not two by a sigmoid; `weight` is
    what they call alpha; and the mean is over beats, weighted as ``CrossEntropyLoss`` does
    it, where they divide by the number of objects.

    Parameters
    ----------
    gamma : float, default=2.0
        How fast the weight of a beat falls with its probability, 0 or greater. 0 is
        cross-entropy.
    weight : Tensor of shape (n_classes,) or None, default=None
        Weight of each class.
    label_smoothing : float, default=0.0
        Share of the target that is spread over all classes, from 0 to 1. Each class has
        its part multiplied by its own (1 - p) ** gamma.

    Raises
    ------
    ValueError
        If `gamma` is negative or not finite, or `label_smoothing` not from 0 to 1.

    Examples
    --------
    >>> import torch
    >>> from ecgbeat.networks import FocalLoss
    >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    >>> easy, hard = (FocalLoss()(logits, torch.tensor(y)).item() for y in ([0, 1], [1, 0]))
    >>> print(f"{easy:.4f} {hard:.4f}")
    0.0018 1.6501
    """

    def __init__(
        self, gamma: float = 2.0, *, weight: Tensor | None = None, label_smoothing: float = 0.0
    ) -> None:
        if not 0 <= gamma < float("inf"):
            raise ValueError(f"gamma must be 0 or greater and finite, got {gamma!r}.")
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"label_smoothing must be from 0 to 1, got {label_smoothing!r}.")
        super().__init__(weight=weight, label_smoothing=label_smoothing)
        self.gamma = gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Compute the mean loss.

        Parameters
        ----------
        logits : Tensor of shape (n_beats, n_classes)
            What the network gives.
        targets : Tensor of shape (n_beats,)
            Numbers of the classes, int64.

        Returns
        -------
        Tensor of shape ()
        """
        if self.gamma == 0:
            return super().forward(logits, targets)
        log_p = torch.log_softmax(logits, dim=1)
        # away from 0, where the slope of a power below 1 has no bound
        rest = torch.expm1(log_p).neg().clamp_min(torch.finfo(log_p.dtype).tiny)
        log_p = log_p * rest.pow(self.gamma)
        loss = functional.nll_loss(log_p, targets, self.weight)
        if self.label_smoothing == 0:
            return loss
        weighted = log_p if self.weight is None else log_p * self.weight
        total = len(targets) if self.weight is None else self.weight[targets].sum()
        spread = -weighted.sum() / (total * log_p.shape[1])
        return (1 - self.label_smoothing) * loss + self.label_smoothing * spread
