"""Who is recorded: what stays the same from a patient's first beat to the last."""

from typing import NamedTuple

import numpy as np

from ecgbeat.datasets._simulator._morphology import Morphology, draw_morphologies
from ecgbeat.datasets._simulator._noise import Electrodes, draw_electrodes
from ecgbeat.datasets._simulator._rhythm import Pacemaker, draw_pacemaker

# leads as mixtures of MLII, V1 and I: Einthoven's and Goldberger's laws for the limb
# leads, a coarse interpolation along the chest for V2 to V6
LEADS = {
    "MLII": (1.0, 0.0, 0.0),
    "V1": (0.0, 1.0, 0.0),
    "V5": (0.7, 0.0, 0.6),
    "I": (0.0, 0.0, 1.0),
    "III": (1.0, 0.0, -1.0),
    "aVR": (-0.5, 0.0, -0.5),
    "aVL": (-0.5, 0.0, 1.0),
    "aVF": (1.0, 0.0, -0.5),
    "V2": (0.15, 1.2, 0.1),
    "V3": (0.4, 0.8, 0.3),
    "V4": (0.7, 0.4, 0.5),
    "V6": (0.5, -0.1, 0.6),
}


class Patient(NamedTuple):
    """What stays the same over one patient's recording."""

    morphologies: dict[str, Morphology]
    base: str  # conduction of the supraventricular beats
    pacemaker: Pacemaker
    electrodes: Electrodes
    axes: np.ndarray  # (3, 3): how heart and electrodes lie to each other, and the gain
    second_focus: float  # share of the ventricular beats that come from elsewhere
    breathing: float  # relative swing of the amplitudes with respiration
    restlessness: float  # relative scatter of the single waves from beat to beat


def draw_patient(
    rng: np.random.Generator, *, base: str = "N", heart_rate: float | None = None
) -> Patient:
    """Draw a patient; ``base`` is N, L or R, ``heart_rate`` in beats per minute."""
    gain = rng.lognormal(0.0, 0.15)
    return Patient(
        morphologies=draw_morphologies(rng, base),
        base=base,
        pacemaker=draw_pacemaker(rng, heart_rate),
        electrodes=draw_electrodes(rng),
        axes=gain * (np.eye(3) + 0.08 * rng.standard_normal((3, 3))),
        second_focus=float(rng.choice([0.0, 0.2], p=[0.6, 0.4])),
        breathing=float(rng.uniform(0.02, 0.10)),
        restlessness=float(rng.uniform(0.02, 0.06)),
    )
