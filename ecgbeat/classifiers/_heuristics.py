"""Heuristics of training: numbers for ``"auto"``, class weights, validation split, precision."""

import copy
import functools
import inspect
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import StratifiedGroupKFold
from torch import Tensor, nn

# --- sizes of a training ----------------------------------------------------------------

PREDICTION_BATCH = 256  # where the length of the beats is not known in advance

_PREDICTION_VALUES = 200_000  # per batch; the activations of more do not fit into the caches
_SMALLEST_PREDICTION, _LARGEST_PREDICTION = 64, 1024

_BATCHES_PER_EPOCH = 8
_SMALLEST_BATCH, _LARGEST_BATCH = 8, 256
_EPOCHS_AT_1000 = 40.0
_EXPONENT = 0.2
_FEWEST_EPOCHS, _MOST_EPOCHS = 16, 100
_EPOCHS_OF_MUON = 0.7  # of those of AdamW, for the same scores
_EXPONENT_OF_MEMBERS = 0.4  # beside kernels; three members take 1.6 times the time of one

_SHARED = 2 / 3  # of the epochs; three members take 1.7 times the time of one
_SMALL_SET, _LARGE_SET = 1000, 20_000
_NOISE, _SHIFT = 0.1, 0.02  # below that number of beats
_MEMBERS, _MOST_ROWS_OF_MEMBERS = 3, 10_000
_MOST_ROWS_OF_KERNELS, _LONGEST_ROW_OF_KERNELS = 2000, 2000


def batch_size_for(n_beats: int) -> int:
    """Return the batch size for ``batch_size="auto"``.

    A power of two near ``n_beats / 8``, from 8 to 256: large sets train fastest in
    large batches, small ones need the steps.
    """
    size = 2 ** round(math.log2(max(n_beats / _BATCHES_PER_EPOCH, 1)))
    return min(max(size, _SMALLEST_BATCH), _LARGEST_BATCH)


def prediction_batch_for(n_features: int) -> int:
    """Return the batch size of prediction: a power of two near 200,000 values in all.

    On two cores, 20,000 beats of 96 to 720 samples took the least time, or within 5 % of it,
    in batches of this size. Batches four times as large took up to twice as long.
    """
    size = 2 ** round(math.log2(_PREDICTION_VALUES / max(n_features, 1)))
    return min(max(size, _SMALLEST_PREDICTION), _LARGEST_PREDICTION)


def epochs_for(n_beats: int, with_muon: bool = False, n_members: int = 1) -> int:
    """Return the number of epochs for ``max_epochs="auto"``.

    40 at 1,000 beats, decreasing with the power 0.2 of their number, from 100 down to 16; with
    `MuonAdamW`, seven tenths of these. ``n_members`` counts networks beside fixed kernels, whose
    weight is small: they have fewer, divided by the power 0.4 of their number. For networks alone,
    which would lose what their average gains, it is 1.
    """
    epochs = min(_EPOCHS_AT_1000 * (1000 / max(n_beats, 1)) ** _EXPONENT, _MOST_EPOCHS)
    epochs = max(round(epochs / n_members**_EXPONENT_OF_MEMBERS), _FEWEST_EPOCHS)
    return round(_EPOCHS_OF_MUON * epochs) if with_muon else epochs


def is_large_set(n_beats: int) -> bool:
    """Return whether a fit takes a minute: with `MuonAdamW`, and members that share epochs.

    Neither is better on small sets.
    """
    return n_beats >= _LARGE_SET


def shared_epochs_for(n_epochs: int) -> int:
    """Return the number of epochs of a large set in which one network is trained for all members.

    On small sets, the networks would differ too little for a better average.
    """
    return int(_SHARED * n_epochs)


def augmentation_for(n_beats: int) -> tuple[float, float]:
    """Return noise and shift for ``augment_noise="auto"`` and ``augment_shift="auto"``.

    They reduce overfitting to small sets. Large sets do not benefit.
    """
    return (_NOISE, _SHIFT) if n_beats < _SMALL_SET else (0.0, 0.0)


def members_for(n_beats: int) -> int:
    """Return the number of networks for ``n_members="auto"``, without fixed kernels.

    Networks trained on few beats differ, so that their average is better than each. With more
    than 10,000 beats, the fit of several would take minutes.
    """
    return _MEMBERS if n_beats <= _MOST_ROWS_OF_MEMBERS else 1


def needs_kernels(n_beats: int, n_features: int) -> bool:
    """Return whether ``fixed_kernels="auto"`` adds fixed kernels: to small sets of short rows.

    The time of their ridge classifier grows with the cube of the number of rows. Their own grows
    with the length of the rows: in prediction, it is twenty times that of the trained layers,
    which is too much for long beats of twelve leads.
    """
    return n_beats <= _MOST_ROWS_OF_KERNELS and n_features <= _LONGEST_ROW_OF_KERNELS


# --- weight decay -----------------------------------------------------------------------

# ten times torch's: more macro-F1 by beat, less log loss by patient (training_study.py)
_ADAMW_DECAY = 0.1


def weight_decay_for(optimizer: Callable[..., Any], weight_decay: float | str) -> float:
    """Return 0.1 for ``"auto"`` and AdamW, the default of any other optimizer."""
    if not isinstance(weight_decay, str):
        return float(weight_decay)
    bare = optimizer.func if isinstance(optimizer, functools.partial) else optimizer
    if inspect.isclass(bare) and issubclass(bare, torch.optim.AdamW):
        return _ADAMW_DECAY
    argument = _find_argument(optimizer, "weight_decay")
    return 0.0 if argument is None else float(argument.default)


def takes_argument(factory: Callable[..., Any], name: str) -> bool:
    """Return whether a class or function has an argument that is not bound yet.

    A class with ``**kwargs`` has the arguments of its base classes, too.
    """
    if isinstance(factory, functools.partial) and name in factory.keywords:
        return False
    return _find_argument(factory, name) is not None


def _find_argument(factory: Callable[..., Any], name: str) -> inspect.Parameter | None:
    """Return an argument of a class or function, or of a base class that receives it."""
    arguments = inspect.signature(factory).parameters
    if name in arguments:
        return arguments[name]
    has_kwargs = any(argument.kind is argument.VAR_KEYWORD for argument in arguments.values())
    bases = inspect.getmro(factory)[1:-1] if has_kwargs and inspect.isclass(factory) else ()
    found = (inspect.signature(base).parameters.get(name) for base in bases)
    return next((argument for argument in found if argument is not None), None)


# --- class weights and validation split -------------------------------------------------


def weights_of_classes(
    class_weight: str | dict[Any, float] | None,
    classes: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> np.ndarray | None:
    """Return one weight per class, or None for equal weights.

    "balanced" is computed as in scikit-learn: a class has the weight
    ``n_beats / (n_classes * n_beats_of_class)``, where weighted beats count by their weight.
    "sqrt_balanced" is its square root, scaled so that the weights of the beats in ``y`` are 1
    on average, as they are with "balanced". A class missing in ``y`` (possible in
    ``partial_fit``) has weight 1.
    """
    if class_weight is None:
        return None
    weights = np.ones(len(classes))
    if isinstance(class_weight, dict):
        _check_labels(class_weight, classes)
        for label, weight in class_weight.items():
            weights[np.flatnonzero(classes == label)] = np.float32(weight)  # as in the loss
        return weights
    counts = np.bincount(np.searchsorted(classes, y), sample_weight, minlength=len(classes))
    present = counts > 0
    weights[present] = counts.sum() / (present.sum() * counts[present])
    if class_weight == "sqrt_balanced":
        weights[present] = np.sqrt(weights[present])
        weights[present] *= counts.sum() / (counts @ weights)
    return weights


def check_class_weight(class_weight: Any) -> None:
    """Raise if a weight in a dict is no number, negative, or not finite as float32."""
    for label, weight in class_weight.items() if isinstance(class_weight, dict) else ():
        if (
            not isinstance(weight, (int, float, np.integer, np.floating))
            or not 0 <= weight <= torch.finfo(torch.float32).max
        ):
            raise ValueError(
                "class_weight must contain numbers that are not negative and finite in float32, "
                f"got {weight!r} for class {label!r}."
            )


def _check_labels(class_weight: dict[Any, Any], classes: np.ndarray) -> None:
    """Raise unless all labels in a dict are known, and a class has a weight above 0."""
    unknown = [label for label in class_weight if label not in classes]
    if unknown:
        raise ValueError(
            f"class_weight contains the labels {unknown!r}, which are not among the classes "
            f"{classes.tolist()}."
        )
    if len(class_weight) == len(classes) and not any(map(np.float32, class_weight.values())):
        raise ValueError(
            f"class_weight is zero in float32 for all classes, got {class_weight!r}. No beat would "
            "count."
        )


def stratified_holdout(
    y: np.ndarray, fraction: float, random_state: int, groups: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Split row numbers into training and validation, stratified by the labels ``y``.

    A fraction of every class is held out, rounded to whole rows. Every class keeps at least one
    row for training, where scikit-learn's stratified splitters raise an error for classes of one
    row. With ``groups``, no patient is on both sides, and the fraction is met approximately.
    """
    if groups is not None:
        return _holdout_of_groups(y, fraction, random_state, np.asarray(groups))
    order = np.random.default_rng(random_state).permutation(len(y))
    _, codes, counts = np.unique(y[order], return_inverse=True, return_counts=True)
    quota = np.minimum(np.rint(fraction * counts), counts - 1).astype(int)
    if quota.sum() == 0:
        quota[counts.argmax()] = min(1, counts.max() - 1)
    if quota.sum() == 0:
        raise ValueError(
            f"early_stopping=True needs a row to validate on, but X has {len(y)} rows of "
            f"{len(counts)} classes, one each. Pass more rows or set early_stopping=False."
        )
    # rank of every row within its class, in the shuffled order
    by_class = np.argsort(codes, kind="stable")
    rank = np.empty(len(y), dtype=int)
    rank[by_class] = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    validates = rank < quota[codes]
    return np.sort(order[~validates]), np.sort(order[validates])


def _holdout_of_groups(
    y: np.ndarray, fraction: float, random_state: int, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Split whole patients into training and validation."""
    if groups.shape != y.shape:
        raise ValueError(
            f"groups must contain one patient for each of the {len(y)} rows of X, "
            f"got shape {groups.shape}."
        )
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            f"early_stopping=True with groups needs at least 2 patients, got {n_groups}."
        )
    n_splits = int(np.clip(round(1 / fraction), 2, n_groups))
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=random_state)
    for training, validation in splitter.split(y, y, groups):
        if len(validation) and len(np.unique(y[training])) == len(np.unique(y)):
            return training, validation
    raise ValueError(
        "early_stopping=True with groups: every split leaves a class without training rows, "
        "since some class occurs in one patient only. Omit groups or drop that class."
    )


# --- device and precision ---------------------------------------------------------------

_TRIALS = 5  # the fastest of so many training steps counts
_WORTHWHILE = 0.9  # bfloat16 must take less than this fraction of float32's time


def resolve_device(device: Any) -> Any:
    """Return the best available device for ``"auto"``, any other device unchanged."""
    if not isinstance(device, str) or device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def check_device(device: Any) -> None:
    """Raise a ValueError if torch does not know a device, or this machine does not have it."""
    if device is None:
        return
    try:
        torch.zeros(1, device=resolve_device(device)).item()  # "meta" holds no values
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ValueError(
            f"device={device!r} is not available: {reason}. Pass 'cpu', 'auto' for the best device "
            "of this machine, or a device of torch that it has."
        ) from error


def autocast(precision: str, device: Any) -> AbstractContextManager[None]:
    """Return a context in which a network computes in a precision; device None is the CPU."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(_device_type(device), dtype=torch.bfloat16)


def faster_precision(network: nn.Module, rows: Tensor, device: Any) -> str:
    """Return the precision, "float32" or "bfloat16", in which training is faster on this machine.

    A copy of the network is trained on one batch of rows, alternating between both precisions.
    Neither the network nor torch's random numbers are affected. bfloat16 must be a tenth faster.
    """
    kind = _device_type(device)
    if kind == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return "float32"
    trainee = copy.deepcopy(network).train()
    rows = rows.to(device or "cpu")
    seconds = {"float32": float("inf"), "bfloat16": float("inf")}
    with torch.random.fork_rng(devices=[torch.device(device)] if kind == "cuda" else []):
        for _ in range(_TRIALS):
            for precision in seconds:
                elapsed = _time_of_step(trainee, rows, precision, kind)
                seconds[precision] = min(seconds[precision], elapsed)
    is_faster = seconds["bfloat16"] < _WORTHWHILE * seconds["float32"]
    return "bfloat16" if is_faster else "float32"


def _time_of_step(network: nn.Module, rows: Tensor, precision: str, kind: str) -> float:
    """Return the seconds of one forward and backward pass."""
    start = time.perf_counter()
    with autocast(precision, kind):
        output = network(rows)
    output.float().sum().backward()
    if kind == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _device_type(device: Any) -> str:
    return torch.device(device).type if device is not None else "cpu"
