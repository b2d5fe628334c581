"""From arrays to batches and from batches to results."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import skorch.dataset
import torch
from skorch import NeuralNet
from skorch.utils import to_device, to_tensor
from torch import Tensor, nn

from ecgbeat._validation import MIN_TIMES
from ecgbeat.classifiers._batches import as_tensor, batch_loader
from ecgbeat.classifiers._budget import (
    PREDICTION_BATCH,
    batch_size_for,
    epochs_for,
    prediction_batch_for,
    variation_for,
)
from ecgbeat.classifiers._device import autocast, faster_precision
from ecgbeat.classifiers._memory import keep_freed_memory
from ecgbeat.classifiers._net import SklearnNet

_AUTOMATIC = ("batch_size", "max_epochs", "augment_noise", "augment_shift")


class BatchedNet(SklearnNet):
    """A net that decides on the size of its batches and computes them its own way.

    A network of the user's in place of `_network` is computed as skorch does it.
    """

    batch_size: Any
    max_epochs: Any
    augment_noise: Any
    augment_shift: Any
    precision: str

    _network: ClassVar[type[nn.Module]]  # what module=None stands for

    @property
    def _has_own_network(self) -> bool:
        module = self._network if self.module is None else self.module
        return isinstance(module, type) and issubclass(module, self._network)

    # --- sizes ----------------------------------------------------------------------

    @contextmanager
    def _settled(self, n_beats: int, epochs: int | None) -> Iterator[None]:
        """Put numbers for ``"auto"`` while training: callbacks read them off the net."""
        asked = {name: getattr(self, name) for name in _AUTOMATIC}
        if self.batch_size == "auto":
            self.batch_size = batch_size_for(n_beats)
        if epochs is not None:
            self.max_epochs = epochs
        elif self.max_epochs == "auto":
            self.max_epochs = epochs_for(n_beats)
        # what a network of the user's gets may be no waveforms
        noise, shift = variation_for(n_beats) if self._has_own_network else (0.0, 0.0)
        if self.augment_noise == "auto":
            self.augment_noise = noise
        if self.augment_shift == "auto":
            self.augment_shift = shift
        try:
            yield
        finally:
            self.__dict__.update(asked)

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Return batches; those that nobody trains on are as large as is fast."""
        if self.batch_size != "auto":
            return super().get_iterator(dataset, training=training)
        self.batch_size = batch_size_for(len(dataset)) if training else PREDICTION_BATCH
        try:
            return super().get_iterator(dataset, training=training)
        finally:
            self.batch_size = "auto"

    # --- results --------------------------------------------------------------------

    def forward_iter(
        self, X: Any, training: bool = False, device: Any = "cpu"
    ) -> Iterator[Tensor | tuple[Tensor, ...]]:
        """Yield what the network makes of each batch, of arrays by the shortest way.

        skorch's way through dataset and iterator takes as long for one beat as the network.
        """
        keep_freed_memory()
        if training or not isinstance(X, np.ndarray) or self._has_loading_of_its_own():
            yield from super().forward_iter(X, training=training, device=device)
            return
        automatic = {"auto": prediction_batch_for(X[:1].size), -1: max(len(X), 1)}
        for rows in as_tensor(X).split(automatic.get(self.batch_size, self.batch_size)):
            yield to_device(self.evaluation_step((rows, None)), device=device)

    def _has_loading_of_its_own(self) -> bool:
        """Tell whether the user has changed how batches come about."""
        return (
            self.iterator_valid is not batch_loader
            or self.dataset is not skorch.dataset.Dataset
            or type(self).get_dataset is not NeuralNet.get_dataset
            or type(self).get_iterator is not BatchedNet.get_iterator
            or any(name.startswith(("dataset__", "iterator_valid__")) for name in self.__dict__)
        )

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Compute the logits of one batch."""
        if not self._has_own_network:
            return super().infer(x, **fit_params)
        rows = to_tensor(x, device=self.device).to(torch.float32)
        infer = super().infer
        with autocast(self._precision_for(rows), self.device):
            if self.module_.training or rows[0].numel() >= MIN_TIMES:
                return infer(rows, **fit_params).float()
            # the last bit of a row's result depends on its place in the batch, by kernels that
            # differ from processor to processor. scikit-learn's checks compare rows of 3 columns
            # to that bit: what is too short to be a beat is computed by itself.
            return torch.cat([infer(row, **fit_params) for row in rows.split(1)]).float()

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Compute loss and gradients of one batch.

        Loss and logits outlive the step; they come out without their graph, whose memory the
        next step can use then.
        """
        step = super().train_step_single(batch, **fit_params)
        if not self._has_own_network:
            return step
        return {name: value.detach() for name, value in step.items()}

    def _precision_for(self, rows: Tensor) -> str:
        """Return the precision to compute in; for "auto" the first training batch decides."""
        if self.precision != "auto":
            return self.precision
        if "precision_" not in self.__dict__ and self.module_.training:
            self.precision_ = faster_precision(self.module_, rows, self.device)
        return self.__dict__.get("precision_", "float32")

    def get_loss(self, y_pred: Tensor, y_true: Any, *args: Any, **kwargs: Any) -> Tensor:
        """Return the loss of a batch, whose targets are labels as the user wrote them."""
        if self._has_own_network and isinstance(self.criterion_, nn.NLLLoss):
            y_pred = _softmax(y_pred)  # skorch takes the logarithm of what NLLLoss is given
        return super().get_loss(y_pred, y_true, *args, **kwargs)

    def _get_predict_nonlinearity(self) -> Any:
        # own networks give logits whatever the loss, and still do when it has been trimmed
        if self._has_own_network and self.predict_nonlinearity == "auto":
            self.check_is_fitted()
            return _softmax
        return super()._get_predict_nonlinearity()


def _softmax(logits: Tensor) -> Tensor:
    return torch.softmax(logits, dim=-1)
