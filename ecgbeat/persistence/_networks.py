"""Classifiers with a network as parameters, fitted attributes and weights.

The optimizer, the callbacks and the batches of the history are left out: prediction needs none.
"""

import re
import warnings
from typing import Any

import numpy as np
import torch
from skorch.history import History

from ecgbeat.networks import count_members, set_kernels_of_state, uncompiled
from ecgbeat.persistence._estimators import parameters_of

PACKAGES = ("skorch", "torch")  # besides that of the class
_FITTED = {
    "_class_weights",
    "batch_size_",
    "classes_inferred_",
    "feature_names_in_",
    "max_epochs_",
    "n_features_in_",
    "n_leads_",
    "precision_",
}
_TRIMMED = {"criterion", "iterator_train", "optimizer"}  # None after trim_for_prediction
# parameters of components; neither callable attributes nor those of Python match
_OF_COMPONENT = re.compile(
    r"(callbacks|compile|criterion|dataset|iterator_train|iterator_valid|module|optimizer)__[a-z]\w*"
)
_TENSORS = "tensors"  # parameters that are tensors of torch, such as criterion__weight


def get_state(net: Any) -> dict[str, Any]:
    """Return the parameters and fitted attributes of a net, its weights and history."""
    if net.module is not None:
        raise ValueError(
            f"{type(net).__name__} has a network of its own, module={net.module!r:.60}, and a "
            "model file contains no code. Save its weights with save_params, and load them into "
            "a net that is made by the same code; or use joblib."
        )
    values = vars(net)
    parameters = {k: v for k, v in values.items() if _is_parameter(type(net), k)}
    if values.get("_trimmed_for_prediction"):
        parameters = {k: v for k, v in parameters.items() if k not in _TRIMMED}
    if isinstance(net.callbacks, list) and net.callbacks:
        _drop_callbacks(net, parameters)
    if isinstance(parameters["device"], torch.device):
        parameters["device"] = str(parameters["device"])
    tensors = {k: v.cpu().numpy() for k, v in parameters.items() if isinstance(v, torch.Tensor)}
    state = {k: v for k, v in parameters.items() if k not in tensors}
    state |= {k: v for k, v in values.items() if k in _FITTED}
    if tensors:
        state[_TENSORS] = tensors
    if not values.get("initialized_"):
        return state
    weights = {k: v.cpu().numpy() for k, v in uncompiled(net.module_).state_dict().items()}
    epochs = [] if net.history_ is None else [_without_batches(epoch) for epoch in net.history_]
    return state | {"weights": weights, "history": epochs}


def from_state(cls: Any, name: str, state: dict[str, Any]) -> Any:
    """Return a net with the weights of a file, which must be those of its parameters."""
    weights, epochs = state.pop("weights", None), state.pop("history", [])
    tensors = {k: torch.from_numpy(v) for k, v in state.pop(_TENSORS, {}).items()}
    fitted = {k: v for k, v in state.items() if k in _FITTED}
    parameters = {k: v for k, v in state.items() if k not in _FITTED}
    if unknown := [k for k in (*parameters, *tensors) if not _is_parameter(cls, k)]:
        raise ValueError(
            f"{name} has no parameters {unknown} in the version that is installed, or none that a "
            "model file may contain."
        )
    net = cls(**parameters, **tensors)
    vars(net).update(fitted)
    if weights is None:
        return net
    if not isinstance(weights, dict) or not all(
        isinstance(w, np.ndarray) for w in weights.values()
    ):
        raise ValueError(f"The weights of {name} are no arrays.")
    if not isinstance(epochs, list) or not all(isinstance(epoch, dict) for epoch in epochs):
        raise ValueError(f"The history of {name} is no list of epochs.")
    _use_available_device(net)
    net._check_parameters()
    net._auto_members = count_members(weights)
    _check_weights(net, name, weights)
    _initialize(net)
    states = {k: torch.from_numpy(v) for k, v in weights.items()}
    uncompiled(net.module_).load_state_dict(states)
    net._check_weights_are_finite("in the file.")
    net.history_ = History({"batches": []} | epoch for epoch in epochs)
    return net


def _is_parameter(cls: type, name: str) -> bool:
    """Return whether an attribute is a parameter that a model file may contain."""
    is_own = name in parameters_of(cls) and name not in ("module", "torch_load_kwargs")
    return is_own or _OF_COMPONENT.fullmatch(name) is not None


def _drop_callbacks(net: Any, parameters: dict[str, Any]) -> None:
    """Remove the callbacks of skorch, which are for training; refuse those of the user."""
    callbacks = [item[-1] if isinstance(item, tuple) else item for item in net.callbacks]
    classes = [c if isinstance(c, type) else type(c) for c in callbacks]
    for cls in classes:
        if not cls.__module__.startswith("skorch."):
            raise ValueError(
                f"{type(net).__name__} has the callback {cls.__name__}, and a model file contains "
                "no code. Prediction does not need it: save a copy with set_params(callbacks=None)."
            )
    for key in [k for k in parameters if k.startswith("callbacks__")]:
        del parameters[key]
    parameters["callbacks"] = None
    warnings.warn(
        f"{type(net).__name__} is saved without its callbacks "
        f"{[c.__name__ for c in classes]}, which are for training only.",
        UserWarning,
        stacklevel=2,
    )


def _without_batches(epoch: dict[str, Any]) -> dict[str, Any]:
    """Return the losses and scores of an epoch."""
    plain = (bool, int, float, str, np.number)
    return {k: v for k, v in epoch.items() if isinstance(v, plain)}


def _use_available_device(net: Any) -> None:
    """Choose the CPU if the device of the net is not available."""
    device = vars(net)["device"]
    if device in (None, "auto", "cpu"):
        return
    try:
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError):  # torch without CUDA, no such GPU
        net.device = "cpu"
        warnings.warn(
            f"{type(net).__name__} was saved with device={device!r}, which is not available: it is "
            "loaded to the CPU.",
            UserWarning,
            stacklevel=2,
        )


def _check_weights(net: Any, name: str, weights: dict[str, np.ndarray]) -> None:
    """Raise ValueError unless the weights are those of the network, before it takes memory."""
    arguments = net.get_params_for("module")
    n_layers = [net._n_members, *(arguments.get(key, 0) for key in ("n_blocks", "n_layers"))]
    if any(type(n) is not int or n > len(weights) for n in n_layers):
        raise ValueError(f"{name} has {max(n_layers)} layers, but only {len(weights)} weights.")
    try:
        with torch.device("meta"):  # tensors without memory
            expected = _network_for(net, weights).state_dict()
    except (IndexError, RuntimeError, TypeError) as error:
        raise ValueError(f"The weights of {name} do not fit its parameters: {error}") from error
    if missing := expected.keys() ^ weights.keys():
        raise ValueError(f"The weights of {name} do not fit its parameters: {sorted(missing)[:3]}.")
    for key, tensor in expected.items():
        dtype = str(tensor.dtype).removeprefix("torch.")
        if tuple(tensor.shape) != weights[key].shape or dtype != str(weights[key].dtype):
            raise ValueError(
                f"The weights {key!r} of {name} have the shape {weights[key].shape} and type "
                f"{weights[key].dtype}, but its parameters need {tuple(tensor.shape)} and {dtype}."
            )


def _network_for(net: Any, weights: dict[str, np.ndarray]) -> Any:
    """Build the network, with fixed kernels if the weights have some."""
    network = net._build_network()
    tensors = {k: torch.from_numpy(v) for k, v in weights.items()}
    for name, module in list(network.named_modules()):
        if hasattr(module, "kernels"):
            set_kernels_of_state(module, tensors, f"{name}." if name else "")
    return network


def _initialize(net: Any) -> None:
    """Build all components without drawing from the random numbers of the user or of torch."""
    random_state, net.random_state = net.random_state, 0
    net.initialize()
    net.random_state = random_state
    vars(net).pop("_rng_state")
