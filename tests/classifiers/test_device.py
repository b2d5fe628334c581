import pytest
import torch

from ecgbeat.classifiers._device import autocast, resolve_device


@pytest.mark.parametrize("device", ["cpu", "cuda:1", None, torch.device("cpu")])
def test_a_named_device_stays(device):
    assert resolve_device(device) is device


@pytest.mark.parametrize(
    ("cuda", "mps", "best"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_best_there_is(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == best


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("float32", torch.float32), ("auto", torch.float32), ("bfloat16", torch.bfloat16)],
)
def test_precision_is_that_of_the_products(precision, dtype):
    with autocast(precision, "cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
