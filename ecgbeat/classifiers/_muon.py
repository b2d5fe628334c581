"""An optimizer that needs fewer epochs: Muon for matrices, AdamW for all other weights."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

_COEFFICIENTS, _N_ITERATIONS = (3.4445, -4.7750, 2.0315), 5
_SIZE_OF_STEP = 0.2  # root mean square, as that of most steps of AdamW


class MuonAdamW(Optimizer):
    """Muon for matrices, AdamW for all other weights, with common parameters.

    Muon [1]_ replaces the momentum of a matrix by an approximately orthogonal one, so that a step
    changes all directions alike. The kernels of a convolution are a matrix with one row per
    output channel. Vectors and output layers, which are matrices of the shape of the last one,
    are updated by AdamW [2]_. Steps of both have about the same size, so that they share learning
    rate and weight decay [3]_.

    Deviations from [1]_: float32; the first of `betas` is the momentum, of a moving average.

    Parameters
    ----------
    params : iterable of torch.nn.Parameter or dict
        Weights, or groups of weights with parameters of their own, in the order of the network.
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
        """Update the weights; a closure computes the loss, which is returned, and gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        matrices = [p for group in self.param_groups for p in group["params"] if p.ndim >= 2]
        output_shape = matrices[-1].shape if matrices else None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                is_hidden = weight.ndim >= 2 and weight.shape != output_shape
                update = self._muon if is_hidden else self._adam
                update(weight, weight.grad, **group)
        return loss

    def _muon(
        self, weight: Tensor, gradient: Tensor, *, lr: float, betas: tuple[float, float], **_: Any
    ) -> None:
        state = self.state[weight]
        if not state:
            state["average"] = torch.zeros_like(weight)
        average = state["average"].lerp_(gradient, 1 - betas[0])
        # Nesterov's momentum
        direction = orthogonalized(gradient.lerp(average, betas[0]).flatten(1))
        size = _SIZE_OF_STEP * max(direction.shape) ** 0.5
        weight.sub_(direction.reshape(weight.shape), alpha=lr * size)

    def _adam(
        self,
        weight: Tensor,
        gradient: Tensor,
        *,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        **_: Any,
    ) -> None:
        state = self.state[weight]
        if not state:
            state |= {"n_steps": 0, "average": torch.zeros_like(weight)}
            state["average_square"] = torch.zeros_like(weight)
        state["n_steps"] += 1
        corrections = [1 - beta ** state["n_steps"] for beta in betas]
        average = state["average"].lerp_(gradient, 1 - betas[0])
        square = state["average_square"].mul_(betas[1])
        square.addcmul_(gradient, gradient, value=1 - betas[1])
        size = (square / corrections[1]).sqrt_().add_(eps)
        weight.addcdiv_(average, size, value=-lr / corrections[0])


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return a matrix with the same singular vectors, and singular values between 0.7 and 1.2.

    The coefficients of the Newton-Schulz iteration are those of Jordan et al. 2024.
    """
    linear, cubic, quintic = _COEFFICIENTS
    is_tall = matrix.shape[0] > matrix.shape[1]
    result = matrix.T if is_tall else matrix
    result = result / (result.norm() + torch.finfo(result.dtype).tiny)
    for _ in range(_N_ITERATIONS):
        square = result @ result.T
        factor = torch.addmm(square, square, square, beta=cubic, alpha=quintic)
        result = torch.addmm(result, factor, result, beta=linear)
    return result.T if is_tall else result
