import pytest
import torch

from ecgbeat.classifiers import _device
from ecgbeat.classifiers._device import autocast, faster_precision, resolve_device
from ecgbeat.networks import BeatCNN


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
    ("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_precision_is_that_of_the_products(precision, dtype):
    with autocast(precision, "cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


@pytest.mark.parametrize(
    ("seconds", "faster"), [(0.5, "bfloat16"), (0.95, "float32"), (2.0, "float32")]
)
def test_bfloat16_must_be_clearly_faster(monkeypatch, seconds, faster):
    times = {"float32": 1.0, "bfloat16": seconds}
    monkeypatch.setattr(_device, "_time_of_step", lambda *step: times[step[2]])
    assert faster_precision(BeatCNN(2, n_filters=2), torch.randn(4, 40), "cpu") == faster


def test_one_slow_step_does_not_decide(monkeypatch):
    times = {"float32": iter([9.0] + [1.0] * 9), "bfloat16": iter([2.0] * 10)}
    monkeypatch.setattr(_device, "_time_of_step", lambda *step: next(times[step[2]]))
    assert faster_precision(BeatCNN(2, n_filters=2), torch.randn(4, 40), "cpu") == "float32"


@pytest.mark.parametrize("device", ["cpu", None])
def test_trying_both_precisions_leaves_no_trace(device):
    network = BeatCNN(2, n_filters=2).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert faster_precision(network, torch.randn(4, 40), device) in ("float32", "bfloat16")
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(weights.grad is None for weights in network.parameters())
    assert not network.training


def test_trying_both_precisions_draws_no_random_numbers():
    network, rows = BeatCNN(2, n_filters=2), torch.randn(4, 40)
    before = torch.get_rng_state()
    faster_precision(network, rows, "cpu")
    assert torch.equal(torch.get_rng_state(), before)
