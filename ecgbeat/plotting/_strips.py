"""What `RecordingDisplay` draws onto its sheet (layer 3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecgbeat.plotting._beat_marks import ERRORS, EXTRA, MISSED, WRONG, BeatMark, labels_of
from ecgbeat.plotting._legend import LETTER_INCH, TEXT_PT, legend_columns
from ecgbeat.plotting._panels import settle
from ecgbeat.plotting._paper import draw_paper, draw_scale_bar, inches
from ecgbeat.plotting._sheet import Sheet, Strip, lay_out
from ecgbeat.plotting._style import BLACK, GREY, ORANGE, PURPLE, VERMILLION, ClassStyle, darker

_ERROR_COLORS = {WRONG: VERMILLION, MISSED: PURPLE, EXTRA: ORANGE}
_ERROR_LINES: dict[str, Any] = {WRONG: "-", MISSED: "--", EXTRA: ":"}
_ERROR_HALF_WIDTH_INCH = 0.09
_BAR_INCH = 0.36  # room left of the traces for the scale bar
_NO_BEAT, _NO_LABEL = "—", "•"  # one side does not have this beat; it has it, without a label


class StripPainter:
    """Draws a sheet piece by piece, and keeps the artists.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    signal : ndarray of shape (n_leads, n_times)
        NaN marks gaps.
    strips : tuple of Strip
        The lines of the print-out.
    fs : float
        In Hz.
    rows : sequence of str
        The rows of labels over each strip: ``"reference"`` and ``"predicted"``.
    unit : str
        Of the signal.
    """

    sheet: Sheet
    styles: dict[Any, ClassStyle]

    def __init__(
        self,
        ax: Any,
        signal: np.ndarray,
        strips: tuple[Strip, ...],
        fs: float,
        rows: Sequence[str],
        unit: str,
    ) -> None:
        self.ax = ax
        self.signal = signal
        self.strips = strips
        self.fs = fs
        self.rows = rows
        self.unit = unit
        # each line of several begins at 0 and has its time beside it
        self.zeros = np.array([s.first for s in strips]) / fs if len(strips) > 1 else np.zeros(1)
        self.lines: list[Any] = []
        self.markers: list[Any] = []
        self.texts: list[Any] = []
        self.errors: list[Any] = []

    def prepare(self, styles: dict[Any, ClassStyle], counts: dict[str, int]) -> None:
        """Find room for everything, set the limits and draw the legend."""
        self.styles = styles
        names = [str(label) for label in styles if label != ""]
        names += [f"{kind} ({n})" for kind, n in counts.items()]
        self.ax.set_xlabel("Time (s)")  # which takes room itself
        settle(self.ax)
        width, height = inches(self.ax)
        n_columns = legend_columns(names, width)
        self.sheet = lay_out(
            self.signal,
            self.strips,
            n_rows=len(self.rows),
            n_legend_rows=-(-len(names) // n_columns),
            height=height,
            unit=self.unit,
        )
        left = self.strips[0].first / self.fs - self.zeros[0]
        longest = (self.strips[0].stop - self.strips[0].first) / self.fs
        bar = 0.0 if self.sheet.is_plain else _BAR_INCH / width * longest
        self.ax.set_xlim(left - bar, left + longest)
        bottom = self.sheet.top(len(self.strips) - 1) - self.sheet.strip_height
        self.ax.set_ylim(bottom, self.sheet.origin + self.sheet.legend)
        self._draw_legend(counts, n_columns)

    def draw_traces(self) -> None:
        """Draw the signal."""
        for strip, lead in self.sheet.pieces():
            first, stop = self.sheet.strips[strip]
            times = np.arange(first, stop) / self.fs - self.zeros[strip]
            trace = self.sheet.trace(self.signal, strip, lead)
            self.lines += self.ax.plot(times, trace, color=BLACK, linewidth=0.8, zorder=2)

    def draw_peaks(self, marks: list[BeatMark]) -> None:
        """Mark the R peak of each beat in all leads, hollow if it was not predicted."""
        for label, style in self.styles.items():
            for is_missed in (False, True):
                of_class = [
                    mark
                    for mark in marks
                    if (mark.predicted is None) is is_missed and shown_label(mark) == label
                ]
                places = [place for mark in of_class for place in self._on_traces(mark)]
                if not places:
                    continue
                x, y = zip(*places, strict=True)
                self.markers += self.ax.plot(
                    x,
                    y,
                    linestyle="",
                    marker=style.marker,
                    markersize=5,
                    color=style.color,
                    markeredgecolor=style.color if is_missed else "white",
                    markeredgewidth=1.0 if is_missed else 0.5,
                    markerfacecolor="white" if is_missed else style.color,
                    zorder=3,
                )

    def draw_labels(self, marks: list[BeatMark]) -> None:
        """Write the labels of the beats into their rows, or draw their markers if too long."""
        fits = self._letters_fit(marks)
        too_long: dict[Any, list[tuple[float, float]]] = {label: [] for label in self.styles}
        for mark in marks:
            strip = self._strip_of(mark)
            for row, side in enumerate(self.rows):
                place = self._x(mark), self.sheet.row_at(strip, row)
                label = getattr(mark, side)
                style = None if label == "" else self.styles.get(label)
                if fits or style is None:
                    text = {None: _NO_BEAT, "": _NO_LABEL}.get(label, str(label))
                    self._write(*place, text, darker(GREY if style is None else style.color))
                else:
                    too_long[label].append(place)
        for label, places in too_long.items():
            if places:
                marker, color = self.styles[label].marker, self.styles[label].color
                x, y = zip(*places, strict=True)
                self.ax.plot(x, y, marker, color=color, markersize=4, zorder=4)

    def draw_errors(self, marks: list[BeatMark]) -> None:
        """Draw a box around each error, from its labels down to the last trace."""
        from matplotlib.patches import Rectangle

        width, _ = inches(self.ax)
        low, high = self.ax.get_xlim()
        half = _ERROR_HALF_WIDTH_INCH / width * (high - low)
        for mark in marks:
            if mark.outcome not in ERRORS:
                continue
            strip = self._strip_of(mark)
            x = self._x(mark)
            color = _ERROR_COLORS[mark.outcome]
            box = Rectangle(
                (x - half, self.sheet.top(strip) - self.sheet.strip_height),
                2 * half,
                self.sheet.strip_height,
                facecolor=(color, 0.15),
                edgecolor=color,
                linestyle=_ERROR_LINES[mark.outcome],
                linewidth=1.2,
                zorder=1.5,
            )
            self.errors.append(self.ax.add_patch(box))

    def _draw_legend(self, counts: dict[str, int], n_columns: int) -> None:
        """Explain markers and boxes, in the place that the sheet keeps for it."""
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        handles: list[Any] = [
            Line2D([], [], linestyle="", marker=s.marker, color=s.color, label=str(label))
            for label, s in self.styles.items()
            if label != ""
        ]
        handles += [
            Patch(
                facecolor=(_ERROR_COLORS[kind], 0.15),
                edgecolor=_ERROR_COLORS[kind],
                linestyle=_ERROR_LINES[kind],
                label=f"{kind} ({n})",
            )
            for kind, n in counts.items()
        ]
        if handles:
            legend = self.ax.legend(
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
            legend.set_zorder(5)

    def draw_axes(self, lead_names: list[str]) -> None:
        """Draw the paper, name strips, leads and rows, and show the scale."""
        draw_paper(self.ax, self.sheet.box)
        if self.sheet.is_plain:
            unit = f"({self.unit})" if self.unit else ""
            self.ax.set_ylabel(" ".join(filter(None, [lead_names[0] or "Amplitude", unit])))
            return
        ticks = []
        for strip, lead in self.sheet.pieces():
            time = f"{self.zeros[strip]:g} s" if len(self.strips) > 1 and lead == 0 else ""
            name = "\n".join(filter(None, [lead_names[lead], time]))
            ticks.append((self.sheet.zero_line(strip, lead), name))
        for strip in range(len(self.strips) if len(self.rows) > 1 else 0):
            ticks += [(self.sheet.row_at(strip, row), side) for row, side in enumerate(self.rows)]
        self._name_rows(ticks)
        left = self.ax.get_xlim()[0]
        x = left + 0.65 * (self.strips[0].first / self.fs - self.zeros[0] - left)
        draw_scale_bar(self.ax, x, self.sheet.zero_line(0, 0), 2 * self.sheet.box, self.unit)

    def _name_rows(self, ticks: list[tuple[float, str]]) -> None:
        """Write names beside the axes, whose lines of the paper stay."""
        transform = self.ax.get_yaxis_transform()
        self.ax.tick_params(labelleft=False)
        for y, name in ticks:
            self.ax.annotate(
                name,
                (0, y),
                (-4, 0),
                xycoords=transform,
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=TEXT_PT,
                annotation_clip=False,
            )

    def _write(self, x: float, y: float, text: str, color: Any) -> None:
        from matplotlib.patheffects import withStroke

        artist = self.ax.text(
            x,
            y,
            text,
            color=color,
            fontsize=TEXT_PT,
            fontweight="bold",
            ha="center",
            va="center_baseline",
            clip_on=True,
            zorder=4,
            path_effects=[withStroke(linewidth=2, foreground="white")],
        )
        self.texts.append(artist)

    def _letters_fit(self, marks: list[BeatMark]) -> bool:
        """Tell whether labels can be written at nearly all beats without touching."""
        longest = max((len(str(label)) for label in labels_of(marks)), default=0)
        width, _ = inches(self.ax)
        low, high = self.ax.get_xlim()
        distances = np.diff([mark.sample for mark in marks]) / self.fs
        if len(distances) == 0:
            return True
        room = float(np.percentile(distances, 10)) * width / (high - low)
        return longest * LETTER_INCH < 0.9 * room

    def _x(self, mark: BeatMark) -> float:
        return mark.sample / self.fs - self.zeros[self._strip_of(mark)]

    def _strip_of(self, mark: BeatMark) -> int:
        firsts = [strip.first for strip in self.strips]
        return int(np.searchsorted(firsts, mark.sample, side="right")) - 1

    def _on_traces(self, mark: BeatMark) -> list[tuple[float, float]]:
        """Return the places of an R peak on all leads."""
        strip = self._strip_of(mark)
        at = mark.sample - self.strips[strip].first
        traces = [self.sheet.trace(self.signal, strip, lead) for lead in range(len(self.signal))]
        return [(self._x(mark), trace[at]) for trace in traces]


def shown_label(mark: BeatMark) -> Any:
    """Return the label whose look the R peak has: the predicted one, if there is any."""
    is_unknown = mark.predicted is None or mark.predicted == ""
    return mark.reference if is_unknown and mark.reference is not None else mark.predicted
