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


def as_image(waves: Tensor) -> Tensor:
    """Give waveforms the shape of images of height one, channels last in memory.

    torch's CPU kernels for two dimensions are 1.5 to 3 times as fast as those for one, if the
    channels of a sample lie side by side. Stacking says so even of a single lead, whose memory
    looks the same either way; all further layers then keep to it.

    Parameters
    ----------
    waves : Tensor of shape (n_beats, n_leads, n_times)

    Returns
    -------
    Tensor of shape (n_beats, n_leads, 1, n_times)
    """
    return torch.stack(waves.unbind(dim=1), dim=-1).transpose(1, 2).unsqueeze(2)


def _convolution(n_in: int, n_out: int, kernel_size: int, stride: int = 1) -> list[nn.Module]:
    """Build a convolution over time without bias: batch norm follows.

    It gives ``ceil(n_times / stride)`` samples. torch's own ``padding="same"`` knows no strides
    and warns of even kernels, which need one zero more on one side.
    """
    size, step, half = (1, kernel_size), (1, stride), kernel_size // 2
    if kernel_size % 2:
        return [nn.Conv2d(n_in, n_out, size, step, padding=(0, half), bias=False)]
    padding = nn.ZeroPad2d((half - 1, half, 0, 0))
    return [padding, nn.Conv2d(n_in, n_out, size, step, bias=False)]


class ResidualBlock(nn.Module):
    """Two convolutions with batch norm and a shortcut around them; the first halves the length.

    After He et al. 2016 (doi:10.1109/CVPR.2016.90), with one spatial dimension. Unlike theirs
    the shortcut takes means of two samples, so that it sees all of them, before its
    convolution of size one (He et al. 2019, doi:10.1109/CVPR.2019.00065), and whole channels
    are dropped between the convolutions.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    kernel_size : int
        Odd or even.
    dropout : float
        Probability with which a channel is dropped between the convolutions.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *_convolution(n_in, n_out, kernel_size, stride=2),
            nn.BatchNorm2d(n_out),
            nn.ReLU(inplace=True),
            nn.Dropout2d(dropout),
            *_convolution(n_out, n_out, kernel_size),
            nn.BatchNorm2d(n_out),
        )
        halve = nn.AvgPool2d((1, 2), ceil_mode=True)
        same = n_in == n_out
        self.shortcut = nn.Sequential(halve, nn.Identity() if same else nn.Conv2d(n_in, n_out, 1))

    def forward(self, waves: Tensor) -> Tensor:
        """Map (n_beats, n_in, 1, n_times) to (n_beats, n_out, 1, n_times / 2)."""
        return functional.relu(self.branch(waves) + self.shortcut(waves))


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
        Number of residual blocks; each halves the length, as the convolution before them does.
    dropout : float
        Passed to every block.

    Returns
    -------
    front : nn.Sequential
        Maps (n_beats, n_leads, 1, n_times) to (n_beats, n_out, 1, n_times / 2**(n_blocks + 1)).
    n_out : int
        Its channels.
    """
    widths = [n_filters * min(2**i, 4) for i in range(n_blocks)]
    layers: list[nn.Module] = [
        *_convolution(n_leads, n_filters, kernel_size, stride=2),
        nn.BatchNorm2d(n_filters),
        nn.ReLU(inplace=True),
    ]
    for n_in, n_out in zip([n_filters, *widths], widths, strict=False):
        layers.append(ResidualBlock(n_in, n_out, kernel_size, dropout))
    return nn.Sequential(*layers), widths[-1]


def shortest(n_blocks: int) -> int:
    """Return the number of samples that leave two in the last block.

    Batch norm, when it learns, needs two values a channel, also of a single beat.
    """
    return 2 ** (n_blocks + 1) + 1


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
