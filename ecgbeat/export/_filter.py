"""Recursive filter for windows of one length."""

import math

import numpy as np
import torch
from scipy.signal import sosfilt
from torch import Tensor, nn

from ecgbeat.signal import bandpass_sections, filter_padding


class RecursiveFilter(nn.Module):
    """Counterpart of `ecgbeat.signal.bandpass`, in float64.

    ONNX has no operator for recursive filters, and as a matrix, the filter of a window of two
    seconds would be ten times as large as a network. Blocks of samples are filtered by a small
    matrix instead, see `_Recursion`.
    """

    columns: Tensor

    def __init__(
        self,
        n_times: int,
        fs: float,
        low: float,
        high: float,
        *,
        order: int,
        notch: float | None = None,
        zero_phase: bool = True,
    ) -> None:
        super().__init__()
        self.n_times = n_times
        self.zero_phase = zero_phase
        self.n_padding = filter_padding(n_times, fs, low)
        self.n_first = n_times if zero_phase else max(1, self.n_padding)
        n_after = self.n_padding if zero_phase else 0
        mirrored = np.pad(np.arange(n_times), (self.n_padding, n_after), mode="symmetric")
        self.register_buffer("columns", torch.from_numpy(mirrored))
        sections = bandpass_sections(fs, low, high, order=order, notch=notch)
        self.recursion = _Recursion(sections, len(mirrored))

    def forward(self, leads: Tensor) -> Tensor:
        """Filter windows of shape (n_beats, n_leads, n_times)."""
        leads = leads - leads.narrow(-1, 0, 1)  # constant leads become exact zeros
        leads = leads - leads.narrow(-1, 0, self.n_first).mean(dim=-1, keepdim=True)
        filtered = self.recursion(leads.index_select(-1, self.columns))
        if self.zero_phase:
            filtered = self.recursion(filtered.flip(-1)).flip(-1)
        return filtered.narrow(-1, self.n_padding, self.n_times)


class _Recursion(nn.Module):
    """Second-order sections that start at rest, as matrices.

    Within a block, the output is a matrix times the input, plus another matrix times the state at
    the start of the block. The states of all blocks are a matrix times the states that each block
    would end with if it had started at rest. This equals the recursion up to rounding. The block
    has the length for which the matrices are smallest.
    """

    response: Tensor
    final: Tensor
    carry: Tensor
    decay: Tensor

    def __init__(self, sections: np.ndarray, n_times: int) -> None:
        super().__init__()
        n_states = 2 * len(sections)
        n_block = min(n_times, math.ceil(math.sqrt(n_times * n_states)))
        self.n_blocks = math.ceil(n_times / n_block)
        self.n_block = n_block
        self.n_times = n_times
        at_rest = np.zeros((len(sections), n_block, 2))
        response, final = sosfilt(sections, np.eye(n_block), zi=at_rest)
        unit_states = np.eye(n_states).reshape(n_states, len(sections), 2).swapaxes(0, 1)
        decay, step = sosfilt(sections, np.zeros((n_states, n_block)), zi=unit_states)
        step = _flat_states(step)
        carry = np.zeros((self.n_blocks, n_states, self.n_blocks, n_states))
        power = np.eye(n_states)
        for distance in range(1, self.n_blocks):  # between the end of one block and another
            for block in range(distance, self.n_blocks):
                carry[block - distance, :, block] = power
            power = power @ step
        size = self.n_blocks * n_states
        self.register_buffer("response", torch.from_numpy(response))
        self.register_buffer("final", torch.from_numpy(_flat_states(final)))
        self.register_buffer("carry", torch.from_numpy(carry.reshape(size, size)))
        self.register_buffer("decay", torch.from_numpy(decay))

    def forward(self, leads: Tensor) -> Tensor:
        """Filter windows of shape (n_beats, n_leads, n_times)."""
        n_beats, n_leads = leads.shape[:2]
        missing = self.n_blocks * self.n_block - self.n_times
        padded = nn.functional.pad(leads, (0, missing)) if missing else leads
        blocks = padded.reshape(n_beats, n_leads, self.n_blocks, self.n_block)
        filtered = blocks @ self.response
        if self.n_blocks > 1:
            final = (blocks @ self.final).reshape(n_beats, n_leads, -1)
            states = (final @ self.carry).reshape(n_beats, n_leads, self.n_blocks, -1)
            filtered = filtered + states @ self.decay
        return filtered.reshape(n_beats, n_leads, -1).narrow(-1, 0, self.n_times)


def _flat_states(states: np.ndarray) -> np.ndarray:
    """Return states of shape (n_sections, n_rows, 2) in shape (n_rows, n_states)."""
    return states.swapaxes(0, 1).reshape(states.shape[1], -1)
