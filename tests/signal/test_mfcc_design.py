import warnings

import numpy as np
import pytest

from ecgbeat.signal import mfcc
from ecgbeat.signal._mfcc_design import MFCCSettings, design_mfcc

DEFAULTS = MFCCSettings(
    *(4000.0, 20, 256, 64, None, "hann", True, "constant", 2.0, 40, 0.0, None, False),
    *("slaney", 80.0, 2, "ortho", 0.0, 0, 9, False),
)


def test_the_defaults_above_are_those_of_the_function():
    assert DEFAULTS._asdict() == mfcc.__kwdefaults__ | {"fs": 4000.0}


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("n_fft", [2, 255, 256])
@pytest.mark.parametrize("n_times", [1, 254, 255, 256, 257, 1000])
def test_frames_are_counted(center, n_fft, n_times):
    settings = DEFAULTS._replace(center=center, n_fft=n_fft, n_mels=1, n_mfcc=1, fmin=1.0)
    with warnings.catch_warnings(action="ignore"):  # two samples leave a band empty
        found = mfcc(np.zeros(n_times), **settings._asdict())
    assert found.shape == (1, design_mfcc(settings).n_frames(n_times))


@pytest.mark.parametrize(
    "window",
    ["hann", ("kaiser", 8.0), 8.0, np.hanning, np.hanning(100), [1.0] * 100],
    ids=["name", "pair", "beta", "function", "array", "list"],
)
def test_the_window_stands_in_the_middle_of_the_frame(window):
    values = design_mfcc(DEFAULTS._replace(window=window, win_length=100)).window
    assert values.shape == (256,)
    assert not values[:78].any()
    assert not values[178:].any()
    assert values[128] > 0.9


def test_only_bins_inside_the_bands_are_looked_at():
    design = design_mfcc(DEFAULTS._replace(fmin=500.0, fmax=1000.0, n_mels=20))
    assert (design.bins.start, design.bins.stop) == (33, 64)  # 15.625 Hz apart, edges excluded
    assert design.mel_basis.shape == (20, 31)


def test_what_calls_share_cannot_be_written_to():
    design = design_mfcc(DEFAULTS)
    assert not design.mel_basis.flags.writeable
    assert not design.cosines.flags.writeable


def test_empty_bands_are_told():
    assert design_mfcc(DEFAULTS).empty_bands() is None
    message = design_mfcc(DEFAULTS._replace(n_fft=32)).empty_bands()
    assert message is not None
    assert "of n_mels=40 mel bands are empty" in message
    assert "125 Hz" in message


def test_no_band_with_a_bin():
    design = design_mfcc(DEFAULTS._replace(fmin=1.0, fmax=15.0))
    assert design.n_empty == 40
    assert not design.mel_basis.any()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"fs": 0}, ValueError, "fs must be greater than 0.*got 0"),
        ({"fs": "4000"}, TypeError, "fs must be a number in Hz, got '4000'"),
        ({"n_mfcc": 0}, ValueError, "n_mfcc must be a whole number of 1 or more, got 0"),
        ({"n_mfcc": 41}, ValueError, "n_mfcc=41 must not exceed n_mels=40.*Lower n_mfcc or"),
        ({"n_mels": 20.0}, ValueError, "n_mels must be a whole number of 1 or more, got 20.0"),
        ({"n_fft": 1}, ValueError, "n_fft must be a whole number of 2 or more, got 1"),
        ({"n_fft": "256"}, ValueError, "n_fft must be a whole number of 2 or more, got '256'"),
        ({"hop_length": 0}, ValueError, "hop_length must be a whole number of 1 or more, got 0"),
        ({"hop_length": True}, ValueError, "hop_length must be a whole number .*, got True"),
        ({"win_length": 300}, ValueError, "win_length=300 must not exceed n_fft=256"),
        ({"win_length": 0}, ValueError, "win_length must be a whole number of 1 or more, got 0"),
        ({"fmin": -1}, ValueError, "fmin must be 0 or greater.*got -1"),
        ({"fmin": 2000}, ValueError, "fmin=2000.0 Hz must be below fmax=2000.0 Hz.*lower fmin"),
        ({"fmin": 90, "fmax": 80}, ValueError, "fmin=90.0 Hz must be below fmax=80.0 Hz"),
        ({"fmax": 2001}, ValueError, "fmax=2001.0 Hz must not exceed fs / 2 = 2000.0 Hz.*None"),
        ({"power": 0}, ValueError, "power must be greater than 0.*got 0"),
        ({"lifter": -1}, ValueError, "lifter must be 0 or greater.*got -1"),
        ({"top_db": -1}, ValueError, "top_db must be 0 or greater.*got -1"),
        ({"top_db": "80"}, TypeError, "top_db must be a number in dB, got '80'"),
        ({"deltas": 3}, ValueError, "deltas must be one of 0, 1, 2, got 3"),
        ({"delta_width": 8}, ValueError, "delta_width must be odd, .* got 8"),
        ({"delta_width": 1}, ValueError, "delta_width must be a whole number of 3 .* got 1"),
        ({"pad_mode": "wrap"}, ValueError, "pad_mode must be one of 'constant', .* got 'wrap'"),
        ({"dct_type": 4}, ValueError, "dct_type must be one of 1, 2, 3, got 4"),
        (
            {"dct_type": 1, "n_mels": 1, "n_mfcc": 1},
            ValueError,
            "n_mels must be a whole number of 2 or more, got 1",
        ),
        ({"norm": "l2"}, ValueError, "norm must be one of 'ortho', None, got 'l2'"),
        ({"mel_norm": "area"}, ValueError, "mel_norm must be 'slaney', None or .* got 'area'"),
        ({"mel_norm": 0}, ValueError, "mel_norm must be .* got 0"),
        ({"window": "square"}, ValueError, "window='square' gives no window of 256 samples"),
        ({"window": [1.0, 2.0]}, ValueError, "gives no window of 256 samples"),
        ({"window": np.full(256, np.nan)}, ValueError, "gives no window of 256 samples"),
        ({"window": lambda length: np.ones(length - 1)}, ValueError, "gives no window of 256"),
        ({"window": object()}, ValueError, "gives no window of 256 samples"),
    ],
)
def test_impossible_settings_are_told(arguments, error, message):
    with pytest.raises(error, match=message):
        design_mfcc(DEFAULTS._replace(**arguments))
