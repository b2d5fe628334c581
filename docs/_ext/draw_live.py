"""Figure of the page "Live": a beat, and the signal that its label waits for.

To write docs/_static/live.svg and its dark version, run::

    python docs/_ext/draw_live.py
"""

from pathlib import Path

import numpy as np

from ecgbeat.datasets import make_recording

WIDTH, HEIGHT = 800, 440
FIRST_S, LAST_S = -3.0, 2.1  # from the R peak of the beat
LEFT, SCALE = 20, (800 - 40) / (LAST_S - FIRST_S)  # x of the first second, pixels per second
STRIP_TOP, STRIP_HEIGHT = 44, 110
# colorblind-safe palettes after Okabe and Ito
LIGHT = {
    "ground": "#ffffff", "signal": "#555", "future": "#c3c7cc", "beat": "#d55e00", "now": "#0b3c5d",
    "text": "#333", "past": "#dcebf5", "wait": "#fbe3d3", "line": "#b9c2ca",
}  # fmt: skip
DARK = {
    "ground": "#222832", "signal": "#b4bcc8", "future": "#4a5463", "beat": "#ff9b57",
    "now": "#8ccbf2", "text": "#ced6dd", "past": "#2c4256", "wait": "#5a3f2e", "line": "#566273",
}  # fmt: skip
# future, and seconds after the R peak: R peaks are detected, the beat is classified, the limit
ROWS = (("future=False", 1.36, 1.46, 1.5), ('future="none"', 0.36, 0.46, 0.5))
DECIDED_S = ROWS[0][2]
# signal on which the decision with future=False depends, and its end
PAST = (
    ("R peaks: last 15 s", 1.36),
    ("filters and waves: last 8 s", DECIDED_S),
    ("rhythm and usual beat: last minutes", 0.0),
)


def x_of(seconds: float) -> float:
    """Return the x coordinate of a time after the R peak."""
    return LEFT + (seconds - FIRST_S) * SCALE


def draw_text(
    x: float, y: float, text: str, color: str, *, anchor: str = "middle", bold: bool = False
) -> str:
    """Return an SVG text element."""
    weight = "bold" if bold else "normal"
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-family="sans-serif" '
        f'font-size="16" font-weight="{weight}" fill="{color}">{text}</text>'
    )


def draw_line(x: float, top: float, bottom: float, color: str, dash: str = "") -> str:
    """Return a vertical SVG line."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" stroke="{color}" '
        f'stroke-width="1.5"{dashes}/>'
    )


def draw_bar(start: float, stop: float, top: float, color: str, text: str, ink: str) -> list[str]:
    """Return a bar between two times, with a text in it."""
    left, right = x_of(start), x_of(stop)
    return [
        f'<rect x="{left:.1f}" y="{top}" width="{right - left:.1f}" height="26" fill="{color}"/>',
        draw_text((left + right) / 2, top + 18, text, ink),
    ]


def draw_signal(colors: dict[str, str]) -> list[str]:
    """Return the ECG around a ventricular beat; the part after its decision is pale."""
    patient = make_recording(
        30.0, weights={"N": 0.8, "V": 0.2}, heart_rate=72, noise=0.3, random_state=3
    )
    beats = [
        int(sample)
        for sample, symbol in zip(*patient.annotation, strict=True)
        if symbol == "V" and 6 * patient.fs < sample < 24 * patient.fs
    ]
    first, stop = (round(beats[0] + t * patient.fs) for t in (FIRST_S, LAST_S))
    signal = patient.signal[first:stop]
    x = x_of(FIRST_S) + np.arange(len(signal)) / patient.fs * SCALE
    y = STRIP_TOP + (signal.max() - signal) / np.ptp(signal) * STRIP_HEIGHT
    lines = []
    decided = x <= x_of(DECIDED_S)
    for part, color in ((decided, colors["signal"]), (~decided, colors["future"])):
        points = " ".join(
            f"{px:.1f},{py:.1f}" for px, py in zip(x[part][::2], y[part][::2], strict=True)
        )
        lines.append(f'<polyline points="{points}" stroke="{color}" fill="none" stroke-width="2"/>')
    peak = y[round(-FIRST_S * patient.fs)]
    lines.append(f'<circle cx="{x_of(0):.1f}" cy="{peak:.1f}" r="6" fill="{colors["beat"]}"/>')
    return lines


def draw_row(row: tuple[str, float, float, float], top: float, colors: dict[str, str]) -> list[str]:
    """Return the waiting time of a kind of features, and the decision after it."""
    name, detected, classified, limit = row
    is_long = classified > 1
    text = "waits for the next R peak" if is_long else "waits"
    middle = top + 13
    return [
        draw_text(x_of(0) - 12, top + 18, name, colors["text"], anchor="end", bold=True),
        *draw_bar(0, detected, top, colors["wait"], text, colors["text"]),
        f'<rect x="{x_of(detected):.1f}" y="{top}" width="{(classified - detected) * SCALE:.1f}" '
        f'height="26" fill="{colors["beat"]}" opacity="0.55"/>',
        f'<circle cx="{x_of(classified):.1f}" cy="{middle}" r="7" fill="{colors["beat"]}"/>',
        draw_line(x_of(limit), top - 5, top + 31, colors["now"], "3 3"),
        draw_text(x_of(limit) + 8, top + 18, f"\u2264 {limit} s", colors["now"], anchor="start"),
    ]


def draw_past(text: str, stop: float, top: float, colors: dict[str, str]) -> list[str]:
    """Return a bar that begins before the figure."""
    return [
        *draw_bar(FIRST_S, stop, top, colors["past"], text, colors["text"]),
        draw_text(x_of(FIRST_S) + 10, top + 18, "\u2039", colors["text"], bold=True),
    ]


def draw(colors: dict[str, str]) -> str:
    """Return the figure."""
    bottom = STRIP_TOP + STRIP_HEIGHT
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{colors["ground"]}"/>',
        draw_line(x_of(0), 30, bottom + 140, colors["line"], "4 4"),
        draw_line(x_of(DECIDED_S), 30, HEIGHT - 30, colors["now"]),
        *draw_signal(colors),
        draw_text(x_of(0), 22, "R peak", colors["beat"], bold=True),
        draw_text(x_of(DECIDED_S), 22, "decision", colors["now"], bold=True),
        *(
            element
            for number, row in enumerate(ROWS)
            for element in draw_row(row, bottom + 40 + 50 * number, colors)
        ),
        *(
            element
            for number, (text, stop) in enumerate(PAST)
            for element in draw_past(text, stop, bottom + 146 + 34 * number, colors)
        ),
        draw_text(x_of(DECIDED_S), HEIGHT - 10, "with future=False", colors["now"]),
        "</svg>",
    ]  # fmt: skip
    return "\n".join(body) + "\n"


def main() -> None:
    """Write the figures to docs/_static."""
    for name, colors in (("live.svg", LIGHT), ("live_dark.svg", DARK)):
        path = Path(__file__).parents[1] / "_static" / name
        path.write_text(draw(colors), encoding="utf-8")


if __name__ == "__main__":
    main()
