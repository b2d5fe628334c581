"""Normalisation and statistics over the frames of a sound (layer 1)."""

import numpy as np

STATISTICS = ("mean", "std", "min", "median", "max", "skew")

# of a row's largest coefficient: what varies by less than this is constant but for rounding
_ROUNDING = 1e-9


def normalize_frames(coefficients: np.ndarray) -> np.ndarray:
    """Shift each coefficient to mean 0 over the frames and scale it to standard deviation 1.

    Parameters
    ----------
    coefficients : ndarray of shape (n_rows, n_channels, n_frames)
        Float64.

    Returns
    -------
    ndarray of shape (n_rows, n_channels, n_frames)
        Zeros where a coefficient is constant.
    """
    return _standard_scores(coefficients)[0]


def frame_statistics(coefficients: np.ndarray) -> np.ndarray:
    """Describe each coefficient by the `STATISTICS` over its frames.

    Parameters
    ----------
    coefficients : ndarray of shape (n_rows, n_channels, n_frames)
        Float64.

    Returns
    -------
    ndarray of shape (n_rows, n_channels, n_statistics)
        Standard deviation and skewness are those of the population (divided by n), and
        0 where a coefficient is constant.
    """
    scores, deviation = _standard_scores(coefficients)
    return np.stack(
        [
            coefficients.mean(axis=-1),
            deviation,
            coefficients.min(axis=-1),
            np.median(coefficients, axis=-1),
            coefficients.max(axis=-1),
            np.mean(scores**3, axis=-1),
        ],
        axis=-1,
    )


def _standard_scores(coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores, and the deviations ``(n_rows, n_channels)`` that they were divided by."""
    deviation = coefficients.std(axis=-1, keepdims=True)
    largest = np.abs(coefficients).max(axis=(1, 2), keepdims=True)
    deviation[deviation <= _ROUNDING * largest] = 0.0
    centred = coefficients - coefficients.mean(axis=-1, keepdims=True)
    scores = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)
    return scores, deviation[..., 0]
