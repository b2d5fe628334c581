"""Networks whose probabilities are averaged."""

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


def test_output_in_training_holds_the_logits_of_each_member():
    ensemble, rows = make_ensemble().eval(), torch.randn(5, 40)
    expected = torch.stack([member(rows) for member in ensemble.members], dim=1)
    ensemble.training = True  # dropout and batch norm of the members stay off
    assert torch.equal(ensemble(rows), expected)


def test_confident_members_give_finite_logits():
    logits = torch.tensor([[[1e4, -1e4], [-1e4, 1e4]]])
    assert_close(Ensemble.combine(logits).exp(), torch.tensor([[0.5, 0.5]]))
