"""Single beats of 187 numbers, in the Kaggle format."""

from typing import Any

import numpy as np

from ecgbeat.app._models import Model
from ecgbeat.app._requests import RequestError
from ecgbeat.plotting import saliency

N_TIMES = 187


def classify_beat(numbers: np.ndarray, model: Model) -> dict[str, Any]:
    """Return label, probabilities and saliency of a beat, ready for JSON.

    A row of the Kaggle files has 188 numbers, the last of which is a label.
    """
    row = numbers[:-1] if len(numbers) == N_TIMES + 1 and numbers[-1] in range(5) else numbers
    if row.shape != (N_TIMES,) or not (np.isfinite(row).all() and (row >= 0).all()):
        raise RequestError(
            422, f"A beat must have {N_TIMES} numbers from 0 to 1, got shape {numbers.shape}."
        )
    if row.max() > 1:
        raise RequestError(
            422,
            f"A beat must be scaled to 0..1, as in the Kaggle files, got {float(row.max()):g} as "
            "the largest number.",
        )
    rows = row[np.newaxis].astype(np.float32)
    probability = model.estimator.predict_proba(rows)[0]
    classes = [str(name) for name in model.estimator.classes_]
    relevance = np.abs(saliency(model.estimator, rows)[0].astype(np.float64))
    relevance = np.interp(np.linspace(0, 1, N_TIMES), np.linspace(0, 1, len(relevance)), relevance)
    relevance /= relevance.max() or 1.0
    return {
        "label": classes[int(probability.argmax())],
        "probability": dict(zip(classes, np.round(probability, 4).tolist(), strict=True)),
        "saliency": np.round(relevance, 3).tolist(),
        "model": model.card,
    }
