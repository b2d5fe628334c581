"""Networks, and the layers that they share."""

import pytest
import torch
from torch import nn

from ecgbeat.networks import BeatCNN, BeatCNNLSTM
from ecgbeat.networks._cnn import (
    Head,
    ResidualBlock,
    as_image,
    convolutional_front,
    global_pooling,
    shortest_input,
    split_rows,
)

NETWORKS = pytest.mark.parametrize("network_class", [BeatCNN, BeatCNNLSTM])


@NETWORKS
@pytest.mark.parametrize("n_times", [1, 8, 9, 187, 1000])
@pytest.mark.parametrize("n_leads", [1, 12])
def test_logits_for_any_length_and_number_of_leads(network_class, n_times, n_leads):
    network = network_class(3, n_leads=n_leads, n_filters=2)
    logits = network(torch.randn(2, n_leads * n_times))
    assert logits.shape == (2, 3)
    assert torch.isfinite(logits).all()


@NETWORKS
def test_training_on_one_beat(network_class):
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
def test_flattened_and_3d_beats_give_equal_results(network_class):
    network = network_class(2, n_filters=2, n_leads=3).eval()
    waves = torch.randn(4, 3, 20)
    assert torch.equal(network(waves), network(waves.flatten(1)))


@NETWORKS
def test_predictions_of_rows_are_independent(network_class):
    network = network_class(2, n_filters=4).eval()
    rows = torch.randn(5, 50)
    assert torch.allclose(network(rows)[2:3], network(rows[2:3]), atol=1e-6)


def test_default_network_has_at_most_60000_parameters():
    assert sum(weights.numel() for weights in BeatCNN(5).parameters()) <= 60_000


# --- layers ---------------------------------------------------------------------------


def test_rows_are_split_into_leads_and_auxiliary_features():
    rows = torch.arange(2 * 10.0).reshape(2, 10)
    waves, aux = split_rows(rows, n_leads=2, n_aux_features=2, min_times=4)
    assert waves.shape == (2, 2, 4)
    assert torch.equal(waves[0, 1], torch.tensor([4.0, 5, 6, 7]))
    assert torch.equal(aux[1], torch.tensor([18.0, 19]))


def test_3d_waveforms_are_unchanged():
    waves = torch.randn(3, 2, 16)
    assert torch.equal(split_rows(waves, 2, 0, 8)[0], waves)


@pytest.mark.parametrize(
    ("width", "n_leads", "n_aux"), [(1, 1, 0), (3, 2, 0), (2, 1, 2), (5, 12, 1)]
)
def test_short_rows_are_padded_with_zeros(width, n_leads, n_aux):
    waves, aux = split_rows(torch.ones(4, width), n_leads, n_aux, min_times=8)
    assert waves.shape == (4, n_leads, 8)
    assert aux.shape == (4, n_aux)
    assert waves.sum() + aux.sum() == 4 * width


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize(("n_times", "n_left"), [(64, 4), (65, 5), (80, 5), (81, 6), (1, 1)])
def test_every_layer_halves_the_length_rounded_up(kernel_size, n_times, n_left):
    front, n_out = convolutional_front(2, 4, kernel_size, 3, 0.0)
    assert front(torch.randn(2, 2, 1, n_times)).shape == (2, n_out, 1, n_left)


@pytest.mark.parametrize("n_leads", [1, 2, 12])
def test_memory_format_is_channels_last_in_all_layers(n_leads):
    waves = torch.randn(3, n_leads, 40)
    image = as_image(waves)
    assert torch.equal(image.squeeze(2), waves)
    front, _ = convolutional_front(n_leads, 4, 5, 2, 0.0)
    for layer in front:
        image = layer(image)
        assert image.is_contiguous(memory_format=torch.channels_last)
        assert not image.is_contiguous()


@pytest.mark.parametrize("n_blocks", [1, 2, 3, 5])
def test_shortest_input_leaves_two_samples(n_blocks):
    front, _ = convolutional_front(1, 2, 3, n_blocks, 0.0)
    assert front(torch.randn(1, 1, 1, shortest_input(n_blocks))).shape[-1] == 2
    assert front(torch.randn(2, 1, 1, shortest_input(n_blocks) - 1)).shape[-1] == 1


def test_channels_double_up_to_fourfold():
    assert [convolutional_front(1, 4, 3, n, 0.0)[1] for n in (1, 2, 3, 4)] == [4, 8, 16, 16]


@pytest.mark.parametrize("training", [True, False])
def test_global_pooling_is_mean_and_maximum(training):
    pooled = global_pooling(torch.tensor([[[1.0, 2.0, 6.0]]]), training)
    assert torch.equal(pooled, torch.tensor([[3.0, 6.0]]))


def test_gradient_of_pooling_in_training_keeps_channels_last():
    features = torch.randn(2, 7, 3).transpose(1, 2).requires_grad_()
    global_pooling(features, training=True).sum().backward()
    assert features.grad.transpose(1, 2).is_contiguous()


@pytest.mark.parametrize(("n_in", "n_out"), [(3, 5), (1, 2)])
def test_shortcut_in_training_equals_that_of_prediction(n_in, n_out):
    shortcut = ResidualBlock(n_in, n_out, 3, 0.0).shortcut
    waves = torch.randn(4, n_in, 1, 9).to(memory_format=torch.channels_last)
    found = shortcut.train()(waves)
    torch.testing.assert_close(found, shortcut.eval()(waves))
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_head_takes_number_of_classes_from_state():
    told, untold = Head(6, 4, 5, 0.0), Head(6, 4, None, 0.0)
    parameters = list(untold.parameters())
    untold.load_state_dict(told.state_dict())
    features = torch.randn(3, 6)
    assert torch.equal(untold(features), told(features))
    assert all(old is new for old, new in zip(parameters, untold.parameters(), strict=True))


def test_head_with_other_number_of_classes_raises():
    with pytest.raises(RuntimeError, match="size mismatch"):
        Head(6, 4, 3, 0.0).load_state_dict(Head(6, 4, 5, 0.0).state_dict())


def test_dropout_drops_whole_channels():
    front, _ = convolutional_front(1, 4, 3, 1, 0.5)
    assert any(isinstance(layer, nn.Dropout2d) for layer in front.modules())
