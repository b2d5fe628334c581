"""How long to train when nobody says: the two ``"auto"`` sizes."""

import math

# beats whose activations fit the caches: four times as many take up to three times as long a beat
PREDICTION_BATCH = 256

_BATCHES_PER_EPOCH = 8  # a batch is an eighth of the training set ...
_SMALLEST_BATCH, _LARGEST_BATCH = 8, 256  # ... within these bounds
_EPOCHS_AT_1000 = 40.0
_EXPONENT = 0.2
_FEWEST_EPOCHS, _MOST_EPOCHS = 16, 100


def batch_size_for(n_beats: int) -> int:
    """Return the batch size for ``batch_size="auto"``.

    A power of two near ``n_beats / 8``, from 8 to 256: large sets train fastest in
    large batches, small ones need the steps.
    """
    size = 2 ** round(math.log2(max(n_beats / _BATCHES_PER_EPOCH, 1)))
    return min(max(size, _SMALLEST_BATCH), _LARGEST_BATCH)


def epochs_for(n_beats: int) -> int:
    """Return the number of epochs for ``max_epochs="auto"``.

    40 at 1,000 beats, falling with the power 0.2 of their number, from 100 down to 16.
    """
    epochs = round(_EPOCHS_AT_1000 * (1000 / max(n_beats, 1)) ** _EXPONENT)
    return min(max(epochs, _FEWEST_EPOCHS), _MOST_EPOCHS)
