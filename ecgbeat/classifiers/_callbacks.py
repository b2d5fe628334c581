"""Callbacks behind the classifiers' parameters, and the moving average of weights."""

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    LRScheduler,
    PrintLog,
    ProgressBar,
)
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ecgbeat._progress import tqdm


def callbacks_for(net: Any) -> list[tuple[str, Callback]]:
    """Return the callbacks that implement `verbose`, `lr_schedule` and `early_stopping`."""
    callbacks: list[tuple[str, Callback]] = []
    if not _has_callback(net, ProgressBar):
        callbacks.append(("progress", EpochProgress()))
    # get_params calls this, even while a parameter has an invalid value
    one_cycle = isinstance(net.lr_schedule, str) and net.lr_schedule == "onecycle"
    if one_cycle and not _has_callback(net, LRScheduler):
        callbacks.append(("one_cycle", OneCycle()))
    if isinstance(net.early_stopping, (bool, np.bool_)) and net.early_stopping:
        callbacks.append(("early_stopping", StopAtBest(patience=net.patience, load_best=True)))
    return callbacks


def _has_callback(net: Any, kind: type[Callback]) -> bool:
    """Return whether the user passed a callback of a kind, which replaces that of the net."""
    return any(isinstance(item, kind) or item is kind for item in without_names(net.callbacks))


def without_names(callbacks: Any) -> list[Any]:
    """Return the callbacks of a list, with or without names; none for any other value."""
    items = callbacks if isinstance(callbacks, (list, tuple)) else []
    return [item[1] if isinstance(item, (list, tuple)) else item for item in items]


def rank_of(callback: Callback) -> int:
    """Return the place of a callback in an epoch: scores, checkpoints, the log, early stopping.

    A checkpoint stores the history with the scores of its epoch, the log shows whether there is a
    new one, and early stopping may monitor any score.
    """
    kinds = (Checkpoint, PrintLog, StopAtBest)
    return max((i for i, kind in enumerate(kinds, 1) if isinstance(callback, kind)), default=0)


def may_stop_early(net: Any) -> bool:
    """Return whether an ``EarlyStopping`` may end the training, that of the net or the user's."""
    return bool(_early_stoppings(net))


def has_stopped_early(net: Any) -> bool:
    """Return whether an ``EarlyStopping`` has ended the training, by a KeyboardInterrupt."""
    return any(callback.misses_ == callback.patience for callback in _early_stoppings(net))


def _early_stoppings(net: Any) -> list[EarlyStopping]:
    return [callback for _, callback in net.callbacks_ if isinstance(callback, EarlyStopping)]


def count_batches(net: Any, dataset: Any, training: bool) -> int:
    """Return the number of batches per epoch, also with ``batch_size="auto"``."""
    prefix = "iterator_train" if training else "iterator_valid"
    batch_size = net.get_params_for(prefix).get("batch_size", net.batch_size)
    return 1 if batch_size == -1 else math.ceil(len(dataset) / batch_size)


class EpochProgress(Callback):
    """Progress bar over the epochs of a training with ``verbose``.

    It is hidden while skorch prints the line of an epoch, and removed at the end.
    """

    bar_: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the bar, which refers to the screen."""
        return self.__dict__ | {"bar_": None}

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Create the bar."""
        self.bar_ = tqdm(
            total=net.max_epochs_,
            desc="training",
            unit="epoch",
            leave=False,
            disable=not net.verbose,
        )

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Show the bar below the line of the previous epoch."""
        if self.bar_ is not None:  # None if fit_loop was called without a training around it
            self.bar_.refresh()

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Advance the bar, and hide it for the line of the epoch."""
        if self.bar_ is not None:
            self.bar_.update()
            self.bar_.clear()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Remove the bar."""
        if self.bar_ is not None:
            self.bar_.close()
        self.bar_ = None


class BatchProgress(ProgressBar):
    """skorch's progress bar over batches, also for ``batch_size="auto"``."""

    def _get_batches_per_epoch_phase(self, net: Any, dataset: Any, training: bool) -> int:
        return 0 if dataset is None else count_batches(net, dataset, training)

    @classmethod
    def replacing(cls, callback: Callback) -> Callback:
        """Return any callback unchanged but skorch's progress bar, which needs a number."""
        return cls(**callback.get_params()) if type(callback) is ProgressBar else callback


class OneCycle(Callback):
    """One-cycle learning rate: warm-up to ``lr``, then annealing to zero, batch by batch.

    Smith & Topin 2019 (doi:10.1117/12.2520589), as ``torch.optim.lr_scheduler.OneCycleLR``
    implements it. skorch's ``LRScheduler`` would need the number of steps in advance, which
    is unknown before the validation split; here it is computed in the first epoch.
    """

    scheduler_: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the schedule, whose optimizer is pickled by the net."""
        return self.__dict__ | {"scheduler_": None}

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Discard the schedule of an earlier training."""
        self.scheduler_ = None

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        """Create the schedule in the first epoch."""
        if self.scheduler_ is not None:
            return
        n_batches = count_batches(net, dataset_train, training=True)
        n_epochs = getattr(net, "max_epochs_", net.max_epochs)  # the latter in a bare fit_loop
        optimizer = net.optimizer_
        self.scheduler_ = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=[group["lr"] for group in optimizer.param_groups],
            total_steps=max(int(n_batches * n_epochs), 2),  # torch divides by 0 for one step
            cycle_momentum=any(name in optimizer.defaults for name in ("betas", "momentum")),
        )

    def on_batch_end(self, net: Any, training: bool = False, **kwargs: Any) -> None:  # noqa: ARG002
        """Advance the schedule; a custom loader may yield more batches than it has steps."""
        schedule = self.scheduler_
        if training and schedule is not None and schedule.last_epoch < schedule.total_steps - 1:
            schedule.step()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Restore the learning rate of the optimizer and discard the schedule."""
        if self.scheduler_ is not None:
            for group in net.optimizer_.param_groups:
                group["lr"] = group.pop("max_lr")
        self.scheduler_ = None


class StopAtBest(EarlyStopping):
    """Early stopping that runs last at the end of an epoch, and first at that of the training.

    Last, so that all scores of the final epoch are recorded and can be monitored. First, so
    that callbacks that save or score the trained net find the best weights in it: the net
    itself calls `restore_best` before their ``on_train_end``.
    """

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Do nothing: the weights are restored already."""

    def restore_best(self, net: Any) -> None:
        """Load the weights of the best epoch."""
        super().on_train_end(net)


class WeightAverage:
    """Exponential moving average of weights and batch-norm statistics over training steps.

    During an epoch of training, the network has its raw weights. Outside, it has their
    average, and the raw weights are stored here. The decay at step t is at most
    (1 + t) / (10 + t), as in TensorFlow's ``ExponentialMovingAverage``, so that the random
    initial weights are forgotten within some steps.

    The values of the network's tensors are replaced in place, since the optimizer (and a
    recurrent layer on a GPU) refers to these tensors.
    """

    def __init__(self) -> None:
        self.n_steps = 0
        self.average: list[Tensor] = []
        self.raw: list[Tensor] = []
        self._live: list[Tensor] = []  # those of the network, during an epoch

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with all weights on the CPU, without those of the network."""
        kept = {name: [t.cpu() for t in getattr(self, name)] for name in ("average", "raw")}
        return self.__dict__ | kept | {"_live": []}

    def state_dict(self) -> dict[str, Any]:
        """Return the number of steps, the average and the raw weights."""
        return {"n_steps": self.n_steps, "average": self.average, "raw": self.raw}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` has returned."""
        self.n_steps, self.average, self.raw = state["n_steps"], state["average"], state["raw"]
        self._live = []

    @contextmanager
    def epoch(self, network: nn.Module) -> Iterator[None]:
        """Give the network its raw weights in the block and their average afterwards."""
        self._live = _averaged_tensors(network)
        if self.raw and _equal(self._live, self.average):
            _copy(self.raw, self._live)
        else:  # in the first epoch and after loading weights, a new average begins
            self.n_steps = 0
            self.average = [tensor.clone() for tensor in self._live]
        self.raw = []  # so that a copy made within the block does not return to them
        self.average = [a.to(t.device) for a, t in zip(self.average, self._live, strict=True)]
        try:
            yield
        finally:  # the steps of an interrupted epoch count
            self.raw = [tensor.clone() for tensor in self._live]
            _copy(self.average, self._live)
            self._live = []

    def step(self, decay: float) -> None:
        """Update the average after a training step."""
        if not self._live:
            return  # a step outside an epoch
        decay = min(decay, (1 + self.n_steps) / (10 + self.n_steps))
        get_ema_multi_avg_fn(decay)(self.average, self._live, self.n_steps)
        self.n_steps += 1


def _averaged_tensors(network: nn.Module) -> list[Tensor]:
    """Return weights and buffers without gradients, except integer counters."""
    tensors = itertools.chain(network.parameters(), network.buffers())
    return [tensor.detach() for tensor in tensors if tensor.is_floating_point()]


def _equal(these: list[Tensor], those: list[Tensor]) -> bool:
    return len(these) == len(those) and all(
        torch.equal(this, that.to(this.device)) for this, that in zip(these, those, strict=True)
    )


def _copy(sources: list[Tensor], targets: list[Tensor]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target.copy_(source)
