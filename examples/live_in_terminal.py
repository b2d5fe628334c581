"""Live monitor in the terminal: a simulated patient, and each beat when it is decided.

    python examples/live_in_terminal.py
    python examples/live_in_terminal.py --seconds 600 --speed 4 --model annotator.safetensors

Without --model, an annotator is fitted on a few simulated patients first, in some seconds. After
20 s, an electrode is lost for some seconds. Needs the package rich.
"""

import argparse
import asyncio
import math
import time
from collections import Counter, deque
from io import StringIO
from itertools import pairwise

import numpy as np
from rich.align import Align
from rich.console import Console, Group
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ecgbeat import BeatStream, load_model
from ecgbeat.annotation import make_inter_patient_annotator
from ecgbeat.datasets import make_recording
from ecgbeat.streaming import replay

WEIGHTS = {"N": 0.82, "A": 0.07, "V": 0.11}  # of the simulated patients, in WFDB's symbols
N_PATIENTS = 8  # on which an annotator is fitted
LOST_S = (20, 26)  # seconds in which the electrode is off
WINDOW_S = 6  # of the trace
FRAME_S = 0.08  # between two pictures
LABELS = {
    "N": ("normal", "#4cc38a"),
    "S": ("supraventricular", "#5aa9ff"),
    "V": ("ventricular", "#ff7a45"),
    "F": ("fusion", "#e879f9"),
    "?": ("unclassified", "#9aa4b2"),
}
TRACE, WAITING, LOST, FRAME = "#dfe6ee", "#6b7686", "#ff5c6c", "#3a4655"
BARS = " ▁▂▃▄▅▆▇█"
PIXELS = {  # of digits, three by five, row by row
    "0": "111 101 101 101 111",
    "1": "010 110 010 010 111",
    "2": "111 001 111 100 111",
    "3": "111 001 011 001 111",
    "4": "101 101 111 001 001",
    "5": "111 100 111 001 111",
    "6": "111 100 111 101 111",
    "7": "111 001 010 010 010",
    "8": "111 101 111 101 111",
    "9": "111 101 111 001 111",
    "-": "000 000 111 000 000",
}


# --- patient and annotator ------------------------------------------------------------


def fit_annotator():
    """Fit an annotator for live signals on simulated patients."""
    patients = [
        make_recording(60, n_leads=2, weights=WEIGHTS, random_state=k) for k in range(N_PATIENTS)
    ]
    annotator = make_inter_patient_annotator(patients[0].fs, future=False, random_state=0)
    annotator.fit([p.signal for p in patients], [p.annotation for p in patients])
    return annotator.set_params(min_quality=0.5)


def make_patient(seconds, seed, n_leads):
    """Simulate a patient who loses an electrode."""
    patient = make_recording(seconds, n_leads=n_leads, weights=WEIGHTS, random_state=seed)
    first, stop = (int(second * patient.fs) for second in LOST_S)
    patient.signal[..., first:stop] = np.nan
    return patient


class TimedStream(BeatStream):
    """Stream that measures its pushes."""

    push_ms = 0.0  # smoothed

    def push(self, samples):
        start = time.perf_counter()
        beats = super().push(samples)
        self.push_ms += 0.05 * (1000 * (time.perf_counter() - start) - self.push_ms)
        return beats


# --- monitor --------------------------------------------------------------------------


class Monitor:
    """Picture of a stream: trace, beats, heart rate, rhythm, latency."""

    def __init__(self, stream, title):
        self.stream, self.title = stream, title
        self.trace = np.empty(0)  # of one lead, the last seconds
        self.beats = deque(maxlen=400)  # (sample, label, probability, decided at)
        self.counts = Counter()
        self.unreadable = deque(maxlen=20)
        self.low, self.high = -0.6, 1.2  # mV

    async def watch(self, source):
        """Yield the chunks of a source, and keep what is drawn of them."""
        async for chunk in source:
            lead = np.atleast_2d(chunk)[0]
            kept = int(2 * WINDOW_S * self.stream.fs)
            self.trace = np.append(self.trace, lead)[-kept:]
            yield chunk

    def add(self, beats):
        probability = beats.probability.max(axis=1)
        rows = zip(beats.sample, beats.symbol, probability, beats.decided_at, strict=True)
        self.beats.extend(rows)
        self.counts.update(beats.symbol.tolist())
        if beats.unreadable is not None:
            self.unreadable.extend(beats.unreadable.tolist())

    def is_unreadable(self, sample):
        return any(first <= sample < stop for first, stop in self.unreadable)

    def heart_rate(self):
        """Return beats per minute from the last intervals, None without a signal."""
        now = self.stream.n_samples
        peaks = [beat[0] for beat in list(self.beats)[-9:]]
        if len(peaks) < 3 or now - peaks[-1] > 4 * self.stream.fs:
            return None
        return 60 * self.stream.fs / float(np.median(np.diff(peaks)))

    def __rich_console__(self, console, options):
        width, height = options.max_width, options.height or console.height
        layout, numbers = Layout(), Layout(name="numbers", size=11)
        panels = [
            Layout(framed(self.draw_rate(), "heart rate"), size=28),
            Layout(framed(self.draw_rhythm(width - 28 - 4 - 46 * (width > 100)), "beats")),
        ]
        if width > 100:
            panels.append(Layout(framed(self.draw_beats(), "latest"), size=46))
        numbers.split_row(*panels)
        seconds = self.stream.n_samples / self.stream.fs
        title = f"[bold]{self.title}[/]   {int(seconds // 60):02d}:{seconds % 60:04.1f}"
        legend = Text()
        for name, color in (("decided", TRACE), ("waiting", WAITING), ("no ECG", LOST)):
            legend.append(" ━━", color).append(f" {name} ", WAITING)
        trace = draw_trace(self, width - 4, height - 11 - 2)
        layout.split_column(Layout(framed(trace, title, legend)), numbers)
        yield from console.render(layout, options.update_dimensions(width, height))

    def draw_rate(self):
        rate = self.heart_rate()
        text, color = ("---", LOST) if rate is None else (f"{rate:.0f}", LABELS["N"][1])
        late = [(at - sample) / self.stream.fs for sample, _, _, at in list(self.beats)[-20:]]
        latency = f"{np.mean(late):.2f} s" if late else "-"
        below = Text(f"\nlabels after {latency}\n", TRACE, justify="center")
        below.append(f"{self.stream.push_ms:.1f} ms per chunk", WAITING)
        return Group(Text(), Align.center(big(text, color)), below)

    def draw_rhythm(self, width):
        """Draw the last RR intervals as bars, and the number of beats of each class."""
        text = Text("RR intervals, 0 to 1.5 s\n", WAITING)
        rows = [Text(), Text(), Text()]
        for before, beat in pairwise(list(self.beats)[-width - 1 :]):
            units = round(16 * (beat[0] - before[0]) / self.stream.fs)
            for base, row in zip((16, 8, 0), rows, strict=True):
                row.append(BARS[min(8, max(0, units - base))], LABELS[beat[1]][1])
        text.append_text(Text("\n").join(rows)).append("\n\n")
        for label in [label for label in LABELS if self.counts[label] or label in "NSV"]:
            name, color = LABELS[label]
            share = self.counts[label] / max(1, self.counts.total())
            text.append(f"{label} ", f"bold {color}").append(f"{name:<17}", TRACE)
            text.append(f"{self.counts[label]:>5} ", TRACE)
            text.append("━" * math.ceil(share * max(0, width - 26)) + "\n", color)
        text.rstrip()
        return text

    def draw_beats(self):
        table = Table.grid(padding=(0, 1))
        for justify in ("right", "left", "left", "right", "right"):
            table.add_column(justify=justify, no_wrap=True)
        for sample, label, probability, at in reversed(list(self.beats)[-9:]):
            name, color = LABELS[label]
            table.add_row(
                Text(f"{sample / self.stream.fs:7.2f} s", WAITING),
                Text(label, f"bold {color}"),
                Text(name, color),
                Text(f"{100 * probability:.0f} %", TRACE),
                Text(f"+{(at - sample) / self.stream.fs:.2f} s", WAITING),
            )
        return table


def framed(content, title, subtitle=None):
    return Panel(
        content,
        title=f"[{TRACE}]{title}[/]",
        title_align="left",
        subtitle=subtitle,
        subtitle_align="right",
        border_style=FRAME,
        padding=(0, 1),
    )


def big(text, color):
    """Return large digits; a pixel is two characters wide."""
    rows = zip(*(PIXELS[digit].split() for digit in text), strict=True)
    lines = ["0".join(row).replace("0", "  ").replace("1", "██") for row in rows]
    return Text("\n".join(lines), color)


# --- trace ----------------------------------------------------------------------------


def draw_trace(monitor, width, height):
    """Draw the last seconds in Braille dots, two by four in a character, below their labels."""
    fs, now = monitor.stream.fs, monitor.stream.n_samples
    step = max(1, round(WINDOW_S * fs / (2 * width)))  # samples of a column of dots
    last = now // step  # columns are counted from the start, so that they do not flicker
    first = last - 2 * width
    dots = dots_of(monitor, first, last, step, 4 * (height - 1))
    weights = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
    cells = dots.reshape(height - 1, 4, width, 2)
    codes = 0x2800 + np.einsum("ricj,ij->rc", cells, weights)
    samples = [(first + 2 * column + 1) * step for column in range(width)]
    colors = [color_at(monitor, sample) for sample in samples]
    text = draw_labels(monitor, samples, step)
    for row in codes:
        text.append("\n")
        for code, color in zip(row, colors, strict=True):
            text.append(chr(code), color)
    return text


def dots_of(monitor, first, last, step, n_rows):
    """Return the dots of the columns from ``first`` to ``last``, (n_rows, n_columns)."""
    n_columns = last - first
    values = np.full(n_columns * step, np.nan)
    begin = monitor.stream.n_samples - len(monitor.trace)  # sample of the first value kept
    samples = np.arange(max(first * step, begin, 0), last * step)
    values[samples - first * step] = monitor.trace[samples - begin]
    seen = values[~np.isnan(values)]
    if len(seen):  # the scale follows slowly
        low, high = seen.min() - 0.1, max(seen.max(), seen.min() + 1.2) + 0.1
        monitor.low += 0.1 * (low - monitor.low)
        monitor.high += 0.1 * (high - monitor.high)
    rows = (monitor.high - values) / (monitor.high - monitor.low) * (n_rows - 1)
    rows = np.clip(rows, 0, n_rows - 1).reshape(n_columns, step)
    dots = np.zeros((n_rows, n_columns), dtype=int)
    before = math.nan
    for column, part in enumerate(rows):
        part = part[~np.isnan(part)]
        if len(part):
            ends = np.append(part, part[0] if math.isnan(before) else before)
            dots[round(ends.min()) : round(ends.max()) + 1, column] = 1
        elif column % 4 == 0 and (first + column) >= 0:
            dots[n_rows // 2, column] = 1
        before = part[-1] if len(part) else math.nan
    return dots


def color_at(monitor, sample):
    """Return the color of the trace: that of a beat around its R peak."""
    fs = monitor.stream.fs
    if monitor.is_unreadable(sample):
        return LOST
    for peak, label, _, _ in reversed(monitor.beats):
        if -0.1 * fs <= sample - peak <= 0.12 * fs:
            return LABELS[label][1]
        if peak < sample - fs:
            break
    waiting = monitor.stream.n_samples - monitor.stream.latency * fs
    return WAITING if sample > waiting else TRACE


def draw_labels(monitor, samples, step):
    """Return the line of labels above the R peaks."""
    cells = [(" ", TRACE)] * len(samples)
    for column, sample in enumerate(samples):
        if monitor.is_unreadable(sample):
            cells[column] = ("─", LOST)
    for peak, label, _, _ in monitor.beats:
        column = (peak - samples[0] + step) // (2 * step)
        if 0 <= column < len(cells):
            cells[column] = (label, f"bold {LABELS[label][1]}")
    text = Text()
    for character, style in cells:
        text.append(character, style)
    return text


# --- program --------------------------------------------------------------------------


async def run(monitor, source, live):
    """Annotate the source, and draw in between."""

    async def draw():
        while True:
            live.update(monitor, refresh=True)
            await asyncio.sleep(FRAME_S)

    drawing = asyncio.create_task(draw())
    try:
        async for beats in monitor.stream.annotate(monitor.watch(source)):
            monitor.add(beats)
    finally:
        drawing.cancel()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120, help="length of the signal")
    parser.add_argument("--speed", type=float, default=1, help="seconds of signal per second")
    parser.add_argument("--seed", type=int, default=4, help="of the simulated patient")
    parser.add_argument("--model", help="file of a fitted annotator, else one is fitted")
    parser.add_argument("--svg", help="file for the last picture")
    options = parser.parse_args()
    console = Console()
    if options.model:
        annotator = load_model(options.model)
    else:
        with console.status("Fitting an annotator on simulated patients"):
            annotator = fit_annotator()
    patient = make_patient(options.seconds, options.seed, annotator.n_leads_ or 1)
    stream = TimedStream(annotator, fs=patient.fs)
    monitor = Monitor(stream, f"simulated patient {options.seed}")
    with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
        asyncio.run(run(monitor, replay(patient, speed=options.speed), live))
    counts = ", ".join(f"{monitor.counts[label]} {label}" for label in LABELS)
    console.print(f"\n{monitor.counts.total()} beats in {options.seconds:g} s: {counts}")
    if options.svg:
        picture = Console(record=True, width=120, height=30, file=StringIO())
        picture.print(monitor)
        picture.save_svg(options.svg, title="ecgbeat")


if __name__ == "__main__":
    main()
