import pytest
import torch

from ecgbeat.networks import BeatCNN, BeatCNNLSTM

NETWORKS = pytest.mark.parametrize("network_class", [BeatCNN, BeatCNNLSTM])


@NETWORKS
@pytest.mark.parametrize("n_times", [1, 8, 9, 187, 1000])
@pytest.mark.parametrize("n_leads", [1, 12])
def test_any_length_and_number_of_leads_goes_in(network_class, n_times, n_leads):
    network = network_class(3, n_leads=n_leads, n_filters=2)
    logits = network(torch.randn(2, n_leads * n_times))
    assert logits.shape == (2, 3)
    assert torch.isfinite(logits).all()


@NETWORKS
def test_one_beat_can_be_trained_on(network_class):
    network_class(2, n_filters=2).train()(torch.randn(1, 8)).sum().backward()


@NETWORKS
def test_auxiliary_features_reach_the_logits(network_class):
    torch.manual_seed(0)
    network = network_class(2, n_filters=2, n_aux_features=1).eval()
    rows = torch.randn(1, 33)
    other = rows.clone()
    other[0, -1] += 1
    assert not torch.equal(network(rows), network(other))


@NETWORKS
def test_three_dimensional_beats_equal_flattened_rows(network_class):
    network = network_class(2, n_filters=2, n_leads=3).eval()
    waves = torch.randn(4, 3, 20)
    assert torch.equal(network(waves), network(waves.flatten(1)))


@NETWORKS
def test_rows_do_not_influence_each_other_in_prediction(network_class):
    network = network_class(2, n_filters=4).eval()
    rows = torch.randn(5, 50)
    assert torch.allclose(network(rows)[2:3], network(rows[2:3]), atol=1e-6)


def test_the_default_network_is_small():
    assert sum(weights.numel() for weights in BeatCNN(5).parameters()) <= 60_000
