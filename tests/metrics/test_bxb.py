import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgbeat.metrics._bxb import CLASSES, count_pairs, find_beats

LIMIT = 15
symbols = st.sampled_from(CLASSES)


def annotations(symbols):
    """Draw annotations so close together that they compete for each other."""
    pairs = st.lists(st.tuples(st.integers(0, 400), symbols), max_size=25)
    return pairs.map(sorted).map(lambda a: ([s for s, _ in a], [x for _, x in a]))


def count(reference, prediction, start=0.0):
    """Return the nonzero counts as {"Nn": 3, "Vo": 1, ...}."""
    confusion = count_pairs(
        find_beats(reference, "literature"),
        find_beats(prediction, "literature"),
        LIMIT,
        start,
    )
    rows, columns = np.nonzero(confusion)
    names = [*CLASSES, "O"]
    return {
        names[r] + names[c].lower(): int(confusion[r, c])
        for r, c in zip(rows, columns, strict=True)
    }


def annotate(**samples):
    """Make annotations from symbols and their sample numbers, ``N=[100, 200], V=[300]``."""
    table = sorted((sample, symbol) for symbol, list_ in samples.items() for sample in list_)
    return [sample for sample, _ in table], [symbol for _, symbol in table]


@pytest.mark.parametrize("true", CLASSES)
@pytest.mark.parametrize("found", CLASSES)
def test_pair_is_counted_by_both_classes(true, found):
    assert count(([100], [true]), ([110], [found])) == {true + found.lower(): 1}


@pytest.mark.parametrize("symbol", CLASSES)
def test_missed_beat_is_counted_under_o(symbol):
    assert count(([100], [symbol]), ([], [])) == {f"{symbol}o": 1}


@pytest.mark.parametrize("symbol", CLASSES)
def test_extra_detection_is_counted_under_o(symbol):
    assert count(([], []), ([100], [symbol])) == {f"O{symbol.lower()}": 1}


def test_non_beat_annotations_are_left_out():
    reference = ([5, 100, 150, 300], ["+", "N", "~", "x"])
    assert count(reference, ([100, 150], ["N", "|"])) == {"Nn": 1}


def test_flutter_waves_are_left_out():
    assert count(([100, 200], ["N", "!"]), ([100], ["N"])) == {"Nn": 1}


@pytest.mark.parametrize(("distance", "counted"), [(15, {"Nn": 1}), (16, {"No": 1, "On": 1})])
@pytest.mark.parametrize("side", [-1, 1])
def test_limit_is_inclusive(distance, counted, side):
    assert count(([100], ["N"]), ([100 + side * distance], ["N"])) == counted


def test_nearer_of_two_beats_is_paired():
    assert count(annotate(N=[100], V=[110]), ([108], ["V"])) == {"No": 1, "Vv": 1}


def test_nearer_of_two_detections_is_paired():
    assert count(([100], ["N"]), annotate(V=[90], N=[102])) == {"Ov": 1, "Nn": 1}


def test_competing_beat_is_not_paired_with_a_farther_detection():
    assert count(annotate(N=[100], V=[114]), annotate(V=[114], N=[128])) == {
        "No": 1,
        "Vv": 1,
        "On": 1,
    }


def test_detections_in_flutter_are_left_out():
    reference = ([100, 200, 300, 400], ["N", "[", "]", "N"])
    prediction = ([100, 200, 250, 300, 350, 400], ["N", "V", "V", "V", "N", "N"])
    assert count(reference, prediction) == {"Nn": 2, "On": 1}


def test_beats_in_flutter_are_left_out():
    reference = ([100, 200, 250, 300, 400], ["N", "[", "V", "]", "N"])
    assert count(reference, ([100, 400], ["N", "N"])) == {"Nn": 2}


def test_detection_in_flutter_is_paired_with_a_beat_outside():
    reference = ([100, 200, 300, 310], ["N", "[", "]", "V"])
    assert count(reference, ([100, 298], ["N", "V"])) == {"Nn": 1, "Vv": 1}


def test_flutter_without_an_end_lasts_to_the_end_of_the_recording():
    reference = ([100, 200, 250], ["N", "[", "V"])
    assert count(reference, ([100, 250, 900], ["N", "V", "V"])) == {"Nn": 1}


def test_end_of_flutter_without_an_onset_is_disregarded():
    assert count(([100, 200], ["]", "N"]), ([50, 200], ["N", "N"])) == {"Nn": 1, "On": 1}


def test_several_flutter_episodes():
    reference = (
        [100, 150, 200, 300, 400, 450, 500],
        ["[", "[", "]", "N", "[", "!", "]"],
    )
    prediction = ([160, 250, 300, 460], ["V", "N", "N", "V"])
    assert count(reference, prediction) == {"Nn": 1, "On": 1}


def test_beats_in_flutter_of_the_predictions_are_missed():
    prediction = ([100, 180, 200, 300], ["N", "[", "N", "]"])
    assert count(([100, 200, 250], ["N", "N", "V"]), prediction) == {"Nn": 1, "No": 1, "Vo": 1}


def test_beats_of_the_learning_period_are_left_out():
    beats = annotate(N=[50, 150, 250], V=[99])
    assert count(beats, beats, start=100) == {"Nn": 2}


def test_beat_at_the_end_of_the_learning_period_is_counted():
    assert count(([100], ["N"]), ([100], ["N"]), start=100.0) == {"Nn": 1}


def test_detection_before_the_end_is_paired_with_a_beat_after_it():
    assert count(([105], ["V"]), ([20, 95], ["N", "V"]), start=100) == {"Vv": 1}


def test_detection_after_the_end_may_belong_to_a_beat_before_it():
    assert count(annotate(V=[95], N=[200]), annotate(V=[105], N=[200]), start=100) == {"Nn": 1}


def test_detection_far_after_the_end_is_counted():
    assert count(annotate(V=[95], N=[200]), annotate(V=[120], N=[200]), start=100) == {
        "Nn": 1,
        "Ov": 1,
    }


@given(annotations(symbols))
def test_beats_at_different_times_match_themselves(beats):
    samples, first = np.unique(np.array(beats[0], int), return_index=True)
    kept = [beats[1][i] for i in first]
    assert count((samples, kept), (samples, kept)) == {
        name + name.lower(): kept.count(name) for name in CLASSES if name in kept
    }


@given(annotations(symbols), annotations(symbols))
def test_every_beat_is_counted_once(reference, prediction):
    counted = count(reference, prediction)
    assert sum(n for cell, n in counted.items() if cell[0] != "O") == len(reference[0])
    assert sum(n for cell, n in counted.items() if cell[1] != "o") == len(prediction[0])


def count_in_one_pass(reference, prediction, start):
    """Compare in one pass over both whole sequences, without clusters."""
    late = [(s, x) for s, x in zip(*reference, strict=True) if s >= start] + [(math.inf, "")]
    found = list(zip(*prediction, strict=True)) + [(math.inf, "")] * 2
    k = next(i for i, (s, _) in enumerate(found) if s >= start)
    target = late[0][0]

    def distance(a, b):
        return math.inf if math.inf in (a, b) else abs(a - b)

    before = found[k - 1][0] if k else -math.inf
    if start == 0:
        pass  # no beat lies before
    elif target - before <= LIMIT and target - before < distance(target, found[k][0]):
        k -= 1
    elif found[k][0] - start <= LIMIT and distance(target, found[k + 1][0]) < distance(
        target, found[k][0]
    ):
        k += 1
    counted = {}
    i = 0
    while late[i][1] or found[k][1]:
        (T, A), (t, a) = late[i], found[k]
        rival = distance(T, found[k + 1][0]) if t < T else distance(t, late[i + 1][0])
        if distance(T, t) <= LIMIT and distance(T, t) < rival:
            cell, i, k = A + a.lower(), i + 1, k + 1
        elif t < T:
            cell, k = "O" + a.lower(), k + 1
        else:
            cell, i = A + "o", i + 1
        counted[cell] = counted.get(cell, 0) + 1
    return counted


@given(annotations(symbols), annotations(symbols), st.sampled_from([0, 0, 50, 200, 390]))
def test_clusters_give_the_result_of_one_pass(reference, prediction, start):
    expected = count_in_one_pass(reference, prediction, start)
    assert count(reference, prediction, start) == expected
