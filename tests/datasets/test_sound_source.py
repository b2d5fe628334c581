import struct
from io import BytesIO

import pytest

from ecgbeat.datasets._sound_source import mp3_states_length, sound_source

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
def test_whole_files(tmp_path, write_sine, ending, subtype):
    subtype = "PCM_S8" if (ending, subtype) == ("aiff", "PCM_U8") else subtype
    file = write_sine(tmp_path / f"a.{ending}", subtype=subtype, duration=0.9999)
    assert sound_source(file) == file


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.mp3", "a.opus.ogg"])
def test_whole_files_of_other_formats(tmp_path, write_sine, name):
    file = write_sine(tmp_path / name, subtype="OPUS" if "opus" in name else None)
    assert sound_source(file) == file


@pytest.mark.parametrize("n_bytes", [1, 2, 100, 8000, 15000])
@pytest.mark.parametrize("name", ["a.wav", "a.aiff"])
def test_missing_samples(tmp_path, write_sine, name, n_bytes):
    file = write_sine(tmp_path / name)
    cut(file, n_bytes)
    there = 16000 + 8 * (name == "a.aiff") - n_bytes
    with pytest.raises(ValueError, match=rf"cut off: .* promises 160.. bytes .* {there} are there"):
        sound_source(file)


def test_missing_samples_of_big_endian_wav(tmp_path, write_sine):
    file = write_sine(tmp_path / "a.wav", endian="BIG")
    assert file.read_bytes()[:4] == b"RIFX"
    cut(file, 100)
    with pytest.raises(ValueError, match="cut off"):
        sound_source(file)


def test_missing_samples_behind_another_chunk(wav):
    content = wav.read_bytes()
    wav.write_bytes(content[:36] + b"LIST\5\0\0\0Hello\0" + content[36:-100])
    with pytest.raises(ValueError, match=r"cut off.*15900 are there"):
        sound_source(wav)


@pytest.mark.parametrize("size", [0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_placeholders_of_streams_promise_nothing(wav, size):
    patch(wav, _DATA, size)
    assert sound_source(wav) == wav


@pytest.mark.parametrize("too_much", [16, 28, 36, 44])
def test_a_header_counted_among_the_samples(wav, too_much):
    patch(wav, _DATA, 16000 + too_much)
    assert sound_source(wav) == wav


@pytest.mark.parametrize("size", [0, 100, 16036, 16044, 17000, 0xFFFFFFFF])
def test_the_size_of_all_says_nothing_of_the_samples(wav, size):
    patch(wav, _RIFF, size)
    assert sound_source(wav) == wav


@pytest.mark.parametrize("trailer", [b"LIST\4\0\0\0Hiya", b"LIST\4\0\0\0Hi", b"\0\0\0"])
def test_what_follows_the_samples_does_not_matter(wav, trailer):
    wav.write_bytes(wav.read_bytes() + trailer)
    assert sound_source(wav) == wav


@pytest.mark.parametrize("riff", [0, 36, 16036, 0xFFFFFFFF])
def test_the_size_0_is_put_right(wav, riff):
    whole = wav.read_bytes()
    patch(wav, _RIFF, riff)
    patch(wav, _DATA, 0)
    source = sound_source(wav)
    assert isinstance(source, BytesIO)
    assert source.getvalue()[8:] == whole[8:]


@pytest.mark.parametrize("trailer", [b"", b"LIST\4\0\0\0Hiya", b"LIST\3\0\0\0Hey"])
def test_a_wav_without_samples_is_left_as_it_is(tmp_path, write_sine, trailer):
    file = write_sine(tmp_path / "a.wav", duration=0)
    file.write_bytes(file.read_bytes() + trailer)
    assert sound_source(file) == file


@pytest.mark.parametrize("n_bytes", [0, 3, 11, 12, 30, _HEADER])
def test_what_ends_before_the_samples_is_left_to_libsndfile(wav, n_bytes):
    wav.write_bytes(wav.read_bytes()[:n_bytes])
    if n_bytes in (0, _HEADER):
        with pytest.raises(ValueError, match=r"empty|cut off"):
            sound_source(wav)
    else:
        assert sound_source(wav) == wav


@pytest.mark.parametrize("n_bytes", [1, 100, 1000])
@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_page_of_ogg_that_is_not_whole(tmp_path, write_sine, subtype, n_bytes):
    file = write_sine(tmp_path / "a.ogg", subtype=subtype, duration=3)
    cut(file, n_bytes)
    with pytest.raises(ValueError, match="cut off: its last page"):
        sound_source(file)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        sound_source(tmp_path / "a.wav")


@pytest.fixture
def mp3(tmp_path, write_sine):
    return write_sine(tmp_path / "a.mp3", fs=44100)


def test_mp3_that_states_its_length(mp3):
    assert mp3_states_length(mp3)


def test_mp3_that_does_not(mp3):
    content = mp3.read_bytes()
    mp3.write_bytes(content[content.index(content[:2], 100) :])  # without the first frame
    assert not mp3_states_length(mp3)


def test_mp3_behind_a_tag(mp3):
    tag = b"ID3\4\0\0" + bytes([0, 0, 2, 1]) + bytes(257)
    mp3.write_bytes(tag + mp3.read_bytes())
    assert mp3_states_length(mp3)
