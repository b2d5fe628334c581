"""The convolutional network."""

import torch
from torch import Tensor, nn

from ecgbeat.networks._layers import (
    Head,
    as_image,
    convolutional_front,
    global_pooling,
    shortest,
    split_rows,
)


class BeatCNN(nn.Module):
    """Residual convolutional network for single beats of any length.

    A convolution that halves the length, residual blocks that halve it again (convolution,
    batch norm, ReLU, dropout), global mean and maximum over time, and a dense head. The
    blocks are those of He et al. 2016 (doi:10.1109/CVPR.2016.90) in one dimension, as
    Kachuee et al. 2018 (doi:10.1109/ICHI.2018.00092) use them for heartbeats; unlike theirs
    the channels double from block to block, there is batch norm, strides take the place of
    pooling, and global pooling in place of flattening makes the weights independent of the
    length.

    Parameters
    ----------
    n_classes : int or None, default=None
        Number of classes. None takes it from the first state that is loaded.
    n_leads : int, default=1
        Number of leads.
    n_aux_features : int, default=0
        Number of columns at the end of a row that go straight to the dense head.
    n_filters : int, default=16
        Channels of the first block; the second has twice, all further four times as many.
    kernel_size : int, default=5
        Length of the convolutions in samples.
    n_blocks : int, default=3
        Number of residual blocks.
    dropout : float, default=0.1
        Dropout probability, in the blocks and in the head.

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
        self.min_times = shortest(n_blocks)
        self.front, width = convolutional_front(n_leads, n_filters, kernel_size, n_blocks, dropout)
        self.head = Head(2 * width + n_aux_features, width, n_classes, dropout)

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
        features = self.front(as_image(waves)).squeeze(2)
        return self.head(torch.cat([global_pooling(features), aux], dim=1))
