"""The same mistake raises the same error in every function that takes such an argument."""

import copy
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from ecgbeat import (
    BandpassFilter,
    BeatAnnotator,
    ECGCNNClassifier,
    ECGCNNLSTMClassifier,
    RPeakSegmenter,
    ZScoreScaler,
)
from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_recordings, make_recording
from ecgbeat.labels import Annotation, is_beat, label_beats, select_beats, to_aami
from ecgbeat.metrics import annotation_f1_score, ec57_report, match_beats
from ecgbeat.signal import (
    bandpass,
    bridge_gaps,
    cut_beats,
    detect_r_peaks,
    rr_features,
    signal_quality,
    unreadable_stretches,
)

FS = 100.0
RECORDING = np.random.default_rng(0).normal(size=400)
ANNOTATION = Annotation(np.array([1]), np.array(["N"]))


class Mistake(NamedTuple):
    """Wrong argument, and the error that it raises."""

    value: Any
    error: type[Exception]
    message: str  # regular expression


class Entrance(NamedTuple):
    """Function of one argument that may be wrong, the others being right."""

    call: Callable[[Any], Any]
    prefix: str = ""  # regular expression of the name in front of the message


def cases(mistakes, entrances, *, exempt=()):
    """Combine every mistake with every entrance that is not exempt as (mistake, entrance)."""
    return [
        pytest.param(entrance, mistake, id=f"{name}-{mistake_name}")
        for mistake_name, mistake in mistakes.items()
        for name, entrance in entrances.items()
        if (mistake_name, name) not in exempt
    ]


def check_raises(entrance, mistake):
    """Pass the mistake and compare type and message of the error."""
    with pytest.raises(mistake.error) as raised:
        entrance.call(mistake.value)
    assert type(raised.value) is mistake.error
    raised.match(rf"^{entrance.prefix}{mistake.message}")


@functools.cache
def fitted_annotator():
    """Return an annotator fitted on a short recording."""
    patient = make_recording(20, fs=FS, random_state=0)
    return new_annotator().fit([patient.signal], [patient.annotation])


def new_annotator(**params):
    """Return an annotator that is not fitted."""
    return BeatAnnotator(DummyClassifier(), fs=FS, **params)


def draw(recording=RECORDING, predicted=(1,), reference=None, **params):
    """Draw a recording and return the sample numbers of the predicted beats."""
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is the extra 'plot'")
    from ecgbeat.plotting import RecordingDisplay

    try:
        display = RecordingDisplay.from_predictions(
            recording, predicted, reference, fs=FS, **params
        )
    finally:
        pyplot.close("all")
    return display.predicted[0]


def draw_estimator(recording=RECORDING, reference=None):
    """Draw a recording with the beats of the annotator and return their sample numbers."""
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is the extra 'plot'")
    from ecgbeat.plotting import RecordingDisplay

    try:
        display = RecordingDisplay.from_estimator(fitted_annotator(), recording, reference)
    finally:
        pyplot.close("all")
    return display.predicted[0]


def load_with_annotation(annotation):
    """Load a recording from a file with the annotation of a function."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "a.npy"), RECORDING)
        return load_recordings(folder, FS, annotations=lambda _: annotation)


# --- recordings -----------------------------------------------------------------------

IN_LIST = r"recordings\[0\]: "
RECORDINGS = {
    "detect_r_peaks": Entrance(lambda x: detect_r_peaks(x, FS)),
    "signal_quality": Entrance(lambda x: signal_quality(x, FS)),
    "unreadable_stretches": Entrance(lambda x: unreadable_stretches(x, FS)),
    "cut_beats": Entrance(lambda x: cut_beats(x, [1], FS)),
    "bandpass": Entrance(lambda x: bandpass(x, FS)),
    "bridge_gaps": Entrance(bridge_gaps),
    "RPeakSegmenter.segment": Entrance(lambda x: RPeakSegmenter(FS).segment(x)),
    "RPeakSegmenter.segment with R peaks": Entrance(
        lambda x: RPeakSegmenter(FS).segment(x, r_peaks=[1])
    ),
    "extract_beats": Entrance(lambda x: extract_beats([x], [ANNOTATION], FS).data, IN_LIST),
    "BeatAnnotator.fit": Entrance(
        lambda x: new_annotator().fit([x], [ANNOTATION]).n_beats_, IN_LIST
    ),
    "BeatAnnotator.predict": Entrance(lambda x: fitted_annotator().predict([x])[0].sample, IN_LIST),
    "BeatAnnotator.annotate": Entrance(
        lambda x: fitted_annotator().annotate([x])["sample"].to_numpy(), IN_LIST
    ),
    "BeatAnnotator.score": Entrance(lambda x: fitted_annotator().score([x], [ANNOTATION]), IN_LIST),
    "RecordingDisplay.from_predictions": Entrance(draw),
    "RecordingDisplay.from_estimator": Entrance(draw_estimator, rf"({IN_LIST})?"),
}
RECORDING_MISTAKES = {
    "transposed": Mistake(
        np.zeros((3600, 2)),
        ValueError,
        r"A recording must be of shape \(n_leads, n_times\), got shape \(3600, 2\), .*"
        r"Pass recording\.T\.",
    ),
    "more leads than samples": Mistake(
        np.zeros((12, 9)),
        ValueError,
        r"A recording must be of shape \(n_leads, n_times\), got shape \(12, 9\), .*"
        r"Pass recording\.T\.",
    ),
    "three axes": Mistake(
        np.zeros((2, 2, 400)),
        ValueError,
        r"A recording must be of shape \(n_times,\) or \(n_leads, n_times\), got shape "
        r"\(2, 2, 400\)\.",
    ),
    "complex": Mistake(
        RECORDING * 1j, TypeError, r"(A recording|x) must hold real numbers, got dtype complex128\."
    ),
    "strings": Mistake(
        np.array(["1", "2"]),
        TypeError,
        r"(A recording|x) must hold real numbers, got dtype <U1\.",
    ),
    "infinite": Mistake(
        np.where(np.arange(400) == 7, np.inf, RECORDING),
        ValueError,
        "A recording must be finite or, where samples are missing, NaN, but 1 of 400 values are "
        r"infinite, the first at index \[(0, )?7\]\.",
    ),
    "number": Mistake(
        np.array(3.0),
        ValueError,
        r"(A recording|x) must be an array of samples, got the number 3\.0\.",
    ),
}


@pytest.mark.parametrize(
    ("entrance", "mistake"),
    cases(
        RECORDING_MISTAKES,
        RECORDINGS,
        # these take signals of any shape along the last axis
        exempt=[
            ("transposed", "bridge_gaps"),
            ("more leads than samples", "bridge_gaps"),
            ("three axes", "bridge_gaps"),
            ("three axes", "bandpass"),
            # up to 16 short rows may be beats
            ("more leads than samples", "bandpass"),
        ],
    ),
)
def test_invalid_recording_raises(entrance, mistake):
    check_raises(entrance, mistake)


@pytest.mark.parametrize("entrance", [pytest.param(e, id=name) for name, e in RECORDINGS.items()])
@pytest.mark.parametrize("n_leads", [None, 1])
def test_gaps_are_bridged_by_a_straight_line(entrance, n_leads):
    with_gap, bridged = RECORDING.copy(), RECORDING.copy()
    with_gap[3:6] = np.nan
    bridged[3:6] = np.interp([3, 4, 5], [2, 6], RECORDING[[2, 6]])
    if n_leads:
        with_gap, bridged = with_gap[np.newaxis], bridged[np.newaxis]
    np.testing.assert_array_equal(entrance.call(with_gap), entrance.call(bridged))


def test_many_short_beats_are_no_transposed_recording():
    assert bandpass(np.zeros((200, 16)), FS).shape == (200, 16)


# --- leads ----------------------------------------------------------------------------

TWO_LEADS = np.array([RECORDING, RECORDING])


def entrances_of_leads(recording):
    """Return the entrances for a lead number, each with the same recording."""
    return {
        "BeatAnnotator.fit": Entrance(
            lambda lead: new_annotator(lead=lead).fit([recording], [ANNOTATION]), IN_LIST
        ),
        "BeatAnnotator.predict": Entrance(
            lambda lead: copy.copy(fitted_annotator()).set_params(lead=lead).predict([recording]),
            IN_LIST,
        ),
        "BeatAnnotator.score": Entrance(
            lambda lead: (
                copy.copy(fitted_annotator()).set_params(lead=lead).score([recording], [ANNOTATION])
            ),
            IN_LIST,
        ),
        "RecordingDisplay.from_predictions": Entrance(lambda lead: draw(recording, lead=lead)),
    }


LEAD_MISTAKES = {
    "too large": Mistake(5, ValueError, "There is no lead 5 in a recording of 2 leads: "),
    "too negative": Mistake(-3, ValueError, "There is no lead -3 in a recording of 2 leads: "),
}
MISTAKES_WITH_ONE_LEAD = {
    "second": Mistake(1, ValueError, "There is no lead 1 in a recording of 1 lead: "),
    "too negative": Mistake(-2, ValueError, "There is no lead -2 in a recording of 1 lead: "),
}


@pytest.mark.parametrize(
    ("entrance", "mistake"), cases(LEAD_MISTAKES, entrances_of_leads(TWO_LEADS))
)
def test_missing_lead_raises(entrance, mistake):
    check_raises(entrance, mistake)


@pytest.mark.parametrize(
    ("entrance", "mistake"), cases(MISTAKES_WITH_ONE_LEAD, entrances_of_leads(RECORDING))
)
def test_missing_lead_of_1d_recording_raises(entrance, mistake):
    check_raises(entrance, mistake)


# --- lists of recordings --------------------------------------------------------------

LISTS_OF_RECORDINGS = {
    "extract_beats": Entrance(lambda x: extract_beats(x, [ANNOTATION], FS), "extract_beats"),
    "BeatAnnotator.fit": Entrance(lambda x: new_annotator().fit(x, [ANNOTATION]), "fit"),
    "BeatAnnotator.predict": Entrance(lambda x: fitted_annotator().predict(x), "predict"),
    "BeatAnnotator.annotate": Entrance(lambda x: fitted_annotator().annotate(x), "annotate"),
    "BeatAnnotator.score": Entrance(lambda x: fitted_annotator().score(x, [ANNOTATION]), "score"),
}
LIST_MISTAKES = {
    "one recording": Mistake(
        RECORDING,
        TypeError,
        r" takes a list of recordings, got ndarray of numbers\. For one recording, write ",
    ),
    "one recording as a list": Mistake(
        RECORDING.tolist(),
        TypeError,
        r" takes a list of recordings, got list of numbers\. For one recording, write ",
    ),
    "None": Mistake(None, TypeError, r" takes a list of recordings, got NoneType\."),
    "dict": Mistake(
        {"100": RECORDING}, TypeError, r" takes a list of recordings, got dict\. Each is an array"
    ),
    "dict in a Bunch": Mistake(
        {"recordings": {"100": RECORDING}, "fs": FS},
        TypeError,
        r" takes a list of recordings, got dict\. Each is an array",
    ),
    "Bunch of one recording": Mistake(
        make_recording(2, random_state=0),
        TypeError,
        r" takes a list of recordings, got Bunch\. Each is .* the Bunch of a loader .* is accepted",
    ),
}


@pytest.mark.parametrize(("entrance", "mistake"), cases(LIST_MISTAKES, LISTS_OF_RECORDINGS))
def test_other_than_a_list_of_recordings_raises(entrance, mistake):
    check_raises(entrance, mistake)


# --- lists with one entry for each recording ------------------------------------------

ANNOTATION_LISTS = {
    "extract_beats": Entrance(lambda y: extract_beats([RECORDING], y, FS), "annotations"),
    "BeatAnnotator.fit": Entrance(lambda y: new_annotator().fit([RECORDING], y), "annotations"),
    "BeatAnnotator.score": Entrance(
        lambda y: fitted_annotator().score([RECORDING], y), "annotations"
    ),
    "ec57_report": Entrance(lambda y: ec57_report([ANNOTATION], y, FS), "predictions"),
    "annotation_f1_score": Entrance(
        lambda y: annotation_f1_score([ANNOTATION], y, FS), "predictions"
    ),
}
REFERENCE_LISTS = {
    "ec57_report references": Entrance(lambda y: ec57_report(y, [ANNOTATION], FS), "references"),
    "annotation_f1_score references": Entrance(
        lambda y: annotation_f1_score(y, [ANNOTATION], FS), "references"
    ),
}
OTHER_LISTS = {
    "extract_beats groups": Entrance(
        lambda groups: extract_beats([RECORDING], [ANNOTATION], FS, groups=groups), "groups"
    ),
    "BeatAnnotator.fit groups": Entrance(
        lambda groups: new_annotator().fit([RECORDING], [ANNOTATION], groups=groups), "groups"
    ),
    "BeatAnnotator.annotate record_names": Entrance(
        lambda names: fitted_annotator().annotate([RECORDING], record_names=names), "record_names"
    ),
    "ec57_report record_names": Entrance(
        lambda names: ec57_report([ANNOTATION], [ANNOTATION], FS, record_names=names),
        "record_names",
    ),
    "annotation_f1_score left_out": Entrance(
        lambda samples: annotation_f1_score([ANNOTATION], [ANNOTATION], FS, left_out=samples),
        "left_out",
    ),
}
NOT_A_LIST = " must be a list with one entry for each recording, got "
NOT_LIST_MISTAKES = {
    "one annotation": Mistake(
        ANNOTATION, TypeError, rf"{NOT_A_LIST}Annotation\. For one recording, write "
    ),
    "number": Mistake(5, TypeError, rf"{NOT_A_LIST}int\."),
}
UNEQUAL_LENGTHS = {
    "too long": Mistake(
        [ANNOTATION, ANNOTATION],
        ValueError,
        r" must have one entry for each recording, got 2 for 1 recordings\.",
    ),
    "too short": Mistake(
        [], ValueError, r" must have one entry for each recording, got 0 for 1 recordings\."
    ),
}


@pytest.mark.parametrize(
    ("entrance", "mistake"),
    [
        *cases(NOT_LIST_MISTAKES, ANNOTATION_LISTS | REFERENCE_LISTS),
        *cases({"number": NOT_LIST_MISTAKES["number"]}, OTHER_LISTS),
        *cases({"None": Mistake(None, TypeError, NOT_A_LIST)}, ANNOTATION_LISTS),
    ],
)
def test_other_than_a_list_with_one_entry_for_each_recording_raises(entrance, mistake):
    check_raises(entrance, mistake)


@pytest.mark.parametrize(
    ("entrance", "mistake"), cases(UNEQUAL_LENGTHS, ANNOTATION_LISTS | OTHER_LISTS)
)
def test_lists_of_unequal_lengths_raise(entrance, mistake):
    check_raises(entrance, mistake)


# --- annotations ----------------------------------------------------------------------

ANNOTATIONS = {
    "select_beats": Entrance(select_beats),
    "label_beats": Entrance(label_beats),
    "extract_beats": Entrance(lambda y: extract_beats([RECORDING], [y], FS), IN_LIST),
    "BeatAnnotator.fit": Entrance(lambda y: new_annotator().fit([RECORDING], [y]), IN_LIST),
    "BeatAnnotator.score": Entrance(lambda y: fitted_annotator().score([RECORDING], [y]), IN_LIST),
    "RecordingDisplay.from_estimator": Entrance(lambda y: draw_estimator(reference=y)),
    "ec57_report references": Entrance(
        lambda y: ec57_report([y], [ANNOTATION], FS), r"references\[0\]: "
    ),
    "ec57_report predictions": Entrance(
        lambda y: ec57_report([ANNOTATION], [y], FS), r"predictions\[0\]: "
    ),
    "annotation_f1_score references": Entrance(
        lambda y: annotation_f1_score([y], [ANNOTATION], FS), r"references\[0\]: "
    ),
    "annotation_f1_score predictions": Entrance(
        lambda y: annotation_f1_score([ANNOTATION], [y], FS), r"predictions\[0\]: "
    ),
    "load_recordings": Entrance(load_with_annotation),
}
# arguments of the plots may be sample numbers without labels
PLOTTED_BEATS = {
    "RecordingDisplay predicted": Entrance(lambda y: draw(predicted=y)),
    "RecordingDisplay reference": Entrance(lambda y: draw(reference=y)),
}
PAIR_MISTAKES = {
    "three numbers": Mistake(
        [1, 2, 3],
        ValueError,
        r".* must be a pair \(sample numbers, symbols\), such as ecgbeat\.labels\.Annotation, got "
        r"list: \[1, 2, 3\]",
    ),
    "None": Mistake(
        None, ValueError, r".* must be a pair \(sample numbers, symbols\), .*, got NoneType: None"
    ),
}
ANNOTATION_MISTAKES = {
    "fewer symbols": Mistake(
        ([1, 2], ["N"]),
        ValueError,
        r".* must have one symbol for each sample number, got sample of shape \(2,\) and symbol of "
        r"shape \(1,\)",
    ),
    "more symbols": Mistake(
        Annotation(np.array([1]), np.array(["N", "V"])),
        ValueError,
        r".* must have one symbol for each sample number, got sample of shape \(1,\) and symbol of "
        r"shape \(2,\)",
    ),
    "seconds": Mistake(
        ([0.5], ["N"]),
        TypeError,
        r"sample of .+ must hold sample numbers, that is integers, got dtype float64\.",
    ),
    "two axes": Mistake(
        ([[1]], [["N"]]),
        ValueError,
        r"sample of .+ must be a 1-D array of sample numbers, got shape \(1, 1\)\.",
    ),
}
SYMBOL_MISTAKES = {
    "numbers": Mistake(
        ([1], [1]),
        ValueError,
        r"Annotation symbols must be strings, such as 'N' or 'V', got dtype int64",
    )
}


@pytest.mark.parametrize(
    ("entrance", "mistake"),
    [
        *cases(PAIR_MISTAKES, ANNOTATIONS, exempt=[("None", "RecordingDisplay.from_estimator")]),
        *cases(
            ANNOTATION_MISTAKES,
            ANNOTATIONS | PLOTTED_BEATS,
            # lists of lists may be sample numbers, see below
            exempt=[
                ("two axes", "RecordingDisplay predicted"),
                ("two axes", "RecordingDisplay reference"),
            ],
        ),
        *cases(
            SYMBOL_MISTAKES,
            ANNOTATIONS,
            # labels of any type
            exempt=[
                ("numbers", "annotation_f1_score references"),
                ("numbers", "annotation_f1_score predictions"),
            ],
        ),
    ],
)
def test_invalid_annotation_raises(entrance, mistake):
    check_raises(entrance, mistake)


@pytest.mark.parametrize("function", [is_beat, to_aami])
def test_symbols_that_are_numbers_raise(function):
    check_raises(Entrance(lambda annotation: function(annotation[1])), SYMBOL_MISTAKES["numbers"])


# --- sample numbers -------------------------------------------------------------------

SAMPLES = {
    "cut_beats": Entrance(lambda r: cut_beats(RECORDING, r, FS), "r_peaks"),
    "RPeakSegmenter.segment": Entrance(
        lambda r: RPeakSegmenter(FS).segment(RECORDING, r_peaks=r), "r_peaks"
    ),
    "rr_features": Entrance(lambda r: rr_features(r, FS), "r_peaks"),
    "match_beats reference": Entrance(lambda r: match_beats(r, [1], FS), "reference"),
    "match_beats detected": Entrance(lambda r: match_beats([1], r, FS), "detected"),
    "annotation_f1_score left_out": Entrance(
        lambda r: annotation_f1_score([ANNOTATION], [ANNOTATION], FS, left_out=[r]),
        r"left_out\[0\]",
    ),
    "RecordingDisplay predicted": Entrance(lambda r: draw(predicted=r), "predicted"),
    "RecordingDisplay reference": Entrance(lambda r: draw(reference=r), "reference"),
    "RecordingDisplay left_out": Entrance(lambda r: draw(reference=[1], left_out=r), "left_out"),
}
SAMPLE_MISTAKES = {
    "seconds": Mistake(
        [0.5, 1.5, 2.5],
        TypeError,
        r" must hold sample numbers, that is integers, got dtype float64\. Convert seconds by ",
    ),
    "whole floats": Mistake(
        np.array([1.0]),
        TypeError,
        r" must hold sample numbers, that is integers, got dtype float64\. Convert seconds by ",
    ),
    "mask": Mistake(
        np.array([True, False, True]),
        TypeError,
        r" must hold sample numbers, that is integers, got dtype bool\.",
    ),
    "two axes": Mistake(
        np.array([[1, 2]]),
        ValueError,
        r" must be a 1-D array of sample numbers, got shape \(1, 2\)\.",
    ),
}


@pytest.mark.parametrize(("entrance", "mistake"), cases(SAMPLE_MISTAKES, SAMPLES))
def test_invalid_sample_numbers_raise(entrance, mistake):
    check_raises(entrance, mistake)


def outside(sample):
    """Return the mistake of an annotation with one sample outside of the recording."""
    return Mistake(
        ([1, sample], ["N", "N"]),
        ValueError,
        rf".+ must lie within the recording of 400 samples, got 1 outside, the first at {sample}",
    )


@pytest.mark.parametrize(
    ("entrance", "mistake"),
    cases(
        {"after the end": outside(400), "negative": outside(-1)},
        {
            "cut_beats": Entrance(lambda y: cut_beats(RECORDING, y[0], FS)),
            "RPeakSegmenter.segment": Entrance(
                lambda y: RPeakSegmenter(FS).segment(RECORDING, r_peaks=y[0])
            ),
            "label_beats": Entrance(lambda y: label_beats(y, n_times=400)),
            "RecordingDisplay left_out": Entrance(lambda y: draw(reference=[1], left_out=y[0])),
            **{
                name: (ANNOTATIONS | PLOTTED_BEATS)[name]
                for name in (
                    "extract_beats",
                    "BeatAnnotator.fit",
                    "BeatAnnotator.score",
                    "RecordingDisplay predicted",
                    "RecordingDisplay reference",
                    "RecordingDisplay.from_estimator",
                    "load_recordings",
                )
            },
        },
    ),
)
def test_sample_numbers_outside_of_the_recording_raise(entrance, mistake):
    check_raises(entrance, mistake)


DESCENDING = Mistake(
    [5, 9, 7],
    ValueError,
    r"(\w+) must be (strictly )?ascending, but \1\[2\] = 7 follows \1\[1\] = 9\. Sort them",
)


@pytest.mark.parametrize(
    ("entrance", "mistake"),
    cases(
        {"descending": DESCENDING},
        {
            "rr_features": Entrance(lambda r: rr_features(r, FS)),
            "match_beats reference": Entrance(lambda r: match_beats(r, [1], FS)),
            "match_beats detected": Entrance(lambda r: match_beats([1], r, FS)),
            **{
                name: Entrance(
                    lambda r, call=entrance.call: call((r, ["N"] * len(r))), entrance.prefix
                )
                for name, entrance in ANNOTATIONS.items()
                if name.startswith(("ec57_report", "annotation_f1_score"))
            },
        },
    ),
)
def test_descending_sample_numbers_raise(entrance, mistake):
    check_raises(entrance, mistake)


@functools.cache
def fitted_classifier(cls):
    """Return a classifier of beats of 187 samples."""
    X = np.random.default_rng(0).normal(size=(20, 187)).astype(np.float32)
    return cls(max_epochs=1, n_filters=2, random_state=0).fit(X, np.arange(20) % 2)


def draw_beats(beat):
    from ecgbeat.plotting import BeatsDisplay

    return BeatsDisplay.from_beats(beat, ["N"], fs=FS)


def explain(beat):
    from ecgbeat.plotting import saliency

    return saliency(fitted_classifier(ECGCNNClassifier), beat)


ONE_BEAT = np.random.default_rng(0).normal(size=187)
TAKERS_OF_BEATS = {
    **{
        f"{cls.__name__}.{method}": functools.partial(
            lambda cls, method, beat: getattr(cls(), method)(beat), cls, method
        )
        for cls in (BandpassFilter, RPeakSegmenter, ZScoreScaler)
        for method in ("fit", "transform", "fit_transform")
    },
    **{
        f"{cls.__name__}.{method}": functools.partial(
            lambda cls, method, beat: getattr(cls(max_epochs=1), method)(beat, [0]), cls, method
        )
        for cls in (ECGCNNClassifier, ECGCNNLSTMClassifier)
        for method in ("fit", "partial_fit")
    },
    **{
        f"ECGCNNClassifier.{method}": functools.partial(
            lambda method, beat: getattr(fitted_classifier(ECGCNNClassifier), method)(beat), method
        )
        for method in ("predict", "predict_proba")
    },
    "score": lambda beat: fitted_classifier(ECGCNNClassifier).score(beat, [0]),
    "BeatsDisplay": draw_beats,
    "saliency": explain,
}


@pytest.mark.parametrize("form", [np.float64, np.float32, list], ids=["64", "32", "list"])
@pytest.mark.parametrize("call", TAKERS_OF_BEATS.values(), ids=TAKERS_OF_BEATS)
def test_one_beat_without_rows_raises(call, form):
    beat = ONE_BEAT.tolist() if form is list else ONE_BEAT.astype(form)
    with pytest.raises(
        ValueError, match=r" takes one beat per row, got a 1-D array of 187 values\. "
    ) as raised:
        call(beat)
    assert "X.reshape(1, -1) if it is a single beat." in str(raised.value)
    assert len(str(raised.value)) < 300
