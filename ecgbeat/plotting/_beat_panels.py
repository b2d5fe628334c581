"""What `BeatsDisplay` draws into its panels (layer 3)."""

import math
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ecgbeat.plotting._panels import Panels
from ecgbeat.plotting._paper import box_height, draw_paper, draw_scale_bar, inches
from ecgbeat.plotting._style import ClassStyle

_PERCENTILES = (5, 95)
_BAND_NAMES = {"std": "mean ± SD", "percentiles": "mean, 5 to 95 %", None: "mean"}
_MARGIN = 0.06  # of the height
_LEAST_LABEL_INCH = 1.2  # height of a panel beside which the statistic can stand


class BeatPanels:
    """Draws beats by class, and keeps the artists.

    Parameters
    ----------
    beats : dict of ndarray of shape (n_beats, n_leads, n_times)
        By class, none of them empty.
    times : ndarray of shape (n_times,)
        In seconds.
    styles : dict of ClassStyle
        By class.
    lead_names : list of str
        "" for a single lead without a name.
    unit : str
        Of the beats.
    time_label : str
        Name of the time axis.
    """

    def __init__(
        self,
        beats: dict[Any, np.ndarray],
        times: np.ndarray,
        styles: dict[Any, ClassStyle],
        lead_names: list[str],
        unit: str,
        time_label: str,
    ) -> None:
        self.beats = beats
        self.times = times
        self.styles = styles
        self.lead_names = lead_names
        self.unit = unit
        self.time_label = time_label
        self.lines: list[Any] = []
        self.bands: list[Any] = []

    def draw_means(self, panels: Panels, spread: str | None) -> None:
        """Draw the mean beat of each class and its spread."""
        curves = {label: _mean_and_band(beats, spread) for label, beats in self.beats.items()}
        is_overlay = len(panels.axes) == 1 and len(curves) > 1
        for group, (label, (mean, low, high)) in enumerate(curves.items()):
            style = self.styles[label]
            for lead, ax in enumerate(panels.axes[0 if is_overlay else group]):
                (line,) = ax.plot(
                    self.times,
                    mean[lead],
                    color=style.color,
                    linestyle=style.line if is_overlay else "-",
                    linewidth=1.6,
                    label=self._name(label),
                )
                self.lines.append(line)
                if spread is not None:
                    shade = {
                        "color": style.color,
                        "alpha": 0.12 if is_overlay else 0.25,
                        "linewidth": 0,
                    }
                    self.bands.append(ax.fill_between(self.times, low[lead], high[lead], **shade))
        low = np.min([low.min(axis=1) for _, low, _ in curves.values()], axis=0)
        high = np.max([high.max(axis=1) for _, _, high in curves.values()], axis=0)
        for lead in range(len(self.lead_names)):
            for ax in panels.axes[:, lead]:
                _set_limits(ax, self.times, low[lead], high[lead])
                draw_paper(ax, box_height(high[lead] - low[lead], self.unit))
        self._name_panels(panels, _BAND_NAMES[spread])
        if is_overlay:
            panels.axes[0, 0].legend(fontsize="small", framealpha=0.9)

    def draw_examples(self, panels: Panels, n_examples: int, random_state: Any) -> None:
        """Draw some beats of each class, one above the other."""
        rng = check_random_state(random_state)
        chosen = {
            label: beats[np.sort(rng.permutation(len(beats))[:n_examples])]
            for label, beats in self.beats.items()
        }
        for lead in range(len(self.lead_names)):
            waves = {label: beats[:, lead] for label, beats in chosen.items()}
            # every beat about its own median, so that a drift of the baseline takes no room
            waves = {k: v - np.median(v, axis=1, keepdims=True) for k, v in waves.items()}
            low = min(wave.min() for wave in waves.values())
            high = max(wave.max() for wave in waves.values())
            box = box_height(high - low, self.unit)
            distance = max(math.ceil(max(map(_largest_range, waves.values())) / box), 1) * box
            n_most = max(len(wave) for wave in waves.values())
            for group, (label, wave) in enumerate(waves.items()):
                ax = panels.axes[group, lead]
                offsets = -distance * np.arange(len(wave))
                color = self.styles[label].color
                shifted = (wave + offsets[:, np.newaxis]).T
                self.lines += ax.plot(self.times, shifted, color=color, linewidth=1.1)
                _set_limits(ax, self.times, low - distance * (n_most - 1), high, bar=True)
                draw_paper(ax, box)
                if panels.is_left[group, lead]:
                    x_bar = 0.4 * ax.get_xlim()[0] + 0.6 * self.times[0]
                    draw_scale_bar(ax, x_bar, 0.0, 2 * box, self.unit)
                ax.tick_params(labelleft=False)
        self._name_panels(panels, "")

    def _name(self, label: Any) -> str:
        return f"{label} (n = {len(self.beats[label])})"

    def _amplitude_label(self, lead: int, what: str, height: float) -> str:
        """Return lead, statistic and unit, or what there is room for."""
        unit = f"({self.unit})" if self.unit and what else ""
        parts = [self.lead_names[lead], what if height >= _LEAST_LABEL_INCH else "", unit]
        return " ".join(filter(None, parts))

    def _name_panels(self, panels: Panels, what: str) -> None:
        """Write titles over groups, units along the outer axes, and no number twice."""
        n_groups, n_leads = panels.axes.shape
        for group, lead in np.ndindex(n_groups, n_leads):
            ax = panels.axes[group, lead]
            if panels.is_left[group, lead]:
                ax.set_ylabel(self._amplitude_label(lead, what, inches(ax)[1]))
            else:
                ax.tick_params(labelleft=False)
            if panels.is_bottom[group, lead]:
                ax.set_xlabel(self.time_label)
            else:
                ax.tick_params(labelbottom=False)
            if lead == 0 and n_groups == len(self.beats):
                ax.set_title(self._name(list(self.beats)[group]), fontsize="medium")


def _mean_and_band(
    beats: np.ndarray, spread: str | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean, and the lower and upper end of the spread."""
    mean = beats.mean(axis=0)
    if spread == "percentiles":
        low, high = np.percentile(beats, _PERCENTILES, axis=0)
        return mean, low, high
    std = beats.std(axis=0) if spread == "std" else 0.0
    return mean, mean - std, mean + std


def _largest_range(waves: np.ndarray) -> float:
    """Return the largest distance from the bottom of a beat to its top."""
    return float(np.ptp(waves, axis=1).max())


def _set_limits(ax: Any, times: np.ndarray, low: float, high: float, *, bar: bool = False) -> None:
    """Show all of the time and of the amplitudes, and room for a scale bar if need be."""
    duration = max(times[-1] - times[0], 1e-3)
    ax.set_xlim(times[0] - (0.12 * duration if bar else 0.0), times[-1])
    margin = max(_MARGIN * (high - low), 1e-3)
    ax.set_ylim(low - margin, high + margin)
