"""The convolutional network, and the layers that other networks share with it."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgbeat.networks._kernels import take_kernels, with_kernels
from ecgbeat.networks._rows import as_image, split_rows


class BeatNetwork(nn.Module):
    """Convolutions, pooling over time, and a dense head, which subclasses build."""

    n_leads: int
    n_aux_features: int
    min_times: int
    front: nn.Module
    head: nn.Module

    def forward(self, rows: Tensor) -> Tensor:
        """Compute the logits of beats.

        Parameters
        ----------
        rows : Tensor of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
            Beats, float32.

        Returns
        -------
        Tensor of shape (n_beats, n_classes)
            Logits.
        """
        waves, aux = split_rows(rows, self.n_leads, self.n_aux_features, self.min_times)
        features = self._over_time(self.front(as_image(waves)).squeeze(2))
        logits = self.head(torch.cat([global_pooling(features, self.training), aux], dim=1))
        return with_kernels(self, logits, rows)

    def _over_time(self, features: Tensor) -> Tensor:
        """Return what is pooled over time, of the same shape (n_beats, n_channels, n_times)."""
        return features


class BeatCNN(BeatNetwork):
    """Residual convolutional network for single beats of any length.

    A convolution that halves the length is followed by residual blocks that halve it again
    (convolution, batch norm, ReLU, dropout), global mean and maximum over time, and a dense
    head. The blocks are those of He et al. 2016 (doi:10.1109/CVPR.2016.90) in one dimension, as
    Kachuee et al. 2018 (doi:10.1109/ICHI.2018.00092) use them for heartbeats. Deviations from
    the latter: the channels double from block to block, batch norm is added, strides replace
    pooling, and global pooling replaces flattening, so that the weights do not depend on the
    length of the beats.

    Parameters
    ----------
    n_classes : int or None, default=None
        Number of classes. With None, the number is taken from the first state that is loaded.
    n_leads : int, default=1
        Number of leads.
    n_aux_features : int, default=0
        Number of columns at the end of a row that go straight to the dense head.
    n_filters : int, default=16
        Number of channels of the first block. The second block has twice as many, all further
        blocks four times as many.
    kernel_size : int, default=5
        Length of the convolution kernels in samples.
    n_blocks : int, default=3
        Number of residual blocks.
    dropout : float, default=0.1
        Dropout probability in the blocks and the head.

    Examples
    --------
    >>> import torch
    >>> from ecgbeat.networks import BeatCNN
    >>> network = BeatCNN(n_classes=5)
    >>> network(torch.zeros(2, 187)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        n_classes: int | None = None,
        *,
        n_leads: int = 1,
        n_aux_features: int = 0,
        n_filters: int = 16,
        kernel_size: int = 5,
        n_blocks: int = 3,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.n_leads = n_leads
        self.n_aux_features = n_aux_features
        self.min_times = shortest_input(n_blocks)
        self.front, width = convolutional_front(n_leads, n_filters, kernel_size, n_blocks, dropout)
        self.head = Head(2 * width + n_aux_features, width, n_classes, dropout)
        take_kernels(self)


def shortest_input(n_blocks: int) -> int:
    """Return the number of samples that leave two in the last block.

    Batch norm needs two values per channel in training, even for a single beat.
    """
    return 2 ** (n_blocks + 1) + 1


def convolutional_front(
    n_leads: int, n_filters: int, kernel_size: int, n_blocks: int, dropout: float
) -> tuple[nn.Sequential, int]:
    """Build the first convolution and the residual blocks; also return their number of channels.

    The front maps (n_beats, n_leads, 1, n_times) to (n_beats, n_out, 1, n_times / 2**(n_blocks +
    1)). Every block after the first doubles the channels, up to fourfold.
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


def _convolution(n_in: int, n_out: int, kernel_size: int, stride: int = 1) -> list[nn.Module]:
    """Build a convolution over time with ``ceil(n_times / stride)`` output samples.

    It has no bias, since batch norm follows. torch's own ``padding="same"`` does not support
    strides and warns of even kernels, which need one more zero on one side.
    """
    size, step, half = (1, kernel_size), (1, stride), kernel_size // 2
    if kernel_size % 2:
        return [nn.Conv2d(n_in, n_out, size, step, padding=(0, half), bias=False)]
    padding = nn.ZeroPad2d((half - 1, half, 0, 0))
    return [padding, nn.Conv2d(n_in, n_out, size, step, bias=False)]


class ResidualBlock(nn.Module):
    """Two convolutions with batch norm and a shortcut; the first one halves the length.

    After He et al. 2016 (doi:10.1109/CVPR.2016.90), with one spatial dimension. Deviations: the
    shortcut averages pairs of samples before its convolution of size one (He et al. 2019,
    doi:10.1109/CVPR.2019.00065), so that it uses all of them, and whole channels are dropped
    between the convolutions.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *_convolution(n_in, n_out, kernel_size, stride=2),
            nn.BatchNorm2d(n_out),
            nn.Dropout2d(dropout, inplace=True),  # here, it needs no memory of its own
            nn.ReLU(inplace=True),
            *_convolution(n_out, n_out, kernel_size),
            nn.BatchNorm2d(n_out),
        )
        halve = nn.AvgPool2d((1, 2), ceil_mode=True)
        same = n_in == n_out
        self.shortcut = nn.Sequential(halve, nn.Identity() if same else _Pointwise(n_in, n_out, 1))

    def forward(self, waves: Tensor) -> Tensor:
        """Map (n_beats, n_in, 1, n_times) to (n_beats, n_out, 1, n_times / 2)."""
        return functional.relu(self.branch(waves) + self.shortcut(waves), inplace=True)


class _Pointwise(nn.Conv2d):
    """Convolution of size one; in training a matrix product, whose gradients take less time."""

    def forward(self, waves: Tensor) -> Tensor:
        """Map (n_beats, n_in, 1, n_times) to (n_beats, n_out, 1, n_times)."""
        if not self.training:
            return super().forward(waves)
        samples = functional.linear(waves.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias)
        return samples.permute(0, 3, 1, 2)


def global_pooling(features: Tensor, training: bool = False) -> Tensor:
    """Concatenate mean and maximum over time.

    In training, the gradients keep the channels last in memory. Those of the shorter form, which
    is exported, are copied into that order, and ``amax`` divides its gradient among equal values.
    """
    if training:
        samples = features.transpose(1, 2)
        return torch.cat([samples.mean(dim=1), samples.max(dim=1).values], dim=1)
    return torch.cat([features.mean(dim=-1), features.amax(dim=-1)], dim=1)


class Head(nn.Sequential):
    """Dense head mapping features and auxiliary features to one logit per class.

    With ``n_classes=None``, the number is taken from the first state that is loaded.
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
            self.register_load_state_dict_pre_hook(_resize_to_state)

    def resize(self, n_classes: int) -> None:
        """Change the number of classes, with new random weights in the last layer."""
        last: Any = self[-1]
        fresh = nn.Linear(last.in_features, n_classes).to(last.weight.device)
        _replace_weights(last, fresh.weight.data, fresh.bias.data)


class RowwiseLinear(nn.Linear):
    """Linear layer whose result for a beat does not depend on its position in the batch.

    Matrix products sum the last rows of a batch in a different order. The difference is one
    bit, but scikit-learn expects equal beats to get equal probabilities, and for a handful of
    classes the plain sum is as fast.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Map (n_beats, n_in) to (n_beats, n_out)."""
        return (features.unsqueeze(1) * self.weight).sum(dim=-1) + self.bias


def _resize_to_state(head: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Resize the last layer to the number of classes in the state that is being loaded."""
    last = list(head.children())[-1]
    weight = state.get(f"{prefix}{len(list(head.children())) - 1}.weight")
    if weight is None or not isinstance(last, nn.Linear):
        return
    values = last.weight.data
    _replace_weights(last, values.new_zeros(weight.shape), values.new_zeros(weight.shape[0]))


def _replace_weights(layer: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    """Give a layer weights of another number of outputs.

    The parameters stay the same objects, since an optimizer may refer to them already.
    """
    layer.out_features = len(weight)
    layer.weight.data, layer.bias.data = weight, bias
