"""How much room texts take, before they are drawn (layer 3)."""

from collections.abc import Sequence

import numpy as np

TEXT_PT = 8.0
LETTER_INCH = 0.62 * TEXT_PT / 72  # width of a letter on the average
_ENTRY_INCH = 0.45  # width of an entry beside its text


def legend_columns(names: Sequence[str], width: float) -> int:
    """Return how many columns of the legend fit beside each other; it fills them downwards."""
    entries = [len(name) * LETTER_INCH + _ENTRY_INCH for name in names]
    for n_columns in range(len(entries), 1, -1):
        columns = np.array_split(entries, n_columns)
        if sum(column.max() for column in columns) <= width:
            return n_columns
    return 1
