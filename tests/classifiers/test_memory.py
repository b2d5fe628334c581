import platform
import subprocess
import sys

import numpy as np
import pytest

from ecgbeat import ECGCNNClassifier
from ecgbeat.classifiers import _base, _batched_net
from ecgbeat.classifiers._memory import keep_freed_memory

resource = pytest.importorskip("resource", reason="page faults are counted by Unix alone")

# three blocks that are freed together: 60 MB, of which glibc would hand all back
FAULTS = """
import resource

import torch

from ecgbeat.classifiers._memory import keep_freed_memory


def cycle():
    blocks = [torch.ones(20 * 2**20, dtype=torch.uint8) for _ in range(3)]


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


{call}
cycle()
cycle()
before = faults()
for _ in range(5):
    cycle()
print((faults() - before) * resource.getpagesize() / 2**20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone has that threshold")
def test_freed_memory_is_used_again():
    code = FAULTS.format(call="keep_freed_memory()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 10  # MB that were faulted in anew, of 300


def test_the_block_is_not_touched():
    keep_freed_memory.cache_clear()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    keep_freed_memory()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    assert faults * resource.getpagesize() < 2**20


@pytest.mark.parametrize("module", [_base, _batched_net], ids=["training", "prediction"])
def test_it_is_asked_for(module, monkeypatch):
    calls = []
    monkeypatch.setattr(module, "keep_freed_memory", lambda: calls.append(1))
    X = np.random.default_rng(0).normal(size=(20, 16))
    net = ECGCNNClassifier(n_filters=2, max_epochs=1, random_state=0).fit(X, np.arange(20) % 2)
    net.predict(X)
    assert calls
