import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import sosfilt, sosfiltfilt

from ecgbeat.signal import _filtering, bandpass, bandpass_sections

FS = 360.0
TIMES = np.arange(3600) / FS
INNER = slice(720, -720)

# sums and differences of these numbers are exact in float64, so results are compared exactly
DYADIC = st.integers(-1024, 1024).map(lambda i: i / 64)
ROWS = st.tuples(st.integers(1, 4), st.integers(1, 5000)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=DYADIC, fill=DYADIC)
)
few_examples = settings(max_examples=25, deadline=None)


def sine(frequency):
    return np.sin(2 * np.pi * frequency * TIMES)


@pytest.mark.parametrize(("frequency", "gain"), [(5, 1.0), (15, 1.0), (40, 0.5), (120, 0.0)])
def test_gain_in_pass_band_at_edge_and_in_stop_band(frequency, gain):
    filtered = bandpass(sine(frequency), FS)
    np.testing.assert_allclose(filtered[INNER], gain * sine(frequency)[INNER], atol=0.03)


def test_baseline_wander_is_removed():
    assert np.abs(bandpass(3 * sine(0.1), FS)[INNER]).max() < 0.02


@pytest.mark.parametrize("notch", [50, 60])
def test_notch_removes_mains_hum_only(notch):
    signal = sine(10) + sine(notch)
    with_notch = bandpass(signal, FS, high=100, notch=notch)
    assert np.abs(with_notch - sine(10))[INNER].max() < 0.02
    assert np.abs(bandpass(signal, FS, high=100) - sine(10))[INNER].max() > 0.8


def test_filter_has_zero_phase():
    pulse = np.exp(-(((TIMES - 5) / 0.02) ** 2))
    filtered = bandpass(pulse, FS)
    assert filtered.argmax() == pulse.argmax()
    np.testing.assert_allclose(filtered[1:], filtered[:0:-1], atol=1e-3)


@pytest.mark.parametrize("n_times", [900, 3600])
def test_causal_filter_does_not_depend_on_later_samples(read_record, n_times):
    signals, _, _ = read_record("103")
    whole = bandpass(signals[:, :3600], FS, zero_phase=False)
    part = bandpass(signals[:, :n_times], FS, zero_phase=False)
    np.testing.assert_array_equal(part, whole[:, :n_times])
    assert not np.array_equal(bandpass(signals[:, :900], FS), bandpass(signals, FS)[:, :900])


@pytest.mark.parametrize("frequency", [0.5, 40])
def test_causal_filter_has_half_the_attenuation(frequency):
    gain = [
        np.abs(bandpass(sine(frequency), FS, zero_phase=zero_phase)[INNER]).max()
        for zero_phase in (True, False)
    ]
    np.testing.assert_allclose(gain, [0.5, 0.5**0.5], atol=0.02)


def test_causal_filter_of_constant_rows_is_exactly_zero():
    assert not bandpass(np.full((2, 500), 1e6 / 3), FS, zero_phase=False).any()


@pytest.mark.parametrize(("n_times", "min_improvement"), [(288, 1.2), (720, 2.0)])
def test_error_of_filtered_windows_is_below_that_of_scipy_defaults(
    read_record, n_times, min_improvement
):
    sections = bandpass_sections(FS, 0.5, 40)
    errors = []
    for name in ("103", "200", "221"):  # pooled: on record 103 alone, SciPy is better at 0.8 s
        signals, r_peaks, _ = read_record(name)
        index = r_peaks[5:-5, None] + np.arange(-n_times // 2, n_times // 2)
        whole = sosfiltfilt(sections, signals[0])[index]
        windows = signals[0][index]
        filtered = bandpass(windows, FS), sosfiltfilt(sections, windows)
        errors.append([np.sqrt(np.mean((rows - whole) ** 2)) for rows in filtered])
    ours, scipys = np.mean(errors, axis=0)
    assert ours < scipys / min_improvement


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -1e9, 1e308, 5e-324])
@pytest.mark.parametrize("n_times", [1, 2, 8, 187, 5000])
def test_constant_rows_become_exact_zeros(value, n_times):
    assert not bandpass(np.full((2, n_times), value), FS, notch=50).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_times", [1, 2, 5, 288, 1000])
def test_filtered_largest_floats_are_finite(dtype, n_times):
    signs = np.random.default_rng(0).choice([-1, 1], size=(3, n_times))
    filtered = bandpass((signs * np.finfo(dtype).max).astype(dtype), FS, notch=60)
    assert np.isfinite(filtered).all()


def test_huge_row_does_not_affect_other_rows():
    x = np.random.default_rng(0).normal(size=(3, 500))
    expected = bandpass(x, FS)
    x[1] *= 1e300
    np.testing.assert_array_equal(bandpass(x, FS)[[0, 2]], expected[[0, 2]])


@few_examples
@given(ROWS)
def test_result_preserves_shape_and_dtype_and_is_bounded(x):
    for dtype in (np.float32, np.float64):
        filtered = bandpass(x.astype(dtype), FS)
        assert filtered.shape == x.shape
        assert filtered.dtype == dtype
        assert np.isfinite(filtered).all()
        # upper bound of the gain, also for short rows
        assert np.abs(filtered).max() <= 4 * np.ptp(x) + 1e-6


@few_examples
@given(ROWS, DYADIC)
def test_result_is_independent_of_offset(x, shift):
    np.testing.assert_array_equal(bandpass(x + shift, FS), bandpass(x, FS))


@few_examples
@given(ROWS, st.sampled_from([-1.0, -0.25, 8.0, 2.0**-40]))
def test_result_is_proportional_to_gain_and_polarity(x, factor):
    np.testing.assert_array_equal(bandpass(factor * x, FS), factor * bandpass(x, FS))


@few_examples
@given(ROWS, st.randoms(use_true_random=False))
def test_rows_are_filtered_independently(x, random):
    order = np.array(random.sample(range(len(x)), len(x)))
    np.testing.assert_array_equal(bandpass(x[order], FS), bandpass(x, FS)[order])


@pytest.mark.parametrize("n_leads", [1, 2, 12])
def test_leading_axes_are_filtered_independently(n_leads):
    x = np.random.default_rng(0).normal(size=(3, n_leads, 200))
    filtered = bandpass(x, FS)
    for i in range(n_leads):
        np.testing.assert_array_equal(filtered[:, i], bandpass(x[:, i], FS))


@pytest.mark.parametrize("shape", [(3600, 2), (17, 15)])
def test_transposed_recording_raises(shape):
    with pytest.raises(ValueError, match=r"of shape \(n_leads, n_times\), got .* Pass recording.T"):
        bandpass(np.zeros(shape), FS)


def test_many_short_3d_beats_are_accepted():
    assert bandpass(np.ones((3600, 1, 2)), FS).shape == (3600, 1, 2)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"fs": 0}, ValueError, "fs must be greater than 0.*got 0"),
        ({"fs": "360"}, TypeError, "fs must be a number in Hz, got '360'"),
        ({"fs": 80}, ValueError, "high=40.0 Hz must be below fs / 2 = 40.0 Hz.*decrease high"),
        ({"low": 0}, ValueError, "low must be greater than 0.*got 0"),
        ({"low": 40}, ValueError, "low=40.0 Hz must be below high=40.0 Hz.*decrease low"),
        ({"high": np.inf}, ValueError, "high must be .* finite, got inf"),
        ({"order": 0}, ValueError, "order must be an integer of 1 or more, got 0"),
        ({"order": 1.5}, ValueError, "order must be .* got 1.5"),
        ({"notch": 180}, ValueError, "notch=180.0 Hz must be below fs / 2 = 180.0.*notch=None"),
    ],
)
def test_invalid_parameters_raise(arguments, error, message):
    with pytest.raises(error, match=message):
        bandpass(np.zeros(100), **({"fs": 360.0} | arguments))


# --- long recordings, filtered in blocks

SETTINGS = [
    {"low": 0.5, "high": 40.0},
    {"low": 0.5, "high": 40.0, "notch": 60.0},
    {"low": 0.05, "high": 100.0},
    {"low": 5.0, "high": 15.0, "order": 4},
]


def make_leads(n_times, n_leads=2):
    rng = np.random.default_rng(0)
    wander = 3 * np.sin(2 * np.pi * 0.1 * np.arange(n_times) / FS) + 50
    return rng.normal(size=(n_leads, n_times)).cumsum(axis=1) * 0.1 + wander


@pytest.fixture
def short_blocks(monkeypatch):
    """Filter in blocks of 20 s, or of the time that the filter takes to settle."""
    monkeypatch.setattr(_filtering, "_BLOCK_S", 20.0)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_filtering_in_blocks_equals_single_pass(short_blocks, monkeypatch, settings):  # noqa: ARG001
    leads = make_leads(100_000)
    in_blocks = bandpass(leads, FS, **settings)
    monkeypatch.setattr(_filtering, "_BLOCK_S", 1e6)
    expected = bandpass(leads, FS, **settings)
    assert (in_blocks != expected).any()
    np.testing.assert_allclose(in_blocks, expected, atol=1e-8 * np.abs(expected).max())


def test_causal_filtering_in_blocks_equals_single_pass(short_blocks):  # noqa: ARG001
    leads = make_leads(20_000)
    in_blocks = bandpass(leads, FS, zero_phase=False)
    in_one = bandpass(leads[:, :7000], FS, zero_phase=False)
    np.testing.assert_allclose(in_blocks[:, :7000], in_one, rtol=0, atol=1e-10)
    expected = sosfilt(bandpass_sections(FS, 0.5, 40), leads)
    np.testing.assert_allclose(in_blocks[:, 5000:], expected[:, 5000:], atol=1e-6)


@pytest.mark.parametrize("n_times", [7199, 7200, 7201, 14_500])
def test_recording_near_block_length_equals_single_pass(short_blocks, monkeypatch, n_times):  # noqa: ARG001
    leads = make_leads(n_times)
    in_blocks = bandpass(leads, FS, 5.0, 40.0)
    monkeypatch.setattr(_filtering, "_BLOCK_S", 1e6)
    expected = bandpass(leads, FS, 5.0, 40.0)
    np.testing.assert_allclose(in_blocks, expected, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_filtering_in_blocks_preserves_dtype_and_input(short_blocks, dtype):  # noqa: ARG001
    leads = (100 * make_leads(20_000)).astype(dtype)
    leads.flags.writeable = False
    before = leads.copy()
    assert bandpass(leads, FS).dtype == dtype
    np.testing.assert_array_equal(leads, before)


@pytest.mark.parametrize("shape", [(20_000,), (1, 20_000), (2, 3, 20_000)])
def test_constant_long_rows_become_exact_zeros(short_blocks, shape):  # noqa: ARG001
    filtered = bandpass(np.full(shape, 0.1), FS)
    assert filtered.shape == shape
    assert not filtered.any()


def test_long_rows_of_largest_floats_are_finite(short_blocks):  # noqa: ARG001
    signs = np.random.default_rng(0).choice([-1, 1], size=(1, 20_000))
    assert np.isfinite(bandpass(signs * np.finfo(float).max, FS)).all()


def test_memory_for_one_day_is_bounded():
    day = np.zeros(24 * 3600 * 100, np.float32)
    tracemalloc.start()
    try:
        bandpass(day, 100)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.2 * day.nbytes + 8 * 2**20


@pytest.mark.parametrize("has_gap", [False, True])
def test_long_rows_can_be_filtered_in_place(short_blocks, has_gap):  # noqa: ARG001
    x = np.random.default_rng(0).normal(size=(2, 20_000))
    x[:, 5000:9000] = np.nan if has_gap else 0.0
    expected, given_array = bandpass(x, FS), x.copy()
    in_place = bandpass(given_array, FS, copy=False)
    np.testing.assert_array_equal(in_place, expected)
    assert np.shares_memory(in_place, given_array) is not has_gap  # a filled gap takes a copy


def test_empty_rows_remain_empty():
    assert bandpass(np.empty((1, 0)), FS).shape == (1, 0)
