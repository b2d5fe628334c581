"""Batches as slices of tensors, without a Python step per beat."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import skorch.dataset
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset, default_collate

Labels = Tensor | np.ndarray


def batch_loader(
    dataset: Dataset,
    *,
    batch_size: int = 256,
    shuffle: bool = False,
    drop_last: bool = False,
    **loader_options: Any,
) -> "TensorBatches | DataLoader":
    """Iterate over a dataset in batches, the fast way where there is one.

    The default of ``iterator_train`` and ``iterator_valid``. Arrays in memory are cut
    into slices (`TensorBatches`); a dataset of the user's own, or any option that only
    ``torch.utils.data.DataLoader`` has, gives a ``DataLoader``.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        What to iterate over.
    batch_size : int, default=256
        Beats in a batch.
    shuffle : bool, default=False
        Whether every pass has an order of its own.
    drop_last : bool, default=False
        Whether an incomplete last batch is left out.
    **loader_options
        Further options of ``torch.utils.data.DataLoader``.

    Returns
    -------
    TensorBatches or torch.utils.data.DataLoader

    Examples
    --------
    >>> import numpy as np
    >>> from skorch.dataset import Dataset
    >>> from ecgbeat.classifiers import batch_loader
    >>> dataset = Dataset(np.zeros((5, 187), dtype=np.float32), np.array(list("NNVNS")))
    >>> for beats, labels in batch_loader(dataset, batch_size=3):
    ...     print(tuple(beats.shape), labels)
    (3, 187) ['N' 'N' 'V']
    (2, 187) ['N' 'S']
    """
    arrays = None if loader_options else _arrays_in_memory(dataset)
    if arrays is not None:
        return TensorBatches(*arrays, batch_size, shuffle=shuffle, drop_last=drop_last)
    if not {"sampler", "batch_sampler"} & loader_options.keys():
        loader_options["shuffle"] = shuffle and not isinstance(
            dataset, torch.utils.data.IterableDataset
        )
    loader_options.setdefault("collate_fn", collate)
    if "batch_sampler" not in loader_options:
        loader_options |= {"batch_size": batch_size, "drop_last": drop_last}
    return DataLoader(dataset, **loader_options)


def collate(items: list[Any]) -> Any:
    """Put items together as torch does, but labels that are strings into an array."""
    batch = default_collate(items)
    if len(batch) == 2 and isinstance(batch[1], (tuple, list)) and isinstance(batch[1][0], str):
        return [batch[0], np.asarray(batch[1])]
    return batch


def _arrays_in_memory(dataset: Any) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Return X and y of a plain skorch dataset or a subset of one, else None."""
    if isinstance(dataset, Subset):
        arrays = _arrays_in_memory(dataset.dataset)
        if arrays is None:
            return None
        rows = np.asarray(dataset.indices)
        return arrays[0][rows], None if arrays[1] is None else arrays[1][rows]
    if type(dataset) is not skorch.dataset.Dataset:  # a subclass may transform what it yields
        return None
    X, y = dataset.X, dataset.y
    if isinstance(X, np.ndarray) and X.dtype == np.float32 and isinstance(y, np.ndarray | None):
        return X, y
    return None


class TensorBatches:
    """Batches of beats and labels that lie in memory.

    When shuffling, that is when training, all batches of a pass have the same number of
    beats give or take one. A rest of two beats as the last batch of the last epoch would
    spoil what batch norm has learned: on 87,554 beats that cost 0.75 points of accuracy.

    Parameters
    ----------
    X : ndarray of shape (n_beats, ...)
        Beats, float32; shared, not copied, where it is writable.
    y : ndarray of shape (n_beats,) or None
        Labels. Numbers come out as tensors, anything else as arrays. None comes out as
        zeros, as skorch does it.
    batch_size : int
        Beats in a batch, at most.
    shuffle : bool, default=False
        Whether every pass has an order of its own, drawn from torch's generator.
    drop_last : bool, default=False
        Whether an incomplete last batch is left out.
    """

    def __init__(
        self,
        X: np.ndarray,
        y: np.ndarray | None,
        batch_size: int,
        *,
        shuffle: bool = False,
        drop_last: bool = False,
    ) -> None:
        self.X = as_tensor(X)
        self.y = _as_labels(y, len(X))
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last

    def _bounds(self) -> list[tuple[int, int]]:
        """Return first and last row (exclusive) of every batch."""
        n_beats = len(self.X)
        n_full, n_rest = divmod(n_beats, self.batch_size)
        if self.drop_last or n_rest == 0:
            edges = self.batch_size * np.arange(n_full + 1)
        elif self.shuffle:
            edges = np.arange(n_full + 2) * n_beats // (n_full + 1)
        else:
            edges = np.append(self.batch_size * np.arange(n_full + 1), n_beats)
        return list(itertools.pairwise(edges.tolist()))

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self._bounds())

    def __iter__(self) -> Iterator[tuple[Tensor, Labels]]:
        """Yield beats and labels."""
        if not self.shuffle:
            for start, stop in self._bounds():
                yield self.X[start:stop], self.y[start:stop]
            return
        order = torch.randperm(len(self.X))
        for start, stop in self._bounds():
            rows = order[start:stop]
            # a tensor of one row would index an array as a number
            labels = self.y[rows] if isinstance(self.y, Tensor) else self.y[rows.numpy()]
            yield self.X[rows], labels


def as_tensor(array: np.ndarray) -> Tensor:
    """Return an array as a tensor, sharing its memory if it may be written to.

    torch cannot mark a tensor as read-only and warns of arrays that are.
    """
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _as_labels(y: np.ndarray | None, n_beats: int) -> Labels:
    """Return numbers as a tensor, anything else as it is."""
    if y is None:
        return torch.zeros(n_beats)
    if y.dtype.kind in "bif" and y.dtype.itemsize <= 8 and y.dtype.isnative:
        return as_tensor(y)
    return y
