import numpy as np
import pytest

from ecgbeat.annotation._front_end import plan_front_end
from ecgbeat.annotation._recordings import reference_beats
from ecgbeat.annotation._training import TrainingBeats, join_training_beats, training_beats
from ecgbeat.signal import rr_features

FS = 100.0
N_TIMES = 2000


def train_on(detected, annotation, rhythm=False, symbols=None):
    """Cut beats out of a ramp, whose values tell where they were cut."""
    leads = np.arange(float(N_TIMES))[None]
    front_end = plan_front_end(FS, None, "passthrough", lambda *_: detected, rhythm)
    front_end.segmenter.set_params(before=0, after=0.01, n_times=None)
    reference = reference_beats(annotation, symbols, None, N_TIMES)
    return training_beats(front_end, leads, reference, 0.15)


def test_beats_are_cut_where_they_are_detected():
    beats = train_on([103, 395, 702], ([100, 400, 700], ["N", "V", "N"]))
    assert beats.rows.ravel().tolist() == [103, 395, 702]
    assert beats.label.tolist() == ["N", "V", "N"]
    assert (beats.n_missed, beats.n_extra) == (0, 0)


def test_missed_beats_are_cut_where_they_are_annotated():
    beats = train_on([103, 702], ([100, 400, 700], ["N", "V", "N"]))
    assert beats.rows.ravel().tolist() == [103, 400, 702]
    assert beats.n_missed == 1


def test_what_nobody_annotated_is_not_trained_on():
    beats = train_on([103, 250], ([100], ["N"]))
    assert beats.rows.ravel().tolist() == [103]
    assert beats.n_extra == 1


def test_a_beat_that_does_not_count_is_no_other_beat():
    beats = train_on([398], ([400, 406], ["V", "N"]), symbols="N")
    # the detection belongs to V, so N was missed
    assert beats.rows.ravel().tolist() == [406]


def test_the_rhythm_is_that_of_all_detected_and_missed_beats():
    beats = train_on([103, 250, 702], ([100, 400, 700], ["N", "V", "N"]), True, symbols="NV")
    expected = rr_features([103, 250, 400, 702], FS)[[0, 2, 3]]
    np.testing.assert_allclose(beats.rows[:, 1:], expected, rtol=1e-6)


def test_no_annotated_beat_gives_no_rows():
    beats = train_on([103], ([18], ["+"]))
    assert len(beats.rows) == len(beats.label) == 0
    assert beats.n_extra == 1


def part(n_beats, n_leads=1):
    return TrainingBeats(np.ones((n_beats, 4 * n_leads)), np.array(["N"] * n_beats), n_leads, 1, 2)


def test_parts_are_joined_and_counted():
    joined = join_training_beats([part(2), part(0, 3), part(3)])
    assert joined.rows.shape == (5, 4)
    assert joined[2:] == (1, 3, 6)


def test_parts_of_different_leads_are_refused():
    with pytest.raises(ValueError, match=r"one number of leads, found \[1, 2\]"):
        join_training_beats([part(2), part(3, 2)])
