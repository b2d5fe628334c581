"""Figures of the start page: a simulated recording with labeled beats, and the pipeline steps.

To write docs/_static/overview.svg and its dark version, run::

    python docs/_ext/draw_overview.py
"""

from pathlib import Path

import numpy as np

from ecgbeat.datasets import make_recording

WIDTH, STRIP_TOP, STRIP_HEIGHT = 800, 40, 150
# colorblind-safe palettes after Okabe and Ito; normal beats have the color of the names
LIGHT = {
    "ground": "#ffffff", "N": "#0b3c5d", "V": "#d55e00", "A": "#009e73", "signal": "#555",
    "name": "#0b3c5d", "purpose": "#333", "box": "#eef4f8",
}  # fmt: skip
DARK = {
    "ground": "#222832", "N": "#8ccbf2", "V": "#ff9b57", "A": "#3fd6a8", "signal": "#b4bcc8",
    "name": "#8ccbf2", "purpose": "#ced6dd", "box": "#2b3542",
}  # fmt: skip
STEPS = (
    ("BandpassFilter", "remove noise"),
    ("RPeakSegmenter", "cut out beats"),
    ("ZScoreScaler", "scale beats"),
    ("SMOTE", "balance classes"),
    ("ECGCNNClassifier", "classify beats"),
    ("GridSearchCV", "tune all steps"),
)
OPTIONAL = {"SMOTE", "GridSearchCV"}  # drawn with a dashed frame


def draw_recording(colors: dict[str, str]) -> list[str]:
    """Return the SVG elements of 6 s of a recording with a colored label for each beat."""
    patient = make_recording(8.0, weights={"N": 0.6, "A": 0.2, "V": 0.2}, random_state=7)
    n_times = round(6.2 * patient.fs)
    signal = patient.signal[:n_times]
    x = 20 + np.arange(n_times) / n_times * (WIDTH - 40)
    low, high = signal.min(), signal.max()
    y = STRIP_TOP + (high - signal) / (high - low) * STRIP_HEIGHT
    points = " ".join(f"{px:.1f},{py:.1f}" for px, py in zip(x[::2], y[::2], strict=True))
    stroke = colors["signal"]
    lines = [f'<polyline points="{points}" stroke="{stroke}" fill="none" stroke-width="1.6"/>']
    for sample, symbol in zip(*patient.annotation, strict=True):
        if sample < n_times:
            px, py = x[sample], y[sample]
            color = colors[str(symbol)]
            lines.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="5" fill="{color}"/>')
            lines.append(draw_text(px, STRIP_TOP - 14, str(symbol), color, 24, "bold"))
    return lines


def draw_steps(top: float, colors: dict[str, str]) -> list[str]:
    """Return the SVG elements of the pipeline steps, as boxes in two rows."""
    lines = []
    width, height, gap, row_gap = 236, 62, 26, 28
    for i, (name, purpose) in enumerate(STEPS):
        left, y = 20 + i % 3 * (width + gap), top + i // 3 * (height + row_gap)
        dash = ' stroke-dasharray="6 4"' if name in OPTIONAL else ""
        lines.append(
            f'<rect x="{left}" y="{y}" width="{width}" height="{height}" rx="8" '
            f'fill="{colors["box"]}" stroke="{colors["name"]}"{dash}/>'
        )
        lines.append(draw_text(left + width / 2, y + 27, name, colors["name"], 23, "bold"))
        lines.append(draw_text(left + width / 2, y + 51, purpose, colors["purpose"], 20))
        if i % 3 and name != "GridSearchCV":
            lines.append(draw_text(left - gap / 2, y + 39, "\u203a", colors["name"], 30, "bold"))
    return lines


def draw_text(x: float, y: float, text: str, color: str, size: int, weight: str = "normal") -> str:
    """Return an SVG text element centered at a point."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-family="sans-serif" '
        f'font-size="{size}" font-weight="{weight}" fill="{color}">{text}</text>'
    )


def main() -> None:
    """Write the figures to docs/_static."""
    height = 390
    for name, colors in (("overview.svg", LIGHT), ("overview_dark.svg", DARK)):
        ground = colors["ground"]
        body = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">',
            f'<rect width="{WIDTH}" height="{height}" rx="10" fill="{ground}"/>',
            *draw_recording(colors),
            *draw_steps(STRIP_TOP + STRIP_HEIGHT + 30, colors),
            "</svg>",
        ]
        path = Path(__file__).parents[1] / "_static" / name
        path.write_text("\n".join(body) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
