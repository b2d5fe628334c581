"""The waves of one patient's beats, class by class.

A beat is ten waves (`SLOTS`), each an asymmetric Gaussian with one amplitude in each of
three leads (MLII, V1, I) of which every other lead is a mixture. All numbers here are in
seconds from the middle of the QRS complex and in mV, at a heart rate of 60 per minute.
"""

from typing import NamedTuple

import numpy as np

SLOTS = ("P1", "P2", "spike", "Q", "R", "R2", "S", "S2", "ST", "T")
ATRIAL = slice(0, 2)
SPIKE = 2
QRS = slice(3, 8)
REPOLARISATION = slice(8, 10)

_Range = tuple[float, float]

_WIDE_T: _Range = (0.065, 0.090)  # after a wide QRS


class Morphology(NamedTuple):
    """Shape of one kind of beat.

    Attributes
    ----------
    time : ndarray of shape (10,)
        Peaks of the waves, in seconds from the middle of the QRS complex.
    width : ndarray of shape (10, 2)
        Standard deviations before and after the peak, in seconds.
    amplitude : ndarray of shape (10, 3)
        In mV, in MLII, V1 and I.
    """

    time: np.ndarray
    width: np.ndarray
    amplitude: np.ndarray

    def qrs_window(self) -> tuple[float, float]:
        """Return begin and end of the QRS complex, in seconds from its middle."""
        used = np.abs(self.amplitude[QRS]).max(axis=1) > 0.02
        time, width = self.time[QRS][used], self.width[QRS][used]
        return float((time - 2.2 * width[:, 0]).min()), float((time + 2.2 * width[:, 1]).max())


class _Sketch:
    """Collects the waves of one beat; what is not drawn has no amplitude."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.waves = Morphology(
            np.zeros(len(SLOTS)), np.full((len(SLOTS), 2), 0.01), np.zeros((len(SLOTS), 3))
        )

    def draw(self, slot: str, time: _Range, width: _Range, *amplitude: float) -> None:
        """Place one wave; time and width are drawn from the ranges."""
        i = SLOTS.index(slot)
        self.waves.time[i] = self.rng.uniform(*time)
        self.waves.width[i] = self.rng.uniform(*width)
        self.waves.amplitude[i] = amplitude

    def draw_t(self, time: _Range, *amplitude: float, width: _Range = (0.050, 0.072)) -> None:
        """Place a T wave, which rises more slowly than it falls."""
        self.draw("T", time, width, *amplitude)
        self.waves.width[SLOTS.index("T"), 1] *= self.rng.uniform(0.55, 0.8)

    def draw_p(self) -> None:
        """Place a P wave: right, then left atrium; in V1 the second half turns down."""
        u = self.rng.uniform
        size = self.rng.choice([u(0.06, 0.18), u(0.01, 0.06)], p=[0.85, 0.15])
        begin = u(-0.19, -0.14)
        ratio = u(0.5, 1.0)
        self.draw("P1", (begin, begin), (0.016, 0.022), size, u(0.3, 0.8) * size, 0.5 * size)
        begin += u(0.026, 0.040)
        self.draw(
            "P2", (begin, begin), (0.016, 0.022), ratio * size, u(-0.6, 0.2) * size, 0.5 * size
        )


def draw_morphologies(rng: np.random.Generator, base: str) -> dict[str, Morphology]:
    """Draw all kinds of beats of one patient.

    Parameters
    ----------
    rng : numpy.random.Generator
    base : {"N", "L", "R"}
        Conduction of the supraventricular beats, which atrial premature beats share.

    Returns
    -------
    dict of str to Morphology
        Keys are ``"N"``, ``"L"``, ``"R"``, ``"A"``, ``"/"`` and two ventricular foci,
        ``"V"`` and ``"V2"``. A fusion beat is a mixture of two of these.
    """
    atria = _Sketch(rng)
    atria.draw_p()
    kinds = {
        "N": _normal(rng),
        "L": _left_bundle_branch_block(rng),
        "R": _right_bundle_branch_block(rng),
        "V": _ventricular(rng),
        "V2": _ventricular(rng),
        "/": _paced(rng),
    }
    for symbol in ("N", "L", "R"):
        for part, source in zip(kinds[symbol], atria.waves, strict=True):
            part[ATRIAL] = source[ATRIAL]
    kinds["A"] = _atrial_premature(rng, kinds[base])
    return kinds


def _normal(rng: np.random.Generator) -> Morphology:
    """Narrow QRS of one of five shapes; T mostly upright."""
    u = rng.uniform
    sketch = _Sketch(rng)
    shape = rng.choice(["qR", "Rs", "qRs", "R", "rS"], p=[0.28, 0.32, 0.23, 0.09, 0.08])
    size = float(np.clip(rng.lognormal(0.1, 0.35), 0.45, 2.4))
    r, s = (u(0.25, 0.5) * size, -u(0.6, 0.9) * size) if shape == "rS" else (size, 0.0)
    q = -u(0.05, 0.18) * size if "q" in shape else 0.0
    if shape in ("Rs", "qRs"):
        s = -u(0.10, 0.45) * size
    sketch.draw("Q", (-0.030, -0.024), (0.006, 0.009), q, 0.0, 1.2 * q)
    sketch.draw("R", (0.0, 0.0), (0.009, 0.0135), r, u(0.1, 0.35), u(0.3, 0.9))
    sketch.draw("S", (0.024, 0.034), (0.009, 0.013), s, -u(0.5, 1.4), 0.4 * s)
    sketch.draw("ST", (0.10, 0.13), (0.035, 0.050), u(-0.07, 0.09), u(-0.02, 0.1), 0.0)
    upright, inverted = u(0.12, 0.32) * np.sqrt(size), -u(0.05, 0.25)
    t = rng.choice([upright, inverted, u(-0.05, 0.08)], p=[0.80, 0.10, 0.10])
    sketch.draw_t((0.27, 0.33), t, u(-0.15, 0.3), 0.7 * t)
    return sketch.waves


def _left_bundle_branch_block(rng: np.random.Generator) -> Morphology:
    """Wide QRS with two humps or a slur, no q wave, ST and T against it."""
    u = rng.uniform
    sketch = _Sketch(rng)
    size = u(0.6, 1.9)
    shape = rng.choice(["upright", "downward", "low"], p=[0.78, 0.12, 0.10])
    first, second = {
        "upright": (size, u(0.45, 1.0) * size),
        "downward": (-0.7 * size, -u(0.5, 1.0) * size),
        "low": (u(0.35, 0.6), u(0.4, 0.9)),
    }[shape]
    s = -u(0.1, 0.35) * size if shape != "downward" and u() < 0.4 else 0.0
    deep = -u(0.7, 1.6)
    sketch.draw("R", (-0.004, 0.004), (0.017, 0.025), first, 0.7 * deep, u(0.5, 1.0))
    sketch.draw("R2", (0.044, 0.060), (0.017, 0.027), second, deep, u(0.4, 1.0))
    sketch.draw("S", (0.105, 0.12), (0.016, 0.024), s, 0.0, 0.0)
    main = first + second
    sketch.draw("ST", (0.16, 0.19), (0.045, 0.060), -u(0.03, 0.12) * main, -0.2 * deep, -0.08)
    t = -u(0.10, 0.24) * main
    sketch.draw_t((0.33, 0.38), t, -u(0.25, 0.5) * deep, -u(0.1, 0.3), width=_WIDE_T)
    return sketch.waves


def _right_bundle_branch_block(rng: np.random.Generator) -> Morphology:
    """Narrow begin, then a wide terminal wave: S in MLII (seldom R'), R' in V1."""
    u = rng.uniform
    sketch = _Sketch(rng)
    size = float(np.clip(rng.lognormal(0.05, 0.35), 0.4, 2.2))
    q = -u(0.05, 0.15) * size if u() < 0.5 else 0.0
    terminal_s = u() < 0.88
    s, late = (-u(0.15, 0.3), -u(0.25, 0.7)) if terminal_s else (-u(0.2, 0.45), u(0.25, 0.5))
    late_v1 = u(0.5, 1.5)
    sketch.draw("Q", (-0.030, -0.024), (0.006, 0.009), q, 0.0, q)
    sketch.draw("R", (0.0, 0.0), (0.009, 0.014), size, u(0.15, 0.5), u(0.4, 0.9))
    sketch.draw("S", (0.024, 0.032), (0.009, 0.013), s * size, -u(0.2, 0.6), s * size)
    sketch.draw("S2", (0.056, 0.076), (0.017, 0.028), late * size, late_v1, -u(0.15, 0.5))
    sketch.draw("ST", (0.13, 0.16), (0.035, 0.050), u(-0.06, 0.08), -0.1 * late_v1, 0.0)
    t = rng.choice([u(0.12, 0.35), -u(0.05, 0.25)], p=[0.75, 0.25])
    sketch.draw_t((0.30, 0.36), t, -u(0.15, 0.4) * late_v1, 0.6 * t)
    return sketch.waves


def _ventricular(rng: np.random.Generator) -> Morphology:
    """Wide QRS without P wave, of any direction, T large and against it."""
    u = rng.uniform
    sketch = _Sketch(rng)
    size = float(np.clip(rng.lognormal(0.45, 0.35), 0.6, 3.0))
    shape = rng.choice(["upright", "downward", "RS", "QR"], p=[0.45, 0.25, 0.18, 0.12])
    first, second, third = {
        "upright": (size, u(0.2, 0.7) * size, -u(0.0, 0.3) * size),
        "downward": (-size, -u(0.2, 0.7) * size, u(0.0, 0.2) * size),
        "RS": (u(0.5, 0.9) * size, -u(0.5, 1.1) * size, -u(0.2, 0.6) * size),
        "QR": (-u(0.3, 0.6) * size, u(0.7, 1.1) * size, u(0.2, 0.5) * size),
    }[shape]
    v1 = u(0.6, 1.8) * rng.choice([-1.0, 1.0])
    side = u(-1.2, 1.2)
    sketch.draw("R", (-0.01, 0.0), (0.021, 0.034), first, v1, side)
    sketch.draw("R2", (0.045, 0.070), (0.022, 0.034), second, u(0.2, 0.8) * v1, 0.6 * side)
    sketch.draw("S", (0.100, 0.125), (0.020, 0.030), third, 0.0, -0.2 * side)
    main = float(np.sum([first, second, third]))
    t = -np.sign(main) * u(0.25, 0.5) * size
    sketch.draw("ST", (0.17, 0.20), (0.045, 0.065), 0.25 * t, -0.1 * v1, -0.1 * side)
    sketch.draw_t((0.32, 0.38), t, -u(0.2, 0.5) * v1, -u(0.2, 0.5) * side, width=_WIDE_T)
    return sketch.waves


def _paced(rng: np.random.Generator) -> Morphology:
    """Spike, 20 to 40 ms later a wide QRS from the right ventricle, T against it."""
    u = rng.uniform
    sketch = _Sketch(rng)
    size = u(0.6, 1.9) * rng.choice([-1.0, 1.0], p=[0.65, 0.35])
    v1 = -u(0.7, 1.6)
    second = u(0.3, 0.9)
    sketch.draw("R", (0.0, 0.0), (0.020, 0.030), size, v1, u(0.2, 0.8))
    sketch.draw("R2", (0.045, 0.065), (0.020, 0.030), second * size, second * v1, u(0.2, 0.6))
    sketch.draw("ST", (0.16, 0.19), (0.045, 0.060), -0.1 * size, -0.1 * v1, 0.0)
    t = -u(0.25, 0.5) * size
    sketch.draw_t((0.34, 0.39), t, -u(0.25, 0.5) * v1, -u(0.1, 0.3), width=_WIDE_T)
    before = sketch.waves.qrs_window()[0] - u(0.02, 0.04)
    unipolar, bipolar = u(0.8, 2.5), u(0.15, 0.45)
    spike = rng.choice([unipolar, bipolar], p=[0.4, 0.6]) * rng.choice([-1.0, 1.0])
    sketch.draw("spike", (before, before), (0.0012, 0.002), spike, u(0.4, 1.0) * spike, spike)
    return sketch.waves


def _atrial_premature(rng: np.random.Generator, conducted: Morphology) -> Morphology:
    """Return the patient's own QRS and T after a P wave from elsewhere, or after none."""
    u = rng.uniform
    own = Morphology(*(part.copy() for part in conducted))
    change = rng.choice(["inverted", "peaked", "absent"], p=[0.4, 0.4, 0.2])
    low, high = {"inverted": (-1.3, -0.5), "peaked": (0.7, 1.6), "absent": (0.0, 0.0)}[change]
    own.amplitude[ATRIAL] *= u(low, high)
    own.time[ATRIAL] += 0.03 * (change == "inverted") + u(-0.02, 0.01)
    own.width[ATRIAL] *= u(0.7, 1.0)
    own.amplitude[QRS] *= u(0.92, 1.05)
    own.amplitude[REPOLARISATION] *= u(0.8, 1.05)
    return own
