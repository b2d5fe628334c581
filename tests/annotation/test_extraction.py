from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_mitdb
from ecgbeat.labels import Annotation, is_beat
from ecgbeat.signal import bridge_gaps, cut_beats, resample_beats, rr_feature_names, rr_features

FS = 100.0
SYMBOLS = np.array(["+", "N", "V", "~", "A", "N"])


def make_data(n_recordings=3, n_leads=None, dtype=np.float64, seed=0):
    """Simulate recordings of different lengths with six annotations each, four of them beats."""
    rng = np.random.default_rng(seed)
    recordings, annotations = [], []
    for index in range(n_recordings):
        n_times = 500 + 50 * index
        shape = n_times if n_leads is None else (n_leads, n_times)
        recordings.append(rng.normal(size=shape).astype(dtype))
        sample = np.sort(rng.choice(n_times, len(SYMBOLS), replace=False))
        annotations.append(Annotation(sample, SYMBOLS))
    return recordings, annotations


def test_each_beat_has_one_row_in_order_of_annotation():
    recordings, annotations = make_data()
    beats = extract_beats(recordings, annotations, FS)
    keep = is_beat(SYMBOLS)
    assert beats.data.shape == (12, 80)
    assert beats.target.tolist() == ["N", "V", "A", "N"] * 3
    assert beats.r_peaks.tolist() == [s for a in annotations for s in a.sample[keep]]
    assert beats.r_peaks.dtype == np.int64
    assert beats.recording_index.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_rows_equal_cut_beats():
    recordings, annotations = make_data()
    beats = extract_beats(recordings, annotations, FS, before=0.25, after=0.35)
    for index, recording in enumerate(recordings):
        rows = beats.recording_index == index
        expected = cut_beats(recording, beats.r_peaks[rows], FS, 0.25, 0.35)
        np.testing.assert_array_equal(beats.data[rows], expected)


def test_r_peak_is_in_column_given_by_before():
    recordings, annotations = make_data()
    beats = extract_beats(recordings, annotations, FS, before=0.3)
    peaks = [recordings[i][s] for i, s in zip(beats.recording_index, beats.r_peaks, strict=True)]
    np.testing.assert_array_equal(beats.data[:, 30], peaks)


def test_window_past_recording_repeats_outermost_sample():
    recording = np.arange(100.0)
    annotation = Annotation(np.array([0, 99]), np.array(["N", "N"]))
    beats = extract_beats([recording], [annotation], FS, before=0.1, after=0.2)
    assert beats.data[0].tolist() == [0.0] * 10 + list(range(20))
    assert beats.data[1].tolist() == list(range(89, 100)) + [99.0] * 19


@pytest.mark.parametrize("symbols", [("N", "V"), {"N", "V"}, "NV", iter(["N", "V"])])
def test_symbols_select_beats_of_each_recording(symbols):
    beats = extract_beats(*make_data(), FS, symbols=symbols)
    assert beats.target.tolist() == ["N", "V", "N"] * 3


def test_recording_without_beats_adds_no_rows():
    recordings, annotations = make_data(2)
    annotations[0] = Annotation(annotations[0].sample, np.full(6, "+"))
    assert extract_beats(recordings, annotations, FS).recording_index.tolist() == [1] * 4


def test_several_leads_give_3d_beats():
    recordings, annotations = make_data(n_leads=2)
    beats = extract_beats(recordings, annotations, FS)
    assert beats.data.shape == (12, 2, 80)
    single = extract_beats([r[1] for r in recordings], annotations, FS)
    np.testing.assert_array_equal(beats.data[:, 1], single.data)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    assert extract_beats(*make_data(dtype=dtype), FS).data.dtype == dtype


def test_default_groups_are_recordings():
    beats = extract_beats(*make_data(), FS)
    np.testing.assert_array_equal(beats.groups, beats.recording_index)


def test_groups_are_repeated_for_each_beat():
    beats = extract_beats(*make_data(), FS, groups=["a", "b", "a"])
    assert beats.groups.tolist() == ["a"] * 4 + ["b"] * 4 + ["a"] * 4


def test_plain_pairs_are_accepted_as_annotations():
    recordings, annotations = make_data()
    pairs = [(list(sample), list(symbol)) for sample, symbol in annotations]
    expected = extract_beats(recordings, annotations, FS)
    np.testing.assert_array_equal(extract_beats(recordings, pairs, FS).data, expected.data)


@given(order=st.permutations(range(3)))
def test_permuted_recordings_give_permuted_beats(order):
    recordings, annotations = make_data()
    beats = extract_beats(recordings, annotations, FS)
    permuted = extract_beats([recordings[i] for i in order], [annotations[i] for i in order], FS)
    rows = np.concatenate([np.flatnonzero(beats.recording_index == i) for i in order])
    np.testing.assert_array_equal(permuted.data, beats.data[rows])


@pytest.mark.parametrize(
    "arguments",
    [
        (np.zeros(500), Annotation(np.array([3]), np.array(["N"]))),
        (np.zeros(500), [Annotation(np.array([3]), np.array(["N"]))]),
        ([np.zeros(500)], Annotation(np.array([3]), np.array(["N"]))),
    ],
)
def test_one_recording_instead_of_a_list_raises(arguments):
    with pytest.raises(TypeError, match=r"For one recording, write extract_beats\(\[recording\]"):
        extract_beats(*arguments, FS)


def test_empty_list_of_recordings_raises():
    with pytest.raises(ValueError, match="recordings must hold at least one"):
        extract_beats([], [], FS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annotations": make_data(2)[1]}, "annotations must have one entry .* got 2 for 3"),
        ({"groups": ["a", "b"]}, "groups must have one entry .* got 2 for 3"),
    ],
)
def test_sequences_of_different_length_raise(change, message):
    recordings, annotations = make_data()
    with pytest.raises(ValueError, match=message):
        extract_beats(**({"recordings": recordings, "annotations": annotations, "fs": FS} | change))


def test_error_for_annotation_outside_recording_names_recording():
    recordings, annotations = make_data()
    annotations[1] = Annotation(np.array([10, 999]), np.array(["N", "N"]))
    with pytest.raises(ValueError, match=r"recordings\[1\]: .*999"):
        extract_beats(recordings, annotations, FS)


def test_no_beat_left_in_objects_with_attributes_raises():
    recordings, annotations = make_data()
    objects = [SimpleNamespace(**annotation._asdict()) for annotation in annotations]
    with pytest.raises(ValueError, match=r"symbols=\['F'\].*'V', '~'\]"):
        extract_beats(recordings, objects, FS, symbols=["F"])


def test_gaps_are_bridged():
    recordings, annotations = make_data()
    for recording in recordings:
        recording[70:90] = np.nan
    data = extract_beats(recordings, annotations, FS).data
    bridged = [bridge_gaps(recording) for recording in recordings]
    assert np.isfinite(data).all()
    np.testing.assert_array_equal(data, extract_beats(bridged, annotations, FS).data)


def test_error_for_infinite_values_names_recording():
    recordings, annotations = make_data()
    recordings[2][7] = np.inf
    with pytest.raises(ValueError, match=r"recordings\[2\]: A recording must be finite"):
        extract_beats(recordings, annotations, FS)


def test_different_numbers_of_leads_raise():
    recordings, annotations = make_data(2, n_leads=2)
    recordings[1] = recordings[1][0]
    with pytest.raises(ValueError, match=r"same number of leads.*\[1, 2\] leads"):
        extract_beats(recordings, annotations, FS)


@pytest.mark.parametrize(("symbols", "message"), [(["F"], r"symbols=\['F'\]"), ([], "symbols=")])
def test_error_without_beats_lists_present_symbols(symbols, message):
    with pytest.raises(ValueError, match=message + r".*\['\+', 'A', 'N', 'V', '~'\]"):
        extract_beats(*make_data(), FS, symbols=symbols)


def test_real_beats_have_r_peak_at_annotation(real_data):
    if not (real_data / "mitdb").is_dir():
        pytest.skip("ECGBEAT_DATA holds no mitdb")
    mitdb = load_mitdb(real_data / "mitdb", records=["100", "103"])
    beats = extract_beats(
        mitdb.recordings, mitdb.annotations, mitdb.fs, symbols="N", groups=mitdb.groups
    )
    assert np.unique(beats.groups).tolist() == ["100", "103"]
    highest = np.abs(beats.data.argmax(axis=1) - 108)
    assert np.mean(highest <= 18) > 0.99  # within 50 ms


# --- resampling and RR features


def test_n_times_equals_resample_beats():
    recordings, annotations = make_data(n_leads=2)
    whole = extract_beats(recordings, annotations, FS)
    beats = extract_beats(recordings, annotations, FS, n_times=64)
    np.testing.assert_allclose(beats.data, resample_beats(whole.data, 64), atol=1e-12)
    assert (whole.fs, beats.fs) == (FS, 80.0)


@pytest.mark.parametrize(("rr", "future"), [(True, True), (np.True_, True), ("past", False)])
def test_rr_features_are_last_columns(rr, future):
    recordings, annotations = make_data()
    beats = extract_beats(recordings, annotations, FS, rr_features=rr)
    names = rr_feature_names(future=future)
    assert (beats.n_aux_features, beats.aux_feature_names) == (len(names), names)
    plain = extract_beats(recordings, annotations, FS)
    np.testing.assert_array_equal(beats.data[:, :80], plain.data)
    for index in range(3):
        rows = beats.recording_index == index
        expected = rr_features(beats.r_peaks[rows], FS, future=future)
        np.testing.assert_array_equal(beats.data[rows, 80:], expected)


def test_no_auxiliary_columns_without_rr_features():
    beats = extract_beats(*make_data(n_leads=2), FS)
    assert (beats.n_leads, beats.n_aux_features, beats.aux_feature_names) == (2, 0, [])


def test_leads_are_flattened_before_rr_features():
    recordings, annotations = make_data(n_leads=2)
    plain = extract_beats(recordings, annotations, FS, n_times=40)
    beats = extract_beats(recordings, annotations, FS, n_times=40, rr_features=True)
    assert (beats.n_leads, beats.data.shape) == (2, (12, 2 * 40 + beats.n_aux_features))
    np.testing.assert_array_equal(beats.data[:, :80], plain.data.reshape(12, 80))


@pytest.mark.parametrize("symbols", ["V", "NV", ["A"]])
def test_rr_features_use_beats_that_are_not_selected(symbols):
    recordings, annotations = make_data()
    every = extract_beats(recordings, annotations, FS, rr_features=True)
    some = extract_beats(recordings, annotations, FS, rr_features=True, symbols=symbols)
    np.testing.assert_array_equal(some.data, every.data[np.isin(every.target, list(symbols))])


def test_selected_flutter_waves_count_as_beats():
    annotation = Annotation(np.array([100, 150, 250]), np.array(["N", "!", "V"]))
    (row,) = extract_beats([np.zeros(400)], [annotation], FS, rr_features=True, symbols="!").data
    np.testing.assert_allclose(row[80:82], [0.5, 1.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rr_features_do_not_change_dtype(dtype):
    assert extract_beats(*make_data(dtype=dtype), FS, rr_features=True).data.dtype == dtype


@pytest.mark.parametrize("n_leads", [None, 2])
def test_recordings_with_one_or_no_beat(n_leads):
    recordings, annotations = make_data(3, n_leads=n_leads)
    annotations[0] = Annotation(np.empty(0, np.int64), np.empty(0, str))
    annotations[1] = Annotation(np.array([499]), np.array(["V"]))
    beats = extract_beats(recordings, annotations, FS, rr_features=True, n_times=64)
    assert beats.recording_index.tolist() == [1] + [2] * 4
    assert np.isfinite(beats.data).all()
    np.testing.assert_allclose(beats.data[0, -13:], rr_features([499], FS)[0], rtol=1e-6)


@pytest.mark.parametrize("rr", ["future", "True", None, 1])
def test_invalid_rr_features_raise(rr):
    with pytest.raises(ValueError, match=f"rr_features must be True, False or 'past', got {rr!r}"):
        extract_beats(*make_data(), FS, rr_features=rr)


def test_rr_features_of_unsorted_beats_raise():
    recordings, annotations = make_data()
    annotations[1] = Annotation(np.array([300, 200]), np.array(["N", "N"]))
    assert len(extract_beats(recordings, annotations, FS).data) == 10
    with pytest.raises(ValueError, match=r"recordings\[1\]: r_peaks must be strictly ascending"):
        extract_beats(recordings, annotations, FS, rr_features=True)
