"""Draw the picture of the start page: a simulated recording, its beats, and the steps between.

python docs/_ext/draw_overview.py    writes docs/_static/overview.svg
"""

from pathlib import Path

import numpy as np

from ecgbeat.datasets import make_recording

WIDTH, STRIP_TOP, STRIP_HEIGHT = 800, 40, 150
# Okabe and Ito's colours, which colour-blind people can tell apart; normal beats are dark
COLOURS = {"N": "#0b3c5d", "V": "#d55e00", "A": "#009e73"}
STEPS = (
    ("BandpassFilter", "no wander, no hum"),
    ("RPeakSegmenter", "a beat a row"),
    ("ZScoreScaler", "mean 0, sd 1"),
    ("SMOTE", "in training only"),
    ("ECGCNNClassifier", "label, confidence"),
    ("GridSearchCV", "tunes every step"),
)
OPTIONAL = {"SMOTE", "GridSearchCV"}  # have a dashed frame


def strip() -> list[str]:
    """Draw six seconds of a recording, each beat in the colour of its label."""
    patient = make_recording(8.0, weights={"N": 0.6, "A": 0.2, "V": 0.2}, random_state=7)
    n_times = round(6.2 * patient.fs)
    signal = patient.signal[:n_times]
    across = 20 + np.arange(n_times) / n_times * (WIDTH - 40)
    low, high = signal.min(), signal.max()
    down = STRIP_TOP + (high - signal) / (high - low) * STRIP_HEIGHT
    every_second = zip(across[::2], down[::2], strict=True)
    points = " ".join(f"{a:.1f},{d:.1f}" for a, d in every_second)
    lines = [f'<polyline points="{points}" fill="none" stroke="#555" stroke-width="1.6"/>']
    for sample, symbol in zip(*patient.annotation, strict=True):
        if sample < n_times:
            a, d = across[sample], down[sample]
            colour = COLOURS[str(symbol)]
            lines.append(f'<circle cx="{a:.1f}" cy="{d:.1f}" r="5" fill="{colour}"/>')
            lines.append(text(a, STRIP_TOP - 14, str(symbol), colour, 24, "bold"))
    return lines


def steps(top: float) -> list[str]:
    """Draw the steps of the pipeline as boxes in two rows, each with what it does."""
    lines = []
    width, height, gap, below = 236, 62, 26, 28
    for i, (name, does) in enumerate(STEPS):
        left, y = 20 + i % 3 * (width + gap), top + i // 3 * (height + below)
        dash = ' stroke-dasharray="6 4"' if name in OPTIONAL else ""
        lines.append(
            f'<rect x="{left}" y="{y}" width="{width}" height="{height}" rx="8" fill="#eef4f8" '
            f'stroke="#0b3c5d"{dash}/>'
        )
        lines.append(text(left + width / 2, y + 27, name, "#0b3c5d", 23, "bold"))
        lines.append(text(left + width / 2, y + 51, does, "#333", 20))
        if i % 3 and name != "GridSearchCV":
            lines.append(text(left - gap / 2, y + 39, "\u203a", "#0b3c5d", 30, "bold"))
    return lines


def text(x: float, y: float, words: str, colour: str, size: int, weight: str = "normal") -> str:
    """Write words around a point."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-family="sans-serif" '
        f'font-size="{size}" font-weight="{weight}" fill="{colour}">{words}</text>'
    )


def main() -> None:
    """Write the picture."""
    height = 390
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">',
        f'<rect width="{WIDTH}" height="{height}" rx="10" fill="#ffffff"/>',
        *strip(),
        *steps(STRIP_TOP + STRIP_HEIGHT + 30),
        "</svg>",
    ]
    path = Path(__file__).parents[1] / "_static" / "overview.svg"
    path.write_text("\n".join(body) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
