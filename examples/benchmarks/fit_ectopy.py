"""Fit of the networks of ecgbeat.signal.ectopic_probability on annotated rhythms.

    python examples/benchmarks/fit_ectopy.py --steps 3000 --write

trains both, the centered network for ``future=True`` and the causal one for ``future=False`` and
``future="none"``; ``--networks causal`` trains one of them. Each takes about 8 minutes on one core.

The training data are the annotations (no signals) of the Long-Term AF Database and of the MIT-BIH
Long-Term Database. Settings were chosen by the scores on DS1 of MIT-BIH, which is not in the
training data. DS2 is not read. The weights are averaged over the last steps of the training,
because scores on other databases vary from step to step by some hundredths.
"""

import argparse
import platform
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import wfdb
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve
from torch import nn
from torch.optim.swa_utils import AveragedModel

import ecgbeat
from ecgbeat.datasets import get_data_home
from ecgbeat.labels import is_beat, to_aami
from ecgbeat.model_selection import DS1
from ecgbeat.signal import _ectopy

DATABASES = ("ltafdb", "ltdb")
CLASSES = ("N", "S", "V")
UNKNOWN = -1  # fusion, paced and unclassifiable beats, and the padding of a batch
N_CHANNELS, N_BLOCKS, KERNEL_SIZE, DROPOUT = 32, 5, 5, 0.1
LENGTHS = (60, 256)  # beats of a training excerpt
SIMULATED = {False: 0.12, True: 0.2}  # share of excerpts with simulated runs; for causal ones
BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY = 32, 4e-3, 1e-3
AVERAGED = 1 / 3  # of the steps: their weights are averaged
NETWORKS = {"centered": [True], "causal": [False, "none"]}  # values of ``future``
EXCERPTS = ("207", "209")  # of DS1, in which supraventricular beats are the majority


class Rhythm(NamedTuple):
    """Beats of one patient."""

    time: np.ndarray  # s
    label: np.ndarray  # index in CLASSES, or UNKNOWN
    n_supraventricular: np.ndarray  # cumulative, (n_beats + 1,)


def read_rhythm(path, fs):
    """Read the beats of an annotation file."""
    annotation = wfdb.rdann(str(path.with_suffix("")), "atr")
    beats = is_beat(annotation.symbol)
    order = np.argsort(annotation.sample[beats], kind="stable")
    classes = to_aami(np.asarray(annotation.symbol)[beats][order])
    label = np.full(len(classes), UNKNOWN)
    for index, name in enumerate(CLASSES):
        label[classes == name] = index
    time_s = annotation.sample[beats][order] / fs
    return Rhythm(time_s, label, np.append(0, np.cumsum(label == CLASSES.index("S"))))


# --- excerpts for training ------------------------------------------------------------


def draw_excerpt(rhythm, rng, share_simulated):
    """Draw consecutive beats, often such with supraventricular beats; vary them."""
    length = int(rng.integers(LENGTHS[0], LENGTHS[1] + 1))
    start = rng.integers(0, len(rhythm.time) - length, 64)
    count = rhythm.n_supraventricular[start + length] - rhythm.n_supraventricular[start]
    choice = rng.random()
    if choice < 0.5:
        weight = count + 0.2
    elif choice < 0.65:
        weight = (count + 0.01) ** 2
    else:
        weight = np.ones(len(start))
    first = int(rng.choice(start, p=weight / weight.sum()))
    time_s = rhythm.time[first : first + length]
    label = rhythm.label[first : first + length].copy()
    if choice > 1 - share_simulated and is_regular(time_s, label):
        time_s, label = simulate_runs(time_s, label, rng)
    time_s = time_s * rng.uniform(0.8, 1.25) + rng.normal(0, 0.003, length)
    if rng.random() < 0.25:  # missed beats
        kept = rng.random(length) > 0.01
        time_s, label = time_s[kept], label[kept]
    if rng.random() < 0.15:  # false detections
        extra = rng.choice(time_s[:-1], 2) + rng.uniform(0.1, 0.5, 2)
        time_s, label = np.append(time_s, extra), np.append(label, [UNKNOWN] * 2)
    if rng.random() < 0.25:  # coarse sampling
        rate = rng.uniform(50, 200)
        time_s = np.round(time_s * rate) / rate
    order = np.argsort(time_s, kind="stable")[: LENGTHS[1]]
    return time_s[order], label[order]


def is_regular(time_s, label):
    """Return whether nearly all beats are normal, and the rhythm is no atrial fibrillation."""
    steps = np.abs(np.diff(time_s, n=2))
    return np.mean(label == 0) > 0.97 and np.median(steps) < 0.06


def simulate_runs(time_s, label, rng):
    """Put runs of fast supraventricular beats into a sinus rhythm, with a pause after each.

    The runs may be the majority of the beats, for which the databases have few examples.
    """
    intervals, label = np.diff(time_s, prepend=time_s[0] - 0.8), label.copy()
    n_beats = len(intervals)
    share, rate = rng.uniform(0.2, 0.9), rng.uniform(0.5, 0.85)  # of beats; of the sinus interval
    mean_length = rng.uniform(2, 40)
    mean_rest = max(1.0, mean_length * (1 - share) / share)
    first = int(rng.integers(1, 8))
    while first < n_beats - 1:
        last = min(first + 1 + int(rng.geometric(1 / mean_length)), n_beats)
        sinus = np.median(intervals[max(0, first - 8) : first + 8])
        run = sinus * rate * rng.uniform(0.92, 1.08) * rng.normal(1, 0.02, last - first)
        run[0] *= rng.uniform(0.8, 1.05)
        intervals[first:last], label[first:last] = run, CLASSES.index("S")
        if last < n_beats:
            intervals[last], label[last] = sinus * rng.uniform(1.0, 1.9), CLASSES.index("N")
        first = last + 1 + int(rng.geometric(1 / mean_rest))
    return np.cumsum(intervals), label


def draw_batch(rhythms, weights, rng, *, causal=False):
    """Return the input of the network and the labels of a batch of excerpts."""
    x = np.zeros((BATCH_SIZE, n_inputs(causal), LENGTHS[1]), np.float32)
    y = np.full((BATCH_SIZE, LENGTHS[1]), UNKNOWN)
    for row, patient in enumerate(rng.choice(len(rhythms), BATCH_SIZE, p=weights)):
        time_s, label = draw_excerpt(rhythms[patient], rng, SIMULATED[causal])
        beats = _ectopy.network_input(np.diff(time_s), future=not causal)
        if causal:  # the network learns to do without the next interval
            unknown = rng.random(len(label)) < rng.choice([0, 0.1, 1], p=[0.25, 0.25, 0.5])
            beats[np.ix_(_ectopy.NEXT_ROWS, unknown)] = 0
        x[row, :, : len(label)], y[row, : len(label)] = beats, label
    return torch.from_numpy(x), torch.from_numpy(y)


def n_inputs(causal):
    """Return the number of rows of the input."""
    return 9 if causal else 8


# --- network --------------------------------------------------------------------------


class Block(nn.Module):
    """Residual block of a dilated convolution."""

    def __init__(self, dilation, causal):
        super().__init__()
        reach = dilation * (KERNEL_SIZE - 1)
        self.margins = (reach, 0) if causal else (reach // 2, reach // 2)
        self.wide = nn.Conv1d(N_CHANNELS, N_CHANNELS, KERNEL_SIZE, dilation=dilation)
        self.mix = nn.Conv1d(N_CHANNELS, N_CHANNELS, 1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x):
        wide = self.wide(nn.functional.pad(x, self.margins))
        return x + self.dropout(self.mix(torch.relu(wide)))


class Network(nn.Module):
    """Temporal convolutional network of 125 beats in width."""

    def __init__(self, causal=False):
        super().__init__()
        self.first = nn.Conv1d(n_inputs(causal), N_CHANNELS, 1)
        self.blocks = nn.Sequential(*[Block(2**i, causal) for i in range(N_BLOCKS)])
        self.last = nn.Conv1d(N_CHANNELS, len(CLASSES), 1)

    def forward(self, x):
        return self.last(torch.relu(self.blocks(self.first(x))))


def train(rhythms, n_steps, seed, report, *, causal=False):
    """Train a network; call ``report`` eight times. The weights are means of the last steps."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    n_supraventricular = np.array([rhythm.n_supraventricular[-1] for rhythm in rhythms])
    weights = np.where(n_supraventricular > 50, 1.5, 0.6)
    weights /= weights.sum()
    network = Network(causal)
    averaged = AveragedModel(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=n_steps, pct_start=0.15, final_div_factor=0.4
    )
    mean_loss = 0.0
    for step in range(1, n_steps + 1):
        x, y = draw_batch(rhythms, weights, rng, causal=causal)
        loss = nn.functional.cross_entropy(network(x), y, ignore_index=UNKNOWN)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step <= n_steps * (1 - AVERAGED):
            averaged.module.load_state_dict(network.state_dict())
        else:
            averaged.update_parameters(network)
        mean_loss += (loss.item() - mean_loss) * max(0.01, 1 / step)
        if step % max(1, n_steps // 8) == 0:
            report(step, mean_loss, arrays_of(averaged.module))
    return arrays_of(averaged.module)


def arrays_of(network):
    """Return the weights of the network as arrays of half precision."""
    return {name: value.numpy().astype(np.float16) for name, value in network.state_dict().items()}


# --- evaluation -----------------------------------------------------------------------


def probability(arrays, time_s, future):
    """Return the probabilities of the classes, as the package computes them."""
    weights = {name: value.astype(np.float32) for name, value in arrays.items()}
    return _ectopy.class_probability(weights, np.diff(time_s), future)


def majority_excerpt(rhythm, length=150):
    """Return the excerpt with the most supraventricular beats."""
    count = rhythm.n_supraventricular[length:] - rhythm.n_supraventricular[:-length]
    first = int(count.argmax())
    return rhythm.time[first : first + length], rhythm.label[first : first + length]


def scores(arrays, rhythms, future):
    """Return average precision and best F1 of S against N, and F1 in each excerpt.

    The probabilities of S and V are added. In the excerpts, the threshold is 0.5.
    """
    label = np.concatenate([rhythm.label for rhythm in rhythms.values()])
    ectopic = np.concatenate(
        [1 - probability(arrays, rhythm.time, future)[:, 0] for rhythm in rhythms.values()]
    )
    known = np.isin(label, (0, 1))
    precision, recall, _ = precision_recall_curve(label[known] == 1, ectopic[known])
    f1 = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-9))
    values = [average_precision_score(label[known] == 1, ectopic[known]), f1]
    for name in EXCERPTS:
        time_s, label = majority_excerpt(rhythms[name])
        found = probability(arrays, time_s, future)[:, 0] < 0.5
        values.append(f1_score(label == 1, found))
    return values


def describe(arrays, rhythms, future):
    """Return the scores and their mean, by which settings are compared, in one line."""
    average, f1, *excerpts = values = scores(arrays, rhythms, future)
    text = (
        f"future={future!r}: mean {np.mean(values):.3f}, average precision {average:.3f}, "
        f"best F1 {f1:.3f}, F1 of excerpts"
    )
    for name, value in zip(EXCERPTS, excerpts, strict=True):
        text += f" {name} {value:.3f}"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=get_data_home(), help="folder of the data")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="write the weights to the package")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"ecgbeat {ecgbeat.__version__}, torch {torch.__version__}, numpy {np.__version__}, "
        f"Python {platform.python_version()}, 1 thread",
        flush=True,
    )
    start = time.perf_counter()
    files = [file for name in DATABASES for file in sorted((arguments.data / name).glob("*.atr"))]
    rhythms = [read_rhythm(file, fs=128) for file in files]
    mitdb = {name: read_rhythm(arguments.data / "mitdb" / f"{name}.atr", fs=360) for name in DS1}
    print(f"{len(rhythms)} patients read in {time.perf_counter() - start:.0f} s", flush=True)

    def report(network, step, loss, arrays):
        print(f"{step} {time.perf_counter() - start:.0f} s, loss {loss:.3f}, DS1:", flush=True)
        for future in NETWORKS[network]:
            print(f"    {describe(arrays, mitdb, future)}", flush=True)

    for network in arguments.networks:
        print(f"{network} network", flush=True)
        arrays = train(
            rhythms,
            arguments.steps,
            arguments.seed,
            partial(report, network),
            causal=network == "causal",
        )
        if arguments.write:
            write(network, arrays)


def write(network, arrays):
    """Replace the weights of a network in the package."""
    target = Path(_ectopy.__file__).with_name(_ectopy._WEIGHTS)
    all_arrays = {f"{network}.{name}": value for name, value in arrays.items()}
    if target.exists():
        with np.load(target) as file:
            others = [name for name in file.files if not name.startswith(f"{network}.")]
            all_arrays.update((name, file[name]) for name in others)
    np.savez_compressed(target, **all_arrays)
    print(f"{target}: {target.stat().st_size / 1024:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
