"""Rows of beats as the waveforms and images that networks read."""

import torch
from torch import Tensor
from torch.nn import functional


def split_rows(
    rows: Tensor, n_leads: int, n_aux_features: int, min_times: int
) -> tuple[Tensor, Tensor]:
    """Split rows into waveforms, (n_beats, n_leads, n_times), and auxiliary features.

    2-D rows are lead-major, with ``n_aux_features`` columns at the end; 3-D rows are waveforms
    alone. Waveforms shorter than ``min_times`` are padded with zeros. The number of rows is
    ``rows.shape[0]``: when a graph is exported, ``len(rows)`` would be the constant of the example.
    """
    if rows.dim() == 3:
        waves, aux = rows, rows.new_zeros(rows.shape[0], n_aux_features)
    else:
        n_wave = max(rows.shape[1] - n_aux_features, 0)
        waves, aux = rows[:, :n_wave], rows[:, n_wave:]
        # only rows too short to be beats need these two paddings
        waves = _pad_end(waves, -n_wave % n_leads)
        aux = _pad_end(aux, n_aux_features - aux.shape[1])
        waves = waves.reshape(rows.shape[0], n_leads, -1)
    return _pad_end(waves, min_times - waves.shape[-1]), aux


def _pad_end(rows: Tensor, n_zeros: int) -> Tensor:
    """Append zeros to the last axis; without any, nothing is added to an exported graph."""
    return functional.pad(rows, (0, n_zeros)) if n_zeros > 0 else rows


def as_image(waves: Tensor) -> Tensor:
    """Reshape waveforms to (n_beats, n_leads, 1, n_times), with channels last in memory.

    torch's CPU kernels for two dimensions are 1.5 to 3 times as fast as those for one if the
    channels of a sample are adjacent in memory. Stacking sets this memory format even for a single
    lead, where the data is the same either way; all further layers then keep it.
    """
    return torch.stack(waves.unbind(dim=1), dim=-1).transpose(1, 2).unsqueeze(2)
