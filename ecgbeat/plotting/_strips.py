"""Strips of a recording on one sheet of ECG paper.

A sheet is one axes. Its x axis is the time, its y axis the amplitude of each trace about its
own zero line, one strip below the other. Above the traces of a strip are rows of labels, above
the first strip is the legend.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ecgbeat.plotting._beat_comparison import (
    ERRORS,
    EXTRA,
    MISSED,
    WRONG,
    ComparedBeat,
    sorted_labels,
)
from ecgbeat.plotting._panels import LETTER_INCH, TEXT_PT, inches, legend_columns
from ecgbeat.plotting._paper import box_height, draw_paper, draw_scale_bar
from ecgbeat.plotting._style import (
    BLACK,
    GRAY,
    ORANGE,
    PURPLE,
    VERMILLION,
    ClassStyle,
    LineStyle,
    darker,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle
    from matplotlib.text import Text

_ERROR_COLORS = {WRONG: VERMILLION, MISSED: PURPLE, EXTRA: ORANGE}
_ERROR_LINES: dict[str, LineStyle] = {WRONG: "-", MISSED: "--", EXTRA: ":"}
_ERROR_WIDTH_INCH = 0.18
_BAR_INCH = 0.36  # room left of the traces for the scale bar
_ABSENT, _UNLABELED = "—", "•"  # for None and "" in a ComparedBeat

_ROW_INCH, _LEGEND_INCH = 0.17, 0.2
_MAX_ROWS = 0.6  # share of the height for rows of labels and legend
_EXTREMES = (0.01, 99.99)  # percentiles, which leave out single spikes of an artifact
_MARGIN = 0.1  # above and below a trace, of its height


@dataclass
class StripPainter:
    """Painter of strips, which stores the artists that it draws."""

    ax: "Axes"
    signal: np.ndarray  # (n_leads, n_times), NaN in gaps
    strips: Sequence[slice]  # of samples, from top to bottom
    fs: float  # in Hz
    rows: Sequence[str]  # of labels above each strip: "reference" and "predicted"
    unit: str  # of the signal
    styles: Mapping[Any, ClassStyle]  # of the labels
    lines: list["Line2D"] = field(default_factory=list)
    markers: list["Line2D"] = field(default_factory=list)
    texts: list["Text"] = field(default_factory=list)
    errors: list["Rectangle"] = field(default_factory=list)
    sheet: "Sheet" = field(init=False)

    @property
    def starts(self) -> np.ndarray:
        """Time at which each strip begins. A single strip has the time of the recording."""
        is_single = len(self.strips) == 1
        return np.zeros(1) if is_single else np.array([s.start for s in self.strips]) / self.fs

    def draw(
        self, beats: Sequence[ComparedBeat], counts: Mapping[str, int], lead_names: Sequence[str]
    ) -> None:
        """Draw the sheet with the beats of the strips, and errors counted by kind."""
        self._prepare_axes(counts)
        self._draw_axes(lead_names)
        self._draw_errors(beats)
        for strip, lead in np.ndindex(self.sheet.centers.shape):
            samples = np.arange(self.strips[strip].start, self.strips[strip].stop)
            times = samples / self.fs - self.starts[strip]
            trace = self.sheet.trace(self.signal, strip, lead)
            self.lines += self.ax.plot(times, trace, color=BLACK, linewidth=0.8, zorder=2)
        self._draw_peaks(beats)
        self._draw_labels(beats)

    def _prepare_axes(self, counts: Mapping[str, int]) -> None:
        """Divide the height of the axes, set the limits and draw the legend."""
        names = [str(label) for label in self.styles if label != ""]
        names += [f"{kind} ({n})" for kind, n in counts.items()]
        self.ax.set_xlabel("Time (s)")  # before the layout, which makes room for it
        self.ax.figure.figure.draw_without_rendering()
        width, height = inches(self.ax)
        n_columns = legend_columns(names, width)
        n_legend_rows = -(-len(names) // n_columns)
        self.sheet = lay_out(
            self.signal, self.strips, len(self.rows), n_legend_rows, height, self.unit
        )
        left = self.strips[0].start / self.fs - self.starts[0]
        longest = (self.strips[0].stop - self.strips[0].start) / self.fs
        bar = 0.0 if self.sheet.is_single else _BAR_INCH / width * longest
        self.ax.set_xlim(left - bar, left + longest)
        self.ax.set_ylim(self.sheet.top(len(self.strips)), self.sheet.origin + self.sheet.legend)
        if names:
            self._draw_legend(counts, n_columns)

    def _draw_legend(self, counts: Mapping[str, int], n_columns: int) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        handles: list[Artist] = [
            Line2D([], [], linestyle="", marker=s.marker, color=s.color, label=str(label))
            for label, s in self.styles.items()
            if label != ""
        ]
        handles += [
            Patch(**_error_style(kind), label=f"{kind} ({n})") for kind, n in counts.items()
        ]
        self.ax.legend(
            handles=handles,
            loc="upper left",
            ncols=n_columns,
            fontsize=TEXT_PT,
            borderaxespad=0.1,
            borderpad=0.2,
            labelspacing=0.3,
            columnspacing=1.2,
            handletextpad=0.4,
            framealpha=1.0,
            edgecolor="none",
        )

    def _draw_axes(self, lead_names: Sequence[str]) -> None:
        """Draw the paper and the scale bar, and name strips, leads and rows."""
        draw_paper(self.ax, self.sheet.box)
        if self.sheet.is_single:
            unit = f"({self.unit})" if self.unit else ""
            self.ax.set_ylabel(" ".join(filter(None, [lead_names[0] or "Amplitude", unit])))
            return
        self.ax.tick_params(labelleft=False)
        for strip, lead in np.ndindex(self.sheet.centers.shape):
            time = f"{self.starts[strip]:g} s" if len(self.strips) > 1 and lead == 0 else ""
            name = "\n".join(filter(None, [lead_names[lead], time]))
            self._write_beside(self.sheet.zero_line(strip, lead), name)
        for strip in range(len(self.strips) if len(self.rows) > 1 else 0):
            for row, side in enumerate(self.rows):
                self._write_beside(self.sheet.row_center(strip, row), side)
        left = self.ax.get_xlim()[0]
        x = left + 0.65 * (self.strips[0].start / self.fs - self.starts[0] - left)
        draw_scale_bar(self.ax, x, self.sheet.zero_line(0, 0), 2 * self.sheet.box, self.unit)

    def _write_beside(self, y: float, name: str) -> None:
        """Write a name left of the axes. The ticks there are the lines of the paper."""
        self.ax.annotate(
            name,
            (0, y),
            (-4, 0),
            xycoords=self.ax.get_yaxis_transform(),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=TEXT_PT,
            annotation_clip=False,
        )

    def _draw_errors(self, beats: Sequence[ComparedBeat]) -> None:
        """Draw a box around each error, from its labels down to the last trace."""
        low, high = self.ax.get_xlim()
        width = _ERROR_WIDTH_INCH / inches(self.ax)[0] * (high - low)
        for beat in beats:
            if beat.outcome in ERRORS:
                bottom = self.sheet.top(self._strip_of(beat) + 1)
                style = _error_style(beat.outcome) | {"linewidth": 1.2, "zorder": 1.5}
                box = self.ax.bar(self._x(beat), self.sheet.strip_height, width, bottom, **style)
                self.errors += box.patches

    def _draw_peaks(self, beats: Sequence[ComparedBeat]) -> None:
        """Mark the R peak of each beat in all leads, by a hollow marker if it is missed."""
        for label, style in self.styles.items():
            for is_missed in (False, True):
                points = [
                    point
                    for beat in beats
                    if (beat.predicted is None) is is_missed and _marked_label(beat) == label
                    for point in self._peaks_on_traces(beat)
                ]
                if points:
                    self.markers += self.ax.plot(
                        *zip(*points, strict=True),
                        linestyle="",
                        marker=style.marker,
                        markersize=5,
                        color=style.color,
                        markeredgecolor=style.color if is_missed else "white",
                        markeredgewidth=1.0 if is_missed else 0.5,
                        markerfacecolor="white" if is_missed else style.color,
                        zorder=3,
                    )

    def _draw_labels(self, beats: Sequence[ComparedBeat]) -> None:
        """Write the labels into their rows, or draw their markers if they are too long."""
        from matplotlib.patheffects import withStroke

        fits = self._labels_fit(beats)
        for beat in beats:
            strip = self._strip_of(beat)
            for row, side in enumerate(self.rows):
                point = self._x(beat), self.sheet.row_center(strip, row)
                label = getattr(beat, side)
                style = None if label == "" else self.styles.get(label)
                if fits or style is None:
                    text = self.ax.text(
                        *point,
                        {None: _ABSENT, "": _UNLABELED}.get(label, str(label)),
                        color=darker(GRAY if style is None else style.color),
                        fontsize=TEXT_PT,
                        fontweight="bold",
                        ha="center",
                        va="center_baseline",
                        clip_on=True,
                        zorder=4,
                        path_effects=[withStroke(linewidth=2, foreground="white")],
                    )
                    self.texts.append(text)
                else:
                    self.ax.plot(*point, style.marker, color=style.color, markersize=4, zorder=4)

    def _labels_fit(self, beats: Sequence[ComparedBeat]) -> bool:
        """Return whether the labels of nearly all beats can be written side by side."""
        if len(beats) < 2:
            return True
        longest = max((len(str(label)) for label in sorted_labels(beats)), default=0)
        low, high = self.ax.get_xlim()
        distances = np.diff([beat.sample for beat in beats]) / self.fs
        room = float(np.percentile(distances, 10)) * inches(self.ax)[0] / (high - low)
        return longest * LETTER_INCH < 0.9 * room

    def _strip_of(self, beat: ComparedBeat) -> int:
        return bisect_right(self.strips, beat.sample, key=lambda strip: strip.start) - 1

    def _x(self, beat: ComparedBeat) -> float:
        return beat.sample / self.fs - self.starts[self._strip_of(beat)]

    def _peaks_on_traces(self, beat: ComparedBeat) -> list[tuple[float, float]]:
        """Return the position of an R peak on each lead."""
        strip = self._strip_of(beat)
        at = beat.sample - self.strips[strip].start
        traces = [self.sheet.trace(self.signal, strip, lead) for lead in range(len(self.signal))]
        return [(self._x(beat), trace[at]) for trace in traces]


def _error_style(kind: str) -> dict[str, Any]:
    """Return the properties of the box around an error."""
    color = _ERROR_COLORS[kind]
    return {"facecolor": (color, 0.15), "edgecolor": color, "linestyle": _ERROR_LINES[kind]}


def _marked_label(beat: ComparedBeat) -> Any:
    """Return the label whose style marks the R peak: the predicted one, if there is one."""
    is_unlabeled = beat.predicted is None or beat.predicted == ""
    return beat.reference if is_unlabeled and beat.reference is not None else beat.predicted


class Sheet(NamedTuple):
    """Vertical layout of a sheet, in units of the signal."""

    strips: Sequence[slice]
    centers: np.ndarray  # (n_strips, n_leads), the amplitude on the zero line
    above: float  # from the zero line to the top of a lead
    below: float  # from the zero line to the bottom of a lead
    n_rows: int  # of labels
    row: float  # height of one
    legend: float  # height
    origin: float  # top of the first strip
    box: float  # height of a large box

    @property
    def is_single(self) -> bool:
        """Whether there is a single trace, drawn at its true amplitude."""
        return self.centers.size == 1

    @property
    def strip_height(self) -> float:
        """Height of the rows and traces of a strip."""
        return self.n_rows * self.row + self.centers.shape[1] * (self.above + self.below)

    def top(self, strip: int) -> float:
        """Return the upper edge of a strip, which is the lower edge of the one before."""
        return self.origin - strip * self.strip_height

    def row_center(self, strip: int, row: int) -> float:
        """Return the middle of a row of labels."""
        return self.top(strip) - (row + 0.5) * self.row

    def zero_line(self, strip: int, lead: int) -> float:
        """Return the zero line of a trace."""
        leads_above = lead * (self.above + self.below) + self.above
        return self.top(strip) - self.n_rows * self.row - leads_above

    def trace(self, signal: np.ndarray, strip: int, lead: int) -> np.ndarray:
        """Return a strip of a lead about its zero line."""
        wave = signal[lead, self.strips[strip]]
        return wave - self.centers[strip, lead] + self.zero_line(strip, lead)


def lay_out(
    signal: np.ndarray,
    strips: Sequence[slice],
    n_rows: int,
    n_legend_rows: int,
    height: float,
    unit: str,
) -> Sheet:
    """Return the layout of a sheet on axes of ``height`` inches."""
    is_single = len(strips) * len(signal) == 1
    low, high, centers = _amplitudes(signal, strips, is_single)
    box = box_height(high - low, unit)
    margin = _MARGIN * max(high - low, box)
    above, below = high + margin, margin - low
    if not is_single:  # zero lines fall on lines of the paper
        above, below = (math.ceil(part / box * 5) * box / 5 for part in (above, below))
    # rows have a size in inches, the traces share the rest
    rows = len(strips) * n_rows * _ROW_INCH + n_legend_rows * _LEGEND_INCH
    scale = len(strips) * len(signal) * (above + below)
    scale /= height - min(rows, _MAX_ROWS * height)
    shrink = min(1.0, _MAX_ROWS * height / rows) if rows else 1.0
    row, legend = (inch * shrink * scale for inch in (_ROW_INCH, n_legend_rows * _LEGEND_INCH))
    if not is_single and n_rows:
        row = math.ceil(row * n_rows / box * 5) * box / 5 / n_rows
    origin = above + n_rows * row if is_single else 0.0
    return Sheet(strips, centers, above, below, n_rows, row, legend, origin, box)


def _amplitudes(
    signal: np.ndarray, strips: Sequence[slice], is_single: bool
) -> tuple[float, float, np.ndarray]:
    """Return the extremes of the traces about their zero lines, and the amplitudes on these."""
    centers = np.zeros((len(strips), len(signal)))
    extremes = []
    for strip, lead in np.ndindex(centers.shape):
        wave = signal[lead, strips[strip]]
        wave = wave[np.isfinite(wave)]
        if wave.size:
            centers[strip, lead] = 0.0 if is_single else np.median(wave)
            extremes.append(np.percentile(wave - centers[strip, lead], _EXTREMES))
    if not extremes:  # gaps only
        return -0.5, 0.5, centers
    low, high = np.transpose(extremes)
    return float(low.min()), float(high.max()), centers
