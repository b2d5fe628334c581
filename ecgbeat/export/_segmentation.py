"""Location of R peaks in windows of one length, and the beats around them."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgbeat.export._filter import RecursiveFilter
from ecgbeat.signal import location_settings, resample_beats


class RPeakLocator(nn.Module):
    """Counterpart of `ecgbeat.signal.locate_r_peaks`, in float64."""

    reflected: Tensor
    from_middle: Tensor
    nearest_first: Tensor

    def __init__(self, n_times: int, fs: float, select: str) -> None:
        super().__init__()
        settings = location_settings(fs)
        low, high, order = settings[:3]
        self.filter = RecursiveFilter(n_times, fs, low, high, order=order)
        self.settings = settings
        self.select = select
        half = settings.envelope // 2
        reflected = np.pad(np.arange(n_times), half, mode="symmetric")
        from_middle = np.abs(np.arange(n_times) - n_times // 2).astype(np.float64)
        offsets = sorted(range(-settings.refinement, settings.refinement + 1), key=abs)
        self.register_buffer("reflected", torch.from_numpy(reflected))
        self.register_buffer("from_middle", torch.from_numpy(from_middle))
        self.register_buffer("nearest_first", torch.tensor(offsets))

    def forward(self, leads: Tensor) -> Tensor:
        """Return the R peak of each window, (n_beats, 1) int64."""
        n_times = leads.shape[-1]
        amplitude = self._merge(self.filter(leads).abs())
        envelope = self._envelope(amplitude)
        nearby = _maximum_filter(envelope, self.settings.neighborhood)
        highest = envelope.amax(dim=-1, keepdim=True)
        is_candidate = (envelope == nearby) & (envelope > self.settings.threshold * highest)
        wanted = self.from_middle if self.select == "center" else -envelope
        rank = torch.where(is_candidate, wanted, self.from_middle + n_times)
        position = rank.argmin(dim=-1, keepdim=True)
        around = (position + self.nearest_first).clamp(0, n_times - 1)
        highest_around = amplitude.gather(1, around).argmax(dim=-1, keepdim=True)
        return around.gather(1, highest_around)

    def _merge(self, filtered: Tensor) -> Tensor:
        """Merge rectified leads, (n_beats, n_leads, n_times), into (n_beats, n_times)."""
        filtered = filtered / _one_if_zero(filtered.amax(dim=-1, keepdim=True))
        if filtered.shape[1] == 1:
            return filtered[:, 0]
        height = filtered.amax(dim=-1, keepdim=True)
        floor = filtered.mean(dim=-1, keepdim=True)
        weights = height / _one_if_zero(floor * floor)  # a lead without floor has no height
        best = weights.amax(dim=1, keepdim=True)
        weights = weights / _one_if_zero(best)
        return (filtered * weights).square().sum(dim=1).sqrt()

    def _envelope(self, amplitude: Tensor) -> Tensor:
        """Compute the moving root mean square, (n_beats, n_times)."""
        width, n_times = self.settings.envelope, amplitude.shape[-1]
        sums = functional.pad(amplitude.square().index_select(-1, self.reflected), (1, 0)).cumsum(
            dim=-1
        )
        energy = (sums.narrow(-1, width, n_times) - sums.narrow(-1, 0, n_times)) / width
        return energy.clamp(min=0.0).sqrt()


def _maximum_filter(values: Tensor, half: int) -> Tensor:
    """Return the maximum of positive values within ``half`` samples, along the last axis.

    Maxima over 2, 4, 8, ... samples are much faster than ONNX Runtime's pooling over 100.
    """
    values = functional.pad(values, (half, half))
    width = 1
    while width < 2 * half + 1:
        step = min(width, 2 * half + 1 - width)
        n = values.shape[-1] - step
        values = torch.maximum(values.narrow(-1, 0, n), values.narrow(-1, step, n))
        width += step
    return values


def _one_if_zero(values: Tensor) -> Tensor:
    """Return divisors, 1 in place of 0."""
    return torch.where(values > 0, values, 1.0)


class BeatCutter(nn.Module):
    """Counterpart of `ecgbeat.signal.segment_beats`, for and in float64."""

    offsets: Tensor

    def __init__(self, locator: RPeakLocator, n_before: int, n_after: int) -> None:
        super().__init__()
        self.locator = locator
        self.register_buffer("offsets", torch.arange(-n_before, n_after))

    def forward(self, leads: Tensor) -> Tensor:
        """Cut beats of shape (n_beats, n_leads, n_before + n_after) out of windows."""
        columns = (self.locator(leads) + self.offsets).clamp(0, leads.shape[-1] - 1)
        return leads.gather(2, columns.unsqueeze(1).expand(-1, leads.shape[1], -1))


_BLOCK = 8  # output samples; the weights are smallest for about this number


class Resampler(nn.Module):
    """Counterpart of `ecgbeat.signal.resample_beats`, in float64.

    The line from the first to the last sample is resampled by itself. The rest is a product with a
    matrix that has values around its diagonal only, since the filter is short: each block of
    output samples depends on a stretch of the input.
    """

    ramp: Tensor
    ramp_out: Tensor
    stretches: Tensor
    weights: Tensor

    def __init__(self, n: int, n_times: int) -> None:
        super().__init__()
        self.n_times = n_times
        ramp = np.linspace(0.0, 1.0, n)
        matrix = resample_beats(np.eye(n), n_times)  # (n, n_times)
        matrix[[0, -1]] = 0.0  # without the line, both ends are zero
        n_blocks = -(-n_times // _BLOCK)
        padded = np.pad(matrix, ((0, 0), (0, n_blocks * _BLOCK - n_times)))
        blocks = padded.reshape(n, n_blocks, _BLOCK).swapaxes(0, 1)
        is_used = (blocks != 0).any(axis=2)  # (n_blocks, n)
        first, last = is_used.argmax(axis=1), n - 1 - is_used[:, ::-1].argmax(axis=1)
        width = int(np.max(np.where(is_used.any(axis=1), last - first + 1, 1)))
        stretches = np.minimum(first, n - width)[:, None] + np.arange(width)
        weights = np.take_along_axis(blocks, stretches[:, :, None], axis=1)
        self.register_buffer("ramp", torch.from_numpy(ramp))
        self.register_buffer("ramp_out", torch.from_numpy(resample_beats(ramp, n_times)))
        self.register_buffer("stretches", torch.from_numpy(stretches.ravel()))
        self.register_buffer("weights", torch.from_numpy(weights))

    def forward(self, leads: Tensor) -> Tensor:
        """Resample beats of shape (n_beats, n_leads, n)."""
        n_beats, n_leads, n = leads.shape
        start = leads.narrow(-1, 0, 1)
        rise = leads.narrow(-1, n - 1, 1) - start
        rest = (leads - start - rise * self.ramp).reshape(-1, n)
        # the blocks first, for one product of matrices for each
        stretches = rest.index_select(1, self.stretches).reshape(-1, *self.weights.shape[:2])
        products = stretches.transpose(0, 1) @ self.weights
        rest = products.transpose(0, 1).reshape(n_beats, n_leads, -1)
        rest = rest.narrow(-1, 0, self.n_times)
        return start + rise * self.ramp_out + rest
