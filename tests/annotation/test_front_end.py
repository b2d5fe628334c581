import numpy as np
import pytest

from ecgbeat import BandpassFilter, RPeakSegmenter
from ecgbeat.annotation import _front_end
from ecgbeat.annotation._front_end import plan_front_end
from ecgbeat.signal import bandpass, cut_beats, detect_r_peaks, resample_beats, rr_features

FS = 360.0


def rows_of(front_end, leads, places, series=None):
    parts = list(front_end.rows(leads, places, places if series is None else series))
    return np.concatenate(parts)


@pytest.fixture
def leads(patients):
    return np.stack([patients[0][0], -2 * patients[0][0]])


@pytest.fixture
def places():
    # the first and the last windows reach past the recording
    return np.array([0, 50, 900, 1333, 5000, 10_700, 10_799])


def test_defaults_filter_cut_and_resample(leads, places):
    rows = rows_of(plan_front_end(FS, None, None, None, False), leads[:1], places)
    cut = cut_beats(bandpass(leads[0], FS), places, FS)
    np.testing.assert_allclose(rows, resample_beats(cut, 128), atol=5e-6)
    assert rows.dtype == np.float32
    assert rows.shape == (7, 128)


@pytest.mark.parametrize("chunk", [1, 1000, 3000])
def test_chunks_do_not_show(leads, places, chunk, monkeypatch):
    front_end = plan_front_end(FS, None, None, None, True)
    whole = rows_of(front_end, leads, places)
    monkeypatch.setattr(_front_end, "_CHUNK_SAMPLES", chunk)
    parts = list(front_end.rows(leads, places, places))
    assert len(parts) > 1
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_steps_that_are_given_are_used(leads, places):
    segmenter = RPeakSegmenter(FS, before=0.2, after=0.3, n_times=None)
    noise_filter = BandpassFilter(FS, low=1, high=30, order=3, notch=50)
    front_end = plan_front_end(FS, segmenter, noise_filter, None, False)
    filtered = bandpass(leads[:1], FS, 1, 30, order=3, notch=50)
    expected = cut_beats(filtered, places, FS, 0.2, 0.3)[:, 0]
    np.testing.assert_allclose(rows_of(front_end, leads[:1], places), expected, atol=1e-5)


def test_passthrough_leaves_the_signal_alone(leads, places):
    front_end = plan_front_end(FS, RPeakSegmenter(FS), "passthrough", None, False)
    np.testing.assert_array_equal(
        rows_of(front_end, leads[:1], places), cut_beats(leads[0], places, FS)
    )


def test_leads_stand_one_after_the_other(leads, places):
    front_end = plan_front_end(FS, None, None, None, False)
    both = rows_of(front_end, leads, places)
    assert both.shape == (7, 256)
    np.testing.assert_allclose(both[:, 128:], -2 * both[:, :128], atol=1e-5)


@pytest.mark.parametrize(("rhythm", "future"), [(True, True), ("past", False)])
def test_the_rhythm_comes_last_and_is_that_of_the_series(leads, places, rhythm, future):
    series = np.union1d(places, [600, 3000])
    rows = rows_of(plan_front_end(FS, None, None, None, rhythm), leads[:1], places, series)
    expected = rr_features(series, FS, future=future)[np.isin(series, places)]
    np.testing.assert_allclose(rows[:, 128:], expected, rtol=1e-6)


def test_constant_signal_gives_constant_beats(places):
    front_end = plan_front_end(FS, None, "passthrough", None, False)
    rows = rows_of(front_end, np.full((1, 10_800), 0.1, np.float32), places)
    np.testing.assert_array_equal(rows, np.full((7, 128), np.float32(0.1)))


def test_no_beats_give_no_rows(leads):
    front_end = plan_front_end(FS, None, None, None, True)
    assert list(front_end.rows(leads, np.empty(0, np.int64), np.empty(0, np.int64))) == []


def test_peaks_are_those_of_the_unfiltered_recording(leads):
    front_end = plan_front_end(FS, None, None, None, False)
    np.testing.assert_array_equal(front_end.detect(leads[:1]), detect_r_peaks(leads[0], FS))
    np.testing.assert_array_equal(front_end.detect(leads), detect_r_peaks(leads, FS))


def test_a_detector_of_ones_own_gets_signal_and_rate(leads):
    seen = []

    def detector(x, fs):
        seen.append((x.shape, fs))
        return [700, 30, 700]

    found = plan_front_end(FS, None, None, detector, False).detect(leads)
    assert found.tolist() == [30, 700]
    assert found.dtype == np.int64
    plan_front_end(FS, None, None, detector, False).detect(leads[:1])
    assert seen == [((2, 10_800), FS), ((10_800,), FS)]


def test_a_detector_may_find_nothing(leads):
    found = plan_front_end(FS, None, None, lambda *_: [], False).detect(leads)
    assert found.shape == (0,)
    assert found.dtype == np.int64


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ([0.5], TypeError, "float64"),
        ([[1, 2]], TypeError, r"shape \(1, 2\)"),
        ([20_000], ValueError, "20000 for a recording of 10800"),
        ([-1], ValueError, "sample -1"),
    ],
)
def test_a_detector_that_returns_nonsense_is_refused(leads, samples, error, message):
    with pytest.raises(error, match=message):
        plan_front_end(FS, None, None, lambda *_: samples, False).detect(leads)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((RPeakSegmenter(250), None), r"segmenter has fs=250 Hz.*have fs=360.0 Hz"),
        ((None, BandpassFilter(250)), r"bandpass has fs=250 Hz"),
        ((RPeakSegmenter(FS, before=-1), None), r"'before' parameter of RPeakSegmenter"),
        ((RPeakSegmenter(FS, before=0, after=0), None), "window of no samples"),
        ((None, BandpassFilter(FS, high=200)), r"high=200.0 Hz must be below fs / 2"),
    ],
)
def test_steps_that_do_not_fit_are_refused(steps, message):
    with pytest.raises(ValueError, match=message):
        plan_front_end(FS, *steps, None, False)


def test_steps_are_copies():
    segmenter = RPeakSegmenter(FS)
    front_end = plan_front_end(FS, segmenter, None, None, False)
    segmenter.before = 0.1
    assert front_end.segmenter.before == 0.3
