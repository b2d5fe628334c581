"""The convolutional classifier with a recurrent layer."""

from typing import Any, ClassVar

import skorch.dataset
import torch
from torch import nn

from ecgbeat._validation import Integral, Interval
from ecgbeat.classifiers._base import BeatClassifier
from ecgbeat.classifiers._batches import batch_loader
from ecgbeat.networks import BeatCNNLSTM


class ECGCNNLSTMClassifier(BeatClassifier):
    """Convolutions, then a long short-term memory (LSTM) over time, for single heartbeats.

    `ECGCNNClassifier` with one more layer: the LSTM reads what the convolutions found
    in the order of time. All that is said there holds here.

    Parameters
    ----------
    n_filters, kernel_size, n_blocks, dropout
        The convolutions, as in `ECGCNNClassifier`.
    hidden_size : int, default=64
        Units of the LSTM in each direction.
    n_layers : int, default=1
        Stacked LSTM layers.
    bidirectional : bool, default=False
        Whether a second LSTM reads the beat from its end.
    n_leads, n_aux_features, class_weight, label_smoothing, augment_amplitude, \
    augment_baseline, augment_noise, augment_shift, early_stopping, validation_fraction, \
    patience, lr, lr_schedule, weight_decay, weight_averaging, max_epochs, batch_size, \
    precision, device, random_state, verbose, warm_start, callbacks, train_split, module, \
    criterion, optimizer, iterator_train, iterator_valid, dataset, predict_nonlinearity, \
    compile, classes, use_caching, torch_load_kwargs, **skorch_parameters
        As in `ECGCNNClassifier`.

    Attributes
    ----------
    classes_, n_features_in_, n_leads_, history_, module_, criterion_, optimizer_, callbacks_
        As in `ECGCNNClassifier`.

    See Also
    --------
    ECGCNNClassifier : The same without the recurrent layer: smaller and faster.
    ecgbeat.networks.BeatCNNLSTM : The network.

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
    _architecture: ClassVar[tuple[str, ...]] = (
        *BeatClassifier._architecture,
        "hidden_size",
        "n_layers",
        "bidirectional",
    )
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BeatClassifier._parameter_constraints,
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
    }

    def __init__(
        self,
        *,
        n_filters: int = 16,
        kernel_size: int = 5,
        n_blocks: int = 3,
        dropout: float = 0.1,
        hidden_size: int = 64,
        n_layers: int = 1,
        bidirectional: bool = False,
        n_leads: int = 1,
        n_aux_features: int = 0,
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        augment_amplitude: float = 0.0,
        augment_baseline: float = 0.0,
        augment_noise: float | str = "auto",
        augment_shift: float | str = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        lr: float = 0.01,
        lr_schedule: str | None = "onecycle",
        weight_decay: float | str = "auto",
        weight_averaging: float | None = None,
        max_epochs: Any = "auto",
        batch_size: Any = "auto",
        precision: str = "float32",
        device: Any = "cpu",
        random_state: Any = None,
        verbose: int = 0,
        warm_start: bool = False,
        callbacks: Any = None,
        train_split: Any = None,
        module: Any = None,
        criterion: Any = nn.CrossEntropyLoss,
        optimizer: Any = torch.optim.AdamW,
        iterator_train: Any = batch_loader,
        iterator_valid: Any = batch_loader,
        dataset: Any = skorch.dataset.Dataset,
        predict_nonlinearity: Any = "auto",
        compile: bool = False,  # noqa: A002 (skorch's name)
        classes: Any = None,
        use_caching: Any = "auto",
        torch_load_kwargs: Any = None,
        **skorch_parameters: Any,
    ) -> None:
        super().__init__(
            module,
            criterion=criterion,
            optimizer=optimizer,
            lr=lr,
            max_epochs=max_epochs,
            batch_size=batch_size,
            iterator_train=iterator_train,
            iterator_valid=iterator_valid,
            dataset=dataset,
            train_split=train_split,
            callbacks=callbacks,
            predict_nonlinearity=predict_nonlinearity,
            warm_start=warm_start,
            verbose=verbose,
            device=device,
            compile=compile,
            classes=classes,
            use_caching=use_caching,
            torch_load_kwargs=torch_load_kwargs,
            **skorch_parameters,
        )
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.n_blocks = n_blocks
        self.dropout = dropout
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.n_leads = n_leads
        self.n_aux_features = n_aux_features
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.augment_amplitude = augment_amplitude
        self.augment_baseline = augment_baseline
        self.augment_noise = augment_noise
        self.augment_shift = augment_shift
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.lr_schedule = lr_schedule
        self.weight_decay = weight_decay
        self.weight_averaging = weight_averaging
        self.precision = precision
        self.random_state = random_state
