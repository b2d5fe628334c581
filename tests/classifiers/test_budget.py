import pytest

from ecgbeat.classifiers._budget import (
    batch_size_for,
    epochs_for,
    prediction_batch_for,
    variation_for,
)


@pytest.mark.parametrize(
    ("n_beats", "size"), [(1, 8), (23, 8), (300, 32), (1000, 128), (87554, 256)]
)
def test_batches_grow_with_the_training_set(n_beats, size):
    assert batch_size_for(n_beats) == size


@pytest.mark.parametrize(
    ("n_beats", "epochs"), [(1, 100), (23, 85), (1000, 40), (87554, 16), (10**7, 16)]
)
def test_epochs_fall_with_the_training_set(n_beats, epochs):
    assert epochs_for(n_beats) == epochs


@pytest.mark.parametrize(
    ("n_features", "size"), [(1, 1024), (187, 1024), (288, 512), (720, 256), (10**6, 64)]
)
def test_longer_beats_are_predicted_in_smaller_batches(n_features, size):
    assert prediction_batch_for(n_features) == size


@pytest.mark.parametrize("n_beats", [1, 999])
def test_small_sets_are_varied(n_beats):
    assert min(variation_for(n_beats)) > 0


@pytest.mark.parametrize("n_beats", [1000, 87554])
def test_large_sets_are_not_varied(n_beats):
    assert variation_for(n_beats) == (0, 0)
