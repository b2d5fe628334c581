"""Parameters that all classifiers share: types, documentation and constraints."""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypedDict

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.utils.data import Dataset

from ecgbeat._validation import Integral, Interval, Options, Real, StrOptions

Auto = Literal["auto"]


class SharedParameters(TypedDict, total=False):
    """Parameters that all classifiers share.

    Parameters
    ----------
    n_filters : int, default=16
        Number of channels of the first residual block. The second block has twice as many,
        all further blocks four times as many.
    kernel_size : int, default=5
        Length of the convolution kernels in samples.
    n_blocks : int, default=3
        Number of residual blocks. Each halves the length of the signal.
    dropout : float, default=0.1
        Dropout probability in the blocks and the head, from 0 to below 1.
    n_members : int or "auto", default="auto"
        Number of networks that are trained together, each with its own order of the beats, and
        whose probabilities are averaged, see `ecgbeat.networks.Ensemble`. "auto" is 3 in a ``fit``
        of the class's own network to at most 10,000 beats without fixed kernels, and 1 otherwise;
        ``n_members_`` tells which. Three take three times as long as one, with fixed kernels less
        than twice, see `max_epochs`. In a ``fit`` to at least 20,000 beats, they are copies of one
        network after two thirds of the epochs (after von Oswald et al. 2021,
        doi:10.48550/arXiv.2007.12927, who copy some weights, and average them), and three take
        less than twice as long; with early stopping or `weight_averaging`, all epochs are their
        own. The training loss is the mean of theirs, the validation loss that of their average.
    fixed_kernels : bool or "auto", default="auto"
        Whether ``fit`` adds fixed convolutions of many dilations to the network, with a ridge
        classifier of their own, see `ecgbeat.networks.FixedKernels`. The logarithms of its
        probabilities and of those of the trained layers are averaged with weights of 0.9 and
        0.1. "auto" adds them for at most 2,000 training beats of at most 2,000 columns, on
        which they are more accurate. They are computed from the arrays given to ``fit``: with a
        Dataset, a custom network, a criterion that takes no logits or a validation split (such as
        `early_stopping`), "auto" goes without them, and True raises an error. They ignore
        `label_smoothing` and the criterion, so that "auto" also goes without them for any but
        cross-entropy. ``partial_fit`` removes them, since they cannot be trained with single
        batches. ``fixed_kernels_`` tells whether the network has them. Prediction of a beat of 187
        samples takes about 0.7 ms longer, 1.5 ms if it is predicted alone, and an export to C
        needs about 4 bytes of flash for each class and each of 3,360 or 6,720 features per lead,
        but hardly any RAM.
    n_leads : int or None, default=None
        Number of leads in 2-D rows, which hold the leads one after the other. None infers it:
        from the shape of a 3-D array, from the column names of a DataFrame of
        `ecgbeat.MFCCExtractor`, and otherwise one lead. See ``n_leads_``.
    n_aux_features : int, default=0
        Number of auxiliary columns at the end of each row, such as RR features. They bypass
        the convolutions and go to the dense head.
    class_weight : "balanced", "sqrt_balanced", dict or None, default=None
        Weight of each class in the loss: inverse to its frequency, inverse to the square root
        of its frequency (scaled to a mean of 1 over the training beats), by label, or equal.
    label_smoothing : float, default=0.0
        Fraction of every target that the loss spreads over all classes, from 0 to below 1.
        Only for losses with that argument: cross-entropy and ``ecgbeat.networks.FocalLoss``.
    augment_amplitude : float, default=0.0
        Each lead of each beat is multiplied by exp(N(0, augment_amplitude)). All
        augmentations are drawn anew for every training batch, from `random_state`.
        Prediction, validation and auxiliary features are not augmented.
    augment_baseline : float, default=0.0
        Standard deviation of the baseline wander (constant, half and whole cycle over the
        row, random in size and phase) added to each lead of each beat, in standard
        deviations of that lead. Zeros that pad the end of a row remain zeros.
    augment_noise : float or "auto", default="auto"
        Standard deviation of the added white noise, in standard deviations of the lead. "auto"
        is 0.1 for fewer than 1,000 training beats, and 0 otherwise.
    augment_shift : float or "auto", default="auto"
        Largest shift of a beat in time, either way, as a fraction of the row's length, from 0
        to below 1. Its leads are shifted together by whole samples, and the sample at the
        edge is repeated. "auto" is 0.02 for fewer than 1,000 training beats, and 0 otherwise.
    early_stopping : bool, default=False
        Whether to hold out `validation_fraction` of the training beats, to stop when their
        loss has not decreased for `patience` epochs, and to restore the best weights. The
        split is stratified by class; pass ``groups`` to ``fit`` to hold out patients. Do not
        use it after SMOTE: validation beats would have synthetic neighbors in the training
        set. To monitor the score of another callback instead of the loss, set
        ``callbacks__early_stopping__monitor`` and ``...__lower_is_better``.
    validation_fraction : float, default=0.1
        Fraction of the beats held out, between 0 and 1.
    patience : int, default=10
        Number of epochs without improvement before stopping early.
    lr : float, default=0.01
        Learning rate. With ``lr_schedule="onecycle"``, its maximum.
    lr_schedule : "onecycle" or None, default="onecycle"
        One-cycle schedule (Smith & Topin 2019, doi:10.1117/12.2520589) or a constant rate. A
        skorch ``LRScheduler`` in `callbacks` replaces it.
    weight_decay : float or "auto", default="auto"
        Weight decay, for optimizers that support it. AdamW shrinks the weights by it
        (Loshchilov & Hutter 2019, arXiv:1711.05101); SGD and Adam add it to the gradient.
        "auto" is 0.1 for AdamW and MuonAdamW, and the default of any other optimizer.
    weight_averaging : float or None, default=None
        Decay per training step of an exponential moving average of weights and batch-norm
        statistics, such as 0.99; at step t, at most (1 + t) / (10 + t). The average is used
        for validation, prediction and callbacks at the end of an epoch. Training continues
        with the raw weights.
    max_epochs : int or "auto", default="auto"
        Number of passes over the training beats. "auto" is 40 for 1,000 beats, between 100
        for small sets and 16 for large ones; with MuonAdamW, seven tenths of these. With
        fixed kernels, it is divided by ``n_members**0.4``, but not below 16.
    batch_size : int or "auto", default="auto"
        Number of beats per batch; -1 means all. "auto" is an eighth of the training set as a
        power of two from 8 to 256, and about 200,000 values in prediction.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Floating-point format of the network's computations. "auto" times some training steps
        on the first batch and chooses bfloat16 if it is a tenth faster on this machine, see
        ``precision_``. If both are about equally fast, the choice may differ between runs.
    device : str, torch.device or None, default="cpu"
        Device to run on. With "auto", the GPU if one is available.
    random_state : int, RandomState or None, default=None
        Seed of weights, shuffling, dropout, augmentation and validation split. An int gives
        bit-identical models on one machine and leaves torch's global generator unchanged.
        None uses the global generator, as skorch does.
    verbose : int, default=0
        With 1, show a progress bar over the epochs and print skorch's table of losses and
        scores, one line per epoch. A skorch ``ProgressBar`` in `callbacks` replaces the bar.
    warm_start : bool, default=False
        Whether ``fit`` continues training the network of the previous ``fit``.
    keep_interrupted : bool, default=False
        Whether an interrupt (Ctrl+C) ends the training and keeps the network trained so far,
        as in skorch. Otherwise ``KeyboardInterrupt`` is raised, and the classifier is
        unchanged.
    callbacks : list or "disable" or None, default=None
        skorch callbacks. Scorers get the original labels.
    train_split : callable or None, default=None
        skorch's internal validation split, such as ``skorch.dataset.ValidSplit``.
    module : class, instance or None, default=None
        Custom network. It gets 2-D float32 rows as input, and its own arguments as
        ``module__name``. None is the network of the classifier.
    criterion : class, default=CrossEntropyLoss
        Loss of torch, with arguments as ``criterion__name``.
    optimizer : class or "auto", default="auto"
        Optimizer of torch, with arguments as ``optimizer__name``. "auto" is
        `ecgbeat.classifiers.MuonAdamW` if ``fit`` gets 20,000 beats or more and the network is
        that of the class, which takes fewer epochs for the same scores, and AdamW otherwise.
        It is also AdamW if an argument is given that MuonAdamW does not have.
    iterator_train, iterator_valid : callable, default=ecgbeat.classifiers.batch_loader
        Callable returning an iterator over batches. ``iterator_train`` shuffles.
    dataset : class, default=skorch.dataset.Dataset
        Dataset that wraps arrays.
    predict_nonlinearity : callable, "auto" or None, default="auto"
        Function mapping logits to probabilities. "auto" is softmax.
    compile : bool, default=False
        Whether to compile the network with ``torch.compile``.
    classes : array-like or None, default=None
        Labels. None infers them from ``y`` in ``fit``.
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
        Number of columns of ``X``, flattened.
    n_leads_ : int
        Number of leads.
    batch_size_ : int
        Number of beats per batch in the last training.
    max_epochs_ : int
        Number of epochs of the last training, unless stopped early.
    precision_ : str
        Precision chosen by ``precision="auto"`` in ``fit``; undefined otherwise.
    history_ : skorch.history.History
        Losses and scores of every epoch; also ``history``.
    module_, criterion_, optimizer_, callbacks_
        Components built by skorch.
    """

    n_filters: int
    kernel_size: int
    n_blocks: int
    dropout: float
    n_members: int | Auto
    fixed_kernels: bool | Auto
    n_leads: int | None
    n_aux_features: int
    class_weight: str | dict[Any, float] | None
    label_smoothing: float
    augment_amplitude: float
    augment_baseline: float
    augment_noise: float | Auto
    augment_shift: float | Auto
    early_stopping: bool
    validation_fraction: float
    patience: int
    lr: float
    lr_schedule: Literal["onecycle"] | None
    weight_decay: float | Auto
    weight_averaging: float | None
    max_epochs: int | Auto
    batch_size: int | Auto
    precision: Literal["float32", "bfloat16", "auto"]
    device: str | torch.device | None
    random_state: np.random.RandomState | int | None
    verbose: int
    warm_start: bool
    keep_interrupted: bool
    callbacks: list[Any] | Literal["disable"] | None
    train_split: Callable[..., tuple[Any, Any]] | None
    module: Callable[..., nn.Module] | nn.Module | None
    criterion: Callable[..., nn.Module] | nn.Module
    optimizer: Callable[..., torch.optim.Optimizer] | Auto
    iterator_train: Callable[..., Iterable[Any]]
    iterator_valid: Callable[..., Iterable[Any]]
    dataset: Callable[..., Dataset[Any]]
    predict_nonlinearity: Callable[[Tensor], Tensor] | Auto | None
    compile: bool
    classes: ArrayLike | None
    use_caching: bool | Auto
    torch_load_kwargs: dict[str, Any] | None


_COUNT = Interval(Integral, 1, None, closed="left")
_NON_NEGATIVE = Interval(Real, 0, None, closed="left")
_FRACTION = Interval(Real, 0, 1, closed="left")

SHARED_CONSTRAINTS: dict[str, list[Any]] = {
    "n_filters": [_COUNT],
    "kernel_size": [_COUNT],
    "n_blocks": [Interval(Integral, 1, 12, closed="both")],
    "dropout": [_FRACTION],
    "n_members": [StrOptions({"auto"}), _COUNT],
    "fixed_kernels": ["boolean", StrOptions({"auto"})],
    "n_leads": [_COUNT, None],
    "n_aux_features": [Interval(Integral, 0, None, closed="left")],
    "class_weight": [StrOptions({"balanced", "sqrt_balanced"}), dict, None],
    "label_smoothing": [_FRACTION],
    "augment_amplitude": [_NON_NEGATIVE],
    "augment_baseline": [_NON_NEGATIVE],
    "augment_noise": [StrOptions({"auto"}), _NON_NEGATIVE],
    "augment_shift": [StrOptions({"auto"}), _FRACTION],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "patience": [_COUNT],
    "lr": [Interval(Real, 0, None, closed="neither")],
    "lr_schedule": [StrOptions({"onecycle"}), None],
    "weight_decay": [StrOptions({"auto"}), _NON_NEGATIVE],
    "weight_averaging": [_FRACTION, None],
    "max_epochs": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), _COUNT, Options(Integral, {-1})],
    "precision": [StrOptions({"float32", "bfloat16", "auto"})],
    "optimizer": [StrOptions({"auto"}), callable, None],  # None after trim_for_prediction
    "random_state": ["random_state"],
    "keep_interrupted": ["boolean"],
}


def inherit_signature(cls: Any, parent: type) -> None:
    """Replace ``**shared`` in the signature of a class by the parameters of its parent.

    For introspection at run time: scikit-learn reads the signature of ``__init__``, Sphinx that
    of the class. Static type checkers derive the same from ``Unpack[SharedParameters]``.
    """
    init = cls.__dict__.get("__init__")
    if init is None:
        return
    parameters = dict(inspect.signature(init).parameters)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        own = {n: p for n, p in parameters.items() if p.kind is not p.VAR_KEYWORD}
        merged = own | {
            n: p for n, p in inspect.signature(parent).parameters.items() if n not in own
        }
        parameters = dict(sorted(merged.items(), key=lambda item: item[1].kind))
        init.__signature__ = inspect.Signature(list(parameters.values()), return_annotation=None)
    cls.__signature__ = inspect.Signature(list(parameters.values())[1:])  # without self


def inherit_documentation(docstring: str, inherited: str) -> str:
    """Return a numpydoc docstring with the parameters and attributes of another one added."""
    own, other = _sections(docstring), _sections(inherited)
    merged = {"": own.pop("")}
    for name in ("Parameters", "Attributes"):
        entries = _entries(own.pop(name, ""))
        entries |= {
            key: e for key, e in _entries(other.get(name, "")).items() if key not in entries
        }
        merged[name] = "\n".join(entries.values())
    merged |= own
    parts = [
        f"{name}\n{'-' * len(name)}\n{text}" if name else text for name, text in merged.items()
    ]
    return "\n\n".join(parts) + "\n"


def _sections(docstring: str) -> dict[str, str]:
    """Split a numpydoc docstring at its headings; the summary has the key ""."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.cleandoc(docstring), flags=re.MULTILINE)
    return {
        name: text.strip("\n") for name, text in zip(["", *parts[1::2]], parts[::2], strict=True)
    }


def _entries(section: str) -> dict[str, str]:
    """Split a section at its unindented lines, one per parameter or attribute."""
    entries = re.split(r"\n(?=\S)", section) if section else []
    return {entry.partition(" :")[0].partition("\n")[0]: entry for entry in entries}
