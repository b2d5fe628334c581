from types import SimpleNamespace

import numpy as np
import pytest

from ecgbeat.labels import Annotation
from ecgbeat.plotting._recording_input import as_annotator_sees, choose_leads, cut_strips

LEADS = np.arange(40.0).reshape(2, 20)
NAMES = ["MLII", "V1"]


@pytest.mark.parametrize(
    ("lead", "rows"),
    [
        (None, [0, 1]),
        (1, [1]),
        (-1, [1]),
        ("V1", [1]),
        (np.int64(0), [0]),
        (["V1", 0], [1, 0]),
    ],
)
def test_leads_by_number_or_name(lead, rows):
    leads, names = choose_leads(LEADS, lead, NAMES)
    np.testing.assert_array_equal(leads, LEADS[rows])
    assert names == [NAMES[row] for row in rows]


def test_a_recording_of_one_lead():
    leads, names = choose_leads(LEADS[0].tolist(), None, "MLII")
    assert leads.shape == (1, 20)
    assert names == ["MLII"]


def test_gaps_are_welcome():
    x = np.array([1.0, np.nan, 3.0])
    assert np.isnan(choose_leads(x, None, None)[0]).sum() == 1


@pytest.mark.parametrize(
    ("recording", "lead", "message"),
    [
        (LEADS.T, None, "pass recording.T"),
        (np.ones((2, 2, 20)), None, "n_leads, n_times"),
        ([], None, "n_leads, n_times"),
        (["a", "b"], None, "must be numbers"),
        ([1.0, np.inf], None, "got infinity"),
        (LEADS, 2, "there is no lead 2 among 2 leads"),
        (LEADS, "V5", r"there is no lead 'V5' .*\['MLII', 'V1'\]"),
        (LEADS, [], "at least one lead"),
    ],
)
def test_what_is_no_recording(recording, lead, message):
    with pytest.raises(ValueError, match=message):
        choose_leads(recording, lead, NAMES if np.shape(recording) == (2, 20) else None)


def test_strips_of_a_stretch():
    strips = cut_strips(10_000, 100, 10, 35, 10)
    assert [tuple(strip) for strip in strips] == [(1000, 2000), (2000, 3000), (3000, 3500)]


def test_one_line():
    assert [tuple(strip) for strip in cut_strips(10_000, 100, 0, 50, None)] == [(0, 5000)]


def test_a_minute_by_default():
    assert cut_strips(10_000, 100, 30, None, 10)[-1].stop == 9000


def test_the_recording_ends_before_the_stretch():
    assert cut_strips(1_234, 100, 0, 60, 10)[-1].stop == 1234


@pytest.mark.parametrize(
    ("start", "stop", "strip", "error", "message"),
    [
        (100, None, 10, ValueError, "start=100 s lies behind the recording, which lasts 100 s"),
        (-1, None, 10, ValueError, "start must be 0 or greater"),
        (5, 5, 10, ValueError, "stop must be greater than start=5 s, got 5"),
        (0, "end", 10, TypeError, "stop must be a number in s"),
        (0, 10, 0, ValueError, "strip must be greater than 0"),
        (0, 0.001, 10, ValueError, "nothing to draw from 0 to 0.001 s"),
        (0, 10, 0.001, ValueError, "nothing to draw from 0 to 10 s in strips of 0.001 s"),
        (0, 100, 0.5, ValueError, "are 200 strips; at most 100 can be drawn"),
    ],
)
def test_stretches_that_cannot_be(start, stop, strip, error, message):
    with pytest.raises(error, match=message):
        cut_strips(10_000, 100, start, stop, strip)


REFERENCE = Annotation(np.array([1, 10, 20, 30, 40]), np.array(["+", "N", "L", "V", "!"]))


@pytest.mark.parametrize(
    ("mapping", "symbols", "labels", "left_out"),
    [
        (None, None, ["N", "L", "V"], []),
        ("literature", None, ["N", "N", "V"], []),
        (None, "NV", ["N", "V"], [20]),
        ("literature", ["V"], ["V"], [10, 20]),
        ({"N": "normal", "L": "normal"}, None, ["normal", "normal"], [30]),
        ({"V": "V", "!": "flutter"}, None, ["V", "flutter"], [10, 20]),
    ],
)
def test_the_reference_gets_the_classes_of_the_annotator(mapping, symbols, labels, left_out):
    annotator = SimpleNamespace(mapping=mapping, symbols=symbols)
    (sample, label), others = as_annotator_sees(annotator, REFERENCE)
    assert label.tolist() == labels
    assert len(sample) == len(labels)
    assert others.tolist() == left_out
