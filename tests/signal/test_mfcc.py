import tracemalloc
import warnings

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecgbeat.signal import mfcc
from ecgbeat.signal._frames import frame_statistics
from ecgbeat.signal._mfcc import mfcc_statistics
from ecgbeat.signal._mfcc_design import MFCCSettings, design_mfcc

FS = 4000.0
DEFAULTS = {"n_mfcc": 20, "n_fft": 256, "hop_length": 64, "n_mels": 40}
CLOSE = {np.float32: {"rtol": 1e-5, "atol": 5e-4}, np.float64: {"rtol": 1e-10, "atol": 1e-9}}


def by_librosa(row, fs=FS, *, deltas=0, delta_width=9, **arguments):
    """Compute the MFCCs of one row as a user of librosa would."""
    found = librosa.feature.mfcc(y=row, sr=fs, **(DEFAULTS | arguments))
    orders = range(1, 1 + deltas)
    more = [librosa.feature.delta(found, width=delta_width, order=order) for order in orders]
    return np.concatenate([found, *more])


@pytest.fixture(scope="module")
def sounds():
    """Five rows of a second, loud and soft: noise in bursts, and a tone."""
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
def test_equals_librosa_whatever_the_lengths(
    seed, n_times, n_fft, hop_length, center, pad_mode, dtype
):
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
    # and in company, all of one length
    shortest = min(map(len, sounds))
    assert_equals_librosa(np.stack([sound[:shortest] for sound in sounds]), arguments)


def test_rows_do_not_know_each_other(sounds):
    alone = mfcc(sounds[2], FS)
    loud = sounds.copy()
    loud[:2] *= 1e6
    np.testing.assert_allclose(mfcc(loud, FS)[2], alone, rtol=1e-12, atol=1e-10)
    # which is not so in librosa: its top_db looks at the whole array
    together = librosa.feature.mfcc(y=loud, sr=FS, **DEFAULTS)[2]
    assert np.abs(together - alone).max() > 10


@pytest.mark.parametrize("n_rows", [1, 7, 60])
def test_chunks_do_not_show(sounds, n_rows, monkeypatch):
    rows = np.resize(sounds, (n_rows, 4000))
    whole = mfcc(rows, FS, deltas=1)
    monkeypatch.setattr("ecgbeat.signal._rows._CHUNK_SAMPLES", 3 * 256)  # three frames at once
    np.testing.assert_allclose(mfcc(rows, FS, deltas=1), whole, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("shape", [(4000,), (5, 4000), (1, 5, 4000), (5, 1, 4000)])
def test_leading_axes(sounds, shape):
    found = mfcc(np.resize(sounds, shape), FS)
    assert found.shape == (*shape[:-1], 20, 63)
    np.testing.assert_array_equal(found.reshape(-1, 20, 63)[0], mfcc(sounds, FS)[0])


def test_no_rows():
    assert mfcc(np.zeros((0, 1000)), FS, deltas=2, normalize=True).shape == (0, 60, 16)


@pytest.mark.parametrize("convert", [list, lambda x: x.astype(np.int16)], ids=["list", "int16"])
def test_whole_numbers_are_taken_as_they_are(sounds, convert):
    rows = np.round(300 * sounds[[0, 4]])
    np.testing.assert_array_equal(mfcc(convert(rows), FS), mfcc(rows, FS))


def test_the_input_is_left_alone(sounds):
    before = sounds.copy()
    mfcc(sounds, FS, deltas=2, normalize=True, center=False)
    np.testing.assert_array_equal(sounds, before)


@pytest.mark.parametrize("factor", [1000.0, 1 / 1000, -1.0])
def test_gain_shifts_the_first_coefficient_alone(sounds, factor):
    rows = 1e4 * sounds[[0, 3]]  # loud enough for the soft ones, too
    shift = mfcc(factor * rows, FS) - mfcc(rows, FS)
    expected = np.sqrt(40) * 20 * np.log10(abs(factor))  # of 40 bands, orthonormal
    np.testing.assert_allclose(shift[:, 0], expected, atol=1e-8)
    np.testing.assert_allclose(shift[:, 1:], 0, atol=1e-8)


def test_normalising_takes_gain_and_colour_out(sounds):
    rows = 100 * sounds[[0, 3]]
    np.testing.assert_allclose(
        mfcc(1000 * rows, FS, normalize=True), mfcc(rows, FS, normalize=True), atol=1e-8
    )


def test_a_shift_by_a_hop_shifts_the_frames(sounds):
    frames = {"center": False, "top_db": None}
    shifted = mfcc(sounds[:, 64:], FS, **frames)
    np.testing.assert_allclose(shifted, mfcc(sounds, FS, **frames)[..., 1:], atol=1e-9)


def test_the_lifter_multiplies_coefficients(sounds):
    ratio = mfcc(sounds, FS, lifter=22) / mfcc(sounds, FS)
    expected = 1 + 11 * np.sin(np.pi * np.arange(1, 21) / 22)
    np.testing.assert_allclose(ratio, np.broadcast_to(expected[:, None], ratio.shape), rtol=1e-6)


@pytest.mark.parametrize("deltas", [0, 1, 2])
def test_normalised_coefficients(sounds, deltas):
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
def test_constant_coefficients_are_normalised_to_zero(value, arguments):
    assert not mfcc(np.full((2, 4000), value), FS, normalize=True, deltas=2, **arguments).any()


def test_silence_equals_librosas():
    assert_equals_librosa(np.zeros((2, 4000)), {})


@pytest.mark.parametrize("n_times", [1, 30, 255])
def test_rows_shorter_than_a_frame_are_filled_up_with_zeros(n_times):
    rows = np.random.default_rng(0).normal(size=(3, n_times))
    found = mfcc(rows, FS, center=False)
    filled = np.pad(rows, ((0, 0), (0, 256 - n_times)))
    assert found.shape == (3, 20, 1)
    np.testing.assert_array_equal(found, mfcc(filled, FS, center=False))


@pytest.mark.parametrize(("n_times", "n_frames"), [(1, 1), (200, 4), (500, 8)])
def test_few_frames_are_repeated_for_the_derivatives(n_times, n_frames):
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
def test_statistics_are_those_of_the_coefficients(sounds, arguments):
    design = design_mfcc(MFCCSettings(fs=FS, **(mfcc.__kwdefaults__ | arguments)))
    expected = frame_statistics(mfcc(sounds, FS, **arguments))
    np.testing.assert_allclose(mfcc_statistics(sounds, design), expected, atol=1e-9)


def traced_peak(function, *arguments, **keywords):
    """Return the result, and the most memory that was held above what was held before."""
    tracemalloc.start()
    try:
        result = function(*arguments, **keywords)
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", [(500, 4000), (1, 2_000_000)])
def test_the_memory_is_that_of_the_result_and_little_more(shape):
    rows = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    mfcc(rows[:, :100], FS)  # imports
    found, peak = traced_peak(mfcc, rows, FS, hop_length=32)
    frames = 8 * 256 * found.size / 20
    assert frames > 120e6
    # a long row needs its levels as a whole, for the maximum
    levels = 8 * 40 * found.size / 20 / len(rows)
    assert peak < found.nbytes + 3 * levels + 4 * rows[0].nbytes + 20e6


def test_empty_bands_are_told_and_equal_librosas(sounds):
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
        (5.0, ValueError, "mfcc: x must be an array of samples, got 5.0"),
        (np.zeros((3, 0)), ValueError, r"at least one sample a row, got shape \(3, 0\)"),
        ([0.0, np.nan], ValueError, r"mfcc: x contains NaN: 1 of 2 values.*first at x\[1\]"),
        (np.zeros(9, complex), TypeError, "mfcc: x must be real, got complex128"),
    ],
)
def test_impossible_sounds_are_told(x, error, message):
    with pytest.raises(error, match=message):
        mfcc(x, FS)


def test_impossible_settings_are_told():
    with pytest.raises(ValueError, match="n_mfcc=41 must not exceed n_mels=40"):
        mfcc(np.zeros(100), FS, n_mfcc=41)
