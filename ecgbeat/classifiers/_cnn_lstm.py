"""The convolutional classifier with a recurrent layer over time."""

from typing import Any, ClassVar, Unpack

from torch import nn

from ecgbeat._validation import Integral, Interval
from ecgbeat.classifiers._base import BeatClassifier
from ecgbeat.classifiers._parameters import SharedParameters
from ecgbeat.networks import BeatCNNLSTM


class ECGCNNLSTMClassifier(BeatClassifier):
    """Convolutions, then a long short-term memory (LSTM) over time, for single heartbeats.

    `ECGCNNClassifier` with one more layer: the LSTM reads the output of the convolutions as a
    sequence in time.

    Parameters
    ----------
    hidden_size : int, default=64
        Number of units of the LSTM in each direction.
    n_layers : int, default=1
        Number of stacked LSTM layers.
    bidirectional : bool, default=False
        Whether a second LSTM reads the beat from its end.

    See Also
    --------
    ECGCNNClassifier : The same without the recurrent layer: smaller and faster.
    ecgbeat.networks.BeatCNNLSTM : The network.

    Notes
    -----
    Defaults that differ from skorch's are those of `ECGCNNClassifier`.

    Examples
    --------
    >>> from ecgbeat import ECGCNNLSTMClassifier
    >>> from ecgbeat.datasets import make_heartbeats
    >>> X, y = make_heartbeats(200, classes=("N", "V"), random_state=0, return_X_y=True)
    >>> classifier = ECGCNNLSTMClassifier(
    ...     n_filters=4, hidden_size=8, bidirectional=True, max_epochs=10, random_state=0
    ... )
    >>> classifier.fit(X, y).predict(X[:3]).shape
    (3,)
    """

    _network: ClassVar[type[nn.Module]] = BeatCNNLSTM
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BeatClassifier._parameter_constraints,
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
    }

    def __init__(
        self,
        *,
        hidden_size: int = 64,
        n_layers: int = 1,
        bidirectional: bool = False,
        **shared: Unpack[SharedParameters],
    ) -> None:
        super().__init__(**shared)
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.bidirectional = bidirectional
