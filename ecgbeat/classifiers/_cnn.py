"""The convolutional classifier."""

from typing import ClassVar

from torch import nn

from ecgbeat.classifiers._base import BeatClassifier
from ecgbeat.networks import BeatCNN


class ECGCNNClassifier(BeatClassifier):
    """Convolutional neural network for single heartbeats, as a scikit-learn classifier.

    It is a ``skorch.NeuralNetClassifier`` at the same time: everything in skorch's
    documentation (callbacks, ``optimizer__weight_decay``, ``history``, ``save_params``, ...)
    applies to it.

    See Also
    --------
    ECGCNNLSTMClassifier : The same with a recurrent layer over time.
    ecgbeat.networks.BeatCNN : The network.

    Notes
    -----
    Defaults that differ from skorch's: no printing, no internal validation split,
    shuffled training batches, AdamW or MuonAdamW with a weight decay of 0.1, and a one-cycle
    schedule.

    Examples
    --------
    >>> from ecgbeat import ECGCNNClassifier
    >>> from ecgbeat.datasets import make_heartbeats
    >>> X, y = make_heartbeats(200, classes=("N", "V"), random_state=0, return_X_y=True)
    >>> classifier = ECGCNNClassifier(n_filters=4, max_epochs=10, random_state=0)
    >>> classifier.fit(X, y).predict_proba(X[:3]).shape
    (3, 2)
    """

    _network: ClassVar[type[nn.Module]] = BeatCNN
