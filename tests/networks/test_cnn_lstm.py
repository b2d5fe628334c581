import pytest
import torch

from ecgbeat.networks import BeatCNN, BeatCNNLSTM


@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_numbers_of_layers_and_directions(n_layers, bidirectional):
    network = BeatCNNLSTM(
        2, n_filters=2, hidden_size=3, n_layers=n_layers, bidirectional=bidirectional
    )
    n_recurrent = sum(name.startswith("lstm.weight_hh") for name, _ in network.named_parameters())
    assert n_recurrent == n_layers * (1 + bidirectional)
    assert network(torch.randn(4, 40)).shape == (4, 2)


@pytest.mark.parametrize(("network_class", "matters"), [(BeatCNNLSTM, True), (BeatCNN, False)])
def test_lstm_depends_on_the_order_of_time(network_class, matters):
    torch.manual_seed(0)
    # convolutions of one sample cannot see the order, nor can strides over 16 equal ones
    network = network_class(2, n_filters=2, kernel_size=1).eval().double()
    rows = torch.randn(1, 4, dtype=torch.float64).repeat_interleave(16, dim=1)
    difference = (network(rows) - network(rows.flip(1))).abs().max()
    assert (difference > 1e-9) == matters
