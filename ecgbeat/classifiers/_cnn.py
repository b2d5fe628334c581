"""The convolutional classifier."""

from typing import Any, ClassVar

import skorch.dataset
import torch
from torch import nn

from ecgbeat.classifiers._base import BeatClassifier
from ecgbeat.classifiers._batches import batch_loader
from ecgbeat.networks import BeatCNN


class ECGCNNClassifier(BeatClassifier):
    """Convolutional neural network for single heartbeats, as a scikit-learn classifier.

    It is a ``skorch.NeuralNetClassifier`` at the same time: everything that skorch's
    documentation describes (callbacks, ``optimizer__weight_decay``, ``history``,
    ``save_params``, ...) works on it.

    Parameters
    ----------
    n_filters : int, default=16
        Channels of the first residual block; the second has twice, all further four
        times as many.
    kernel_size : int, default=5
        Length of the convolutions in samples.
    n_blocks : int, default=3
        Number of residual blocks; each halves the length.
    dropout : float, default=0.1
        Dropout probability in blocks and head, from 0 to below 1.
    n_leads : int, default=1
        Number of leads in lead-major flattened 2-D rows. 3-D beats tell it themselves.
    n_aux_features : int, default=0
        Number of columns at the end of a row (RR features, say) that go past the
        convolutions to the dense head.
    class_weight : "balanced", "sqrt_balanced", dict or None, default=None
        Weight of each class in the loss: by inverse frequency, by its square root (scaled
        to a mean of 1 over the training beats), by label, or equal.
    label_smoothing : float, default=0.0
        Share of every target that the loss spreads over all classes, from 0 to below 1.
        Only for losses that take it: cross-entropy and ``ecgbeat.networks.FocalLoss``.
    augment_amplitude : float, default=0.0
        Augmentation of every training batch anew, from `random_state`; prediction and
        validation see beats as they are, auxiliary features never change. This one
        multiplies each lead of each beat by exp(N(0, augment_amplitude)).
    augment_baseline : float, default=0.0
        Standard deviation of the slow wander (constant, half and whole cycle over the
        row, random in size and phase) added to each lead of each beat, in standard
        deviations of that lead. Zeros that fill up the end of a row stay zeros.
    augment_noise : float or "auto", default="auto"
        Standard deviation of the white noise added, likewise. "auto" is 0.1 if fewer than
        1,000 beats train, and 0 otherwise.
    augment_shift : float or "auto", default="auto"
        Farthest move of a beat in time, either way, as a fraction of the row's length
        from 0 to below 1. Its leads move together by whole samples, and the sample at the
        edge is repeated. "auto" is 0.02 if fewer than 1,000 beats train, and 0 otherwise.
    early_stopping : bool, default=False
        Whether to hold out `validation_fraction` of the training beats, to stop when
        their loss has not fallen for `patience` epochs, and to keep the best weights.
        The beats are held out by class; pass ``groups`` to ``fit`` to hold out patients.
        Do not use it behind SMOTE: validation beats would have synthetic kin in training.
        A score of another callback can be watched instead of the loss by
        ``callbacks__early_stopping__monitor`` and ``...__lower_is_better``.
    validation_fraction : float, default=0.1
        Share of the beats held out, between 0 and 1.
    patience : int, default=10
        Epochs without improvement before stopping early.
    lr : float, default=0.01
        Learning rate; with ``lr_schedule="onecycle"`` its peak.
    lr_schedule : "onecycle" or None, default="onecycle"
        One-cycle schedule (Smith & Topin 2019, doi:10.1117/12.2520589) or a constant
        rate. A skorch ``LRScheduler`` among `callbacks` takes its place.
    weight_decay : float or "auto", default="auto"
        Given to every optimizer that has one. AdamW shrinks the weights by it (Loshchilov
        & Hutter 2019, arXiv:1711.05101); SGD or Adam add it to the gradient. "auto" is 0.1
        for AdamW and the default of any other optimizer.
    weight_averaging : float or None, default=None
        Decay of an exponential moving average of weights and batch-norm statistics per
        training step, 0.99 say; at first it is less, (1 + t) / (10 + t) at step t. The average
        is the model that validation, callbacks at the end of an epoch, and prediction
        see; training goes on with the weights as they are.
    max_epochs : int or "auto", default="auto"
        Passes over the training beats. "auto" is 40 at 1,000 beats, falling from 100 for
        small sets to 16 for large ones.
    batch_size : int or "auto", default="auto"
        Beats in a batch; -1 means all. "auto" is an eighth of the training set as a
        power of two from 8 to 256, and some 200,000 values in prediction.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Arithmetic of the network. "auto" tries some steps of training with the first batch
        and takes bfloat16 if that is a tenth faster on this machine: see ``precision_``.
        Where both are about as fast, two runs may then choose differently.
    device : str, torch.device or None, default="cpu"
        Where to compute; "auto" is the GPU if there is one.
    random_state : int, RandomState or None, default=None
        Seed of weights, shuffling, dropout and validation split. An int gives bit-equal
        models on one machine and leaves torch's global generator alone; None draws from
        that generator, as skorch does.
    verbose : int, default=0
        1 shows a progress bar over the epochs and prints skorch's table of losses and
        scores, an epoch a line. A skorch ``ProgressBar`` among `callbacks` takes the bar's
        place.
    warm_start : bool, default=False
        Whether ``fit`` goes on with the network of the last ``fit``.
    callbacks : list or "disable" or None, default=None
        skorch callbacks. Scorers see the labels as you wrote them.
    train_split : callable or None, default=None
        skorch's internal validation split, such as ``skorch.dataset.ValidSplit``.
    module : class, instance or None, default=None
        Network in place of ``ecgbeat.networks.BeatCNN``. It gets 2-D float32 rows, and
        its own arguments as ``module__name``.
    criterion, optimizer : class, default=CrossEntropyLoss, AdamW
        Loss and optimizer of torch, with arguments as ``criterion__name``.
    iterator_train, iterator_valid : callable, default=ecgbeat.classifiers.batch_loader
        What makes batches: slices of tensors for arrays. ``iterator_train`` shuffles.
    dataset : class, default=skorch.dataset.Dataset
        What arrays are wrapped in.
    predict_nonlinearity : callable, "auto" or None, default="auto"
        What makes probabilities of the network's output: softmax.
    compile : bool, default=False
        Whether to compile the network with ``torch.compile``.
    classes : array-like or None, default=None
        Labels, if ``fit`` is not to learn them from ``y``.
    use_caching : bool or "auto", default="auto"
        Whether scoring callbacks reuse the predictions of the epoch.
    torch_load_kwargs : dict or None, default=None
        Passed to ``torch.load``.
    **skorch_parameters
        ``module__*``, ``criterion__*``, ``optimizer__*``, ``iterator_train__*``,
        ``iterator_valid__*``, ``callbacks__*``, ``dataset__*``, ``compile__*``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels in sorted order.
    n_features_in_ : int
        Columns of ``X``, flattened.
    n_leads_ : int
        Number of leads.
    precision_ : str
        What ``precision="auto"`` chose in ``fit``; not there otherwise.
    history_ : skorch.history.History
        Losses and scores of every epoch; also ``history``.
    module_, criterion_, optimizer_, callbacks_
        What skorch has built.

    See Also
    --------
    ECGCNNLSTMClassifier : The same with a recurrent layer over time.
    ecgbeat.networks.BeatCNN : The network.

    Notes
    -----
    Of skorch's defaults these differ: no printing, no internal validation split,
    shuffled training batches, AdamW with a weight decay of 0.1 and a one-cycle schedule.

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

    def __init__(
        self,
        *,
        n_filters: int = 16,
        kernel_size: int = 5,
        n_blocks: int = 3,
        dropout: float = 0.1,
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
