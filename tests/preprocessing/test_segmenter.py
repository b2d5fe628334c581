import warnings

import numpy as np
import pytest

from ecgbeat import RPeakSegmenter
from ecgbeat.signal import cut_beats, detect_r_peaks, resample_beats, segment_beats

SETTINGS = [
    {},
    {"before": 0.1, "after": 0.2},
    {"n_times": 187},
    {"select": "largest"},
    {"fs": 250},
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
def test_result_equals_segment_beats_function(leads, parameters, dtype):
    X = leads.astype(dtype)
    beats = RPeakSegmenter(**parameters).fit_transform(X)
    np.testing.assert_array_equal(beats, segment_beats(X, **({"fs": 360} | parameters)))


def test_r_peaks_are_in_one_column(leads):
    beats = RPeakSegmenter(before=0.25).fit_transform(leads[:, 0])
    np.testing.assert_allclose(beats.argmax(axis=1), 90, atol=2)


@pytest.mark.parametrize("n_leads", [1, 3])
@pytest.mark.parametrize("n_times", [None, 64])
def test_one_feature_name_per_column(leads, n_leads, n_times):
    segmenter = RPeakSegmenter(n_times=n_times, n_leads=n_leads)
    beats = segmenter.fit_transform(leads.reshape(30, -1))
    names = segmenter.get_feature_names_out()
    assert beats.shape == (30, n_leads * (n_times or 288)) == (30, len(names))
    assert names[0] == "rpeaksegmenter0"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"before": 0, "after": 0}, "before=0.0 s and after=0.0 s .* give an empty window"),
        ({"before": 0.001, "after": 0}, "their sum must be at least 1 / fs = 0.00278 s"),
        ({"before": -0.1}, "'before' parameter of RPeakSegmenter .* Got -0.1 instead"),
        ({"after": -0.1}, "'after' parameter of RPeakSegmenter .* Got -0.1 instead"),
        ({"after": np.inf}, "'after' parameter of RPeakSegmenter .* Got inf instead"),
        ({"n_times": 0}, "'n_times' parameter of RPeakSegmenter .* Got 0 instead"),
        ({"select": "first"}, "'select' parameter of RPeakSegmenter .* Got 'first' instead"),
        ({"fs": 0}, "'fs' parameter of RPeakSegmenter .* Got 0 instead"),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["fit", "segment"])
def test_invalid_parameters_raise_and_leave_estimator_unfitted(leads, parameters, message, method):
    segmenter = RPeakSegmenter(**parameters)
    with pytest.raises(ValueError, match=message):
        getattr(segmenter, method)(leads[:, 0])
    assert not hasattr(segmenter, "n_features_in_")


@pytest.fixture
def recording(leads):
    """One recording of 3 leads and 30 beats, 2 s apart."""
    return np.concatenate([*leads], axis=-1)


@pytest.mark.parametrize("n_leads", [1, 3])
@pytest.mark.parametrize("n_times", [None, 187])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_segment_returns_all_beats_of_recording(recording, n_leads, n_times, dtype):
    recording = (recording[0] if n_leads == 1 else recording).astype(dtype)
    beats, r_peaks = RPeakSegmenter(n_times=n_times).segment(recording, return_r_peaks=True)
    np.testing.assert_array_equal(r_peaks, detect_r_peaks(recording, 360))
    assert len(r_peaks) == 30
    expected = cut_beats(recording, r_peaks, 360, 0.3, 0.5)
    expected = expected if n_times is None else resample_beats(expected, n_times)
    # segment resamples by a matrix product, which rounds differently
    atol = 0 if n_times is None else 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(beats, expected, rtol=0, atol=atol)
    assert beats.dtype == dtype


def test_segment_returns_only_beats_by_default(recording):
    assert RPeakSegmenter().segment(recording[0]).shape == (30, 288)


@pytest.mark.parametrize("n_times", [None, 187])
@pytest.mark.parametrize("shape", [(0,), (3,), (5000,), (2, 5000)])
def test_segment_of_silence_returns_no_beats(shape, n_times):
    beats = RPeakSegmenter(n_times=n_times).segment(np.zeros(shape))
    assert beats.shape == (0, *shape[:-1], n_times or 288)


def test_segment_accepts_given_r_peaks(recording):
    beats, r_peaks = RPeakSegmenter().segment(
        recording, r_peaks=[5000, 77, 5000], return_r_peaks=True
    )
    np.testing.assert_array_equal(beats, cut_beats(recording, [5000, 77, 5000], 360))
    assert (r_peaks.tolist(), r_peaks.dtype) == ([5000, 77, 5000], np.int64)


@pytest.mark.parametrize("shape", [(5000,), (2, 5000)])
def test_segment_accepts_empty_r_peaks(shape):
    beats, r_peaks = RPeakSegmenter().segment(np.ones(shape), r_peaks=[], return_r_peaks=True)
    assert beats.shape == (0, *shape[:-1], 288)
    assert (r_peaks.shape, r_peaks.dtype) == ((0,), np.int64)


@pytest.mark.parametrize(
    ("r_peaks", "error"), [([99_999_999], ValueError), ([0.5], TypeError), ([-1], ValueError)]
)
def test_segment_with_invalid_r_peaks_raises(recording, r_peaks, error):
    with pytest.raises(error, match="r_peaks"):
        RPeakSegmenter().segment(recording, r_peaks=r_peaks)


@pytest.mark.parametrize("at", [0, 5, 150, 298, 299])
def test_segment_pads_beats_at_edges(at):
    ramp = np.arange(300.0)
    (beat,) = RPeakSegmenter().segment(ramp, r_peaks=[at])
    np.testing.assert_array_equal(beat, np.clip(at + np.arange(-108, 180), 0, 299))


@pytest.mark.parametrize("n_leads", [None, 2])
def test_segment_of_recording_with_single_beat(n_leads):
    # too close to the start for a whole window
    recording = np.exp(-(((np.arange(1200) - 40) / 4.0) ** 2))
    recording = recording if n_leads is None else np.tile(recording, (n_leads, 1))
    beats, r_peaks = RPeakSegmenter(n_times=187).segment(recording, return_r_peaks=True)
    assert beats.shape == (1, *recording.shape[:-1], 187)
    np.testing.assert_allclose(r_peaks, [40], atol=1)


def test_segment_does_not_modify_estimator(recording):
    segmenter = RPeakSegmenter()
    segmenter.segment(recording)
    assert vars(segmenter) == vars(RPeakSegmenter())


def test_segment_of_3d_windows_raises(leads):
    with pytest.raises(ValueError, match="A recording must be of shape"):
        RPeakSegmenter().segment(leads)


# Share of beats cut within 50 ms of their annotation; measured 0.994 to 1. None of these
# records was used to choose the constants.
@pytest.mark.parametrize("name", ["101", "116", "210", "234"])
def test_real_beats_are_cut_at_their_r_peak(real_data, name):
    wfdb = pytest.importorskip("wfdb", reason="reading MIT-BIH requires the extra 'data'")
    path = str(real_data / "mitdb" / name)
    with warnings.catch_warnings():
        # wfdb 4.3 calls a function that pandas 3 deprecates
        warnings.filterwarnings("ignore", "The inplace keyword", DeprecationWarning)
        annotation = wfdb.rdann(path, "atr")
    is_beat = np.isin(annotation.symbol, list("NLRBAaJSVrFejnE/fQ?"))
    r_peaks = annotation.sample[is_beat][3:-3]
    signal = wfdb.rdrecord(path, channels=[0]).p_signal[:, 0]
    shift = np.random.default_rng(0).integers(-36, 37, size=len(r_peaks))
    index = (r_peaks + shift)[:, None] + np.arange(-360, 360)
    beats = RPeakSegmenter(before=0.06, after=0.06).fit_transform(signal[index])
    # start of each cut: the only position in the window with these samples
    candidates = np.lib.stride_tricks.sliding_window_view(signal[index], beats.shape[1], axis=1)
    starts = (candidates == beats[:, None]).all(axis=2).argmax(axis=1)
    offset = starts + round(0.06 * 360) - 360 + shift
    assert np.mean(np.abs(offset) <= 0.05 * 360) >= 0.99
