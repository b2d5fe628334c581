"""The convolutional network with a recurrent layer over time."""

from torch import Tensor, nn

from ecgbeat.networks._cnn import BeatNetwork, Head, convolutional_front, shortest_input
from ecgbeat.networks._kernels import take_kernels


class BeatCNNLSTM(BeatNetwork):
    """Convolutions of `BeatCNN`, followed by a long short-term memory (LSTM) over time.

    The LSTM (Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735) reads the
    feature maps of the convolutions as a sequence. Mean and maximum of its outputs over
    time go to the dense head, since the last output alone would lose the P wave.

    Parameters
    ----------
    n_classes : int or None, default=None
        Number of classes. With None, the number is taken from the first state that is loaded.
    n_leads, n_aux_features, n_filters, kernel_size, n_blocks, dropout : optional
        As in `BeatCNN`.
    hidden_size : int, default=64
        Number of units of the LSTM in each direction.
    n_layers : int, default=1
        Number of stacked LSTM layers, with dropout between them.
    bidirectional : bool, default=False
        Whether a second LSTM reads the beat from its end.

    Examples
    --------
    >>> import torch
    >>> from ecgbeat.networks import BeatCNNLSTM
    >>> network = BeatCNNLSTM(n_classes=2, bidirectional=True)
    >>> network(torch.zeros(3, 187)).shape
    torch.Size([3, 2])
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
        hidden_size: int = 64,
        n_layers: int = 1,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        self.n_leads = n_leads
        self.n_aux_features = n_aux_features
        self.min_times = shortest_input(n_blocks)
        self.front, width = convolutional_front(n_leads, n_filters, kernel_size, n_blocks, dropout)
        self.lstm = nn.LSTM(
            width,
            hidden_size,
            n_layers,
            batch_first=True,
            bidirectional=bidirectional,
            dropout=dropout if n_layers > 1 else 0.0,  # torch warns of dropout on one layer
        )
        n_out = 2 * hidden_size if bidirectional else hidden_size
        self.head = Head(2 * n_out + n_aux_features, n_out, n_classes, dropout)
        take_kernels(self)

    def _over_time(self, features: Tensor) -> Tensor:
        states, _ = self.lstm(features.transpose(1, 2))
        return states.transpose(1, 2)
