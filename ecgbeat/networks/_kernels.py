"""A wide layer of fixed convolutions with a linear classifier, for small training sets."""

import itertools
import math
from collections import Counter
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgbeat.networks._rows import split_rows

_LENGTH, _N_KERNELS = 9, 84  # samples; ways to choose three of nine
_N_THRESHOLDS = 20  # of each kernel
_SLOPE = 0.02  # a sixth of the width of the ramp, in standard deviations of the output
_N_ROWS_OF_QUANTILES = 64
_N_VALUES_OF_QUANTILES = 1024  # about, per kernel; sorting all takes most of the time
_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2

# small sets of noisy labels would choose more, and then predict the largest class only
_PENALTIES = [10.0 ** (step / 2) for step in range(-10, 0)]
_FACTORS = [2.0 ** (step / 2) for step in range(-6, 12)]
_SMALL_DEVIATION = 0.01  # added to that of a feature, else rounding errors would be enlarged
_SMALLEST_LEVERAGE = 1e-9
_WEIGHT_BESIDE_KERNELS = 0.1  # of the trained layers
_N_VALUES_OF_MAPS = 250_000  # of a batch; the outputs of all kernels then fit into the caches


class FixedKernels(nn.Module):
    """Fixed convolutions of many dilations, pooled over time, with a ridge classifier.

    The kernels are those of MiniRocket (Dempster et al. 2021, doi:10.1145/3447548.3467231), and
    a feature is the fraction of time in which the output of a kernel is above a threshold.
    As in MultiRocket (Tan et al. 2022, doi:10.1007/s10618-022-00844-1), the kernels are also
    applied to the differences of successive samples, and further features tell where in the beat
    the output is above the threshold.
    Deviations: a steep ramp instead of a step, so that predictions have gradients;
    thresholds from quantiles over several beats instead of one; 3,360 features per lead instead
    of 9,996 in all; each kernel is applied to all leads; of the further features only one, the
    first moment, as many again, and only if the classifier is then better. The linear classifier
    and its probabilities are not trained by steps of an optimizer, but computed by `solve`.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    n_times : int
        Number of samples per lead, which sets the dilations.
    n_leads : int, default=1
        Number of leads.
    n_aux_features : int, default=0
        Number of columns at the end of a row that go straight to the linear classifier.
    with_moments : bool, default=True
        Whether there are features that tell where in the beat an output is above a threshold:
        the mean over time of the time, from -1 to 1, where it is above, and of 0 elsewhere.
        Changed by `solve`.

    Examples
    --------
    >>> import torch
    >>> from ecgbeat.networks import FixedKernels
    >>> beats = torch.randn(20, 96, generator=torch.Generator().manual_seed(0))
    >>> kernels = FixedKernels(n_classes=2, n_times=96)
    >>> kernels.solve(beats, torch.arange(20) % 2, torch.ones(20))
    >>> kernels(beats).shape
    torch.Size([20, 2])
    """

    kernels: Tensor
    thresholds: Tensor
    scales: Tensor
    weight: Tensor
    bias: Tensor
    n_times: Tensor

    def __init__(
        self,
        n_classes: int,
        n_times: int,
        *,
        n_leads: int = 1,
        n_aux_features: int = 0,
        with_moments: bool = True,
    ) -> None:
        super().__init__()
        self.n_leads, self.n_aux_features, self.with_moments = n_leads, n_aux_features, with_moments
        self._length = max(n_times, _LENGTH)
        self.dilations, self.counts = _dilations_for(n_times)
        kernels = torch.full((_N_KERNELS, _LENGTH), -1.0)
        for i, positive in enumerate(itertools.combinations(range(_LENGTH), 3)):
            kernels[i, list(positive)] = 2.0
        n_maps = 2 * n_leads * _N_KERNELS  # of leads, then of their differences
        self.n_shares = _N_THRESHOLDS * n_maps
        n_features = (1 + with_moments) * self.n_shares + n_aux_features
        self.register_buffer("kernels", kernels, persistent=False)
        self.register_buffer("n_times", torch.tensor(n_times))  # for `set_kernels_of_state`
        self.register_buffer("thresholds", torch.zeros(_N_THRESHOLDS, n_maps))
        self.register_buffer("scales", torch.ones(len(self.dilations), n_maps))
        self.register_buffer("weight", torch.zeros(n_classes, n_features))
        self.register_buffer("bias", torch.zeros(n_classes))

    def forward(self, rows: Tensor) -> Tensor:
        """Compute the logits of beats.

        Parameters
        ----------
        rows : Tensor of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
            Beats, float32.

        Returns
        -------
        Tensor of shape (n_beats, n_classes)
            Logits.
        """
        if torch.is_autocast_enabled(rows.device.type):  # thresholds need the digits of float32
            with torch.autocast(rows.device.type, enabled=False):
                return self.forward(rows)
        features = self._features(rows)
        if torch.compiler.is_compiling():
            return functional.linear(features, self.weight, self.bias)
        # the last digits of a matrix product depend on the number of threads
        sums = [(features * of_class).sum(dim=-1) for of_class in self.weight]
        return torch.stack(sums, dim=-1) + self.bias

    def _features(self, rows: Tensor) -> Tensor:
        """Compute the features of batches; a traced graph has one, of any number of rows."""
        waves, aux = split_rows(rows, self.n_leads, self.n_aux_features, _LENGTH)
        if waves.shape[-1] != self._length:
            raise ValueError(
                f"rows must have {self._length} samples per lead, as in the training of their "
                f"fixed kernels, got {waves.shape[-1]}."
            )
        waves = _with_differences(waves)
        if torch.compiler.is_compiling():
            return torch.cat([self._pool(waves), aux], dim=1)
        size = max(1, _N_VALUES_OF_MAPS // (self.scales.shape[1] * waves.shape[-1]))
        return torch.cat([torch.cat([self._pool(part) for part in waves.split(size)]), aux], dim=1)

    def _pool(self, waves: Tensor) -> Tensor:
        """Pool the output of all kernels; every other feature leaves out the padded edges."""
        filters = self.scales.reshape(len(self.dilations), -1, _N_KERNELS, 1) * self.kernels
        times = torch.linspace(-1, 1, waves.shape[-1], device=waves.device)
        shares: list[Tensor] = []
        moments: list[Tensor] = []
        for i, (dilation, count) in enumerate(zip(self.dilations, self.counts, strict=True)):
            maps = self._convolve(waves, dilation, filters[i])
            edge = (_LENGTH - 1) // 2 * dilation
            inner = slice(edge, maps.shape[-1] - edge)
            for threshold in self.thresholds[len(shares) :][:count]:
                part = slice(None) if len(shares) % 2 else inner
                shifted = maps[..., part] - (self.scales[i] * threshold)[:, None]
                above = functional.hardsigmoid(shifted, inplace=True)
                shares.append(above.mean(dim=-1))
                if self.with_moments:
                    moments.append(above.mul_(times[part]).mean(dim=-1))
        return torch.cat(shares + moments, dim=1)

    def _convolve(self, waves: Tensor, dilation: int, filters: Tensor) -> Tensor:
        """Return the output of all kernels at one dilation, (n_beats, n_maps, n_times).

        On a CPU, a matrix product is several times as fast as a convolution of one channel.
        """
        edge = (_LENGTH - 1) // 2 * dilation
        if torch.compiler.is_compiling():  # else a file of ONNX would hold the places of all taps
            filters = filters.reshape(-1, 1, _LENGTH)
            return functional.conv1d(
                waves, filters, padding=edge, dilation=dilation, groups=waves.shape[1]
            )
        taps = functional.pad(waves, (edge, edge)).unfold(-1, waves.shape[-1], dilation)
        return (filters @ taps).flatten(1, 2)

    def solve(self, rows: Tensor, codes: Tensor, weight: Tensor) -> None:
        """Compute thresholds and linear classifier, and decide on moments.

        Moments are features if the leave-one-out error of the linear classifier is then smaller.
        They are better for most beats, which are cut around the R peak, not for waves that begin
        anywhere.

        Parameters
        ----------
        rows : Tensor of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
            Beats, float32.
        codes : Tensor of shape (n_beats,)
            Class numbers.
        weight : Tensor of shape (n_beats,)
            Weights of the beats, above 0.
        """
        self.with_moments = True
        with torch.inference_mode():
            waves, _ = split_rows(rows, self.n_leads, self.n_aux_features, _LENGTH)
            self._choose_thresholds(_with_differences(waves))
            features = self._features(rows).cpu()
        without = torch.cat([features[:, : self.n_shares], features[:, 2 * self.n_shares :]], dim=1)
        fits = [
            ridge_classifier(some, codes, len(self.bias), weight.double())
            for some in (without, features)
        ]
        self.with_moments = fits[1].error < fits[0].error
        best = fits[self.with_moments]
        self.weight = best.coefficients.T.to(self.bias).contiguous()  # as files need it
        self.bias.copy_(best.intercept)

    def _choose_thresholds(self, waves: Tensor) -> None:
        """Set the thresholds to quantiles of some outputs, spread evenly by the golden ratio."""
        n_rows, n_times = min(len(waves), _N_ROWS_OF_QUANTILES), waves.shape[-1]
        some = waves[torch.linspace(0, len(waves) - 1, n_rows, dtype=torch.float64).long()]
        n_values = n_rows * n_times
        places = torch.arange(0, n_values, 1 + n_values // _N_VALUES_OF_QUANTILES)[:, None]
        order = torch.arange(1, self.thresholds.numel() + 1, dtype=torch.float64)
        shares = (order * _GOLDEN_RATIO % 1).reshape(self.thresholds.shape[::-1]).T
        ranks = (shares * (len(places) - 1)).long().to(waves.device).split(self.counts)
        thresholds = []
        for i, dilation in enumerate(self.dilations):
            edge = (_LENGTH - 1) // 2 * dilation
            padded = functional.pad(some, (edge, edge))
            times = places % n_times + dilation * torch.arange(_LENGTH)
            taps = padded[places // n_times, :, times]  # (n_places, n_taps, n_leads)
            values = (self.kernels @ taps).transpose(1, 2).flatten(1)
            thresholds.append(values.sort(dim=0).values.gather(0, ranks[i]))
            deviation = values.std(dim=0, correction=0)
            self.scales[i] = torch.where(deviation > 0, 1 / (_SLOPE * deviation), 0.0)
        self.thresholds.copy_(torch.cat(thresholds))


def _with_differences(waves: Tensor) -> Tensor:
    """Append the differences of successive samples, and a zero, as further leads."""
    return torch.cat([waves, functional.pad(waves.diff(dim=-1), (0, 1))], dim=1)


def take_kernels(network: Any) -> None:
    """Let a network have fixed kernels, and take those of a state that it loads."""
    network.register_module("kernels", None)
    network.register_load_state_dict_pre_hook(set_kernels_of_state)


def set_kernels_of_state(network: Any, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Give a network the fixed kernels of the state that it is about to load, or none."""
    names = [f"{prefix}kernels.{name}" for name in ("n_times", "weight", "thresholds")]
    member = network.members[0] if hasattr(network, "members") else network
    network.kernels = None
    if all(name in state for name in names):
        n_times, weight, thresholds = (state[name] for name in names)
        network.kernels = FixedKernels(
            len(weight),
            int(n_times),
            n_leads=member.n_leads,
            n_aux_features=member.n_aux_features,
            with_moments=weight.shape[-1] - member.n_aux_features > thresholds.numel(),
        ).to(next(network.parameters()).device)


def with_kernels(network: Any, logits: Tensor, rows: Tensor) -> Tensor:
    """Average logarithms of probabilities with those of the fixed kernels in prediction.

    A network that has seen few beats is too sure of its predictions, so its weight is small.
    """
    if network.kernels is None or network.training:
        return logits
    fixed = torch.log_softmax(network.kernels(rows), dim=-1)
    return fixed.lerp(torch.log_softmax(logits.float(), dim=-1), _WEIGHT_BESIDE_KERNELS)


def _dilations_for(n_times: int) -> tuple[list[int], list[int]]:
    """Return ascending dilations and the number of thresholds of each, as in MiniRocket.

    The thresholds are spread evenly over the logarithm of the dilation, so that those of small
    dilations, of which there are few, are many.
    """
    octaves = math.log2(max((n_times - 1) / (_LENGTH - 1), 1))
    steps = range(_N_THRESHOLDS)
    # the same on all machines, whose last digits of a power may differ
    found = Counter(int(2 ** (octaves * step / (_N_THRESHOLDS - 1)) + 1e-6) for step in steps)
    return list(found), list(found.values())


class Ridge(NamedTuple):
    """A linear classifier."""

    coefficients: Tensor  # (n_features, n_classes)
    intercept: Tensor  # (n_classes,)
    error: float  # weighted squared error of the left-out rows


def ridge_classifier(features: Tensor, codes: Tensor, n_classes: int, weight: Tensor) -> Ridge:
    """Fit a weighted ridge regression to indicators of the classes, scaled to logits.

    Of the penalties, the one with the smallest leave-one-out error is taken. The logits are the
    predictions times the factor at which those of the left-out beats have the smallest log loss.
    The targets of the loss are smoothed as by Platt (1999), else it would fall with any factor if
    all left-out beats were recognized.
    """
    weight = (weight / weight.mean())[:, None]
    root, total = weight.sqrt(), len(weight)
    rows = features.to(torch.float64, copy=True)  # changed in place: there may be many features
    center = (weight.T @ rows)[0] / total
    rows.sub_(center).mul_(root)
    deviation = rows.norm(dim=0) / math.sqrt(total)
    scale = 1 / ((deviation + _SMALL_DEVIATION) * math.sqrt(len(center)))
    rows.mul_(scale)
    targets = 2 * (codes[:, None] == torch.arange(n_classes)).double() - 1
    mean = (weight * targets).sum(dim=0) / total
    values, vectors = torch.linalg.eigh(rows @ rows.T)
    projected = vectors.T @ (root * (targets - mean))
    trials = []
    for penalty in _PENALTIES:
        inverse = 1 / (values.clamp(min=0) + penalty)[:, None]
        dual = vectors @ (inverse * projected)
        # without the direction of the intercept, which the centering has removed
        leverage = (vectors**2) @ inverse - weight / (total * penalty)
        residuals = dual / leverage.clamp(min=_SMALLEST_LEVERAGE)
        trials.append((float((residuals**2).sum()), dual, targets - residuals / root))
    error, dual, left_out = min(trials, key=lambda trial: trial[0])
    factor = min(_FACTORS, key=lambda factor: _log_loss(factor * left_out, codes, weight))
    coefficients = factor * scale[:, None] * (rows.T @ dual)
    return Ridge(coefficients, factor * mean - center @ coefficients, error)


def _log_loss(logits: Tensor, codes: Tensor, weight: Tensor) -> float:
    smoothing = 1 / (len(codes) + 2)
    losses = functional.cross_entropy(logits, codes, reduction="none", label_smoothing=smoothing)
    return float((weight[:, 0] * losses).sum())
