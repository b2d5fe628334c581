"""Waveform augmentation of training batches."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """Sizes of the augmentations; those of size 0 are skipped and draw no random numbers.

    Trailing zeros of a lead are padding, not signal. Noise and baseline wander leave them
    unchanged, since their number encodes the length of the beat. Standard deviations of a lead are
    computed without them.
    """

    amplitude: float = 0.0  # each lead of each beat is multiplied by exp(N(0, amplitude))
    baseline: float = 0.0  # standard deviation of the wander, relative to that of the lead
    noise: float = 0.0  # standard deviation of white noise, relative to that of the lead
    shift: float = 0.0  # largest shift in time, as a fraction of the length of the row

    def __bool__(self) -> bool:
        """Return whether any augmentation is applied."""
        return any((self.amplitude, self.baseline, self.noise, self.shift))


def augment_rows(
    rows: Tensor, augmentation: Augmentation, n_leads: int = 1, n_aux_features: int = 0
) -> Tensor:
    """Augment the waveforms of rows and leave their auxiliary columns unchanged.

    Rows are beats in the form that the networks take, and not modified in place; integers are
    converted to float32. Random numbers are drawn from torch's generator of the device. Raises
    ValueError if ``rows`` is anything else, as batches for a custom network may be.
    """
    if not isinstance(rows, Tensor) or rows.dim() not in (2, 3):
        found = f"shape {tuple(rows.shape)}" if isinstance(rows, Tensor) else type(rows).__name__
        raise ValueError(
            "augment_amplitude, augment_baseline, augment_noise and augment_shift need batches of "
            "one tensor, (n_beats, n_features) or (n_beats, n_leads, n_times), got "
            f"{found}. Set them to 0 for other data."
        )
    rows = rows if rows.is_floating_point() else rows.to(torch.float32)
    if rows.dim() == 3:
        return augment_waves(rows, augmentation)
    n_wave = rows.shape[1] - n_aux_features
    if n_wave < n_leads or n_wave % n_leads:
        return rows  # too short to be beats, see ecgbeat._validation.lead_layout
    waves = rows[:, :n_wave].reshape(len(rows), n_leads, -1)
    augmented = augment_waves(waves, augmentation).flatten(1)
    return torch.cat([augmented, rows[:, n_wave:]], dim=1) if n_aux_features else augmented


def augment_waves(waves: Tensor, augmentation: Augmentation) -> Tensor:
    """Apply shift, gain, baseline wander and noise to waves (n_beats, n_leads, n_times)."""
    max_shift = round(augmentation.shift * waves.shape[-1])
    if max_shift:
        waves = shift_waves(waves, max_shift)
    if augmentation.amplitude:
        exponents = torch.randn_like(waves[..., :1]).mul_(augmentation.amplitude)
        waves = waves * exponents.exp_()
    if augmentation.baseline or augmentation.noise:
        disturbance = _disturbance_like(waves, augmentation.baseline, augmentation.noise)
        waves = torch.addcmul(waves, _standard_deviation(waves), disturbance)
    return waves


def shift_waves(waves: Tensor, max_shift: int) -> Tensor:
    """Shift each beat by a random whole number of samples, up to ``max_shift`` either way.

    All leads of a beat are shifted together. The gap is filled with the sample at the edge.
    """
    n_beats, n_leads, n_times = waves.shape
    shifts = torch.randint(-max_shift, max_shift + 1, (n_beats, 1, 1), device=waves.device)
    sources = (torch.arange(n_times, device=waves.device) - shifts).clamp_(0, n_times - 1)
    return waves.gather(-1, sources.expand(-1, n_leads, -1))


def _disturbance_like(waves: Tensor, baseline: float, noise: float) -> Tensor:
    """Return the sum of baseline wander and noise, in standard deviations of the lead."""
    if not noise:
        return wander_like(waves).mul_(baseline)
    disturbance = torch.randn_like(waves).mul_(noise)
    return disturbance.add_(wander_like(waves), alpha=baseline) if baseline else disturbance


def wander_like(waves: Tensor) -> Tensor:
    """Return baseline wander of standard deviation 1 at every sample, drawn for each lead.

    A constant, half a cycle and a whole cycle over the row have equal shares of the
    variance. Normal weights of sine and cosine give each cycle a random phase.
    """
    times = torch.linspace(0, math.pi, waves.shape[-1], dtype=waves.dtype, device=waves.device)
    angles = [times, 2 * times]
    parts = [torch.ones_like(times), *(f(a) for a in angles for f in (torch.sin, torch.cos))]
    weights = torch.randn(
        *waves.shape[:-1], len(parts), dtype=waves.dtype, device=waves.device
    ).mul_(3**-0.5)
    return weights @ torch.stack(parts)


def _standard_deviation(waves: Tensor) -> Tensor:
    """Return the standard deviation of each lead at its samples, and 0 at its padding."""
    positions = torch.arange(1, waves.shape[-1] + 1, dtype=torch.int32, device=waves.device)
    n_signal = ((waves != 0) * positions).amax(dim=-1, keepdim=True)
    is_signal = positions <= n_signal
    n_signal = n_signal.clamp_(min=1)
    deviations = (waves - waves.sum(dim=-1, keepdim=True) / n_signal) * is_signal
    variance = deviations.square_().sum(dim=-1, keepdim=True) / n_signal
    return variance.sqrt_() * is_signal
