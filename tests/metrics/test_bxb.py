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


def count(reference, prediction, start=0.0, limit=LIMIT):
    """Return the nonzero counts as {"Nn": 3, "Vo": 1, ...}."""
    confusion = count_pairs(
        find_beats(reference, "literature"),
        find_beats(prediction, "literature"),
        limit,
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


class AnnotationReader:
    """Reader of the beats of one annotation file, one beat ahead, as in the source of ``bxb``.

    Before the first beat, time and class are 0; after the last one, the time is ``END``.
    """

    END = 2**31 - 1

    def __init__(self, sample, symbol):
        self.annotations = iter(zip(sample, symbol, strict=True))
        self.time, self.next_time = 0, 0
        self.kind, self.next_kind = "", ""
        self.episode, self.episode_before = (-1, -1), (-1, -1)

    def advance(self):
        """Make the next beat the current one, and read up to the beat after it."""
        self.time, self.kind = self.next_time, self.next_kind
        self.next_time, self.next_kind = self.END, "*"
        for sample, symbol in self.annotations:
            if symbol == "[":
                self.episode_before, self.episode = self.episode, (sample, self.episode[1])
                end = next((s for s, x in self.annotations if x == "]"), None)
                if end is None:
                    return
                self.episode = (sample, end)
            elif symbol in CLASSES:
                self.next_time, self.next_kind = sample, symbol
                return

    def is_in_episode(self, time):
        """Return whether a sample is in one of the last two episodes that were read."""
        (first, last), (first_before, last_before) = self.episode, self.episode_before
        return (first != -1 and first <= time and (time <= last or last == -1)) or (
            first_before != -1 and first_before <= time <= last_before
        )


def compare_as_bxb(reference, prediction, start):
    """Follow the source of ``bxb`` statement by statement, with one test beat more at its start."""
    counted = {}

    def pair(true, found):
        if true in {*CLASSES, "O"} and found in {*CLASSES, "O"}:
            cell = true + found.lower()
            counted[cell] = counted.get(cell, 0) + 1

    ref, test = AnnotationReader(*reference), AnnotationReader(*prediction)
    ref.advance()
    while ref.time < start:
        ref.advance()
    test.advance()
    while test.next_time < start:
        test.advance()
    first = ref.time - test.time
    if first < abs(ref.time - test.next_time) and first <= LIMIT:
        pair(ref.kind, test.kind)
        ref.advance()
        test.advance()
    else:
        test.advance()
        is_next_nearer = abs(ref.time - test.next_time) < abs(ref.time - test.time)
        if test.time - start <= LIMIT and is_next_nearer:
            test.advance()
    while min(ref.time, test.time) < AnnotationReader.END:
        early, late = (test, ref) if test.time < ref.time else (ref, test)
        distance, rival = late.time - early.time, abs(late.time - early.next_time)
        is_rival_taken = abs(late.next_time - early.next_time) < rival
        if distance <= LIMIT and (distance < rival or is_rival_taken):
            pair(ref.kind, test.kind)
            ref.advance()
            test.advance()
        elif early is test:
            pair("*" if ref.is_in_episode(test.time) else "O", test.kind)
            test.advance()
        else:
            pair(ref.kind, "O")
            ref.advance()
    return counted


STARTS = st.sampled_from([0, 0, 50, 200, 390])


@given(annotations(symbols), annotations(symbols), STARTS)
def test_counts_are_those_of_bxb(reference, prediction, start):
    reference, prediction = (without_sample_0(a) for a in (reference, prediction))
    assert count(reference, prediction, start) == compare_as_bxb(reference, prediction, start)


def without_sample_0(annotation):
    """Add 1 to all sample numbers; ``bxb`` disregards a detection at sample 0."""
    return [s + 1 for s in annotation[0]], annotation[1]


@pytest.mark.parametrize("start", [0, 50, 200])
@pytest.mark.parametrize("seed", range(50))
def test_counts_of_fast_rhythms_with_episodes_are_those_of_bxb(seed, start):
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(np.arange(1, 1500), 100, replace=False))
    symbol = rng.choice(CLASSES, 100)
    for onset in (10, 50, 75):  # with beats between them
        symbol[[onset, onset + 8]] = "[", "]"
    keep = rng.random(100) < 0.9
    found = np.sort(np.maximum(sample[keep] + rng.integers(-12, 13, keep.sum()), 1))
    reference = sample.tolist(), symbol.tolist()
    prediction = found.tolist(), rng.choice(CLASSES, keep.sum()).tolist()
    assert count(reference, prediction, start) == compare_as_bxb(reference, prediction, start)


def test_beat_whose_rival_is_nearer_to_the_next_detection_is_paired():
    # example in the source of bxb, at 360 Hz
    reference, prediction = annotate(N=[1096, 1160]), annotate(N=[1128, 1185])
    assert count(reference, prediction, limit=54) == {"Nn": 2}
    assert count(prediction, reference, limit=54) == {"Nn": 2}


def test_first_detection_is_left_out_without_a_beat_after_the_learning_period():
    assert count(([95], ["N"]), annotate(N=[105, 200]), start=100) == {"On": 1}
