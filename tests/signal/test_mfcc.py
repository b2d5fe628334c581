import inspect
import tracemalloc
import warnings

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from ecgbeat.signal import MFCC_CONSTRAINTS, mfcc

FS = 4000.0
DEFAULTS = {"n_mfcc": 20, "n_fft": 256, "hop_length": 64, "n_mels": 40}
CLOSE = {np.float32: {"rtol": 1e-5, "atol": 5e-4}, np.float64: {"rtol": 1e-10, "atol": 1e-9}}


def by_librosa(row, fs=FS, *, deltas=0, delta_width=9, **arguments):
    """Compute the MFCCs of one row by librosa."""
    found = librosa.feature.mfcc(y=row, sr=fs, **(DEFAULTS | arguments))
    orders = range(1, 1 + deltas)
    more = [librosa.feature.delta(found, width=delta_width, order=order) for order in orders]
    return np.concatenate([found, *more])


@pytest.fixture(scope="module")
def sounds():
    """Five rows of one second, loud and soft: bursts of noise and a tone."""
    rng = np.random.default_rng(0)
    t = np.arange(4000) / FS
    bursts = np.exp(-(((t % 0.4 - 0.1) / 0.05) ** 2)) * rng.normal(size=(5, 4000))
    gain = np.array([1.0, 100.0, 1e-3, 0.1, 10.0])[:, None]
    return gain * (bursts + 0.1 * np.sin(2 * np.pi * 60 * t))


def assert_equals_librosa(rows, arguments, fs=FS):
    found = mfcc(rows, fs, **arguments)
    assert found.dtype == rows.dtype
    expected = np.stack([by_librosa(row, fs, **arguments) for row in rows])
    np.testing.assert_allclose(found, expected, **CLOSE[rows.dtype.type])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"n_mfcc": 40},
        {"n_mfcc": 1},
        {"n_fft": 512, "hop_length": 512},
        {"n_fft": 255, "hop_length": 100},
        {"n_fft": 400, "hop_length": 160, "n_mels": 26, "n_mfcc": 13},
        {"hop_length": 1000},
        {"win_length": 100},
        {"win_length": 101, "n_fft": 301},
        {"window": "hamming"},
        {"window": ("kaiser", 8.0)},
        {"window": np.bartlett(256)},
        {"center": False},
        {"center": False, "n_fft": 255, "hop_length": 99},
        {"pad_mode": "reflect"},
        {"pad_mode": "edge"},
        {"pad_mode": "symmetric", "n_fft": 512},
        {"pad_mode": "linear_ramp"},
        {"power": 1.0},
        {"power": 1.5},
        {"fmin": 20.0, "fmax": 800.0, "n_mels": 20},
        {"htk": True},
        {"mel_norm": None},
        {"mel_norm": 1},
        {"mel_norm": np.inf},
        {"dct_type": 1},
        {"dct_type": 3},
        {"norm": None},
        {"norm": None, "dct_type": 3},
        {"lifter": 22},
        {"lifter": 0.5},
        {"deltas": 1},
        {"deltas": 2, "delta_width": 3},
        {"deltas": 2, "delta_width": 63, "lifter": 10},
    ],
    ids=str,
)
def test_equals_librosa(sounds, arguments, dtype):
    assert_equals_librosa(sounds.astype(dtype), arguments)


@pytest.mark.parametrize(
    ("fs", "arguments"),
    [
        (22050, {"n_fft": 2048, "hop_length": 512, "n_mels": 128}),  # librosa's defaults
        (16000, {"n_fft": 1024, "hop_length": 160}),
        (2000.0, {"n_fft": 128, "hop_length": 32, "n_mels": 24}),
        (1000.5, {"n_fft": 64}),
    ],
)
def test_equals_librosa_at_other_rates(sounds, fs, arguments):
    assert_equals_librosa(sounds, arguments, fs)


@pytest.mark.parametrize("top_db", [None, 0.0, 30.0, 200.0])
def test_equals_librosa_with_other_ranges(sounds, top_db):
    mel = librosa.feature.melspectrogram(
        y=sounds[0], sr=FS, **{name: DEFAULTS[name] for name in ("n_fft", "hop_length", "n_mels")}
    )
    levels = librosa.power_to_db(mel, top_db=top_db)
    expected = librosa.feature.mfcc(S=levels, n_mfcc=20)
    np.testing.assert_allclose(mfcc(sounds[0], FS, top_db=top_db), expected, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_times=st.integers(1, 3000),
    n_fft=st.integers(32, 700),
    hop_length=st.integers(1, 400),
    center=st.booleans(),
    pad_mode=st.sampled_from(["constant", "reflect", "edge"]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_equals_librosa_for_all_lengths(seed, n_times, n_fft, hop_length, center, pad_mode, dtype):
    rows = np.random.default_rng(seed).normal(size=(2, n_times)).astype(dtype)
    if not center and n_times < n_fft:
        return  # librosa refuses it
    frames = {"n_fft": n_fft, "hop_length": hop_length, "center": center, "pad_mode": pad_mode}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_fft=.* is too large")  # librosa's, of short rows
        assert_equals_librosa(rows, frames | {"n_mels": 8, "n_mfcc": 5})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("arguments", [{}, {"n_mfcc": 13, "deltas": 2}], ids=str)
def test_equals_librosa_on_heart_sounds(real_data, arguments, dtype):
    files = sorted((real_data / "heart_sounds").rglob("*.wav"))[::40]
    assert len(files) > 10
    sounds = [soundfile.read(file, dtype=dtype)[0] for file in files]
    for sound in sounds:
        assert_equals_librosa(sound[None], arguments)
    # several rows, all of one length
    shortest = min(map(len, sounds))
    assert_equals_librosa(np.stack([sound[:shortest] for sound in sounds]), arguments)


def test_rows_are_independent(sounds):
    alone = mfcc(sounds[2], FS)
    loud = sounds.copy()
    loud[:2] *= 1e6
    np.testing.assert_allclose(mfcc(loud, FS)[2], alone, rtol=1e-12, atol=1e-10)
    # unlike in librosa, where top_db refers to the whole array
    together = librosa.feature.mfcc(y=loud, sr=FS, **DEFAULTS)[2]
    assert np.abs(together - alone).max() > 10


@pytest.mark.parametrize("n_rows", [1, 7, 60])
def test_result_is_independent_of_chunks(sounds, n_rows, monkeypatch):
    rows = np.resize(sounds, (n_rows, 4000))
    whole = mfcc(rows, FS, deltas=1)
    monkeypatch.setattr("ecgbeat._rows._CHUNK_SAMPLES", 3 * 256)  # three frames
    np.testing.assert_allclose(mfcc(rows, FS, deltas=1), whole, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("shape", [(4000,), (5, 4000), (1, 5, 4000), (5, 1, 4000)])
def test_leading_axes(sounds, shape):
    found = mfcc(np.resize(sounds, shape), FS)
    assert found.shape == (*shape[:-1], 20, 63)
    # rounding of the products of matrices may depend on the number of rows
    expected = mfcc(sounds, FS)[0]
    np.testing.assert_allclose(found.reshape(-1, 20, 63)[0], expected, rtol=1e-10, atol=1e-12)


def test_no_rows():
    assert mfcc(np.zeros((0, 1000)), FS, deltas=2, normalize=True).shape == (0, 60, 16)


@pytest.mark.parametrize("convert", [list, lambda x: x.astype(np.int16)], ids=["list", "int16"])
def test_integers_are_not_scaled(sounds, convert):
    rows = np.round(300 * sounds[[0, 4]])
    np.testing.assert_array_equal(mfcc(convert(rows), FS), mfcc(rows, FS))


def test_input_is_unchanged(sounds):
    before = sounds.copy()
    mfcc(sounds, FS, deltas=2, normalize=True, center=False)
    np.testing.assert_array_equal(sounds, before)


@pytest.mark.parametrize("factor", [1000.0, 1 / 1000, -1.0])
def test_gain_shifts_only_the_first_coefficient(sounds, factor):
    rows = 1e4 * sounds[[0, 3]]  # above -100 dB
    shift = mfcc(factor * rows, FS) - mfcc(rows, FS)
    expected = np.sqrt(40) * 20 * np.log10(abs(factor))  # of 40 bands, orthonormal
    np.testing.assert_allclose(shift[:, 0], expected, atol=1e-8)
    np.testing.assert_allclose(shift[:, 1:], 0, atol=1e-8)


def test_normalizing_removes_gain(sounds):
    rows = 100 * sounds[[0, 3]]
    np.testing.assert_allclose(
        mfcc(1000 * rows, FS, normalize=True), mfcc(rows, FS, normalize=True), atol=1e-8
    )


def test_shift_by_one_hop_shifts_the_frames(sounds):
    frames = {"center": False, "top_db": None}
    shifted = mfcc(sounds[:, 64:], FS, **frames)
    np.testing.assert_allclose(shifted, mfcc(sounds, FS, **frames)[..., 1:], atol=1e-9)


def test_lifter_multiplies_coefficients(sounds):
    ratio = mfcc(sounds, FS, lifter=22) / mfcc(sounds, FS)
    expected = 1 + 11 * np.sin(np.pi * np.arange(1, 21) / 22)
    np.testing.assert_allclose(ratio, np.broadcast_to(expected[:, None], ratio.shape), rtol=1e-6)


@pytest.mark.parametrize("deltas", [0, 1, 2])
def test_normalized_coefficients_have_mean_0_and_deviation_1(sounds, deltas):
    plain = mfcc(sounds, FS, deltas=deltas)
    normal = mfcc(sounds, FS, deltas=deltas, normalize=True)
    assert normal.shape == plain.shape == (5, 20 * (1 + deltas), 63)
    expected = plain - plain.mean(axis=-1, keepdims=True)
    expected /= plain.std(axis=-1, keepdims=True)
    np.testing.assert_allclose(normal, expected, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("value", [0.0, 0.1, -1.0, 1e30, 1e-30])
@pytest.mark.parametrize("n_times", [1, 100, 256, 4000])
def test_silence_and_constant_rows_give_finite_numbers(n_times, value, center, dtype):
    rows = np.full((3, n_times), value, dtype)
    for top_db in (80.0, None):
        for normalize in (False, True):
            found = mfcc(rows, FS, center=center, top_db=top_db, deltas=2, normalize=normalize)
            assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("value", "arguments"),
    [(0.0, {}), (0.0, {"top_db": None}), (0.0, {"lifter": 22}), (0.3, {"center": False})],
    ids=str,
)
def test_constant_coefficients_are_normalized_to_zero(value, arguments):
    assert not mfcc(np.full((2, 4000), value), FS, normalize=True, deltas=2, **arguments).any()


def test_silence_equals_librosa():
    assert_equals_librosa(np.zeros((2, 4000)), {})


@pytest.mark.parametrize("n_times", [1, 30, 255])
def test_rows_shorter_than_a_frame_are_padded_with_zeros(n_times):
    rows = np.random.default_rng(0).normal(size=(3, n_times))
    found = mfcc(rows, FS, center=False)
    padded = np.pad(rows, ((0, 0), (0, 256 - n_times)))
    assert found.shape == (3, 20, 1)
    np.testing.assert_array_equal(found, mfcc(padded, FS, center=False))


@pytest.mark.parametrize(("n_times", "n_frames"), [(1, 1), (200, 4), (500, 8)])
def test_first_and_last_of_few_frames_are_repeated_for_the_derivatives(n_times, n_frames):
    rows = np.random.default_rng(0).normal(size=(2, n_times))
    found = mfcc(rows, FS, deltas=2)
    assert found.shape == (2, 60, n_frames)
    for order in (1, 2):
        expected = librosa.feature.delta(found[:, :20], order=order, mode="nearest")
        np.testing.assert_allclose(found[:, 20 * order : 20 * order + 20], expected, atol=1e-9)


@pytest.mark.parametrize("power", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_values_stay_finite(sounds, dtype, power):
    rows = (sounds / np.abs(sounds).max(axis=1, keepdims=True)).astype(dtype)
    factor = dtype(2) ** (np.finfo(dtype).maxexp - 1)
    shift = mfcc(factor * rows, FS, power=power) - mfcc(rows, FS, power=power)
    expected = np.sqrt(40) * 10 * power * np.log10(float(factor))
    np.testing.assert_allclose(shift[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(shift[:, 1:], 0, atol=1e-4 if dtype == np.float32 else 1e-8)


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 2000)).flatmap(
        lambda shape: arrays(np.float32, shape, elements=st.floats(-100, 100, width=32))
    ),
    st.booleans(),
)
def test_any_sounds_give_finite_numbers(x, normalize):
    found = mfcc(x, FS, deltas=1, normalize=normalize)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@pytest.mark.parametrize("arguments", [{}, {"deltas": 1, "normalize": True}], ids=str)
def test_statistics_over_the_frames(sounds, arguments):
    channels = mfcc(sounds, FS, **arguments)
    found = mfcc(sounds, FS, summary="stats", **arguments)
    assert found.shape == (*channels.shape[:2], 6)
    functions = (np.mean, np.std, np.min, np.median, np.max, stats.skew)
    expected = np.stack([function(channels, axis=-1) for function in functions], axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_constant_coefficients_have_no_deviation_and_no_skewness(value):
    found = mfcc(np.full((2, 4000), value), FS, center=False, deltas=1, summary="stats")
    assert not found[..., [1, 5]].any()
    np.testing.assert_allclose(found[..., 0], found[..., 3], atol=1e-9)


def test_small_deviations_are_not_taken_for_rounding(sounds):
    found = mfcc(sounds, FS, power=1e-4, top_db=None, normalize=True)
    np.testing.assert_allclose(found.std(axis=-1), 1)


def test_statistics_of_one_frame_are_finite():
    assert np.isfinite(mfcc(np.ones((2, 10)), FS, deltas=2, summary="stats")).all()


def traced_peak(function, *arguments, **keywords):
    """Return the result and the peak of the memory allocated by a call."""
    tracemalloc.start()
    try:
        result = function(*arguments, **keywords)
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", [(500, 4000), (1, 2_000_000)])
def test_memory_is_bounded(shape):
    rows = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    mfcc(rows[:, :100], FS)  # imports
    found, peak = traced_peak(mfcc, rows, FS, hop_length=32)
    frames = 8 * 256 * found.size / 20
    assert frames > 120e6
    # top_db needs all levels of a long row
    levels = 8 * 40 * found.size / 20 / len(rows)
    assert peak < found.nbytes + 3 * levels + 4 * rows[0].nbytes + 20e6


def test_empty_bands_warn_and_equal_librosa(sounds):
    arguments = {"n_fft": 64, "n_mels": 64}
    with pytest.warns(UserWarning, match="of n_mels=64 mel bands are empty") as caught:
        found = mfcc(sounds, FS, **arguments)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings(action="ignore"):
        expected = np.stack([by_librosa(row, **arguments) for row in sounds])
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (5.0, ValueError, "x must be an array of samples, got the number 5.0"),
        (np.zeros((3, 0)), ValueError, r"at least one sample a row, got shape \(3, 0\)"),
        ([0.0, np.nan], ValueError, r"mfcc: x contains NaN: 1 of 2 values.*first at x\[1\]"),
        (np.zeros(9, complex), TypeError, "x must hold real numbers, got dtype complex128"),
    ],
)
def test_invalid_sounds_raise(x, error, message):
    with pytest.raises(error, match=message):
        mfcc(x, FS)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("n_fft", [2, 255, 256])
@pytest.mark.parametrize("n_times", [1, 254, 255, 256, 257, 1000])
def test_number_of_frames(center, n_fft, n_times):
    arguments = {"center": center, "n_fft": n_fft, "n_mels": 1, "n_mfcc": 1, "fmin": 1.0}
    with warnings.catch_warnings(action="ignore"):  # two samples leave a band empty
        found = mfcc(np.zeros(n_times), FS, **arguments)
    n_padded = n_times + (2 * (n_fft // 2) if center else 0)
    assert found.shape == (1, len(range(0, max(1, n_padded - n_fft + 1), 64)))


@pytest.mark.parametrize(
    "window",
    ["hann", ("kaiser", 8.0), 8.0, np.hanning, np.hanning(100), [1.0] * 100],
    ids=["name", "tuple", "beta", "function", "array", "list"],
)
def test_window_is_centered_in_the_frame(window):
    frame = np.random.default_rng(0).normal(size=256)
    arguments = {"center": False, "win_length": 100, "window": window}
    zeroed = np.concatenate([np.zeros(78), frame[78:178], np.zeros(78)])
    np.testing.assert_array_equal(mfcc(frame, FS, **arguments), mfcc(zeroed, FS, **arguments))
    zeroed[127:129] = 0
    assert np.abs(mfcc(frame, FS, **arguments) - mfcc(zeroed, FS, **arguments)).max() > 0.1


def test_frequencies_outside_the_bands_are_ignored():
    t = np.arange(4000) / FS
    low, inside = np.sin(2 * np.pi * 200 * t), np.sin(2 * np.pi * 750 * t)
    bands = {"fmin": 500.0, "fmax": 1000.0, "n_mels": 20, "center": False}
    np.testing.assert_allclose(
        mfcc(low + inside, FS, **bands), mfcc(inside, FS, **bands), atol=0.05
    )


def test_all_bands_empty(sounds):
    with pytest.warns(UserWarning, match="40 of n_mels=40 mel bands are empty.* of 15.6 Hz"):
        found = mfcc(sounds, FS, fmin=1.0, fmax=15.0)
    np.testing.assert_allclose(found[:, 0], -100 * np.sqrt(40))
    np.testing.assert_allclose(found[:, 1:], 0, atol=1e-9)


def test_every_setting_is_constrained():
    assert ["x", *MFCC_CONSTRAINTS] == list(inspect.signature(mfcc).parameters)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"fs": 0}, ValueError, "'fs' parameter of mfcc .* Got 0 instead"),
        ({"fs": np.inf}, ValueError, "'fs' parameter of mfcc .* Got inf instead"),
        ({"fs": "4000"}, TypeError, "'fs' parameter of mfcc must be a float .* Got '4000' instead"),
        ({"n_mfcc": 0}, ValueError, "'n_mfcc' parameter of mfcc must be an int .* Got 0 instead"),
        ({"n_mfcc": 41}, ValueError, "n_mfcc=41 must not exceed n_mels=40.*Lower n_mfcc or"),
        ({"n_mels": 20.0}, ValueError, "'n_mels' .* must be an int .* Got 20.0 instead"),
        ({"n_fft": 1}, ValueError, "'n_fft' parameter of mfcc .* Got 1 instead"),
        ({"n_fft": "256"}, TypeError, "'n_fft' parameter of mfcc .* Got '256' instead"),
        ({"hop_length": 0}, ValueError, "'hop_length' parameter of mfcc .* Got 0 instead"),
        ({"hop_length": True}, ValueError, "hop_length must be a number, got True"),
        ({"win_length": 300}, ValueError, "win_length=300 must not exceed n_fft=256"),
        ({"win_length": 0}, ValueError, "'win_length' parameter of mfcc .* Got 0 instead"),
        ({"fmin": -1}, ValueError, "'fmin' parameter of mfcc .* Got -1 instead"),
        ({"fmin": 2000}, ValueError, "fmin=2000 Hz must be below fmax=2000 Hz.*lower fmin"),
        ({"fmin": 90, "fmax": 80}, ValueError, "fmin=90 Hz must be below fmax=80 Hz"),
        ({"fmax": 2001}, ValueError, "fmax=2001 Hz must not exceed fs / 2 = 2000 Hz.*None"),
        ({"power": 0}, ValueError, "'power' parameter of mfcc .* Got 0 instead"),
        ({"lifter": -1}, ValueError, "'lifter' parameter of mfcc .* Got -1 instead"),
        ({"top_db": -1}, ValueError, "'top_db' parameter of mfcc .* Got -1 instead"),
        ({"top_db": np.nan}, ValueError, "'top_db' parameter of mfcc .* Got nan instead"),
        ({"top_db": "80"}, TypeError, "'top_db' parameter of mfcc .* Got '80' instead"),
        ({"deltas": 3}, ValueError, "'deltas' parameter of mfcc .* Got 3 instead"),
        ({"delta_width": 8}, ValueError, "delta_width must be odd, .* got 8"),
        ({"delta_width": 1}, ValueError, "'delta_width' parameter of mfcc .* Got 1 instead"),
        ({"pad_mode": "wrap"}, ValueError, "'pad_mode' .* among .*'constant'.* Got 'wrap' instead"),
        ({"dct_type": 4}, ValueError, "'dct_type' parameter of mfcc .* Got 4 instead"),
        ({"dct_type": 1, "n_mels": 1, "n_mfcc": 1}, ValueError, "needs n_mels of 2 or more"),
        ({"norm": "l2"}, ValueError, "'norm' parameter of mfcc .* Got 'l2' instead"),
        ({"mel_norm": "area"}, ValueError, "'mel_norm' parameter of mfcc .* Got 'area' instead"),
        ({"mel_norm": 0}, ValueError, "'mel_norm' parameter of mfcc .* Got 0 instead"),
        ({"window": "square"}, ValueError, "window='square' gives no window of 256 samples"),
        ({"window": [1.0, 2.0]}, ValueError, "gives no window of 256 samples"),
        ({"window": np.full(256, np.nan)}, ValueError, "gives no window of 256 samples"),
        ({"window": lambda length: np.ones(length - 1)}, ValueError, "gives no window of 256"),
        ({"window": object()}, TypeError, "'window' parameter of mfcc must be .* Got <object"),
        ({"summary": "mean"}, ValueError, "'summary' parameter of mfcc .* Got 'mean' instead"),
    ],
)
def test_invalid_settings_raise(arguments, error, message):
    with pytest.raises(error, match=message):
        mfcc(np.zeros(100), **({"fs": FS} | arguments))
