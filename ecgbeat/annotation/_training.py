"""What annotated recordings give to train on (layer 3)."""

from typing import NamedTuple

import numpy as np

from ecgbeat.annotation._front_end import FrontEnd
from ecgbeat.annotation._recordings import ReferenceBeats
from ecgbeat.metrics import match_beats


class TrainingBeats(NamedTuple):
    """Beats of one recording, or of many."""

    rows: np.ndarray  # (n_beats, n_features)
    label: np.ndarray  # (n_beats,)
    n_leads: int
    n_missed: int  # annotated beats that were not detected
    n_extra: int  # detected beats that were not annotated


def training_beats(
    front_end: FrontEnd, leads: np.ndarray, reference: ReferenceBeats, tolerance: float
) -> TrainingBeats:
    """Cut the annotated beats of one recording where they are detected.

    Those that the detector misses are cut where they are annotated.
    """
    detected = front_end.detect(leads)
    matches = match_beats(reference.sample, detected, front_end.fs, tolerance)
    place = reference.sample.copy()
    place[matches.reference_index] = detected[matches.detected_index]
    series = np.union1d(detected, place)
    rows = list(front_end.rows(leads, place[reference.counts], series))
    return TrainingBeats(
        np.concatenate(rows) if rows else np.empty((0, 0), np.float32),
        reference.label[reference.counts],
        len(leads),
        len(matches.missed),
        len(matches.extra),
    )


def join_training_beats(parts: list[TrainingBeats]) -> TrainingBeats:
    """Join the beats of recordings, at least one of which has any.

    Raises
    ------
    ValueError
        If those with beats differ in their number of leads.
    """
    filled = [part for part in parts if len(part.label)]
    n_leads = sorted({part.n_leads for part in filled})
    if len(n_leads) > 1:
        raise ValueError(
            f"All recordings must have one number of leads, found {n_leads}. Choose one lead by "
            "lead=, or pass those that all have."
        )
    return TrainingBeats(
        np.concatenate([part.rows for part in filled]),
        np.concatenate([part.label for part in filled]),
        n_leads[0],
        sum(part.n_missed for part in parts),
        sum(part.n_extra for part in parts),
    )
