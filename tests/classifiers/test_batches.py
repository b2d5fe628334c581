"""Mini-batches as slices of tensors."""

import platform
import subprocess
import sys

import numpy as np
import pytest
import torch
from skorch.dataset import Dataset
from torch.utils.data import DataLoader, Subset, TensorDataset

from ecgbeat import ECGCNNClassifier
from ecgbeat.classifiers import _base, batch_loader
from ecgbeat.classifiers._batches import TensorBatches, keep_freed_memory

X = np.arange(20, dtype=np.float32).reshape(10, 2)
LABELS = np.array(list("NVNVNVNVNA"))


def test_arrays_are_sliced_without_copy():
    batches = batch_loader(Dataset(X.copy(), LABELS), batch_size=4)
    assert isinstance(batches, TensorBatches)
    first, _ = next(iter(batches))
    assert first.data_ptr() == batches.X.data_ptr()


def test_every_row_is_yielded_once_with_its_label():
    rows, labels = zip(*batch_loader(Dataset(X, LABELS), batch_size=3, shuffle=True), strict=True)
    order = torch.cat(rows)[:, 0].numpy().astype(int) // 2
    assert sorted(order) == list(range(10))
    np.testing.assert_array_equal(np.concatenate(labels), LABELS[order])


def test_shuffling_uses_torchs_generator():
    orders = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        orders.append(
            [X[:, 0].tolist() for X, _ in batch_loader(Dataset(X), batch_size=4, shuffle=True)]
        )
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize(
    ("n_rows", "options", "sizes"),
    [
        (10, {}, [4, 4, 2]),
        (10, {"drop_last": True}, [4, 4]),
        (9, {}, [4, 4, 1]),
        (9, {"shuffle": True}, [3, 3, 3]),
        (10, {"shuffle": True}, [3, 3, 4]),
        (8, {"shuffle": True}, [4, 4]),
        (5, {"shuffle": True}, [2, 3]),
        (9, {"shuffle": True, "drop_last": True}, [4, 4]),
        (1, {"shuffle": True}, [1]),
        (0, {}, []),
    ],
)
def test_batch_sizes(n_rows, options, sizes):
    batches = batch_loader(Dataset(X[:n_rows], LABELS[:n_rows]), batch_size=4, **options)
    assert [len(rows) for rows, _ in batches] == sizes
    assert len(batches) == len(sizes)


def test_nested_subsets_are_resolved():
    subset = Subset(Subset(Dataset(X, LABELS), [9, 3, 5, 7]), [0, 2])
    ((rows, labels),) = batch_loader(subset, batch_size=4)
    assert rows[:, 0].tolist() == [18, 10]
    assert labels.tolist() == ["A", "V"]


def test_batch_of_one_row_has_1d_labels():
    ((_, labels),) = batch_loader(Dataset(X[:1], LABELS[:1]), batch_size=4, shuffle=True)
    assert labels.shape == (1,)


@pytest.mark.parametrize("y", [np.arange(10), np.arange(10) % 2 == 0, np.arange(10.0)])
def test_numeric_labels_are_tensors(y):
    _, labels = next(iter(batch_loader(Dataset(X, y))))
    assert torch.equal(labels, torch.from_numpy(y))


def test_missing_labels_are_zeros():
    _, labels = next(iter(batch_loader(Dataset(X))))
    assert torch.equal(labels, torch.zeros(10))


def test_read_only_arrays_are_copied():
    frozen = X.copy()
    frozen.flags.writeable = False
    rows, _ = next(iter(batch_loader(Dataset(frozen))))
    np.testing.assert_array_equal(rows.numpy(), X)


@pytest.mark.parametrize(
    ("dataset", "options"),
    [
        (TensorDataset(torch.from_numpy(X), torch.arange(10)), {}),
        (Dataset(X, LABELS), {"pin_memory": False}),
        (Dataset(X.astype(np.float64), LABELS), {}),
        (Dataset(X, LABELS), {"sampler": torch.utils.data.SequentialSampler(range(10))}),
    ],
)
def test_other_datasets_and_options_use_dataloader(dataset, options):
    loader = batch_loader(dataset, batch_size=4, shuffle=True, **options)
    assert isinstance(loader, DataLoader)
    assert sorted(float(value) for rows, _ in loader for value in rows[:, 0]) == X[:, 0].tolist()


def test_subclass_of_skorchs_dataset_is_not_sliced():
    class Doubled(Dataset):
        def transform(self, X, y):
            return 2 * X, y

    rows, _ = next(iter(batch_loader(Doubled(X, LABELS))))
    np.testing.assert_array_equal(rows.numpy(), 2 * X)


def test_dataloader_yields_string_labels_as_array():
    _, labels = next(iter(batch_loader(Dataset(X, LABELS), pin_memory=False)))
    assert isinstance(labels, np.ndarray)


# --- memory ---------------------------------------------------------------------------


resource = pytest.importorskip("resource", reason="page faults are counted by Unix alone")

# three blocks that are freed together: 60 MB, all of which glibc would return to the system. The
# heap grows in the first cycles, once more in the third on some runs.
FAULTS = """
import resource

import torch

from ecgbeat.classifiers._batches import keep_freed_memory


def cycle():
    blocks = [torch.ones(20 * 2**20, dtype=torch.uint8) for _ in range(3)]


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


{call}
for _ in range(4):
    cycle()
before = faults()
for _ in range(5):
    cycle()
print((faults() - before) * resource.getpagesize() / 2**20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone has that threshold")
def test_freed_memory_is_reused():
    code = FAULTS.format(call="keep_freed_memory()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 10  # MB of page faults, of 300


def test_memory_block_is_not_touched():
    keep_freed_memory.cache_clear()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    keep_freed_memory()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    assert faults * resource.getpagesize() < 2**20


def test_training_and_prediction_keep_freed_memory(monkeypatch):
    calls = []
    monkeypatch.setattr(_base, "keep_freed_memory", lambda: calls.append(1))
    X = np.random.default_rng(0).normal(size=(20, 16))
    net = ECGCNNClassifier(n_filters=2, max_epochs=1, random_state=0).fit(X, np.arange(20) % 2)
    assert calls == [1]
    net.predict(X)
    assert calls == [1, 1]
