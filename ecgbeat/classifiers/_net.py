"""A skorch net that keeps scikit-learn's contract.

skorch names the things of deep learning (optimizer, callbacks, history, iterators) and
its vocabulary holds here unchanged. What this class adds is what scikit-learn asks of an
estimator: parameters that are flat and only assigned in ``__init__``, a state that a
failed call leaves alone, randomness that is its own, labels of any kind.

Labels stay the user's own wherever a user or a callback meets them: batches carry them,
``predict`` gives them back, scorers compare them. Only the loss sees codes (`get_loss`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from skorch import NeuralNetClassifier
from torch import Tensor, nn

from ecgbeat._validation import check_is_fitted, validate_parameter_constraints
from ecgbeat.classifiers._device import resolve_device
from ecgbeat.classifiers._labels import encode


class SklearnNet(NeuralNetClassifier):
    """Base of the classifiers; knows nothing of heartbeats."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"random_state": ["random_state"]}

    random_state: Any
    # skorch sets these in __init__, where scikit-learn allows parameters only
    history_: Any = None
    virtual_params_: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, module: Any, **parameters: Any) -> None:
        super().__init__(module, **parameters)
        for name in ("history_", "initialized_", "virtual_params_"):
            del self.__dict__[name]

    # --- parameters -----------------------------------------------------------------

    @property
    def initialized_(self) -> bool:
        """Whether there is a network yet."""
        if "_params_to_validate" not in self.__dict__:
            # skorch's __setattr__ asks for this to learn that __init__ is still running
            raise AttributeError("initialized_")
        return self.__dict__.get("initialized_", False)

    @initialized_.setter
    def initialized_(self, value: bool) -> None:
        self.__dict__["initialized_"] = value

    @property
    def device(self) -> Any:
        """The device in use; ``get_params`` tells what was asked for."""
        return resolve_device(self.__dict__.get("device"))

    @device.setter
    def device(self, value: Any) -> None:
        self.__dict__["device"] = value

    def _get_param_names(self) -> list[str]:
        return [name for name in super()._get_param_names() if not name.startswith("_")]

    def get_params(self, deep: bool = True, **kwargs: Any) -> dict[str, Any]:
        """Return the parameters as skorch does, ``device`` as it was asked for."""
        return super().get_params(deep=deep, **kwargs) | {"device": self.__dict__["device"]}

    def set_params(self, **kwargs: Any) -> "SklearnNet":
        """Set parameters as skorch does, none of them if one is wrong."""
        with unchanged_parameters(self):
            if "callbacks" in kwargs:  # skorch would first build the old ones, right or wrong
                self.callbacks = kwargs.pop("callbacks")
            return super().set_params(**kwargs)

    def _check_parameters(self) -> None:
        """Hold the parameters against their constraints, as scikit-learn does in ``fit``."""
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )

    __repr__ = BaseEstimator.__repr__  # skorch's own cannot be read inside a pipeline

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpickle as skorch does, on the best device there is for ``device="auto"``."""
        asked = state["device"]
        super().__setstate__(state | {"device": resolve_device(asked)})
        if asked == "auto":
            self.device = asked

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that 3-D arrays are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    # --- randomness -----------------------------------------------------------------

    def initialize(self) -> "SklearnNet":
        """Build network, loss, optimizer and callbacks, and start the random numbers anew."""
        with self._own_randomness(restart=True):
            return super().initialize()

    @contextmanager
    def _own_randomness(self, *, restart: bool = False) -> Iterator[None]:
        """Draw torch's random numbers from ``random_state``, leaving the global ones alone.

        Training goes on where the initialization, or the training before, has stopped.
        ``random_state=None`` means torch's global generator, as in skorch.
        """
        if self.random_state is None:
            yield
            return
        device = torch.device(self.device or "cpu")
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            state = None if restart else self.__dict__.get("_rng_state")
            if state is None:
                seed = int(check_random_state(self.random_state).randint(2**31 - 1))
                torch.default_generator.manual_seed(seed)
                if device.type == "cuda":
                    torch.cuda.manual_seed(seed)
            else:
                torch.default_generator.set_state(torch.from_numpy(state))
                if device.type == "cuda":  # its generator was left alone since: begin anew
                    torch.cuda.manual_seed(int(torch.randint(2**31 - 1, ())))
            yield
            self._rng_state = torch.default_generator.get_state().numpy()

    def _set_training(self, training: bool = True) -> None:
        """Set all layers to training or not; walk through them only if one is not so already."""
        parts = [getattr(self, f"{name}_") for name in self._modules + self._criteria]
        layers = (
            layer for part in parts if isinstance(part, nn.Module) for layer in part.modules()
        )
        if any(layer.training is not training for layer in layers):
            super()._set_training(training)

    # --- labels ---------------------------------------------------------------------

    @property
    def classes_(self) -> np.ndarray:
        """The labels in sorted order: the columns of ``predict_proba``."""
        if "classes_inferred_" in self.__dict__:
            return self.classes_inferred_
        if self.classes is not None and len(self.classes):
            return np.unique(np.asarray(self.classes))
        raise AttributeError(
            f"{type(self).__name__} learns its classes in fit; before that, name them in `classes`."
        )

    def check_data(self, X: Any, y: Any) -> None:
        """Do nothing: skorch asks here what ``fit`` has checked already."""

    def get_loss(self, y_pred: Tensor, y_true: Any, *args: Any, **kwargs: Any) -> Tensor:
        """Return the loss of a batch, whose targets are labels as the user wrote them."""
        if hasattr(self, "classes_"):
            y_true = encode(y_true, self.classes_)
        return super().get_loss(y_pred, y_true, *args, **kwargs)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of every beat.

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
        # a net that was initialized and loaded, never fitted, may not know its labels
        return self.classes_[codes] if hasattr(self, "classes_") else codes


@contextmanager
def unchanged_parameters(net: SklearnNet) -> Iterator[None]:
    """Give a net its old parameters back if the block raises."""
    before = {name: net.__dict__[name] for name in net._get_param_names()}
    try:
        yield
    except Exception:
        for name in net._get_param_names():
            del net.__dict__[name]
        net.__dict__.update(before)
        raise
