import pickle

import numpy as np
import pytest

from ecgbeat.annotation import AnnotatedBeats
from ecgbeat.annotation._annotated_beats import beats_table
from ecgbeat.labels import select_beats
from ecgbeat.metrics import annotation_f1_score, ec57_report

FS = 100.0
CLASSES = np.array(["N", "V"])
BEATS = AnnotatedBeats(
    np.array([100, 180, 300]),
    np.array(["N", "V", "N"]),
    np.array([[0.9, 0.1], [0.25, 0.75], [0.6, 0.4]]),
)
NOTHING = AnnotatedBeats(np.empty(0, np.int64), CLASSES[:0], np.empty((0, 2)))

pytest.importorskip("pandas")


def test_it_unpacks_to_sample_label_and_probability():
    sample, symbol, probability = BEATS
    assert (sample is BEATS.sample, symbol is BEATS.symbol) == (True, True)
    assert probability.shape == (3, 2)


def test_it_stands_for_an_annotation():
    assert select_beats(BEATS, "V").sample.tolist() == [180]
    truth = [(BEATS.sample, BEATS.symbol)]
    assert annotation_f1_score(truth, [BEATS], FS) == 1.0
    report = ec57_report(truth, [BEATS], FS, learning_period=0)
    assert report.gross["veb_sensitivity"] == 1.0


def test_it_pickles():
    copy = pickle.loads(pickle.dumps(BEATS))
    np.testing.assert_array_equal(copy.probability, BEATS.probability)


def test_one_row_a_beat():
    table = beats_table(["a", "b", "c"], [BEATS, NOTHING, BEATS], CLASSES, FS)
    assert list(table.columns) == [
        "record",
        "beat",
        "sample",
        "time_s",
        "rr_s",
        "label",
        "probability",
        "probability_N",
        "probability_V",
    ]
    assert table["record"].tolist() == ["a"] * 3 + ["c"] * 3
    assert table["beat"].tolist() == [0, 1, 2] * 2
    assert table["sample"].tolist() == [100, 180, 300] * 2
    assert table["time_s"].tolist() == [1.0, 1.8, 3.0] * 2
    np.testing.assert_allclose(table["rr_s"], [np.nan, 0.8, 1.2] * 2)
    assert table["label"].tolist() == ["N", "V", "N"] * 2
    assert table["probability"].tolist() == [0.9, 0.75, 0.6] * 2
    assert table["probability_V"].tolist() == [0.1, 0.75, 0.4] * 2


def test_the_probability_is_that_of_the_label_not_the_largest():
    beats = BEATS._replace(symbol=np.array(["V", "V", "V"]))
    table = beats_table(["a"], [beats], CLASSES, FS)
    assert table["probability"].tolist() == [0.1, 0.75, 0.4]


@pytest.mark.parametrize("annotated", [[], [NOTHING], [NOTHING, NOTHING]], ids=len)
def test_no_beats_give_an_empty_table(annotated):
    table = beats_table(["r"] * len(annotated), annotated, CLASSES, FS)
    assert len(table) == 0
    assert table["sample"].dtype == np.int64


def test_without_probabilities_there_are_no_such_columns():
    table = beats_table(["a"], [BEATS._replace(probability=None)], CLASSES, FS)
    assert list(table.columns)[-1] == "label"


def test_labels_may_be_numbers():
    beats = BEATS._replace(symbol=np.array([3, 7, 3]))
    table = beats_table(["a"], [beats], np.array([3, 7]), FS)
    assert table["label"].tolist() == [3, 7, 3]
    assert table["probability_7"].tolist() == [0.1, 0.75, 0.4]
