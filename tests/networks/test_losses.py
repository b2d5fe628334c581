import pickle

import pytest
import torch
from torch import nn

from ecgbeat.networks import FocalLoss


@pytest.fixture
def batch():
    torch.manual_seed(0)
    return 3 * torch.randn(40, 4), torch.randint(4, (40,))


WEIGHTS = pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 0.5, 4.0])])
SMOOTHING = pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 1.0])


@WEIGHTS
@SMOOTHING
def test_gamma_0_equals_cross_entropy(batch, weight, label_smoothing):
    expected = nn.CrossEntropyLoss(weight=weight, label_smoothing=label_smoothing)(*batch)
    found = FocalLoss(gamma=0, weight=weight, label_smoothing=label_smoothing)(*batch)
    assert torch.equal(found, expected)


@WEIGHTS
@SMOOTHING
def test_tiny_gamma_approximates_cross_entropy(batch, weight, label_smoothing):
    # other lines of code than gamma=0, and the same mean
    expected = nn.CrossEntropyLoss(weight=weight, label_smoothing=label_smoothing)(*batch)
    found = FocalLoss(gamma=1e-6, weight=weight, label_smoothing=label_smoothing)(*batch)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=0)


@WEIGHTS
@SMOOTHING
@pytest.mark.parametrize("gamma", [0.5, 2.0, 5])
def test_loss_equals_formula(batch, weight, label_smoothing, gamma):
    logits, targets = batch[0].double(), batch[1]
    w = torch.ones(4) if weight is None else weight
    p = torch.softmax(logits, dim=1)
    q = (1 - label_smoothing) * nn.functional.one_hot(targets, 4) + label_smoothing / 4
    expected = -(q * w * (1 - p) ** gamma * p.log()).sum() / w[targets].sum()
    weight = None if weight is None else weight.double()
    found = FocalLoss(gamma, weight=weight, label_smoothing=label_smoothing)(logits, targets)
    torch.testing.assert_close(found, expected)


def test_easy_beats_are_down_weighted():
    easy, hard = torch.tensor([[4.0, 0.0]]), torch.tensor([[0.0, 4.0]])
    target = torch.tensor([0])
    kept = [FocalLoss()(x, target) / nn.CrossEntropyLoss()(x, target) for x in (easy, hard)]
    assert kept[0] < 0.001
    assert kept[1] > 0.9


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1, 2])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_gradient_of_a_certain_beat_is_finite(gamma, label_smoothing):
    logits = torch.tensor([[200.0, 0.0], [0.0, 200.0]], requires_grad=True)
    FocalLoss(gamma, label_smoothing=label_smoothing)(logits, torch.tensor([0, 0])).backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[1].abs().max() > 0.1


def test_loss_is_pickled(batch):
    loss = FocalLoss(3, weight=torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert torch.equal(pickle.loads(pickle.dumps(loss))(*batch), loss(*batch))


@pytest.mark.parametrize("gamma", [-1, float("nan"), float("inf")])
def test_negative_or_infinite_gamma_raises(gamma):
    with pytest.raises(ValueError, match="gamma must be 0 or greater and finite, got"):
        FocalLoss(gamma)


@pytest.mark.parametrize("label_smoothing", [-0.1, 1.1])
def test_label_smoothing_outside_0_to_1_raises(label_smoothing):
    with pytest.raises(ValueError, match=r"label_smoothing must be in \[0, 1\], got"):
        FocalLoss(label_smoothing=label_smoothing)
