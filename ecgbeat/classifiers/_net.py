"""A skorch net that keeps scikit-learn's contract of an estimator.

skorch's vocabulary (optimizer, callbacks, history, iterators) holds unchanged. Added are
parameters that ``__init__`` only assigns, a state that a failed call does not change, random
numbers from ``random_state``, and labels of any kind: batches, predictions and scorers use the
labels of the user, only the loss uses codes.
"""

import copy
import io
import json
import math
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from skorch.history import History
from skorch.utils import data_from_dataset, to_numpy
from torch import Tensor, nn

from ecgbeat._validation import (
    InvalidParameterError,
    default_parameters,
    unchanged_on_error,
    validate_parameter_constraints,
)
from ecgbeat.classifiers._batches import WeightedBatch
from ecgbeat.classifiers._callbacks import without_names
from ecgbeat.classifiers._heuristics import check_device, resolve_device

REMEDY = "Scale the input, for example with ZScoreScaler, or lower the learning rate, lr={lr!r}."

# attributes without which skorch cannot use an unpickled net
_STATE = {"_params_to_validate"}
_STATE_OF_INITIALIZED = {"_modules", "_criteria", "_optimizers", "callbacks_", "history_"}

_SEEDED = threading.RLock()  # held while torch's global generator is that of one net


class SklearnNet(NeuralNetClassifier):
    """Base class of skorch nets that are scikit-learn estimators."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"random_state": ["random_state"]}

    random_state: np.random.RandomState | int | None
    callbacks_: list[tuple[str, Any]]
    _params_to_validate: set[str]
    # skorch sets these in __init__, where scikit-learn allows parameters only
    history_: Any = None
    virtual_params_: Any = MappingProxyType({})
    _is_loaded: bool = False  # whether parameters of another net were loaded since initialize
    _batch_weight: Tensor | None = None  # sample weights of the batch in training or validation

    def __init__(self, module: Any, **parameters: Any) -> None:
        super().__init__(module, **parameters)
        del self.__dict__["initialized_"], self.__dict__["virtual_params_"]
        if self.history_ is None:  # a history passed by the user stays
            del self.__dict__["history_"]

    # --- parameters -----------------------------------------------------------------

    @property
    def initialized_(self) -> bool:
        """Whether the network has been built."""
        if "_params_to_validate" not in self.__dict__:
            # skorch's __setattr__ detects by this that __init__ is still running
            raise AttributeError("initialized_")
        return self.__dict__.get("initialized_", False)

    @initialized_.setter
    def initialized_(self, value: bool) -> None:
        self.__dict__["initialized_"] = value

    def _get_param_names(self) -> list[str]:
        return [name for name in super()._get_param_names() if not name.startswith("_")]

    def get_params(self, deep: bool = True, **kwargs: Any) -> dict[str, Any]:
        """Return the parameters as skorch does, ``device`` as it was set."""
        return super().get_params(deep=deep, **kwargs) | {"device": self.__dict__["device"]}

    def set_params(self, **kwargs: Any) -> Self:
        """Set parameters as skorch does; if one is invalid, set none of them."""
        with unchanged_on_error(self):
            self._params_to_validate = set(self._params_to_validate)  # skorch adds in place
            if "callbacks" in kwargs:  # skorch would first build the old ones, valid or not
                self.callbacks = kwargs.pop("callbacks")
            super().set_params(**kwargs)
            if {"device", "batch_size"} & kwargs.keys() and self.initialized_:
                self._check_parameters()  # prediction uses them, too
            return self

    def _check_parameters(self) -> None:
        """Raise an error if a parameter is invalid."""
        parameters = self.get_params(deep=False)
        validate_parameter_constraints(self._parameter_constraints, parameters, type(self).__name__)
        for name, constraints in self._parameter_constraints.items():
            # scikit-learn counts True as the number 1
            if isinstance(parameters[name], (bool, np.bool_)) and "boolean" not in constraints:
                raise InvalidParameterError(
                    f"The {name!r} parameter of {type(self).__name__} must not be a bool, got "
                    f"{parameters[name]!r}."
                )
        check_device(self.__dict__["device"])

    __repr__ = BaseEstimator.__repr__  # skorch's is unreadable inside a pipeline

    @property
    def device(self) -> Any:
        """Device in use; ``get_params`` returns the parameter."""
        return resolve_device(self.__dict__.get("device"))

    @device.setter
    def device(self, value: Any) -> None:
        self.__dict__["device"] = value

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpickle as skorch does, on the best available device for ``device="auto"``."""
        # of a version of ecgbeat that did not have a parameter yet
        state = default_parameters(type(self)) | state
        needed = _STATE | (_STATE_OF_INITIALIZED if state.get("initialized_") else set())
        if needed - state.keys():
            raise ValueError(
                f"This {type(self).__name__} cannot be unpickled: it lacks the attributes "
                f"{sorted(needed - state.keys())}. Another version of ecgbeat or skorch has stored "
                "it: load it with that version, or fit it again."
            )
        device = state["device"]
        super().__setstate__(state | {"device": resolve_device(device)})
        if device == "auto":
            self.device = device

    # --- random numbers -------------------------------------------------------------

    def initialize(self) -> Self:
        """Build all components and restart the random numbers."""
        self._check_parameters()
        self._is_loaded = False
        with self._reproducible(restart=True):
            return super().initialize()

    @contextmanager
    def _reproducible(self, *, restart: bool = False) -> Iterator[None]:
        """Draw torch's random numbers from `random_state`, not from the global generator.

        Training continues with the state after the initialization or the previous training.
        With ``random_state=None``, torch's global generator is used, as in skorch. Dropout has
        no other generator, so that threads with seeds of their own wait for each other.
        """
        if self.random_state is None:
            yield
            return
        device = torch.device(self.device or "cpu")
        devices = [device] if device.type == "cuda" else []
        with _SEEDED, torch.random.fork_rng(devices=devices):
            state = None if restart else self.__dict__.get("_rng_state")
            if state is None:
                seed = int(check_random_state(self.random_state).randint(2**31 - 1))
                torch.default_generator.manual_seed(seed)
                if device.type == "cuda":
                    torch.cuda.manual_seed(seed)
            else:
                torch.default_generator.set_state(torch.from_numpy(state))
                if device.type == "cuda":  # the state of its generator is not stored
                    torch.cuda.manual_seed(int(torch.randint(2**31 - 1, ())))
            yield
            self._rng_state = torch.default_generator.get_state().numpy()

    # --- training -------------------------------------------------------------------

    @contextmanager
    def _unchanged_on_error(self) -> Iterator[None]:
        """Restore the estimator if the block raises, also what training changes in place."""
        states = [(part, copy.deepcopy(part.state_dict())) for part in self._trained_parts()]
        callbacks = without_names(self.__dict__.get("callbacks_")) + without_names(self.callbacks)
        attributes = [(c, c.__dict__.copy()) for c in callbacks if isinstance(c, Callback)]
        history = self.history_
        epochs = [] if history is None else list(history)
        try:
            with unchanged_on_error(self):
                yield
        except BaseException:
            for part, state in states:
                part.load_state_dict(state)
            for callback, before in attributes:
                callback.__dict__.clear()
                callback.__dict__.update(before)
            if history is not None:
                history[:] = epochs
            raise

    def _trained_parts(self) -> list[Any]:
        """Return the objects with a ``state_dict`` that training and loading change in place."""
        values = self.__dict__.values()
        return [part for part in values if isinstance(part, (nn.Module, torch.optim.Optimizer))]

    def load_params(
        self,
        f_params: Any = None,
        f_optimizer: Any = None,
        f_criterion: Any = None,
        f_history: Any = None,
        checkpoint: Any = None,
        use_safetensors: bool = False,
        **kwargs: Any,
    ) -> None:
        """Load files as skorch does, all or none: only those that fit the net.

        Raises ValueError if a file is damaged or not of its kind, if values are not finite, or if
        the optimizer's state is of another network; RuntimeError if the parameters are.
        """
        given = {
            "f_params": f_params,
            "f_optimizer": f_optimizer,
            "f_criterion": f_criterion,
            "f_history": f_history,
            **kwargs,
        }
        files = {name: file for name, file in given.items() if file}
        with self._unchanged_on_error():
            if checkpoint is not None:
                files = self._files_of_checkpoint(checkpoint, files) | files
            for name, file in files.items():
                state = _check_file(name, file, use_safetensors, self.torch_load_kwargs)
                if state is not None and name in ("f_params", "f_module"):
                    self._prepare_for_state(state)
            try:
                super().load_params(use_safetensors=use_safetensors, **files)
            except KeyError as error:  # from torch's optimizers
                raise ValueError(
                    f"{files!r} hold the state of another optimizer: it lacks {error}."
                ) from error
            for name in files:
                part = self.__dict__.get(f"{name.removeprefix('f_')}_")
                if isinstance(part, torch.optim.Optimizer):
                    _check_optimizer_state(part, f"{name}={files[name]!r}")
            if {"f_params", "f_module"} & files.keys():
                self._check_weights_are_finite("in the file, whose training has diverged.")
                self._is_loaded = True

    def _prepare_for_state(self, state: dict[str, Any]) -> None:
        """Adapt the network to a state that is about to be loaded; subclasses may override it."""

    def _files_of_checkpoint(self, checkpoint: Any, given: dict[str, Any]) -> dict[str, Any]:
        """Return the files of a checkpoint, whose names may depend on the history in it."""
        if not self.initialized_:
            self.initialize()
        if "f_history" not in given and checkpoint.f_history is not None:
            _check_file("f_history", checkpoint.f_history_, False, None)
            self.history = History.from_file(checkpoint.f_history_)
        files: dict[str, Any] = checkpoint.get_formatted_files(self)
        return {name: file for name, file in files.items() if file and name != "f_pickle"}

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Run one epoch; the sample weights of a batch go to `get_loss`."""
        try:
            batches = iterator and self._without_weights(iterator)
            super().run_single_epoch(batches, training, prefix, step_fn, **fit_params)
        finally:
            self._batch_weight = None

    def _without_weights(self, batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            is_weighted = isinstance(batch, WeightedBatch)
            self._batch_weight = batch.weight if is_weighted else None
            yield batch[:2] if is_weighted else batch

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Compute loss and gradients of one batch, weighted or not; raise if not finite."""
        weight = self._batch_weight
        if isinstance(batch, WeightedBatch):
            self._batch_weight, batch = batch.weight, batch[:2]
        step: dict[str, Any] = super().train_step_single(batch, **fit_params)
        self._batch_weight = weight
        self._check_loss_is_finite(step["loss"], "training")
        return step

    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Compute the loss of one batch for validation; raise if it is not finite."""
        step: dict[str, Any] = super().validation_step(batch, **fit_params)
        self._check_loss_is_finite(step["loss"], "validation")
        return step

    def _check_loss_is_finite(self, loss: Tensor, kind: str) -> None:
        value = loss.item()
        if not math.isfinite(value):
            raise ValueError(
                f"{type(self).__name__}: the loss of a {kind} batch in epoch "
                f"{len(self.history_)} is {value}. {REMEDY.format(lr=self.lr)}"
            )

    def _check_weights_are_finite(self, explanation: str) -> None:
        """Raise if a weight or statistic of a network is infinite or NaN."""
        networks = [getattr(self, f"{name}_") for name in self._modules]
        for network in networks:
            for name, values in network.state_dict().items():
                if values.is_floating_point() and not torch.isfinite(values).all():
                    raise ValueError(
                        f"{type(self).__name__}: {name!r} of the network is not finite "
                        f"{explanation}"
                    )

    def evaluation_step(self, batch: Any, training: bool = False) -> Any:
        """Return the output of the network for one batch, weighted or not."""
        return super().evaluation_step(
            batch[:2] if isinstance(batch, WeightedBatch) else batch, training
        )

    # --- labels ---------------------------------------------------------------------

    @property
    def classes_(self) -> np.ndarray:
        """Labels in sorted order: the columns of ``predict_proba``."""
        if "classes_inferred_" in self.__dict__:
            return self.classes_inferred_
        if self.classes is not None and len(self.classes):
            return np.unique(np.asarray(self.classes))
        raise AttributeError(
            f"{type(self).__name__} infers its classes in fit; before that, pass them as `classes`."
        )

    def check_data(self, X: Any, y: Any) -> None:
        """Do nothing: skorch calls it after ``fit`` has checked the data."""

    def get_loss(self, y_pred: Tensor, y_true: Any, *args: Any, **kwargs: Any) -> Tensor:
        """Return the loss of a batch, whose targets are labels of the user."""
        if hasattr(self, "classes_"):
            y_true = encode(y_true, self.classes_)
        if self._batch_weight is None:
            return super().get_loss(y_pred, y_true, *args, **kwargs)
        reduction, self.criterion_.reduction = self.criterion_.reduction, "none"
        try:
            losses = super().get_loss(y_pred, y_true, *args, **kwargs)
        finally:
            self.criterion_.reduction = reduction
        return _weighted_mean(losses, y_true, self._batch_weight, self.criterion_)

    def _set_training(self, training: bool = True) -> None:
        """Set the mode of all layers, unless every layer is in it already."""
        components = [getattr(self, f"{name}_") for name in self._modules + self._criteria]
        modules = (component for component in components if isinstance(component, nn.Module))
        layers = (layer for module in modules for layer in module.modules())
        if any(layer.training is not training for layer in layers):
            super()._set_training(training)


def _check_file(
    name: str, file: Any, use_safetensors: bool, torch_load_kwargs: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Return the state of a part, or None for a history; raise a ValueError that names the file.

    A file object is rewound to be read again. A missing file is left to skorch, which checks the
    names of the arguments first.
    """
    if hasattr(file, "read"):
        start = file.tell()
        content = file.read()
        file.seek(start)
    elif Path(file).exists():
        content = Path(file).read_bytes()
    else:
        return None
    try:
        if name == "f_history":
            _check_history(json.loads(content))
            return None
        if use_safetensors:
            from safetensors.torch import load  # optional, as in skorch

            return load(content)
        options = torch_load_kwargs or {"weights_only": True}
        state = torch.load(io.BytesIO(content), map_location="cpu", **options)
        _check_state_dict(state)
        return state
    except Exception as error:  # torch raises errors of many types for damaged files
        hint = "" if name == "f_history" else f", or not one of use_safetensors={use_safetensors}"
        raise ValueError(
            f"{name}={file!r} cannot be loaded: it is damaged, no file of save_params{hint}. "
            f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        ) from error


def _check_history(epochs: Any) -> None:
    for epoch in epochs:
        if not isinstance(epoch, dict) or not isinstance(epoch.get("batches"), list):
            raise TypeError(f"a history is a list of epochs with their batches, got {epochs!r:.80}")


def _check_state_dict(state: Any) -> None:
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise TypeError(f"a state dict has names, but the file contains a {type(state).__name__}")


def _check_optimizer_state(optimizer: torch.optim.Optimizer, source: str) -> None:
    """Raise a ValueError if the state of an optimizer is of another optimizer or network.

    torch compares the numbers of parameters only. The fused AdamW would then read beyond the end
    of smaller tensors.
    """
    settings = optimizer.defaults.keys() - {"differentiable"}  # torch adds it while loading
    for group in optimizer.param_groups:
        missing = sorted(settings - group.keys())
        if missing:
            raise ValueError(
                f"{source} is the state of another optimizer: it lacks {missing} of "
                f"{type(optimizer).__name__}."
            )
    expected = _shapes_after_a_step(optimizer)
    found = _shapes_of_state(optimizer)
    for number, shapes in found.items():
        for name, shape in expected.get(number, {}).items():
            if shapes.get(name) != shape:
                raise ValueError(
                    f"{source} is the state of another optimizer or network: {name!r} of parameter "
                    f"{number} has the shape {shapes.get(name)}, but the network needs {shape}."
                )


def _shapes_of_state(optimizer: torch.optim.Optimizer) -> dict[int, dict[str, tuple[int, ...]]]:
    """Return the shapes of the tensors that an optimizer holds for each parameter, by number."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    states = {i: optimizer.state[p] for i, p in enumerate(parameters) if optimizer.state.get(p)}
    return {
        number: {n: tuple(v.shape) for n, v in state.items() if isinstance(v, Tensor) and v.ndim}
        for number, state in states.items()
    }


def _shapes_after_a_step(optimizer: torch.optim.Optimizer) -> dict[int, dict[str, tuple[int, ...]]]:
    """Return the shapes of the state after the first step of a copy; empty if it cannot step."""
    twin = copy.deepcopy(optimizer)
    twin.state.clear()
    for group in twin.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    try:
        twin.step(lambda: 0.0)
    except Exception:  # of an optimizer that needs other gradients or arguments
        return {}
    return _shapes_of_state(twin)


def _weighted_mean(losses: Tensor, codes: Tensor, weight: Tensor, criterion: Any) -> Tensor:
    """Return the mean loss of a batch, as torch computes it, with weighted beats.

    The weights are 1 on average over the training set. Class weights are part of ``losses``;
    like torch's own losses, the sum is divided by the class weights of the batch.
    """
    class_weight = getattr(criterion, "weight", None)
    total = len(losses) if class_weight is None else class_weight[codes.to(losses.device)].sum()
    return (losses * weight.to(losses.device)).sum() / total


def find_classes(y: np.ndarray, owner: str, classes: Any = None) -> np.ndarray:
    """Return the sorted classes of a training set, at least two.

    ``classes`` are all classes, including those missing in ``y``. With None, those of ``y``.
    """
    found = np.unique(y)
    result = found if classes is None else np.unique(np.asarray(classes))
    unknown = np.setdiff1d(found, result)
    if len(unknown):
        raise ValueError(
            f"{owner}: y contains the labels {unknown.tolist()}, which are not among the classes "
            f"{result.tolist()}. Pass all classes as `classes`."
        )
    if len(result) < 2:
        raise ValueError(
            f"{owner} needs at least 2 classes, but y contains 1 class only: {result.tolist()}."
        )
    return result


def encode(y: Any, classes: np.ndarray) -> Tensor:
    """Return the class number of each label, int64, on the device of ``y``."""
    labels = to_numpy(y) if isinstance(y, Tensor) else np.asarray(y)
    codes = np.searchsorted(classes, labels)
    known = classes[np.minimum(codes, len(classes) - 1)] == labels
    if not np.all(known):
        raise ValueError(
            f"The labels {np.unique(labels[~known]).tolist()} are not among the classes "
            f"{classes.tolist()} that the classifier was fitted with."
        )
    result = torch.from_numpy(codes.astype(np.int64, copy=False))
    return result.to(y.device) if isinstance(y, Tensor) else result


def labels_of_dataset(dataset: Any) -> np.ndarray | None:
    """Return the targets of a dataset, or None if they are unknown.

    They are read from its attributes as skorch does, else from every item.
    """
    try:
        _, y = data_from_dataset(dataset)
        return None if y is None else np.asarray(to_numpy(y))
    except (AttributeError, TypeError):
        pass
    if not hasattr(dataset, "__len__"):
        return None
    return np.asarray([np.asarray(dataset[i][1]).item() for i in range(len(dataset))])
