"""Waveform augmentation: what a batch of training beats goes through, on tensors."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """How much training beats are varied; 0 leaves that variation out, random numbers too.

    Zeros that fill up the end of a lead are no signal: noise and wander leave them as
    they are, since their number tells the length of the beat. Where a standard deviation
    is the unit, it is that of the lead's samples before them.

    Parameters
    ----------
    amplitude : float, default=0.0
        Every lead of every beat is multiplied by exp(N(0, amplitude)): as often halved as
        doubled, never turned upside down.
    baseline : float, default=0.0
        Standard deviation of the baseline wander, in those of the lead.
    noise : float, default=0.0
        Standard deviation of white noise, in those of the lead.
    shift : float, default=0.0
        Farthest move in time, as a fraction of the row's length.
    """

    amplitude: float = 0.0
    baseline: float = 0.0
    noise: float = 0.0
    shift: float = 0.0

    def __bool__(self) -> bool:
        """Tell whether there is anything to vary."""
        return any((self.amplitude, self.baseline, self.noise, self.shift))


def augment_rows(
    rows: Tensor, augmentation: Augmentation, n_leads: int = 1, n_aux_features: int = 0
) -> Tensor:
    """Vary the waveforms of rows and leave their auxiliary columns alone.

    Parameters
    ----------
    rows : Tensor of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
        Beats, as the networks take them: floating numbers, or others that become float32.
        Not changed.
    augmentation : Augmentation
        What to do.
    n_leads, n_aux_features : int
        How to read 2-D rows.

    Returns
    -------
    Tensor
        Of the same shape; random numbers come from torch's generator of the device.

    Raises
    ------
    ValueError
        If ``rows`` are anything else, as batches for a network of the user's may be.
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
    varied = augment_waves(waves, augmentation).flatten(1)
    return torch.cat([varied, rows[:, n_wave:]], dim=1) if n_aux_features else varied


def augment_waves(waves: Tensor, augmentation: Augmentation) -> Tensor:
    """Vary waveforms of shape (n_beats, n_leads, n_times): shift, gain, wander, noise."""
    farthest = round(augmentation.shift * waves.shape[-1])
    if farthest:
        waves = shifted(waves, farthest)
    if augmentation.amplitude:
        exponents = torch.randn_like(waves[..., :1]).mul_(augmentation.amplitude)
        waves = waves * exponents.exp_()
    if augmentation.baseline or augmentation.noise:
        disturbance = _disturbance_like(waves, augmentation.baseline, augmentation.noise)
        waves = torch.addcmul(waves, _scale(waves), disturbance)
    return waves


def shifted(waves: Tensor, farthest: int) -> Tensor:
    """Move every beat by a whole number of samples, up to ``farthest`` either way.

    All leads of a beat move together, and the sample at the edge fills the gap.
    """
    n_beats, n_leads, n_times = waves.shape
    moves = torch.randint(-farthest, farthest + 1, (n_beats, 1, 1), device=waves.device)
    sources = (torch.arange(n_times, device=waves.device) - moves).clamp_(0, n_times - 1)
    return waves.gather(-1, sources.expand(-1, n_leads, -1))


def wander_like(waves: Tensor) -> Tensor:
    """Return slow waves of standard deviation 1 at every sample, of each lead its own.

    A constant, half a cycle and a whole cycle over the row with equal shares of the
    variance; normal weights on sine and cosine give a cycle its random phase.
    """
    times = torch.linspace(0, math.pi, waves.shape[-1], dtype=waves.dtype, device=waves.device)
    angles = [times, 2 * times]
    parts = [torch.ones_like(times), *(f(a) for a in angles for f in (torch.sin, torch.cos))]
    weights = torch.randn(
        *waves.shape[:-1], len(parts), dtype=waves.dtype, device=waves.device
    ).mul_(3**-0.5)
    return weights @ torch.stack(parts)


def _disturbance_like(waves: Tensor, baseline: float, noise: float) -> Tensor:
    """Return wander and noise in standard deviations."""
    if not noise:
        return wander_like(waves).mul_(baseline)
    disturbance = torch.randn_like(waves).mul_(noise)
    return disturbance.add_(wander_like(waves), alpha=baseline) if baseline else disturbance


def _scale(waves: Tensor) -> Tensor:
    """Return the standard deviation of each lead, and 0 in the zeros that fill up its end."""
    places = torch.arange(1, waves.shape[-1] + 1, dtype=torch.int32, device=waves.device)
    n_signal = ((waves != 0) * places).amax(dim=-1, keepdim=True)
    is_signal = places <= n_signal
    n_signal = n_signal.clamp_(min=1)
    deviations = (waves - waves.sum(dim=-1, keepdim=True) / n_signal) * is_signal
    variance = deviations.square_().sum(dim=-1, keepdim=True) / n_signal
    return variance.sqrt_() * is_signal
