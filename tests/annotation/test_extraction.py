from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils import Bunch

from ecgbeat.annotation import AnnotatedBeats, crop_recording, extract_beats
from ecgbeat.datasets import load_mitdb, make_heartbeats, make_recording
from ecgbeat.labels import Annotation, is_beat
from ecgbeat.metrics import ec57_report
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


# --- Bunch of recordings --------------------------------------------------------------


def make_bunch(**changes):
    """Return the recordings of `make_data` as a loader does."""
    recordings, annotations = make_data()
    entries = {
        "recordings": recordings,
        "annotations": annotations,
        "fs": FS,
        "record_names": ["a", "b", "c"],
        "lead_names": ["MLII", "MLII", "V5"],
        "groups": np.array(["ann", "ann", "bob"]),
    }
    return Bunch(**entries | changes)


def test_bunch_stands_for_its_entries():
    bunch = make_bunch()
    beats = extract_beats(bunch, n_times=20)
    expected = extract_beats(
        bunch.recordings, bunch.annotations, FS, groups=bunch.groups, n_times=20
    )
    assert beats.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(beats[key], value)


def test_bunch_of_a_plain_dict_and_without_optional_entries():
    bunch = {key: make_bunch()[key] for key in ("recordings", "annotations")}
    assert extract_beats(bunch, fs=FS).groups.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_groups_and_missing_annotations_of_a_bunch_can_be_given():
    bunch = make_bunch(annotations=None)
    beats = extract_beats(bunch, make_bunch()["annotations"], groups=[7, 8, 9])
    assert beats.groups.tolist() == [7] * 4 + [8] * 4 + [9] * 4


@pytest.mark.parametrize(
    ("bunch", "arguments", "error", "message"),
    [
        (make_bunch(), {"fs": 250}, ValueError, r"Bunch .* fs=100\.0 Hz, but .* fs=250 Hz"),
        (make_bunch(), {"annotations": make_data()[1]}, ValueError, "a Bunch that holds others"),
        (make_bunch(annotations=None), {}, ValueError, "annotations, but those of the Bunch are"),
        (make_bunch(annotations=make_data(2)[1]), {}, ValueError, "got 2 for 3 recordings"),
        (make_bunch(groups=["ann"]), {}, ValueError, "groups must .* got 1 for 3 recordings"),
        (make_bunch(recordings=np.zeros(9)), {}, TypeError, "takes a list of recordings, got nda"),
        (make_bunch(recordings=make_bunch()), {}, TypeError, "takes a list of recordings, got Bun"),
        (make_bunch(lead_names=["I"]), {}, ValueError, "lead_names must .* got 1 for 3"),
        (make_bunch(record_names="ab"), {}, TypeError, "record_names must be a list"),
        (make_bunch(fs=np.zeros(2)), {}, TypeError, "fs of the Bunch must be a number in Hz"),
        (make_bunch(fs=-1), {}, ValueError, "fs of the Bunch must be greater than 0"),
        (make_bunch(fs=None), {}, TypeError, "fs must be a number in Hz, got None"),
        (make_recording(2), {}, TypeError, r"got Bunch\. Each is an array"),
        (make_heartbeats(5), {}, TypeError, r"got Bunch\. Each is an array"),
        (
            make_bunch(lead_names=[["MLII", "V1"], ["MLII", "V5"], ["V5", "MLII"]]),
            {},
            ValueError,
            r"another order: \['MLII', 'V5'\] in record b, \['V5', 'MLII'\] in record c",
        ),
    ],
)
def test_contradictions_of_a_bunch_raise(bunch, arguments, error, message):
    with pytest.raises(error, match=message):
        extract_beats(bunch, **arguments)


# --- stretches of a recording ---------------------------------------------------------


@given(start=st.integers(0, 499), length=st.integers(1, 500), n_leads=st.sampled_from([None, 2]))
def test_stretch_has_the_samples_and_annotations_of_the_recording(start, length, n_leads):
    (recording,), (annotation,) = make_data(1, n_leads)
    stop = min(start + length, 500)
    stretch, inside = crop_recording(recording, annotation, FS, start=start / FS, stop=stop / FS)
    np.testing.assert_array_equal(stretch, recording[..., start:stop])
    keep = (annotation.sample >= start) & (annotation.sample < stop)
    np.testing.assert_array_equal(inside.sample + start, annotation.sample[keep])
    np.testing.assert_array_equal(inside.symbol, annotation.symbol[keep])


def test_stretch_until_the_end_is_a_copy_with_gaps():
    recording = np.array([1, np.nan, 3, 4], np.float32)
    stretch, _ = crop_recording(recording, ([0], ["N"]), fs=1, start=1, stop=99)
    np.testing.assert_array_equal(stretch, recording[1:])
    assert stretch.dtype == np.float32
    assert not np.shares_memory(stretch, recording)


def test_annotations_may_be_predicted_beats_in_any_order():
    beats = AnnotatedBeats(np.array([30, 10]), np.array([7, 5]), None)
    _, inside = crop_recording(np.zeros(40), beats, fs=1, start=5)
    assert inside.sample.tolist() == [5, 25]
    assert inside.symbol.tolist() == [5, 7]


@pytest.mark.parametrize("start", range(1, 10))
def test_stretch_within_a_flutter_episode_is_scored_as_in_the_recording(start):
    reference = Annotation(100 * np.arange(10), np.array(list("NN[!!]N[!N")))
    cropped = crop_recording(np.zeros(1000), reference, 100, start=start)[1]
    # a reference of the whole recording scores the beats of the stretch alone
    whole = ec57_report([reference], [reference], 100, learning_period=start)
    of_stretch = ec57_report([cropped], [cropped], 100, learning_period=0)
    np.testing.assert_array_equal(of_stretch.confusion, whole.confusion)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 5}, "start must lie within the recording of 5 s, got 5"),
        ({"start": 3, "stop": 3}, "stop must be greater than start=3, got 3"),
        ({"start": -1}, "start must be 0 or greater"),
        ({"stop": np.nan}, "stop must be greater than 0"),
        ({"fs": 0}, "fs must be greater than 0"),
        ({"annotation": ([500], ["N"])}, "annotation must lie within the recording of 500"),
    ],
)
def test_invalid_stretch_raises(arguments, message):
    arguments = {"recording": np.zeros(500), "annotation": ([3], ["N"]), "fs": FS} | arguments
    with pytest.raises(ValueError, match=message):
        crop_recording(**arguments)


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
    with pytest.raises(ValueError, match=r"crop_recording crops a recording with its annotations"):
        extract_beats([recordings[0][:50]], annotations[:1], FS)


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
