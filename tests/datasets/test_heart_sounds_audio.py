import struct
import warnings
from io import BytesIO

import librosa
import numpy as np
import pytest
import soundfile

from ecgbeat.datasets.heart_sounds.audio import (
    check_complete,
    mp3_states_length,
    read_sound,
    read_sounds,
)


def tone_of(signal, fs):
    """Return frequency and amplitude of the strongest tone in the middle of a sound."""
    middle = signal[len(signal) // 4 : -len(signal) // 4]
    window = np.hanning(len(middle))
    spectrum = np.abs(np.fft.rfft(middle * window)) / window.sum() * 2
    return np.argmax(spectrum) * fs / len(middle), spectrum.max()


FORMATS = [
    ("a.wav", "PCM_U8", 0.01),
    ("a.wav", "PCM_16", 1e-4),
    ("a.wav", "PCM_24", 1e-5),
    ("a.wav", "PCM_32", 1e-5),
    ("a.wav", "FLOAT", 1e-5),
    ("a.wav", "DOUBLE", 1e-5),
    ("a.WAV", "ULAW", 0.02),
    ("a.flac", "PCM_16", 1e-4),
    ("a.flac", "PCM_24", 1e-5),
    ("a.ogg", "VORBIS", 0.03),
    ("a.opus.ogg", "OPUS", 0.03),
    ("a.mp3", None, 0.03),
    ("a.aiff", "PCM_16", 1e-4),
]


@pytest.mark.parametrize("fs_of_file", [8000, 16000, 48000])
@pytest.mark.parametrize(("name", "subtype", "tolerance"), FORMATS)
def test_a_sine_keeps_frequency_and_amplitude(
    tmp_path, write_sine, name, subtype, tolerance, fs_of_file
):
    file = write_sine(tmp_path / name, fs=fs_of_file, duration=2, subtype=subtype)
    signal, duration = read_sound(file, 4000.0)
    assert signal.dtype == np.float32
    assert duration == pytest.approx(2.0, abs=0.001)
    assert len(signal) == pytest.approx(8000, abs=4)
    frequency, amplitude = tone_of(signal, 4000)
    assert frequency == pytest.approx(100, abs=1)
    assert amplitude == pytest.approx(0.5, abs=0.5 * tolerance + 1e-4)


@pytest.mark.parametrize("fs", [1000.0, 2000, 4000.5, 44100])
def test_resampling_to_other_rates(tmp_path, write_sine, fs):
    file = write_sine(tmp_path / "a.wav", fs=11025, duration=2)
    signal, _ = read_sound(file, fs)
    assert len(signal) == pytest.approx(2 * fs, abs=1)
    assert tone_of(signal, fs) == pytest.approx((100, 0.5), abs=0.5)


def test_frequencies_above_the_new_nyquist_frequency_are_removed(tmp_path, write_sine):
    file = write_sine(tmp_path / "a.wav", fs=48000, frequency=2500)
    assert np.abs(read_sound(file, 4000)[0][100:-100]).max() < 1e-4


def test_same_sampling_rate_keeps_the_samples(tmp_path):
    signal = np.random.default_rng(0).uniform(-1, 1, 100).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", signal, 4000, subtype="FLOAT")
    np.testing.assert_array_equal(read_sound(tmp_path / "a.wav", 4000.0)[0], signal)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_equals_librosa(tmp_path, n_channels):
    signal = np.random.default_rng(0).uniform(-1, 1, (44100, n_channels))
    soundfile.write(tmp_path / "a.wav", signal, 44100)
    # its fallback for other formats imports what Python 3.13 has no more
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        expected, _ = librosa.load(tmp_path / "a.wav", sr=4000)
    np.testing.assert_allclose(read_sound(tmp_path / "a.wav", 4000.0)[0], expected, atol=1e-6)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_channels_are_averaged(tmp_path, name):
    times = np.arange(8000) / 4000
    sine = np.sin(2 * np.pi * 100 * times)
    soundfile.write(tmp_path / name, np.stack([0.6 * sine, 0.2 * sine], axis=1), 4000)
    frequency, amplitude = tone_of(read_sound(tmp_path / name, 4000.0)[0], 4000)
    assert (frequency, amplitude) == pytest.approx((100, 0.4), abs=0.01)


def test_silence_is_a_sound(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(800), 8000)
    assert not read_sound(tmp_path / "a.wav", 4000.0)[0].any()


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_a_wav_written_to_a_pipe_is_read_to_its_end(tmp_path, write_sine, size):
    file = write_sine(tmp_path / "a.wav", fs=4000)
    expected = read_sound(file, 4000.0)[0]
    content = bytearray(file.read_bytes())
    struct.pack_into("<I", content, 40, size)
    file.write_bytes(content)
    np.testing.assert_array_equal(read_sound(file, 4000.0)[0], expected)


def test_flac_named_wav_is_read(tmp_path, write_sine):
    write_sine(tmp_path / "a.flac").rename(tmp_path / "a.wav")
    assert len(read_sound(tmp_path / "a.wav", 4000.0)[0]) == 4000


NO_SOUND = {
    "empty": b"",
    "text": b"This is a text, and no sound at all.\n" * 100,
    "zeros": bytes(5000),
    "html": b"<html>Please log in</html>",
    "RIFF alone": b"RIFF\x24\0\0\0WAVE",
}


@pytest.mark.parametrize("content", NO_SOUND.values(), ids=NO_SOUND)
@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff", "au", "snd", "m4a"])
def test_content_other_than_sound_raises(tmp_path, ending, content):
    (tmp_path / f"a.{ending}").write_bytes(content)
    with pytest.raises(ValueError, match=r"^it is (empty|damaged, or not in a format .*WAV, FLAC)"):
        read_sound(tmp_path / f"a.{ending}", 4000.0)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated_file_raises(tmp_path, write_sine, ending, share):
    file = write_sine(tmp_path / f"a.{ending}", duration=3, fs=16000)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(ValueError, match=r"truncated|damaged"):
        read_sound(file, 4000.0)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_an_mp3_of_constant_rate_without_length_is_read_to_its_end(tmp_path, write_sine, share):
    rate = {"bitrate_mode": "CONSTANT", "compression_level": 0.9}
    file = write_sine(tmp_path / "a.mp3", fs=44100, duration=3, **rate)
    content = file.read_bytes()
    content = content[content.index(content[:2], 100) :]  # the first frame states the length
    file.write_bytes(content[: int(share * len(content))])
    assert read_sound(file, 4000.0)[1] == pytest.approx(3 * share, abs=0.05)


def test_flac_without_length_raises(tmp_path, write_sine):
    file = write_sine(tmp_path / "a.flac")
    content = bytearray(file.read_bytes())
    content[21] &= 0xF0  # the number of samples: 36 bits
    content[22:26] = bytes(4)
    file.write_bytes(content)
    with pytest.raises(ValueError, match="does not state its length"):
        read_sound(file, 4000.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_raise(tmp_path, bad):
    signal = np.zeros(100, np.float32)
    signal[[10, 20]] = bad
    soundfile.write(tmp_path / "a.wav", signal, 4000, subtype="FLOAT")
    with pytest.raises(ValueError, match="2 of its 100 samples are NaN or infinite"):
        read_sound(tmp_path / "a.wav", 4000.0)


@pytest.mark.parametrize("ending", ["wav", "aiff"])
def test_file_without_samples_raises(tmp_path, ending):
    soundfile.write(tmp_path / f"a.{ending}", np.zeros(0), 8000)
    with pytest.raises(ValueError, match="it holds no samples"):
        read_sound(tmp_path / f"a.{ending}", 4000.0)


def test_less_than_one_sample_raises(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(4), 48000)
    with pytest.raises(ValueError, match="4 samples at 48000 Hz are less than one at 4000 Hz"):
        read_sound(tmp_path / "a.wav", 4000.0)


@pytest.mark.parametrize(("n_kept", "n_times"), [(None, 12000), (100, 100), (20000, 12000)])
def test_kept_samples_are_a_copy(tmp_path, write_sine, n_kept, n_times):
    file = write_sine(tmp_path / "a.wav", duration=3)
    reading = read_sounds([("a", file)], 4000.0, min_duration=0, n_kept=n_kept, on_error="raise")
    assert len(reading.signals["a"]) == n_times
    assert n_kept is None or reading.signals["a"].base is None


# --- truncated files -------------------------------------------------------------------


_RIFF, _DATA = 4, 40  # where sizes stand in a plain WAV
_HEADER = 44


@pytest.fixture
def wav(tmp_path, write_sine):
    return write_sine(tmp_path / "a.wav")


def patch(file, place, size, fmt="<I"):
    content = bytearray(file.read_bytes())
    struct.pack_into(fmt, content, place, size)
    file.write_bytes(content)


def cut(file, n_bytes):
    file.write_bytes(file.read_bytes()[:-n_bytes])


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT", "DOUBLE", "IMA_ADPCM"])
@pytest.mark.parametrize("ending", ["wav", "aiff"])
def test_complete_wav_and_aiff_files_pass(tmp_path, write_sine, ending, subtype):
    subtype = "PCM_S8" if (ending, subtype) == ("aiff", "PCM_U8") else subtype
    file = write_sine(tmp_path / f"a.{ending}", subtype=subtype, duration=0.9999)
    assert check_complete(file) == file


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.mp3", "a.opus.ogg"])
def test_complete_files_of_other_formats_pass(tmp_path, write_sine, name):
    file = write_sine(tmp_path / name, subtype="OPUS" if "opus" in name else None)
    assert check_complete(file) == file


@pytest.mark.parametrize("n_bytes", [1, 2, 100, 8000, 15000])
@pytest.mark.parametrize("name", ["a.wav", "a.aiff"])
def test_missing_samples_raise(tmp_path, write_sine, name, n_bytes):
    file = write_sine(tmp_path / name)
    cut(file, n_bytes)
    there = 16000 + 8 * (name == "a.aiff") - n_bytes
    with pytest.raises(ValueError, match=rf"truncated: it holds {there} of the 160.. bytes"):
        check_complete(file)


def test_missing_samples_of_big_endian_wav_raise(tmp_path, write_sine):
    file = write_sine(tmp_path / "a.wav", endian="BIG")
    assert file.read_bytes()[:4] == b"RIFX"
    cut(file, 100)
    with pytest.raises(ValueError, match="truncated"):
        check_complete(file)


def test_missing_samples_behind_another_chunk_raise(wav):
    content = wav.read_bytes()
    wav.write_bytes(content[:36] + b"LIST\5\0\0\0Hello\0" + content[36:-100])
    with pytest.raises(ValueError, match=r"truncated.*15900 of"):
        check_complete(wav)


@pytest.mark.parametrize("size", [0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_placeholder_sizes_of_streams_pass(wav, size):
    patch(wav, _DATA, size)
    assert check_complete(wav) == wav


@pytest.mark.parametrize("too_much", [16, 28, 36, 44])
def test_header_counted_as_samples_passes(wav, too_much):
    patch(wav, _DATA, 16000 + too_much)
    assert check_complete(wav) == wav


@pytest.mark.parametrize("size", [0, 100, 16036, 16044, 17000, 0xFFFFFFFF])
def test_wrong_riff_size_passes(wav, size):
    patch(wav, _RIFF, size)
    assert check_complete(wav) == wav


@pytest.mark.parametrize("trailer", [b"LIST\4\0\0\0Hiya", b"LIST\4\0\0\0Hi", b"\0\0\0"])
def test_trailing_chunks_pass(wav, trailer):
    wav.write_bytes(wav.read_bytes() + trailer)
    assert check_complete(wav) == wav


@pytest.mark.parametrize("riff", [0, 36, 16036, 0xFFFFFFFF])
def test_size_0_of_samples_is_corrected(wav, riff):
    whole = wav.read_bytes()
    patch(wav, _RIFF, riff)
    patch(wav, _DATA, 0)
    source = check_complete(wav)
    assert isinstance(source, BytesIO)
    assert source.getvalue()[8:] == whole[8:]


@pytest.mark.parametrize("trailer", [b"", b"LIST\4\0\0\0Hiya", b"LIST\3\0\0\0Hey"])
def test_wav_without_samples_passes(tmp_path, write_sine, trailer):
    file = write_sine(tmp_path / "a.wav", duration=0)
    file.write_bytes(file.read_bytes() + trailer)
    assert check_complete(file) == file


@pytest.mark.parametrize("n_bytes", [0, 3, 11, 12, 30, _HEADER])
def test_file_that_ends_before_the_samples(wav, n_bytes):
    wav.write_bytes(wav.read_bytes()[:n_bytes])
    if n_bytes in (0, _HEADER):
        with pytest.raises(ValueError, match=r"empty|truncated"):
            check_complete(wav)
    else:
        assert check_complete(wav) == wav


@pytest.mark.parametrize("n_bytes", [1, 100, 1000])
@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_incomplete_page_of_ogg_raises(tmp_path, write_sine, subtype, n_bytes):
    file = write_sine(tmp_path / "a.ogg", subtype=subtype, duration=3)
    cut(file, n_bytes)
    with pytest.raises(ValueError, match=r"truncated: .* of its last page"):
        check_complete(file)


def test_missing_file_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        check_complete(tmp_path / "a.wav")


@pytest.fixture
def mp3(tmp_path, write_sine):
    return write_sine(tmp_path / "a.mp3", fs=44100)


def test_mp3_that_states_its_length(mp3):
    assert mp3_states_length(mp3)


def test_mp3_that_does_not_state_its_length(mp3):
    content = mp3.read_bytes()
    mp3.write_bytes(content[content.index(content[:2], 100) :])  # without the first frame
    assert not mp3_states_length(mp3)


def test_mp3_behind_a_tag(mp3):
    tag = b"ID3\4\0\0" + bytes([0, 0, 2, 1]) + bytes(257)
    mp3.write_bytes(tag + mp3.read_bytes())
    assert mp3_states_length(mp3)
