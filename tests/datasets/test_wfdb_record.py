"""Every kind of damage that the files of a record can have."""

import numpy as np
import pytest

from ecgbeat.datasets import load_wfdb

HALF_STEP = 0.5 / 200  # of the converter, in mV


@pytest.fixture
def folder(tmp_path, write_record):
    write_record(tmp_path, "99")
    write_record(tmp_path, "100")
    return tmp_path


def replace_text(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def cut(file, n_bytes):
    content = file.read_bytes()
    file.write_bytes(content[:n_bytes])


@pytest.mark.parametrize("ending", ["hea", "dat", "atr"])
def test_missing_file_is_named_with_its_source(folder, ending):
    (folder / f"100.{ending}").unlink()
    with pytest.raises(FileNotFoundError, match=rf"There is no file .*100\.{ending}\. .*physionet"):
        load_wfdb(folder, records=["99", "100"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no WFDB header"),
        ("100\n", "no WFDB header"),
        ("<html><body>404</body></html>\n", "no WFDB header"),
        ("100 2 360\n", "tells of 2 signals of None samples"),
        ("100 0 360 2000\n", "tells of 0 signals"),
        ("100 2 360 2000\n100.dat 212 200\n", "does not describe each"),
    ],
)
def test_damaged_header(folder, text, message):
    (folder / "100.hea").write_text(text)
    with pytest.raises(ValueError, match=rf"100\.hea is damaged: .*{message}.*physionet"):
        load_wfdb(folder)


def test_header_with_an_unknown_format(folder):
    replace_text(folder / "100.hea", " 212 ", " 999 ")
    with pytest.raises(ValueError, match=r"100\.dat is damaged: .*format 999"):
        load_wfdb(folder)


def test_record_of_several_segments(folder):
    (folder / "100.hea").write_text("100/2 2 360 4000\na 2000\nb 2000\n")
    with pytest.raises(ValueError, match=r"100\.hea describes a record of several segments"):
        load_wfdb(folder)


@pytest.mark.parametrize("n_bytes", [0, 1, 300, 5999])
@pytest.mark.parametrize("lead", [0, None])
def test_signal_file_that_is_cut_off(folder, n_bytes, lead):
    cut(folder / "100.dat", n_bytes)
    with pytest.raises(ValueError, match=rf"100\.dat is damaged: its {n_bytes} bytes do not hold"):
        load_wfdb(folder, lead=lead)


def test_signal_file_with_a_flipped_bit(folder):
    file = folder / "100.dat"
    content = bytearray(file.read_bytes())
    content[3000] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"100\.dat is damaged: .*checksum.*verify=False"):
        load_wfdb(folder)
    assert len(load_wfdb(folder, verify=False).recordings) == 2


def test_signal_file_of_another_record(folder, write_record):
    write_record(folder, "200", n_times=2001)
    (folder / "200.dat").rename(folder / "100.dat")
    with pytest.raises(ValueError, match=r"100\.dat is damaged"):
        load_wfdb(folder, records=["100"])


@pytest.mark.parametrize("n_bytes", [0, 1, 3, 4, 7])
def test_annotation_file_that_is_cut_off(folder, n_bytes):
    cut(folder / "100.atr", n_bytes)
    with pytest.raises(ValueError, match=r"100\.atr is damaged: its end mark is missing"):
        load_wfdb(folder)


def test_annotation_file_of_a_longer_record(folder, write_record):
    write_record(folder, "200", n_times=5000)
    (folder / "200.atr").rename(folder / "100.atr")
    with pytest.raises(ValueError, match="annotates sample 4999, but the record has 2000"):
        load_wfdb(folder, records=["100"])


def test_annotation_file_of_odd_length(folder):
    file = folder / "100.atr"
    file.write_bytes(b"\x07" + file.read_bytes())
    with pytest.raises(ValueError, match=r"100\.atr is damaged: it is no WFDB annotation"):
        load_wfdb(folder)


@pytest.mark.parametrize(
    ("units", "factor"), [("mV", 1.0), ("uV", 1e-3), ("V", 1e3), ("mmHg", 1.0)]
)
def test_voltages_become_millivolts(tmp_path, write_record, units, factor):
    signal, _, _ = write_record(tmp_path, units=units)
    recording = load_wfdb(tmp_path, lead=None, dtype=np.float64).recordings[0]
    np.testing.assert_allclose(recording / factor, signal, atol=1.01 * HALF_STEP)


def test_invalid_samples_are_nan(folder):
    file = folder / "100.dat"
    content = bytearray(file.read_bytes())
    content[0], content[1] = 0x00, (content[1] & 0xF0) | 0x08  # -2048, which format 212 reserves
    file.write_bytes(content)
    recording = load_wfdb(folder, records=["100"], verify=False).recordings[0]
    assert np.flatnonzero(np.isnan(recording)).tolist() == [0]
