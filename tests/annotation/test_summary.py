"""Tests of the summary of beats."""

import json

import numpy as np
import pytest

from ecgbeat.annotation import AnnotatedBeats, BeatSummary, summarize_beats

FS = 100.0


def beats(labels, *, intervals=None, probability=None, unreadable=None):
    """Beats of 60 per minute, unless intervals in seconds are given."""
    steps = np.full(len(labels), 1.0) if intervals is None else np.array([1.0, *intervals])
    sample = np.rint(np.cumsum(steps) * FS).astype(np.int64)
    annotated = AnnotatedBeats(sample, np.array(list(labels), str), probability)
    annotated.unreadable = unreadable
    return annotated


def summarize(*args, n_times=6000, **options) -> BeatSummary:
    return summarize_beats(beats(*args, **options), fs=FS, n_times=n_times)


def test_duration_and_heart_rate():
    summary = summarize("N" * 31, intervals=[1.0] * 10 + [0.5] * 20)
    assert summary.duration_s == 60.0
    assert summary.heart_rate == pytest.approx((90.0, 60.0, 120.0))


def test_extremes_of_the_heart_rate_are_means_over_several_beats():
    summary = summarize("NNNNVNNNNN", intervals=[1, 1, 1, 0.5, 1.5, 1, 1, 1, 1])
    assert summary.heart_rate == pytest.approx((60.0, 60.0, 60.0))


def test_classes_are_counted_the_most_frequent_first():
    summary = summarize("VNNSNN")
    assert summary.n_beats_of == {"N": 4, "S": 1, "V": 1}
    assert [entry["share"] for entry in summary.as_dict()["classes"]] == [4 / 6, 1 / 6, 1 / 6]
    assert summary.as_dict()["classes"][1]["name"] == "supraventricular premature"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("NVVN", []),
        ("NVVVN", [("V", 200, 400, 3)]),
        ("VEV", [("V", 100, 300, 3)]),
        ("NAJaSN", [("S", 200, 500, 4)]),
        ("VVVSSS", [("V", 100, 300, 3), ("S", 400, 600, 3)]),
        ("VVNVV", []),
        ("VV?VV", []),
    ],
)
def test_runs_of_at_least_three_ectopic_beats(labels, expected):
    summary = summarize(labels)
    assert [run[:4] for run in summary.runs] == expected
    assert all(run.heart_rate == pytest.approx(60.0) for run in summary.runs)


def test_unreadable_stretch_ends_a_run_and_is_no_pause():
    unreadable = np.array([[250, 580]])
    summary = summarize("VVVVNN", intervals=[1, 4, 1, 1, 1], unreadable=unreadable)
    assert (summary.runs, summary.pauses) == ([], [])
    assert summary.heart_rate == pytest.approx((60, 60, 60))
    assert summary.unreadable == [(250, 580)]
    assert summary.as_dict()["unreadable_s"] == pytest.approx(3.3)


def test_pauses_are_longer_than_two_seconds():
    summary = summarize("NNNN", intervals=[2.0, 2.5, 1])
    assert summary.pauses == [(300, 2.5)]


def test_uncertain_beats_are_unclassified_or_improbable():
    probability = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]])
    assert summarize("NN?N", probability=probability).n_uncertain == 3
    assert summarize("N?").n_uncertain == 1


def test_text_can_be_read():
    unreadable = np.array([[5000, 6000]])
    text = str(summarize("NNVVVNNN", intervals=[1, 1, 1, 1, 2.5, 1, 1], unreadable=unreadable))
    assert text == (
        "Duration     0:01:00\n"
        "Beats        8, heart rate 49/min (49 to 49)\n"
        "             5  62.5 %  N  normal\n"
        "             3  37.5 %  V  ventricular premature\n"
        "Runs         3 ventricular beats at 0:00:03, 60/min\n"
        "Pauses       2.5 s at 0:00:05\n"
        "Unreadable   0:00:10 (16.7 %), 1 stretch\n"
        "Uncertain    0 beats"
    )


def test_many_runs_and_pauses_are_not_all_listed():
    summary = summarize("NVVV" * 9, intervals=[1, 1, 1, 2.5] * 8 + [1, 1, 1])
    assert len(summary.runs) == 9
    assert str(summary).count("and 4 more") == 1
    assert str(summary).count("and 3 more") == 1


@pytest.mark.parametrize("labels", ["", "N"])
def test_recording_with_hardly_a_beat(labels):
    summary = summarize(labels)
    assert summary.heart_rate is None
    assert f"Beats        {len(labels)}, no heart rate" in str(summary)
    json.dumps(summary.as_dict(), allow_nan=False)


def test_dict_can_be_written_as_json():
    unreadable = np.array([[5000, 6000]])
    labels = "NVVVNNN"
    summary = summarize(labels, intervals=[1, 1, 1, 2.5, 1, 1], unreadable=unreadable)
    loaded = json.loads(json.dumps(summary.as_dict(), allow_nan=False))
    assert loaded["heart_rate"].keys() == {"mean", "min", "max"}
    assert loaded["runs"] == [
        {
            "kind": "V",
            "start": 200,
            "stop": 400,
            "n_beats": 3,
            "heart_rate": 60.0,
            "name": "ventricular",
        }
    ]
    assert loaded["pauses"] == [{"start": 400, "duration_s": 2.5}]
    assert loaded["unreadable"] == [[5000, 6000]]


def test_labels_of_any_kind_are_counted():
    annotated = AnnotatedBeats(np.array([10, 90]), np.array([0, 1]), None)
    summary = summarize_beats(annotated, fs=FS, n_times=200)
    assert summary.n_beats_of == {0: 1, 1: 1}
    json.dumps(summary.as_dict())
    assert "50.0 %  1" in str(summary)


@pytest.mark.parametrize("wrong", [{"fs": 0}, {"n_times": 0}])
def test_invalid_argument_raises(wrong):
    with pytest.raises(ValueError, match="must be"):
        summarize_beats(beats("NN"), **({"fs": FS, "n_times": 500} | wrong))
