"""Fixed kernels in C: one function, which needs no memory for the outputs of all kernels."""

import re
import textwrap

import numpy as np
import torch
from torch import Tensor, nn

from ecgbeat.export._graph import Graph
from ecgbeat.networks import FixedKernels


class Apart(nn.Module):
    """Stand-in for fixed kernels in the graph, where the outputs of all kernels would be stored.

    A matrix product of the same input and output, which a function in C replaces.
    """

    weight: Tensor

    def __init__(self, kernels: FixedKernels) -> None:
        super().__init__()
        self.fixed = [kernels]  # in a list, so that its weights are not those of the graph
        self.register_buffer("weight", None)

    def forward(self, rows: Tensor) -> Tensor:
        if self.weight is None:
            self.weight = rows.new_zeros(rows.shape[1], len(self.fixed[0].bias))
        return rows @ self.weight


def set_kernels_apart(graph: Graph) -> list[Apart]:
    """Replace the fixed kernels of a network or an ensemble, and return their stand-ins."""
    stand_ins: list[Apart] = []
    for network in list(graph.module.modules()):
        kernels = getattr(network, "kernels", None)
        if isinstance(kernels, FixedKernels):
            stand_ins.append(Apart(kernels))
            network.kernels = stand_ins[-1]
    graph.module(torch.zeros(1, graph.n_features))  # tells them the shape of their input
    return stand_ins


def without_stand_ins(source: str) -> str:
    """Call the function of the fixed kernels in place of the matrix products of `Apart`."""
    source = re.sub(
        r"\w+\((\w+), \w*kernels_weight\w*, (\w+)\);", r"fixed_kernels(\1, \2);", source
    )
    weights = r"^static const [\w ]*kernels_weight[^;]*;\n"  # declared, then defined
    return re.sub(weights, "", source, flags=re.MULTILINE)


def kernels_source(apart: Apart) -> tuple[str, int, int]:
    """Return the function of the fixed kernels in C, and its bytes of flash and RAM."""
    kernels = apart.fixed[0]
    slopes = kernels.scales / 6  # of functional.hardsigmoid
    slope_of_threshold = slopes.repeat_interleave(torch.tensor(kernels.counts), dim=0)
    n_values, n_classes = apart.weight.shape
    arrays = {
        "kernels_taps": (kernels.kernels > 0).nonzero()[:, 1].reshape(-1, 3).to(torch.uint8),
        "kernels_dilations": torch.tensor(kernels.dilations, dtype=torch.int16),
        "kernels_counts": torch.tensor(kernels.counts, dtype=torch.uint8),
        "kernels_slopes": slopes,
        "kernels_offsets": kernels.thresholds * slope_of_threshold - 0.5,
        "kernels_weights": kernels.weight.T,
        "kernels_biases": kernels.bias,
    }
    n_times = (n_values - kernels.n_aux_features) // kernels.n_leads
    numbers = {
        "VALUES": n_values,
        "CLASSES": n_classes,
        "TIMES": n_times,
        "PADDED": max(n_times, kernels.kernels.shape[1]),
        "LEADS": kernels.n_leads,
        "AUX": kernels.n_aux_features,
        "KERNELS": len(kernels.kernels),
        "MAPS": slopes.shape[1],
        "DILATIONS": len(slopes),
        "SHARES": kernels.n_shares,
        "PARTS": 1 + kernels.with_moments,
        "BUFFERS": max(kernels.counts),
    }
    names = "".join(f"#define KERNELS_N_{name} {number}\n" for name, number in numbers.items())
    text = "".join(_array(name, values.numpy()) for name, values in arrays.items())
    n_flash = sum(values.numpy().nbytes for values in arrays.values())
    n_ram = 4 * numbers["PARTS"] * numbers["BUFFERS"] * numbers["KERNELS"]
    return f"\n{names}{text}{_FIXED_KERNELS}", n_flash, n_ram


def _array(name: str, values: np.ndarray) -> str:
    """Return the definition of a constant, flat array in C."""
    kind = {"f": "float", "u": "uint8_t", "i": "int16_t"}[values.dtype.kind]
    numbers = ", ".join(f"{value:.9g}" for value in values.ravel().tolist())
    rows = "\n    ".join(textwrap.wrap(numbers, 100))
    return f"static const {kind} {name}[{values.size}] = {{\n    {rows}\n}};\n"


_FIXED_KERNELS = """
/* Returns a sample of a lead, or its difference from the next one, with zeros around the beat. */
static float kernels_sample(const float *lead, int at, int is_difference) {
    const float sample = at >= 0 && at < KERNELS_N_TIMES ? lead[at] : 0.0f;
    if (!is_difference) return sample;
    if (at < 0 || at + 1 >= KERNELS_N_PADDED) return 0.0f;
    return (at + 1 < KERNELS_N_TIMES ? lead[at + 1] : 0.0f) - sample;
}

/* Adds the features of the fixed kernels to the logits: for each kernel, dilation and threshold,
 * the fraction of time in which the output is above the threshold, and, in a second part, its
 * first moment. */
static void fixed_kernels(const float x[1][KERNELS_N_VALUES], float logits[1][KERNELS_N_CLASSES]) {
    static float buffer_sums[KERNELS_N_PARTS][KERNELS_N_BUFFERS][KERNELS_N_KERNELS];
    for (int c = 0; c < KERNELS_N_CLASSES; ++c) {
        logits[0][c] = kernels_biases[c];
        for (int i = 0; i < KERNELS_N_AUX; ++i) {
            logits[0][c] += x[0][KERNELS_N_VALUES - KERNELS_N_AUX + i]
                * kernels_weights[(KERNELS_N_PARTS * KERNELS_N_SHARES + i) * KERNELS_N_CLASSES + c];
        }
    }
    for (int d = 0, first = 0; d < KERNELS_N_DILATIONS; first += kernels_counts[d++]) {
        const int step = kernels_dilations[d], edge = 4 * step, count = kernels_counts[d];
        for (int wave = 0; wave < 2 * KERNELS_N_LEADS; ++wave) {
            const float *lead = x[0] + wave % KERNELS_N_LEADS * KERNELS_N_TIMES;
            memset(buffer_sums, 0, sizeof buffer_sums);
            for (int t = 0; t < KERNELS_N_PADDED; ++t) {
                const int is_edge = t < edge || t >= KERNELS_N_PADDED - edge;
                const float time = -1.0f + 2.0f * (float)t / (float)(KERNELS_N_PADDED - 1);
                float taps[9], total = 0.0f;
                for (int i = 0; i < 9; ++i) {
                    taps[i] = kernels_sample(lead, t + (i - 4) * step, wave >= KERNELS_N_LEADS);
                    total += taps[i];
                }
                for (int k = 0; k < KERNELS_N_KERNELS; ++k) {
                    const uint8_t *three = kernels_taps + 3 * k;
                    const int map = wave * KERNELS_N_KERNELS + k;
                    const float output = (3.0f * (taps[three[0]] + taps[three[1]] + taps[three[2]])
                        - total) * kernels_slopes[d * KERNELS_N_MAPS + map];
                    for (int j = 0; j < count; ++j) {
                        if (is_edge && (first + j) % 2 == 0) continue;
                        float above = output - kernels_offsets[(first + j) * KERNELS_N_MAPS + map];
                        above = above < 0.0f ? 0.0f : above > 1.0f ? 1.0f : above;
                        for (int p = 0; p < KERNELS_N_PARTS; ++p) {
                            buffer_sums[p][j][k] += p ? above * time : above;
                        }
                    }
                }
            }
            for (int i = 0; i < KERNELS_N_PARTS * count * KERNELS_N_KERNELS; ++i) {
                const int k = i % KERNELS_N_KERNELS, j = i / KERNELS_N_KERNELS % count;
                const int p = i / KERNELS_N_KERNELS / count;
                const int n = KERNELS_N_PADDED - ((first + j) % 2 ? 0 : 2 * edge);
                const int feature = p * KERNELS_N_SHARES + (first + j) * KERNELS_N_MAPS
                    + wave * KERNELS_N_KERNELS + k;
                for (int c = 0; c < KERNELS_N_CLASSES; ++c) {
                    logits[0][c] += buffer_sums[p][j][k] / (float)n
                        * kernels_weights[feature * KERNELS_N_CLASSES + c];
                }
            }
        }
    }
}
"""
