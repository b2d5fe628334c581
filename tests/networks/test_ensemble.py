"""Networks whose probabilities are averaged."""

import pytest
import torch
from torch.testing import assert_close

from ecgbeat.networks import BeatCNN, Ensemble


def make_ensemble():
    torch.manual_seed(0)
    return Ensemble(BeatCNN(4, n_filters=2) for _ in range(3))


def test_softmax_of_the_output_is_the_mean_of_probabilities():
    ensemble, rows = make_ensemble().eval(), torch.randn(5, 40)
    mean = torch.stack([member(rows).softmax(dim=1) for member in ensemble.members]).mean(dim=0)
    assert_close(ensemble(rows).softmax(dim=1), mean)


def test_one_member_alone():
    ensemble, rows = make_ensemble().eval(), torch.randn(5, 40)
    for i, member in enumerate(ensemble.members):
        assert torch.equal(ensemble(rows, member=i), member(rows))


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD])
def test_copies_of_the_first_member_take_the_same_steps(optimizer):
    ensemble, rows = make_ensemble().eval(), torch.randn(5, 40)
    steps = optimizer(ensemble.parameters(), lr=0.1)
    for i in range(3):
        steps.zero_grad()
        ensemble(rows, member=0).square().sum().backward()
        steps.step()
        if i == 0:
            ensemble.repeat_first(steps)
    assert not torch.equal(ensemble(rows, member=1), ensemble(rows, member=0))
    for _ in range(2):
        steps.zero_grad()
        ensemble(rows, member=1).square().sum().backward()
        steps.step()
    assert torch.equal(ensemble(rows, member=1), ensemble(rows, member=0))


def test_confident_members_give_finite_logits():
    logits = torch.tensor([[[1e4, -1e4], [-1e4, 1e4]]])
    assert_close(Ensemble.combine(logits).exp(), torch.tensor([[0.5, 0.5]]))
