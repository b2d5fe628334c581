"""Loss functions beyond those of torch."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class FocalLoss(nn.CrossEntropyLoss):
    """Cross-entropy that down-weights well-classified beats.

    The loss of a class of probability p is multiplied by (1 - p) ** gamma (Lin et al. 2017,
    doi:10.1109/ICCV.2017.324), so that a majority of easy beats does not outweigh the few
    hard ones. A drop-in replacement for ``torch.nn.CrossEntropyLoss`` with class numbers as
    targets; pass it to a classifier as ``criterion=FocalLoss, criterion__gamma=2``.

    Deviations from the paper: a softmax over any number of classes replaces the sigmoid over
    two, `weight` is the paper's alpha, and the loss is averaged over the beats, weighted as in
    ``CrossEntropyLoss``, instead of divided by the number of objects.

    Parameters
    ----------
    gamma : float, default=2.0
        Exponent, 0 or greater: the larger, the less a well-classified beat counts. 0 is
        cross-entropy.
    weight : Tensor of shape (n_classes,) or None, default=None
        Weight of each class.
    label_smoothing : float, default=0.0
        Fraction of the target that is spread over all classes, in [0, 1]. The share of each
        class is multiplied by its own (1 - p) ** gamma.

    Raises
    ------
    ValueError
        If `gamma` is negative or not finite, or `label_smoothing` is outside [0, 1].

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
            raise ValueError(f"label_smoothing must be in [0, 1], got {label_smoothing!r}.")
        super().__init__(weight=weight, label_smoothing=label_smoothing)
        self.gamma = gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Compute the mean loss, or the loss of each beat if ``reduction`` is "none".

        Parameters
        ----------
        logits : Tensor of shape (n_beats, n_classes)
            Output of the network.
        targets : Tensor of shape (n_beats,)
            Class numbers, int64.

        Returns
        -------
        Tensor of shape () or (n_beats,)
        """
        if self.gamma == 0:
            return super().forward(logits, targets)
        log_p = torch.log_softmax(logits, dim=1)
        # kept away from 0, where the gradient of a power below 1 is unbounded
        rest = torch.expm1(log_p).neg().clamp_min(torch.finfo(log_p.dtype).tiny)
        log_p = log_p * rest.pow(self.gamma)
        loss = functional.nll_loss(log_p, targets, self.weight, reduction="none")
        if self.label_smoothing:
            weighted = log_p if self.weight is None else log_p * self.weight
            loss = loss * (1 - self.label_smoothing) - weighted.mean(dim=1) * self.label_smoothing
        if self.reduction == "none":
            return loss
        return loss.sum() / (len(targets) if self.weight is None else self.weight[targets].sum())
