"""An optimizer that needs fewer epochs: Muon for convolutions, AdamW for all other weights."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

_COEFFICIENTS, _N_ITERATIONS = (3.4445, -4.7750, 2.0315), 5
_SIZE_OF_STEP = 0.2  # root mean square, as that of most steps of AdamW


class MuonAdamW(Optimizer):
    """Muon for convolutions, AdamW for all other weights, with common parameters.

    Muon [1]_ replaces the momentum of a matrix by an approximately orthogonal one, so that a step
    changes all directions alike. The kernels of a convolution are a matrix with one row per
    output channel. Weights of one or two dimensions are updated by AdamW [2]_: biases, batch
    norm, dense and recurrent layers. Steps of both have about the same size, so that they share
    learning rate and weight decay [3]_.

    Deviations from [1]_: dense layers have no orthogonal steps, since auxiliary features and
    waveforms, which share one, need steps of different sizes; float32; the first of `betas` is
    the momentum, of a moving average. ``torch.optim.Muon`` takes no kernels of convolutions.

    Parameters
    ----------
    params : iterable of torch.nn.Parameter or dict
        Weights, or groups of weights with parameters of their own.
    lr : float, default=0.01
        Learning rate.
    betas : tuple of float, default=(0.9, 0.999)
        Decay of the averages of the gradients and of their squares.
    eps : float, default=1e-8
        Added to the root of the average square in AdamW.
    weight_decay : float, default=0.1
        The weights are multiplied by ``1 - lr * weight_decay`` in each step.

    References
    ----------
    .. [1] K. Jordan et al. (2024). Muon: an optimizer for hidden layers in neural networks.
       https://kellerjordan.github.io/posts/muon/
    .. [2] I. Loshchilov, F. Hutter (2019). Decoupled weight decay regularization. arXiv:1711.05101
    .. [3] J. Liu et al. (2025). Muon is scalable for LLM training. arXiv:2502.16982

    Examples
    --------
    >>> from ecgbeat.classifiers import MuonAdamW
    >>> from ecgbeat.networks import BeatCNN
    >>> optimizer = MuonAdamW(BeatCNN(n_classes=5).parameters(), lr=0.01)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.01,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.1,
    ) -> None:
        if not (lr >= 0 and eps >= 0 and weight_decay >= 0 and all(0 <= b < 1 for b in betas)):
            raise ValueError(
                "lr, eps and weight_decay must not be negative, and betas lie between 0 and 1, got "
                f"lr={lr!r}, eps={eps!r}, weight_decay={weight_decay!r}, betas={betas!r}."
            )
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the weights.

        Parameters
        ----------
        closure : callable or None, default=None
            Function that computes the gradients and returns the loss.

        Returns
        -------
        Tensor or None
            Loss of the closure.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            kernels = [weight for weight in weights if weight.ndim > 2]
            others = [weight for weight in weights if weight.ndim <= 2]
            if kernels:
                self._step_muon(kernels, **group)
            if others:
                self._step_adamw(others, **group)
        return loss

    # the foreach functions of torch, as in its own optimizers, save most of the time of a step

    def _step_muon(
        self,
        weights: list[Tensor],
        *,
        lr: float,
        betas: tuple[float, float],
        weight_decay: float,
        **_: Any,
    ) -> None:
        gradients, averages = self._average_gradients(weights, betas[0])
        directions = torch._foreach_lerp(gradients, averages, betas[0])  # Nesterov's momentum
        steps = [
            step.mul_(max(step.shape) ** 0.5).view_as(weight)
            for step, weight in zip(orthogonalized(directions), weights, strict=True)
        ]
        torch._foreach_mul_(weights, 1 - lr * weight_decay)
        torch._foreach_add_(weights, steps, alpha=-lr * _SIZE_OF_STEP)

    def _step_adamw(
        self,
        weights: list[Tensor],
        *,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float,
        **_: Any,
    ) -> None:
        gradients, averages = self._average_gradients(weights, betas[0])
        squares = self._averages("average_square", weights)
        torch._foreach_mul_(squares, betas[1])
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - betas[1])
        factors = []  # of the bias corrections
        for weight in weights:
            state = self.state[weight]
            state["n_steps"] = state.get("n_steps", 0) + 1
            factors.append([1 - beta ** state["n_steps"] for beta in betas])
        sizes = torch._foreach_sqrt(squares)
        torch._foreach_div_(sizes, [second**0.5 for _, second in factors])
        torch._foreach_add_(sizes, eps)
        torch._foreach_mul_(weights, 1 - lr * weight_decay)
        torch._foreach_addcdiv_(weights, averages, sizes, [-lr / first for first, _ in factors])

    def _average_gradients(
        self, weights: list[Tensor], decay: float
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the gradients, and their moving averages with them."""
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        averages = self._averages("average", weights)
        torch._foreach_lerp_(averages, gradients, 1 - decay)
        return gradients, averages

    def _averages(self, name: str, weights: list[Tensor]) -> list[Tensor]:
        """Return a moving average of each weight, which begins with zeros."""
        for weight in weights:
            if name not in self.state[weight]:
                self.state[weight][name] = torch.zeros_like(weight)
        return [self.state[weight][name] for weight in weights]


def orthogonalized(matrices: Sequence[Tensor]) -> list[Tensor]:
    """Return matrices with the same singular vectors, and most singular values between 0.7 and 1.2.

    A tensor of more than two dimensions is one matrix with as many rows as its first dimension.
    The coefficients of the Newton-Schulz iteration are those of Jordan et al. 2024. It is
    computed on the small square matrices of all products of rows, of equal sizes together.
    """
    flat = [matrix.flatten(1) for matrix in matrices]
    wide = [matrix.T if matrix.shape[0] > matrix.shape[1] else matrix for matrix in flat]
    tiny = torch.finfo(flat[0].dtype).tiny
    wide = [matrix / (torch.linalg.vector_norm(matrix) + tiny) for matrix in wide]
    found = list(wide)
    for size in sorted({len(matrix) for matrix in wide}):
        places = [i for i, matrix in enumerate(wide) if len(matrix) == size]
        factors = _newton_schulz(torch.stack([wide[i] @ wide[i].T for i in places]))
        for i, factor in zip(places, factors.unbind(), strict=True):
            found[i] = factor @ wide[i]
    pairs = zip(found, flat, strict=True)
    return [new if new.shape == old.shape else new.T.contiguous() for new, old in pairs]


def _newton_schulz(products: Tensor) -> Tensor:
    """Return the factors that orthogonalize matrices, from their products with themselves."""
    linear, cubic, quintic = _COEFFICIENTS
    total = torch.eye(products.shape[-1], dtype=products.dtype, device=products.device)
    for _ in range(_N_ITERATIONS):
        factor = torch.baddbmm(products, products, products, beta=cubic, alpha=quintic)
        factor.diagonal(dim1=-2, dim2=-1).add_(linear)
        total = factor @ total
        products = factor @ products @ factor
    return total
