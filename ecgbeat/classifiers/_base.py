"""The base of the classifiers of single heartbeats."""

from __future__ import annotations  # types in `help` as they are written here

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Literal, Self

import numpy as np
import skorch.dataset
import torch
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import check_classification_targets
from skorch import NeuralNet
from skorch.dataset import unpack_data
from skorch.helper import SliceDataset
from skorch.utils import is_dataset, to_device, to_tensor
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from ecgbeat._validation import (
    MIN_TIMES,
    check_is_fitted,
    check_sample_weight,
    count_rows,
    flatten_beats,
    lead_layout,
    leads_of_columns,
    validate_beats,
    warn_of_lost_names,
)
from ecgbeat.classifiers import _heuristics as heuristics
from ecgbeat.classifiers._augmentation import Augmentation, augment_rows
from ecgbeat.classifiers._batches import (
    WeightedBatch,
    WeightedDataset,
    as_tensor,
    batch_loader,
    collate,
    keep_freed_memory,
)
from ecgbeat.classifiers._callbacks import (
    BatchProgress,
    StopAtBest,
    WeightAverage,
    callbacks_for,
    has_stopped_early,
    may_stop_early,
    rank_of,
)
from ecgbeat.classifiers._muon import MuonAdamW
from ecgbeat.classifiers._net import REMEDY, SklearnNet, find_classes, labels_of_dataset
from ecgbeat.classifiers._parameters import (
    SHARED_CONSTRAINTS,
    Auto,
    SharedParameters,
    inherit_documentation,
    inherit_signature,
)
from ecgbeat.networks import Ensemble, FixedKernels, count_members, members_of, uncompiled


class BeatClassifier(SklearnNet):
    """Base of the classifiers of single heartbeats.

    A subclass sets `_network`. Those parameters of the classifier that the network has, too,
    are passed to it; ``n_classes`` and ``n_leads`` are inferred from the data. A subclass with
    parameters of its own adds them to `_parameter_constraints` and lists them in its
    ``__init__``, followed by ``**shared: Unpack[SharedParameters]``.
    """

    _network: ClassVar[type[nn.Module]]
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = SHARED_CONSTRAINTS

    _auto_augmentation: tuple[float, float] = (0.0, 0.0)  # noise and shift, during a training
    _has_large_set: bool = False  # in the last call of `fit`
    _last_shared_epoch: int = 0  # until then, a new training trains the first member alone
    _auto_members: int = 1  # for n_members="auto", by the last call of `fit` or a loaded state
    _weight_average: WeightAverage | None = None

    def __init__(
        self,
        *,
        n_filters: int = 16,
        kernel_size: int = 5,
        n_blocks: int = 3,
        dropout: float = 0.1,
        n_members: int | Auto = "auto",
        fixed_kernels: bool | Auto = "auto",
        n_leads: int | None = None,
        n_aux_features: int = 0,
        class_weight: str | dict[Any, float] | None = None,
        label_smoothing: float = 0.0,
        augment_amplitude: float = 0.0,
        augment_baseline: float = 0.0,
        augment_noise: float | Auto = "auto",
        augment_shift: float | Auto = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        lr: float = 0.01,
        lr_schedule: Literal["onecycle"] | None = "onecycle",
        weight_decay: float | Auto = "auto",
        weight_averaging: float | None = None,
        max_epochs: int | Auto = "auto",
        batch_size: int | Auto = "auto",
        precision: Literal["float32", "bfloat16", "auto"] = "float32",
        device: str | torch.device | None = "cpu",
        random_state: np.random.RandomState | int | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        keep_interrupted: bool = False,
        callbacks: list[Any] | Literal["disable"] | None = None,
        train_split: Callable[..., tuple[Any, Any]] | None = None,
        module: Callable[..., nn.Module] | nn.Module | None = None,
        criterion: Callable[..., nn.Module] | nn.Module = nn.CrossEntropyLoss,
        optimizer: Callable[..., torch.optim.Optimizer] | Auto = "auto",
        iterator_train: Callable[..., Iterable[Any]] = batch_loader,
        iterator_valid: Callable[..., Iterable[Any]] = batch_loader,
        dataset: Callable[..., Dataset[Any]] = skorch.dataset.Dataset,
        predict_nonlinearity: Callable[[Tensor], Tensor] | Auto | None = "auto",
        compile: bool = False,  # noqa: A002 (skorch's name)
        classes: ArrayLike | None = None,
        use_caching: bool | Auto = "auto",
        torch_load_kwargs: dict[str, Any] | None = None,
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
        self.n_members = n_members
        self.fixed_kernels = fixed_kernels
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
        self.keep_interrupted = keep_interrupted
        self.random_state = random_state

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Show the inherited parameters in the signature and the docstring of a subclass."""
        super().__init_subclass__(**kwargs)
        parent = next(base for base in cls.__mro__[1:] if issubclass(base, BeatClassifier))
        inherit_signature(cls, parent)
        if cls.__doc__ is not None:
            cls.__doc__ = inherit_documentation(cls.__doc__, inspect.getdoc(parent) or "")

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the estimator: 3-D arrays are supported."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    # --- components -----------------------------------------------------------------

    def _check_parameters(self) -> None:
        super()._check_parameters()
        heuristics.check_class_weight(self.class_weight)
        # an instance of a loss would be built anew, without the arguments that it was given
        if (
            self.label_smoothing
            and not hasattr(self, "criterion__label_smoothing")
            and not heuristics.takes_argument(self.criterion, "label_smoothing")
        ):
            raise ValueError(
                f"label_smoothing={self.label_smoothing!r} needs a criterion with that argument, "
                "such as the classes torch.nn.CrossEntropyLoss and ecgbeat.networks.FocalLoss, got "
                f"criterion={self.criterion!r}. Pass one of those or set label_smoothing=0."
            )

    def initialize_module(self) -> Self:
        """Build the network, or the members of an ensemble."""
        self.module_ = self._build_network()
        self._weight_average = None
        self.__dict__.pop("precision_", None)
        return self

    def _build_network(self) -> nn.Module:
        module = self._network if self.module is None else self.module
        arguments = self.get_params_for("module")
        if self._n_members == 1:
            return self.initialized_instance(module, arguments)
        if isinstance(module, nn.Module):
            raise ValueError(
                f"n_members={self.n_members} networks cannot be built from one object, got "
                f"module={module!r:.60}. Pass its class, and its arguments as module__name."
            )
        networks = [self.initialized_instance(module, arguments) for _ in range(self._n_members)]
        return Ensemble(networks)

    @property
    def _n_members(self) -> int:
        """Return how many networks `initialize` builds."""
        return self._auto_members if self.n_members == "auto" else self.n_members

    @property
    def n_members_(self) -> int:
        """Number of networks whose probabilities are averaged."""
        return len(members_of(self.module_))

    @property
    def _networks(self) -> list[Any]:
        """Return the members of the ensemble, or the only network, not compiled."""
        return members_of(getattr(self, "module_", None))  # a subclass may have others

    def initialize_criterion(self) -> Self:
        """Build the loss, whose input must be logits if probabilities are averaged."""
        super().initialize_criterion()
        takes_logits = self._is_default_network or isinstance(self.criterion_, nn.CrossEntropyLoss)
        if len(self._networks) > 1 and not takes_logits:
            raise ValueError(
                f"n_members={self.n_members!r} with a custom module needs a criterion that takes "
                "logits, torch.nn.CrossEntropyLoss or a subclass, got "
                f"criterion={self.criterion!r}."
            )
        return self

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> Self:
        """Build the optimizer; ``set_params`` then changes its weight decay."""
        parameter = self.optimizer
        self.__dict__["optimizer"] = self._optimizer_class  # skorch calls it
        try:
            super().initialize_optimizer(*args, **kwargs)
        finally:
            self.__dict__["optimizer"] = parameter
        self._register_virtual_param("weight_decay", _set_weight_decay)
        return self

    @property
    def _optimizer_class(self) -> Any:
        """Return the optimizer; "auto" is AdamW if an argument is set that the other one lacks."""
        if self.optimizer != "auto":
            return self.optimizer
        given = [name.partition("__")[2] for name in vars(self) if name.startswith("optimizer__")]
        fits = all(heuristics.takes_argument(MuonAdamW, name) for name in given)
        use_muon = fits and self._has_large_set and self._is_default_network
        return MuonAdamW if use_muon else torch.optim.AdamW

    def initialize_callbacks(self) -> Self:
        """Build the callbacks in the order of `rank_of`."""
        super().initialize_callbacks()
        self.callbacks_ = [(name, BatchProgress.replacing(c)) for name, c in self.callbacks_]
        self.callbacks_.sort(key=lambda named: rank_of(named[1]))
        return self

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        return super()._default_callbacks + callbacks_for(self)

    def get_params_for(self, prefix: str) -> dict[str, Any]:
        """Return the arguments of a component; those passed as ``prefix__name`` take precedence."""
        params = super().get_params_for(prefix)
        if prefix == "module" and self._is_default_network:
            return self._network_arguments() | params
        if prefix == "criterion":
            return self._criterion_arguments() | params
        if prefix == "optimizer":
            return self._optimizer_arguments() | params
        if prefix.startswith("iterator_"):
            return self._iterator_arguments(prefix) | params
        return params

    @property
    def _is_default_network(self) -> bool:
        """Whether the network is that of the classifier, not a custom one."""
        module = self._network if self.module is None else self.module
        return isinstance(module, type) and issubclass(module, self._network)

    @property
    def _has_own_network(self) -> bool:
        """Whether the network is that of the class, and no subclass of it either."""
        return self.module in (None, self._network)

    def _network_arguments(self) -> dict[str, Any]:
        names = inspect.signature(self._network).parameters.keys() & self.__dict__.keys()
        n_classes = len(self.classes_) if hasattr(self, "classes_") else None
        inferred = {"n_classes": n_classes, "n_leads": self._n_leads}
        return {name: getattr(self, name) for name in names} | inferred

    def _criterion_arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if self.__dict__.get("_class_weights") is not None:
            arguments["weight"] = torch.as_tensor(self._class_weights, dtype=torch.float32)
        if self.label_smoothing and heuristics.takes_argument(self.criterion, "label_smoothing"):
            arguments["label_smoothing"] = self.label_smoothing
        return arguments

    def _optimizer_arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        optimizer = self._optimizer_class
        if heuristics.takes_argument(optimizer, "weight_decay"):
            arguments["weight_decay"] = heuristics.weight_decay_for(optimizer, self.weight_decay)
        if optimizer is torch.optim.AdamW and not hasattr(self, "optimizer__foreach"):
            arguments["fused"] = True  # one kernel for all weights: twice as fast on small nets
        return arguments

    def _iterator_arguments(self, prefix: str) -> dict[str, Any]:
        training = prefix == "iterator_train"
        arguments: dict[str, Any] = {}
        if self.batch_size == "auto":
            last = getattr(self, "batch_size_", heuristics.PREDICTION_BATCH)
            arguments["batch_size"] = last if training else heuristics.PREDICTION_BATCH
        if getattr(self, prefix) is batch_loader and training:
            arguments["shuffle"] = True
        if getattr(self, prefix) is DataLoader:
            arguments["collate_fn"] = collate  # else scorers would get lists of strings
        return arguments

    # --- training -------------------------------------------------------------------

    def fit(
        self,
        X: ArrayLike | Dataset[Any],
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Fit a new network to the beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times), or Dataset
            Beats.
        y : array-like of shape (n_beats,), default=None
            Labels of any kind. Optional if ``X`` is a Dataset that yields them.
        sample_weight : array-like of shape (n_beats,), default=None
            Weight of each beat in the loss, relative to the mean of all, on top of
            `class_weight`. A weight of 0 leaves the beat out. None weights all beats equally.
        **fit_params
            ``groups`` (patients, for the validation split of early stopping), ``epochs``,
            and further arguments of ``forward`` of a custom network.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If parameters, beats, labels or weights are invalid, or the loss becomes infinite or
            NaN. The estimator is then unchanged.
        """
        self._check_parameters()
        resumes = self.warm_start and self.initialized_
        with self._unchanged_on_error():
            X, y, weight = self._check_training_data(X, y, sample_weight, reset=not resumes)
            needs_kernels = self._needs_kernels(X)
            if not resumes:
                if self.initialized_:
                    self.history_ = None  # a new object: the user may have kept the old one
                n_beats = count_rows(X)
                is_alone = self._has_own_network and not needs_kernels
                self._auto_members = heuristics.members_for(n_beats) if is_alone else 1
                self._has_large_set = heuristics.is_large_set(n_beats)
                self.initialize()
            self._set_kernels(self._solve_kernels(X, y, weight) if needs_kernels else None)
            return self._train(X, y, weight, fit_params | {"_routing_method": "fit"}, resumes)

    @property
    def fixed_kernels_(self) -> bool:
        """Whether the network has fixed kernels."""
        return getattr(uncompiled(self.module_), "kernels", None) is not None

    def _needs_kernels(self, X: Any) -> bool:
        """Return whether the network gets fixed kernels; they need arrays, all for training."""
        criterion = self.criterion if isinstance(self.criterion, type) else type(self.criterion)
        of_logits = (nn.CrossEntropyLoss, nn.NLLLoss)
        is_possible = (
            not (is_dataset(X) or self.early_stopping or self.train_split)
            and self._has_own_network
            and issubclass(criterion, of_logits)
        )
        if self.fixed_kernels == "auto":
            is_plain = criterion in of_logits and not self.label_smoothing
            return is_possible and is_plain and heuristics.needs_kernels(len(X), X[0].size)
        if self.fixed_kernels and not is_possible:
            raise ValueError(
                "fixed_kernels=True needs arrays without a validation split, the network of the "
                "class, and a criterion of logits, such as torch.nn.CrossEntropyLoss, got "
                f"{type(X).__name__}, early_stopping={self.early_stopping!r}, "
                f"train_split={self.train_split!r}, module={self.module!r}, "
                f'criterion={self.criterion!r}. "auto" goes without kernels.'
            )
        return bool(self.fixed_kernels)

    def _solve_kernels(self, X: Any, y: Any, weight: np.ndarray | None) -> FixedKernels:
        """Return fixed kernels with a classifier of all training beats."""
        codes = np.searchsorted(self.classes_, y)
        weights = np.ones(len(codes)) if weight is None else weight.astype(float)
        class_weights = self.__dict__.get("_class_weights")
        if class_weights is not None:
            weights = weights * class_weights[codes]
        used = weights > 0
        rows = to_tensor(X[used], device=self.device).to(torch.float32)
        n_times = (self.n_features_in_ - self.n_aux_features) // self._n_leads
        kernels = FixedKernels(
            len(self.classes_), n_times, n_leads=self._n_leads, n_aux_features=self.n_aux_features
        ).to(rows.device)
        kernels.solve(rows, torch.from_numpy(codes[used]), torch.from_numpy(weights[used]))
        return kernels

    def _set_kernels(self, kernels: FixedKernels | None) -> None:
        """Give the network, or the ensemble of all members, fixed kernels or none."""
        if self._is_default_network:
            uncompiled(self.module_).kernels = kernels

    def partial_fit(
        self,
        X: ArrayLike | Dataset[Any],
        y: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Continue training for ``max_epochs`` epochs, or ``epochs`` if given.

        Parameters
        ----------
        X, y : array-like
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All classes across calls to `partial_fit`. None means those of the first ``y``.
        sample_weight : array-like of shape (n_beats,), default=None
            As in `fit`.
        **fit_params
            As in `fit`.

        Returns
        -------
        self
        """
        self._check_parameters()
        with self._unchanged_on_error():
            # a net that was initialized, and perhaps loaded, has seen neither beats nor classes
            is_first = "classes_inferred_" not in self.__dict__
            X, y, weight = self._check_training_data(
                X, y, sample_weight, reset=is_first or not self.initialized_, classes=classes
            )
            if not self.initialized_:
                self.initialize()
            elif is_first and hasattr(self, "classes_"):
                self._fit_network_to_data()
                if self.__dict__.get("_class_weights") is not None:
                    self._initialize_criterion()
            self._set_kernels(None)
            fit_params = fit_params | {"_routing_method": "partial_fit"}
            return self._train(X, y, weight, fit_params, resumes=True)

    def _fit_network_to_data(self) -> None:
        """Adapt a network that was initialized before its data were known, or raise."""
        if not self._is_default_network:
            return
        network = self._networks[0]
        n_leads, n_classes = network.n_leads, network.head[-1].out_features
        wrong = f"n_leads={n_leads}" if n_leads != self._n_leads else None
        if n_classes != len(self.classes_) and self._is_loaded:
            wrong = f"{n_classes} classes"
        if wrong:
            raise ValueError(
                f"The network was initialized or loaded for {wrong}, but the training data have "
                f"n_leads={self._n_leads} and {len(self.classes_)} classes."
            )
        if n_classes != len(self.classes_):
            with self._reproducible():
                for network in self._networks:
                    network.head.resize(len(self.classes_))

    def _prepare_for_state(self, state: dict[str, Any]) -> None:
        """Build as many networks as there are in a state that is about to be loaded."""
        n_members = count_members(state)
        is_auto = self.n_members == "auto" and self._has_own_network
        if is_auto and self.initialized_ and n_members != len(self._networks):
            self._auto_members = n_members
            with self._reproducible():
                self._initialize_module()
                self._initialize_optimizer()

    def _train(
        self, X: Any, y: Any, weight: np.ndarray | None, fit_params: dict[str, Any], resumes: bool
    ) -> Self:
        unknown = fit_params.keys() - {"groups", "epochs", "_routing_method"}
        if unknown and self._is_default_network:
            raise TypeError(
                f"{type(self).__name__}.fit() got unexpected arguments {sorted(unknown)}; "
                "it takes 'sample_weight', 'groups' and 'epochs'."
            )
        keep_freed_memory()
        if weight is not None:
            X, y, fit_params = self._weigh(X, y, weight, fit_params)
        self._resolve_auto(len(X), fit_params.pop("epochs", None))
        self._last_shared_epoch = 0 if resumes else self._n_shared_epochs
        with self._reproducible():
            self.notify("on_train_begin", X=X, y=y)
            try:
                self.fit_loop(X, y, epochs=self.max_epochs_, **fit_params)
            except KeyboardInterrupt:  # skorch's callbacks stop the training by it
                if not (self.keep_interrupted or has_stopped_early(self)):
                    raise
            self.notify("on_train_end", X=X, y=y)
        self._check_weights_are_finite(f"after training. {REMEDY.format(lr=self.lr)}")
        self._auto_augmentation = (0.0, 0.0)
        return self

    def _trained_parts(self) -> list[Any]:
        average = [] if self._weight_average is None else [self._weight_average]
        return super()._trained_parts() + average

    def _weigh(
        self, X: Any, y: Any, weight: np.ndarray, fit_params: dict[str, Any]
    ) -> tuple[Any, Any, dict[str, Any]]:
        """Leave out beats of weight 0, and add the weights of the others if they differ."""
        rows = np.flatnonzero(weight)
        if len(rows) < len(weight):
            X = Subset(X, rows.tolist()) if is_dataset(X) else X[rows]
            y = None if y is None else np.asarray(y)[rows]
            if fit_params.get("groups") is not None:
                fit_params = fit_params | {"groups": np.asarray(fit_params["groups"])[rows]}
        weight = weight[rows]
        if np.all(weight == weight[0]):
            return X, y, fit_params
        if not hasattr(self.criterion_, "reduction"):
            raise ValueError(
                "sample_weight needs a criterion with a `reduction`, such as the losses of "
                f"torch.nn, got criterion={self.criterion!r}."
            )
        return WeightedDataset(self.get_dataset(X, y), weight / weight.mean()), y, fit_params

    def _resolve_auto(self, n_beats: int, epochs: int | None) -> None:
        """Set the numbers that replace "auto" in a training; the parameters are unchanged."""
        auto = self.batch_size == "auto"
        self.batch_size_ = heuristics.batch_size_for(n_beats) if auto else self.batch_size
        if epochs is None and self.max_epochs == "auto":
            with_muon = isinstance(self.optimizer_, MuonAdamW)
            n_members = len(self._networks) if self.fixed_kernels_ else 1
            epochs = heuristics.epochs_for(n_beats, with_muon, n_members)
        self.max_epochs_ = self.max_epochs if epochs is None else epochs
        # the input of a custom network may be no waveforms
        if self._is_default_network:
            self._auto_augmentation = heuristics.augmentation_for(n_beats)

    @property
    def _n_shared_epochs(self) -> int:
        """Return the number of epochs of a new training before the members go apart.

        0 on small sets, if the training may stop early, and with an average of weights.
        """
        is_averaged = self.weight_averaging is not None
        if not self._has_large_set or is_averaged or may_stop_early(self):
            return 0
        return heuristics.shared_epochs_for(self.max_epochs_)

    def _check_training_data(
        self, X: Any, y: Any, sample_weight: Any, *, reset: bool, classes: Any = None
    ) -> tuple[Any, Any, np.ndarray | None]:
        """Check beats, labels and weights; find the classes and their weights if ``reset``."""
        owner = type(self).__name__
        weight = None
        if sample_weight is not None:
            weight = check_sample_weight(sample_weight, X, owner)
        if is_dataset(X):
            labels = labels_of_dataset(X) if y is None else np.asarray(y)
            if reset:
                self.__dict__.pop("n_leads_", None)  # of an array that was fitted before
        else:
            X, y = self._check_beats(X, y, reset=reset)
            check_classification_targets(y)
            labels = y
        classes = self.classes if classes is None else classes
        if reset and (labels is not None or classes is not None):
            known = np.asarray(classes) if labels is None else labels
            self.classes_inferred_ = find_classes(known, owner, classes)
            self._class_weights = heuristics.weights_of_classes(
                self.class_weight, self.classes_, known, None if labels is None else weight
            )
        elif not reset and labels is not None and hasattr(self, "classes_"):
            find_classes(labels, owner, self.classes_)
        return X, y, weight if labels is None else self._without_weightless_classes(labels, weight)

    def _without_weightless_classes(self, labels: np.ndarray, weight: Any) -> np.ndarray | None:
        """Set the weight of beats to 0 if that of their class is: a batch of them has no mean."""
        class_weights = self.__dict__.get("_class_weights")
        if class_weights is None or class_weights.all():
            return weight
        counts = class_weights[np.searchsorted(self.classes_, labels)] > 0
        weight = counts * (1.0 if weight is None else weight)
        if not weight.any():
            raise ValueError(
                f"{type(self).__name__}: class_weight={self.class_weight!r} leaves no beat with a "
                "weight above 0."
            )
        return weight

    def _check_beats(self, X: Any, y: Any = "no_validation", *, reset: bool) -> Any:
        """Return validated float32 rows, flattened, and labels if given."""
        X = np.asarray(X) if isinstance(X, SliceDataset) else X
        n_leads = self.n_leads if reset else self._n_leads
        X, n_leads_3d = flatten_beats(X, None)
        found = n_leads_3d or leads_of_columns(X, self.n_aux_features)
        if found and n_leads not in (None, found):
            cause = f"n_leads={n_leads}" if reset else f"the network was fitted on {n_leads}"
            raise ValueError(
                f"X holds beats of {found} leads, by its {'shape' if n_leads_3d else 'columns'}, "
                f"but {cause}. 3-D beats have the shape (n_beats, n_leads, n_times)."
            )
        validated = validate_beats(self, X, y, reset=reset, dtype=np.float32)
        if reset:
            if not (n_leads or found):
                n_wave = self.n_features_in_ - self.n_aux_features
                warn_of_lost_names(type(self).__name__, count_rows(X), n_wave)
            self.n_leads_ = n_leads or found or 1
            if n_leads_3d and self.n_aux_features:
                raise ValueError(
                    f"n_aux_features={self.n_aux_features} needs 2-D rows whose last columns are "
                    "the auxiliary features, but X is 3-D. Flatten the leads (lead-major), append "
                    "the features and set n_leads."
                )
            lead_layout(self.n_features_in_, self.n_leads_, self.n_aux_features)
        return validated

    @property
    def _n_leads(self) -> int:
        return self.__dict__.get("n_leads_") or self.n_leads or 1

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:
        """Return the training dataset and the validation dataset, which may be None."""
        if self.train_split or not self.early_stopping:
            if not self.train_split:
                fit_params.pop("groups", None)
            return super().get_split_datasets(X, y, **fit_params)
        dataset = self.get_dataset(X, y)
        labels = labels_of_dataset(dataset) if y is None else np.asarray(y)
        if labels is None:
            raise ValueError(
                "early_stopping=True cannot split a dataset whose labels are unknown. "
                "Pass y, or set train_split."
            )
        seed = int(torch.randint(2**31 - 1, ()))
        groups = fit_params.get("groups")
        rows = heuristics.stratified_holdout(labels, self.validation_fraction, seed, groups)
        training, validation = (Subset(dataset, part.tolist()) for part in rows)
        return training, validation

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Run one epoch; ``groups`` were for the split and are not passed to the network."""
        if self._is_default_network:
            fit_params.pop("groups", None)
        n_others = len(self._networks) - 1 if training else 0
        is_shared = n_others > 0 and len(self.history) <= self._last_shared_epoch
        if n_others:  # each draws its own order of the beats
            fit_params["others"] = [] if is_shared else [iter(iterator) for _ in range(n_others)]
        average: AbstractContextManager[None] = nullcontext()
        if training and self.weight_averaging is not None:
            self._weight_average = self._weight_average or WeightAverage()
            average = self._weight_average.epoch(self.module_)
        try:
            with average:
                super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
        finally:  # the members are complete after an interrupted epoch, too
            if is_shared:
                uncompiled(self.module_).repeat_first(self.optimizer_)

    def train_step(
        self, batch: Any, others: Sequence[Iterator[Any]] | None = None, **fit_params: Any
    ) -> Any:
        """Take one training step on a batch, augmented if an ``augment_*`` is not 0.

        The first member is trained on this batch, and a further one on the next batch of each of
        ``others``; None means all on this batch. Callbacks get the logits of the first.
        """
        if others is None:
            more = [batch] * (len(self._networks) - 1)
        else:
            more = [next(other, batch) for other in others]
        if more:
            fit_params["more"] = [self._augmented(other) for other in more]
        step = super().train_step(self._augmented(batch), **fit_params)
        if self._weight_average is not None and self.weight_averaging is not None:
            self._weight_average.step(self.weight_averaging)
        return step

    def _augmented(self, batch: Any) -> Any:
        noise, shift = (
            auto if value == "auto" else value
            for value, auto in zip(
                (self.augment_noise, self.augment_shift), self._auto_augmentation, strict=True
            )
        )
        augmentation = Augmentation(self.augment_amplitude, self.augment_baseline, noise, shift)
        if not augmentation:
            return batch
        if isinstance(batch, WeightedBatch):
            return batch._replace(X=self._augmented(batch[:2])[0])
        X, y = unpack_data(batch)
        rows = to_tensor(X, device=self.device)
        return augment_rows(rows, augmentation, self._n_leads, self.n_aux_features), y

    def train_step_single(
        self, batch: Any, more: Sequence[Any] = (), **fit_params: Any
    ) -> dict[str, Any]:
        """Compute loss and gradients of one batch; raise if the loss is not finite.

        Loss and logits are detached: they outlive the step, and the next step can reuse the
        memory of their graph. ``more`` are the batches of further members; the loss is the mean.
        """
        compute = super().train_step_single
        if len(self._networks) == 1:
            step = compute(batch, **fit_params)
        else:
            steps = [compute(own, member=i, **fit_params) for i, own in enumerate((batch, *more))]
            step = steps[0] | {"loss": torch.stack([s["loss"].detach() for s in steps]).mean()}
        if not self._is_default_network:
            return step
        return {name: value.detach() for name, value in step.items()}

    def get_loss(self, y_pred: Tensor, y_true: Any, *args: Any, **kwargs: Any) -> Tensor:
        """Return the loss of a batch, whose targets are labels of the user."""
        if self._is_default_network and isinstance(self.criterion_, nn.NLLLoss):
            y_pred = _softmax(y_pred)  # skorch takes the logarithm of the input of NLLLoss
        return super().get_loss(y_pred, y_true, *args, **kwargs)

    def on_train_end(self, net: Any, *args: Any, **kwargs: Any) -> None:
        """Restore the best weights before ``on_train_end`` of any callback."""
        super().on_train_end(net, *args, **kwargs)
        for _, callback in self.callbacks_:
            if isinstance(callback, StopAtBest):
                callback.restore_best(net)

    def trim_for_prediction(self) -> None:
        """Delete the components of training, as skorch does; this cannot be undone."""
        super().trim_for_prediction()
        self._weight_average = None

    # --- prediction -----------------------------------------------------------------

    def predict(self, X: ArrayLike | Dataset[Any]) -> np.ndarray:
        """Return the most probable label of each beat.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times), or Dataset
            Beats.

        Returns
        -------
        ndarray of shape (n_beats,)
            Labels out of ``classes_``.
        """
        check_is_fitted(self)
        codes = self.predict_proba(X).argmax(axis=1)
        # the labels of a net that was initialized and loaded, not fitted, may be unknown
        return self.classes_[codes] if hasattr(self, "classes_") else codes

    # lets BeatAnnotator take labels from the probabilities, and compute the network once
    predict.returns_most_probable = True  # type: ignore[attr-defined]

    def predict_proba(self, X: ArrayLike | Dataset[Any]) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times), or Dataset
            Beats.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            Columns in the order of ``classes_``, float32.
        """
        check_is_fitted(self)
        return super().predict_proba(X if is_dataset(X) else self._check_beats(X, reset=False))

    def score(
        self,
        X: ArrayLike | Dataset[Any],
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Return the accuracy.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times), or Dataset
            Beats.
        y : array-like of shape (n_beats,)
            Labels.
        sample_weight : array-like of shape (n_beats,), default=None
            Weight of each beat. None weights all beats equally.

        Returns
        -------
        float
            Fraction of beats, or of their weight, that is classified correctly.

        Raises
        ------
        ValueError
            If weights are negative, not finite, all zero, or not one per beat.
        """
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, y, type(self).__name__)
        return float(super().score(X, y, sample_weight=sample_weight))

    def predict_log_proba(self, X: ArrayLike | Dataset[Any]) -> np.ndarray:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times), or Dataset
            Beats.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            Columns in the order of ``classes_``; -inf where a probability is 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def forward_iter(
        self, X: Any, training: bool = False, device: Any = "cpu"
    ) -> Iterator[Tensor | tuple[Tensor, ...]]:
        """Yield the output of the network for each batch; arrays are sliced directly.

        For one beat, skorch's dataset and iterator take as long as the network itself.
        """
        keep_freed_memory()
        if training or not isinstance(X, np.ndarray) or self._has_custom_loading():
            yield from super().forward_iter(X, training=training, device=device)
            return
        sizes = {"auto": heuristics.prediction_batch_for(X[:1].size), -1: max(len(X), 1)}
        size: Any = sizes.get(self.batch_size, self.batch_size)
        for rows in as_tensor(X).split(int(size)):  # torch takes no integer of NumPy
            yield to_device(self.evaluation_step((rows, None)), device=device)

    def _has_custom_loading(self) -> bool:
        """Return whether the user has changed the way in which batches are made."""
        return (
            self.iterator_valid is not batch_loader
            or self.dataset is not skorch.dataset.Dataset
            or type(self).get_dataset is not NeuralNet.get_dataset
            or type(self).get_iterator is not NeuralNet.get_iterator
            or any(name.startswith(("dataset__", "iterator_valid__")) for name in self.__dict__)
        )

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Compute the logits of one batch."""
        if not self._is_default_network:
            return super().infer(x, **fit_params)
        rows = to_tensor(x, device=self.device).to(torch.float32)
        infer = super().infer
        with heuristics.autocast(self._precision_for(rows), self.device):
            if self.module_.training or rows[0].numel() >= MIN_TIMES:
                return infer(rows, **fit_params).float()
            # the last bit of a row's result depends on its position in the batch, by kernels
            # that differ between processors. scikit-learn's checks compare rows of 3 columns
            # bit by bit: rows too short to be beats are computed one at a time.
            return torch.cat([infer(row, **fit_params) for row in rows.split(1)]).float()

    def _precision_for(self, rows: Tensor) -> str:
        """Return the precision of a batch; "auto" is decided by the first training batch."""
        if self.precision != "auto":
            return self.precision
        if "precision_" not in self.__dict__ and self.module_.training:
            self.precision_ = heuristics.faster_precision(self.module_, rows, self.device)
        return self.__dict__.get("precision_", "float32")

    def _get_predict_nonlinearity(self) -> Any:
        # the classifier's network returns logits with any loss, even after trimming
        if self._is_default_network and self.predict_nonlinearity == "auto":
            self.check_is_fitted()
            return _softmax
        return super()._get_predict_nonlinearity()


BeatClassifier.__doc__ = inherit_documentation(
    BeatClassifier.__doc__ or "", SharedParameters.__doc__ or ""
)


def _set_weight_decay(net: BeatClassifier, _: str, value: Any) -> None:
    """Set the weight decay of an initialized net, as skorch does for the learning rate."""
    net.weight_decay = value
    optimizer = net._optimizer_class
    is_given = hasattr(net, "optimizer__weight_decay")
    if heuristics.takes_argument(optimizer, "weight_decay") and not is_given:
        for group in net.optimizer_.param_groups:
            group["weight_decay"] = heuristics.weight_decay_for(optimizer, value)


def _softmax(logits: Tensor) -> Tensor:
    return torch.softmax(logits, dim=-1)
