"""What the networks are made of: reading rows, the convolutional front, the dense head."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def split_rows(
    rows: Tensor, n_leads: int, n_aux_features: int, min_times: int
) -> tuple[Tensor, Tensor]:
    """Divide rows into waveform and auxiliary features.

    Parameters
    ----------
    rows : Tensor of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
        Lead-major flattened rows whose last ``n_aux_features`` columns are auxiliary,
        or whole waveforms.
    n_leads, n_aux_features : int
        How to read 2-D rows.
    min_times : int
        Shorter waveforms are filled up with zeros.

    Returns
    -------
    waves : Tensor of shape (n_beats, n_leads, n_times)
    aux : Tensor of shape (n_beats, n_aux_features)
    """
    if rows.dim() == 3:
        waves, aux = rows, rows.new_zeros(len(rows), n_aux_features)
    else:
        n_wave = max(rows.shape[1] - n_aux_features, 0)
        waves, aux = rows[:, :n_wave], rows[:, n_wave:]
        # only rows too short to be beats ever need these two paddings
        waves = functional.pad(waves, (0, -n_wave % n_leads))
        aux = functional.pad(aux, (0, n_aux_features - aux.shape[1]))
        waves = waves.reshape(len(rows), n_leads, -1)
    missing = min_times - waves.shape[-1]
    return (functional.pad(waves, (0, missing)) if missing > 0 else waves), aux


def _convolution(n_in: int, n_out: int, kernel_size: int) -> list[nn.Module]:
    """Build a convolution that keeps the length, without bias: batch norm follows.

    torch's own ``padding="same"`` warns of even kernels, which need one zero more on one side.
    """
    if kernel_size % 2:
        return [nn.Conv1d(n_in, n_out, kernel_size, padding=kernel_size // 2, bias=False)]
    padding = nn.ConstantPad1d((kernel_size // 2 - 1, kernel_size // 2), 0.0)
    return [padding, nn.Conv1d(n_in, n_out, kernel_size, bias=False)]


class ResidualBlock(nn.Module):
    """Two convolutions with batch norm and a shortcut around them, then pooling by two.

    After He et al. 2016 (doi:10.1109/CVPR.2016.90), in one dimension.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    kernel_size : int
        Odd or even; the length is kept.
    dropout : float
        Probability with which whole channels are dropped between the convolutions.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *_convolution(n_in, n_out, kernel_size),
            nn.BatchNorm1d(n_out),
            nn.ReLU(),
            nn.Dropout1d(dropout),
            *_convolution(n_out, n_out, kernel_size),
            nn.BatchNorm1d(n_out),
        )
        self.shortcut = nn.Identity() if n_in == n_out else nn.Conv1d(n_in, n_out, 1)
        self.pool = nn.MaxPool1d(2, ceil_mode=True)

    def forward(self, waves: Tensor) -> Tensor:
        """Map (n_beats, n_in, n_times) to (n_beats, n_out, n_times / 2)."""
        return self.pool(functional.relu(self.branch(waves) + self.shortcut(waves)))


def convolutional_front(
    n_leads: int, n_filters: int, kernel_size: int, n_blocks: int, dropout: float
) -> tuple[nn.Sequential, int]:
    """Build the part that both networks share.

    Parameters
    ----------
    n_leads : int
        Channels of the input.
    n_filters : int
        Channels of the first block; every further block doubles them, up to fourfold.
    kernel_size : int
        Length of the convolutions in samples.
    n_blocks : int
        Number of residual blocks; each halves the length.
    dropout : float
        Passed to every block.

    Returns
    -------
    front : nn.Sequential
        Maps (n_beats, n_leads, n_times) to (n_beats, n_out, n_times / 2**n_blocks).
    n_out : int
        Its channels.
    """
    widths = [n_filters * min(2**i, 4) for i in range(n_blocks)]
    layers: list[nn.Module] = [
        *_convolution(n_leads, n_filters, kernel_size),
        nn.BatchNorm1d(n_filters),
        nn.ReLU(),
    ]
    for n_in, n_out in zip([n_filters, *widths], widths, strict=False):
        layers.append(ResidualBlock(n_in, n_out, kernel_size, dropout))
    return nn.Sequential(*layers), widths[-1]


class RowwiseLinear(nn.Linear):
    """Linear layer whose result for a beat does not depend on its place in the batch.

    Matrix products treat the last rows of a batch in another order of summation. The
    difference is one bit, but scikit-learn expects equal beats to get equal
    probabilities, and for a handful of classes the plain sum costs nothing.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Map (n_beats, n_in) to (n_beats, n_out)."""
        return (features.unsqueeze(1) * self.weight).sum(dim=-1) + self.bias


class Head(nn.Sequential):
    """Dense head: features and auxiliary features in, one logit a class out.

    Parameters
    ----------
    n_features : int
        Width of the input.
    n_hidden : int
        Width of the hidden layer.
    n_classes : int or None
        Number of logits. None leaves it to the first state that is loaded.
    dropout : float
        Probability with which hidden units are dropped.
    """

    def __init__(
        self, n_features: int, n_hidden: int, n_classes: int | None, dropout: float
    ) -> None:
        super().__init__(
            nn.Linear(n_features, n_hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            RowwiseLinear(n_hidden, n_classes or 2),
        )
        if n_classes is None:
            self.register_load_state_dict_pre_hook(_take_n_classes_from_state)


def _take_n_classes_from_state(
    head: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any
) -> None:
    """Give the last layer as many outputs as the state that is being loaded.

    The parameters stay the same objects, since an optimizer may hold them already.
    """
    last = list(head.children())[-1]
    weight = state.get(f"{prefix}{len(list(head.children())) - 1}.weight")
    if weight is None or not isinstance(last, nn.Linear):
        return
    last.out_features = weight.shape[0]
    last.weight.data = last.weight.data.new_zeros(weight.shape)
    last.bias.data = last.bias.data.new_zeros(weight.shape[0])


def global_pooling(features: Tensor) -> Tensor:
    """Mean and maximum over time, side by side."""
    return torch.cat([features.mean(dim=-1), features.amax(dim=-1)], dim=1)
