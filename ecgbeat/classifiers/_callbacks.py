"""The callbacks that the classifiers' own parameters stand for."""

import math
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback, EarlyStopping, LRScheduler, ProgressBar

from ecgbeat._progress import tqdm


def own_callbacks(net: Any) -> list[tuple[str, Any]]:
    """Return progress, the schedule of the learning rate and early stopping, as far as wanted."""
    callbacks: list[tuple[str, Any]] = []
    if not _has_its_own(net, ProgressBar):
        callbacks.append(("progress", EpochProgress()))
    # get_params reads these, also while a parameter still holds some nonsense
    one_cycle = isinstance(net.lr_schedule, str) and net.lr_schedule == "onecycle"
    if one_cycle and not _has_its_own(net, LRScheduler):
        callbacks.append(("one_cycle", OneCycle()))
    if isinstance(net.early_stopping, (bool, np.bool_)) and net.early_stopping:
        callbacks.append(("early_stopping", StopAtBest(patience=net.patience, load_best=True)))
    return callbacks


def _has_its_own(net: Any, kind: type[Callback]) -> bool:
    """Tell whether the user brought a callback of a kind: two would get in each other's way."""
    callbacks = net.callbacks if isinstance(net.callbacks, (list, tuple)) else []
    found = [item[1] if isinstance(item, (list, tuple)) else item for item in callbacks]
    return any(isinstance(item, kind) or item is kind for item in found)


class EpochProgress(Callback):
    """Progress bar over the epochs of a training with ``verbose``: how far, how long still.

    It steps aside while skorch prints the line of an epoch, and leaves nothing but the table.
    """

    bar_: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the bar out: it holds on to the screen."""
        return self.__dict__ | {"bar_": None}

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Prepare the bar."""
        self.bar_ = tqdm(
            total=net.max_epochs,
            desc="training",
            unit="epoch",
            leave=False,
            disable=not net.verbose,
        )

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Show the bar, below the line of the epoch before."""
        if self.bar_ is not None:  # epochs may also be run without a training around them
            self.bar_.refresh()

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Count the epoch, and make room for its line."""
        if self.bar_ is not None:
            self.bar_.update()
            self.bar_.clear()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Take the bar away."""
        if self.bar_ is not None:
            self.bar_.close()
        self.bar_ = None


class StopAtBest(EarlyStopping):
    """Early stopping that comes last when an epoch ends, and first when the training ends.

    Last, so that the epoch which it ends has the scores of all other callbacks, and one of
    them can be monitored. First, so that a callback which stores or scores the trained net
    finds the best weights in it: therefore the net itself calls `restore_best`.
    """

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Leave the weights alone: they are back already."""

    def restore_best(self, net: Any) -> None:
        """Load the weights of the best epoch."""
        super().on_train_end(net)


class OneCycle(Callback):
    """One-cycle learning rate: warm up to ``lr``, then anneal to zero, batch by batch.

    Smith & Topin 2019 (doi:10.1117/12.2520589), as ``torch.optim.lr_scheduler.OneCycleLR``
    implements it. skorch's ``LRScheduler`` would need the number of steps in advance,
    which nobody knows before the validation split; here it is read off the first epoch.
    """

    scheduler_: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the schedule out: it holds the optimizer, which the net pickles itself."""
        return self.__dict__ | {"scheduler_": None}

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Forget the schedule of an earlier training."""
        self.scheduler_ = None

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        """Lay out the cycle when the first epoch begins."""
        if self.scheduler_ is not None:
            return
        batch_size = net.get_params_for("iterator_train").get("batch_size", net.batch_size)
        n_beats = len(dataset_train)
        n_batches = 1 if batch_size == -1 else math.ceil(n_beats / batch_size)
        optimizer = net.optimizer_
        self.scheduler_ = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=[group["lr"] for group in optimizer.param_groups],
            total_steps=max(n_batches * net.max_epochs, 2),  # of one step torch divides by 0
            cycle_momentum=any(name in optimizer.defaults for name in ("betas", "momentum")),
        )

    def on_batch_end(self, net: Any, training: bool = False, **kwargs: Any) -> None:  # noqa: ARG002
        """Take one step of the cycle; a loader of the user's may give more batches than it has."""
        schedule = self.scheduler_
        if training and schedule is not None and schedule.last_epoch < schedule.total_steps - 1:
            schedule.step()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Give the optimizer its own learning rate back and let go of it."""
        if self.scheduler_ is not None:
            for group in net.optimizer_.param_groups:
                group["lr"] = group.pop("max_lr")
        self.scheduler_ = None
