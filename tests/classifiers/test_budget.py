import pytest

from ecgbeat.classifiers._budget import batch_size_for, epochs_for


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
