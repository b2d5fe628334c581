"""What both classifiers share: beats in, a network trained on them."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.utils.multiclass import check_classification_targets
from skorch.dataset import unpack_data
from skorch.helper import SliceDataset
from skorch.utils import is_dataset, to_tensor
from torch.utils.data import Subset

from ecgbeat._validation import (
    Integral,
    Interval,
    Options,
    Real,
    StrOptions,
    check_is_fitted,
    flatten_beats,
    lead_layout,
    unchanged_on_error,
    validate_beats,
)
from ecgbeat.classifiers._augmentation import Augmentation, augment_rows
from ecgbeat.classifiers._averaging import WeightAverage
from ecgbeat.classifiers._batched_net import BatchedNet
from ecgbeat.classifiers._callbacks import StopAtBest, own_callbacks
from ecgbeat.classifiers._components import (
    check_label_smoothing,
    criterion_params,
    iterator_params,
    optimizer_params,
    set_weight_decay,
)
from ecgbeat.classifiers._holdout import holdout_rows
from ecgbeat.classifiers._labels import distinct_classes, labels_of_dataset, weights_of_classes
from ecgbeat.classifiers._memory import keep_freed_memory

_COUNT = Interval(Integral, 1, None, closed="left")
_ANY_SIZE = Interval(Real, 0, None, closed="left")
_SHARE = Interval(Real, 0, 1, closed="left")


class BeatClassifier(BatchedNet):
    """Base of `ECGCNNClassifier` and `ECGCNNLSTMClassifier`."""

    n_leads: int
    _weight_average: WeightAverage | None = None

    _architecture: ClassVar[tuple[str, ...]] = (
        "n_aux_features",
        "n_filters",
        "kernel_size",
        "n_blocks",
        "dropout",
    )
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_filters": [_COUNT],
        "kernel_size": [_COUNT],
        "n_blocks": [Interval(Integral, 1, 12, closed="both")],
        "dropout": [_SHARE],
        "n_leads": [_COUNT],
        "n_aux_features": [Interval(Integral, 0, None, closed="left")],
        "class_weight": [StrOptions({"balanced", "sqrt_balanced"}), dict, None],
        "label_smoothing": [_SHARE],
        "augment_amplitude": [_ANY_SIZE],
        "augment_baseline": [_ANY_SIZE],
        "augment_noise": [StrOptions({"auto"}), _ANY_SIZE],
        "augment_shift": [StrOptions({"auto"}), _SHARE],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "patience": [_COUNT],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "lr_schedule": [StrOptions({"onecycle"}), None],
        "weight_decay": [StrOptions({"auto"}), _ANY_SIZE],
        "weight_averaging": [_SHARE, None],
        "max_epochs": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), _COUNT, Options(Integral, {-1})],
        "precision": [StrOptions({"float32", "bfloat16", "auto"})],
        "random_state": ["random_state"],
    }

    # --- what is built --------------------------------------------------------------

    def initialize_module(self) -> "BeatClassifier":
        """Build the network."""
        module = self._network if self.module is None else self.module
        self.module_ = self.initialized_instance(module, self.get_params_for("module"))
        self._weight_average = None
        self.__dict__.pop("precision_", None)
        return self

    def get_params_for(self, prefix: str) -> dict[str, Any]:
        """Return the arguments of a component; what the user wrote as ``prefix__name`` wins."""
        params = super().get_params_for(prefix)
        if prefix == "module" and self._has_own_network:
            n_leads = self._leads_seen()
            n_classes = len(self.classes_) if hasattr(self, "classes_") else None
            own = {name: getattr(self, name) for name in self._architecture}
            return {"n_classes": n_classes, "n_leads": n_leads} | own | params
        if prefix == "criterion":
            return criterion_params(self) | params
        if prefix == "optimizer":
            return optimizer_params(self) | params
        if prefix.startswith("iterator_"):
            return iterator_params(self, prefix) | params
        return params

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> "BeatClassifier":
        """Build the optimizer; from then on ``set_params`` reaches its weight decay."""
        super().initialize_optimizer(*args, **kwargs)
        self._register_virtual_param("weight_decay", set_weight_decay)
        return self

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        return super()._default_callbacks + own_callbacks(self)

    def initialize_callbacks(self) -> "BeatClassifier":
        """Build the callbacks; early stopping decides after all others."""
        super().initialize_callbacks()
        self.callbacks_.sort(key=lambda named: isinstance(named[1], StopAtBest))
        return self

    def on_train_end(self, net: Any, *args: Any, **kwargs: Any) -> None:
        """Return to the best weights before any callback learns that the training is over."""
        super().on_train_end(net, *args, **kwargs)
        for _, callback in self.callbacks_:
            if isinstance(callback, StopAtBest):
                callback.restore_best(net)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_label_smoothing(self)

    # --- training -------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> "BeatClassifier":
        """Train a new network.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times), or Dataset
            Beats.
        y : array-like of shape (n_beats,), default=None
            Labels of any kind. May be None if ``X`` is a Dataset that yields them.
        **fit_params
            ``groups`` (patients, for the validation split of early stopping), ``epochs``,
            and what a module of your own takes in ``forward``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If parameters, beats or labels are not what they must be. The estimator is
            then what it was before.
        """
        self._check_parameters()
        goes_on = self.warm_start and self.initialized_
        with unchanged_on_error(self):
            X, y = self._check_training_data(X, y, reset=not goes_on)
            if not goes_on:
                self.history_ = None  # the old one stays with whoever holds it
                self.initialize()
            return self._train(X, y, fit_params | {"_routing_method": "fit"})

    def partial_fit(
        self, X: Any, y: Any = None, classes: Any = None, **fit_params: Any
    ) -> "BeatClassifier":
        """Go on training for ``max_epochs`` epochs, or ``epochs`` if given.

        Parameters
        ----------
        X, y
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All classes there will ever be; by default those of the first ``y``.
        **fit_params
            As in `fit`.

        Returns
        -------
        self
        """
        self._check_parameters()
        with unchanged_on_error(self):
            begins = not self.initialized_
            X, y = self._check_training_data(X, y, reset=begins, classes=classes)
            if begins:
                self.initialize()
            return self._train(X, y, fit_params)

    def _train(self, X: Any, y: Any, fit_params: dict[str, Any]) -> "BeatClassifier":
        unknown = fit_params.keys() - {"groups", "epochs", "_routing_method"}
        if unknown and self._has_own_network:
            hint = " Use class_weight." if "sample_weight" in unknown else ""
            raise TypeError(
                f"{type(self).__name__}.fit() got unexpected arguments {sorted(unknown)}; "
                f"it takes 'groups' and 'epochs'.{hint}"
            )
        keep_freed_memory()
        with self._settled(len(X), fit_params.get("epochs")), self._own_randomness():
            return super().partial_fit(X, y, **fit_params)

    def _check_training_data(
        self, X: Any, y: Any, *, reset: bool, classes: Any = None
    ) -> tuple[Any, Any]:
        """Check beats and labels; learn the classes and their weights if ``reset``."""
        if is_dataset(X):
            labels = labels_of_dataset(X) if y is None else np.asarray(y)
        else:
            X, y = self._check_beats(X, y, reset=reset)
            check_classification_targets(y)
            labels = y
        given = self.classes if classes is None else classes
        if reset:
            if labels is not None or given is not None:
                labels = np.asarray(given) if labels is None else labels
                self.classes_inferred_ = distinct_classes(labels, type(self).__name__, given)
                self._class_weights = weights_of_classes(self.class_weight, self.classes_, labels)
        elif labels is not None and hasattr(self, "classes_"):
            distinct_classes(labels, type(self).__name__, self.classes_)
        return X, y

    def _check_beats(self, X: Any, y: Any = "no_validation", *, reset: bool) -> Any:
        """Return flattened float32 rows, checked, and labels if there are any."""
        X = np.asarray(X) if isinstance(X, SliceDataset) else X
        X, n_leads_3d = flatten_beats(X, self.n_leads if reset else self._leads_seen())
        checked = validate_beats(self, X, y, reset=reset, dtype=np.float32)
        if reset:
            self.n_leads_ = n_leads_3d or self.n_leads
            if n_leads_3d and self.n_aux_features:
                raise ValueError(
                    f"n_aux_features={self.n_aux_features} needs 2-D rows whose last columns are "
                    "the auxiliary features, but X is 3-D. Flatten the leads (lead-major), append "
                    "the features and set n_leads."
                )
            lead_layout(self.n_features_in_, self.n_leads_, self.n_aux_features)
        return checked

    def _leads_seen(self) -> int:
        return self.__dict__.get("n_leads_", self.n_leads)

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:
        """Return the training and the validation dataset, or None in place of the latter."""
        if self.train_split or not self.early_stopping:
            if not self.train_split:
                fit_params.pop("groups", None)
            return super().get_split_datasets(X, y, **fit_params)
        dataset = self.get_dataset(X, y)
        labels = labels_of_dataset(dataset) if y is None else np.asarray(y)
        if labels is None:
            raise ValueError(
                "early_stopping=True cannot divide a dataset whose labels are not known. "
                "Pass y, or set train_split."
            )
        seed = int(torch.randint(2**31 - 1, ()))
        rows = holdout_rows(labels, self.validation_fraction, seed, fit_params.get("groups"))
        training, validation = (Subset(dataset, part.tolist()) for part in rows)
        return training, validation

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Run one epoch; ``groups`` were for the split and are nothing for the network."""
        if self._has_own_network:
            fit_params.pop("groups", None)
        with self._averaged(training):
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)

    def _averaged(self, training: bool) -> AbstractContextManager:
        """Return the context in which weights of training are averaged, if they are to be."""
        if not training or self.weight_averaging is None:
            return nullcontext()
        if self._weight_average is None:
            self._weight_average = WeightAverage()
        return self._weight_average.epoch(self.module_)

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        """Take one step of training on a batch, varied if an ``augment_*`` asks for it."""
        # "auto" is a number while fitting, and nothing for a step that someone takes by itself
        noise, shift = (
            0.0 if asked == "auto" else asked for asked in (self.augment_noise, self.augment_shift)
        )
        augmentation = Augmentation(self.augment_amplitude, self.augment_baseline, noise, shift)
        if augmentation:
            X, y = unpack_data(batch)
            rows = to_tensor(X, device=self.device)
            batch = augment_rows(rows, augmentation, self._leads_seen(), self.n_aux_features), y
        step = super().train_step(batch, **fit_params)
        if self._weight_average is not None and self.weight_averaging is not None:
            self._weight_average.step(self.weight_averaging)
        return step

    def trim_for_prediction(self) -> None:
        """Drop what only training needs, as skorch does; this cannot be undone."""
        super().trim_for_prediction()
        self._weight_average = None

    # --- prediction -----------------------------------------------------------------

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of every class.

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
