"""How to train when nobody says: the numbers behind ``"auto"``."""

import math

# where the length of the beats is not known in advance
PREDICTION_BATCH = 256

_PREDICTION_VALUES = 200_000  # in a batch: more activations than these do not fit the caches
_SMALLEST_PREDICTION, _LARGEST_PREDICTION = 64, 1024

_BATCHES_PER_EPOCH = 8  # a batch is an eighth of the training set ...
_SMALLEST_BATCH, _LARGEST_BATCH = 8, 256  # ... within these bounds
_EPOCHS_AT_1000 = 40.0
_EXPONENT = 0.2
_FEWEST_EPOCHS, _MOST_EPOCHS = 16, 100

_SMALL_SET = 1000
_NOISE, _SHIFT = 0.1, 0.02  # for smaller ones


def batch_size_for(n_beats: int) -> int:
    """Return the batch size for ``batch_size="auto"``.

    A power of two near ``n_beats / 8``, from 8 to 256: large sets train fastest in
    large batches, small ones need the steps.
    """
    size = 2 ** round(math.log2(max(n_beats / _BATCHES_PER_EPOCH, 1)))
    return min(max(size, _SMALLEST_BATCH), _LARGEST_BATCH)


def prediction_batch_for(n_features: int) -> int:
    """Return the batch size of prediction: a power of two near 200,000 values in all.

    On two cores 20,000 beats of 96 to 720 samples took the least time, or within 5 % of it,
    in batches of this size; four times as many took up to twice as long.
    """
    size = 2 ** round(math.log2(_PREDICTION_VALUES / max(n_features, 1)))
    return min(max(size, _SMALLEST_PREDICTION), _LARGEST_PREDICTION)


def epochs_for(n_beats: int) -> int:
    """Return the number of epochs for ``max_epochs="auto"``.

    40 at 1,000 beats, falling with the power 0.2 of their number, from 100 down to 16.
    """
    epochs = round(_EPOCHS_AT_1000 * (1000 / max(n_beats, 1)) ** _EXPONENT)
    return min(max(epochs, _FEWEST_EPOCHS), _MOST_EPOCHS)


def variation_for(n_beats: int) -> tuple[float, float]:
    """Return noise and shift for ``augment_noise="auto"`` and ``augment_shift="auto"``.

    They keep a network from learning a small set by heart; large sets gain nothing by them.
    """
    return (_NOISE, _SHIFT) if n_beats < _SMALL_SET else (0.0, 0.0)
