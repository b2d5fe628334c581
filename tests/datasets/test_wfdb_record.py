"""Every kind of damage that header and signals can have, and every format of the signals."""

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


@pytest.mark.parametrize("ending", ["hea", "dat"])
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


def in_10_bits_of_16(samples):
    """Format 310: three samples in two words, whose lowest bit is not used."""
    first, second, third = (
        (np.resize(samples, (len(samples) + 2) // 3 * 3) & 0x3FF).reshape(-1, 3).T
    )
    return np.stack([first << 1 | (third & 31) << 11, second << 1 | third >> 5 << 11], axis=1)


def in_10_bits_of_32(samples):
    """Format 311: three samples in one word."""
    first, second, third = (
        (np.resize(samples, (len(samples) + 2) // 3 * 3) & 0x3FF).reshape(-1, 3).T
    )
    return first | second << 10 | third << 20


# those that wfdb reads and does not write
FORMATS = {
    "61": lambda samples: samples.astype(">i2"),
    "160": lambda samples: (samples + 2**15).astype("<u2"),
    "310": lambda samples: in_10_bits_of_16(samples).astype("<u2"),
    "311": lambda samples: in_10_bits_of_32(samples).astype("<u4"),
    "8": lambda samples: (
        np.diff(samples.reshape(-1, 2), axis=0, prepend=samples[None, :2]).ravel().astype("i1")
    ),
}


@pytest.mark.parametrize("lead", [0, 1])
@pytest.mark.parametrize("fmt", FORMATS)
def test_formats_that_wfdb_does_not_write(tmp_path, fmt, lead):
    steps = np.random.default_rng(0).integers(-9, 10, size=(500, 2))
    samples = np.clip(np.cumsum(steps, axis=0), -500, 500)
    FORMATS[fmt](samples.ravel()).tofile(tmp_path / "r.dat")
    lines = [
        f"r.dat {fmt} 200/mV 10 0 {column[0]} {(column.sum() + 2**15) % 2**16 - 2**15} 0 {name}"
        for column, name in zip(samples.T, ("MLII", "V5"), strict=True)
    ]
    (tmp_path / "r.hea").write_text("\n".join(["r 2 360.5 500", *lines, ""]))
    data = load_wfdb(tmp_path, lead=lead, annotator=None)
    np.testing.assert_allclose(data.recordings[0], samples[:, lead] / 200, atol=1e-6)
    assert data.fs == 360.5


@pytest.mark.parametrize("fmt", ["16", "24", "32", "80", "212", "508", "516", "524"])
def test_formats_that_wfdb_writes(tmp_path, write_record, fmt):
    signal, _, _ = write_record(tmp_path, fmt=fmt, gain=20.0)
    recording = load_wfdb(tmp_path, lead=None).recordings[0]
    np.testing.assert_allclose(recording, signal, atol=1.01 * 0.5 / 20)


def write_frames(folder, line="r.dat 16x4 200/mV 16 0 0 0 0 II"):
    frames = np.arange(-1000, 1000).reshape(400, 5)
    frames.astype("<i2").tofile(folder / "r.dat")
    header = f"r 2 62.5 400\n{line}\nr.dat 16 200/mV 16 0 0 0 0 Resp\n"
    (folder / "r.hea").write_text(header)
    return frames / 200


def test_a_lead_with_several_samples_a_frame_has_its_own_rate(tmp_path):
    frames = write_frames(tmp_path)
    data = load_wfdb(tmp_path, annotator=None, verify=False)
    assert data.fs == 250.0
    np.testing.assert_allclose(data.recordings[0], frames[:, :4].ravel(), rtol=1e-6)


def test_leads_of_different_rates_are_averaged_to_that_of_the_frames(tmp_path):
    frames = write_frames(tmp_path)
    data = load_wfdb(tmp_path, annotator=None, verify=False, lead=None)
    assert data.fs == 62.5
    np.testing.assert_allclose(data.recordings[0][1], frames[:, 4], rtol=1e-6)
    assert data.recordings[0].shape == (2, 400)


def test_a_lead_without_a_name_has_that_of_wfdb(tmp_path):
    np.zeros(720, "<i2").tofile(tmp_path / "r.dat")
    (tmp_path / "r.hea").write_text("r 1 360 720\nr.dat 16\n")
    assert load_wfdb(tmp_path, annotator=None).lead_names == ["record r, signal 0"]


def test_a_header_with_the_line_ends_of_windows(folder):
    header = folder / "100.hea"
    header.write_bytes(header.read_bytes().replace(b"\n", b"\r\n"))
    assert load_wfdb(folder, lead="V5").lead_names == ["V5", "V5"]


def test_a_file_for_each_lead(folder):
    signal = load_wfdb(folder, ["100"], lead=None, dtype=np.float64).recordings[0]
    lines = []
    for name, row in zip(("MLII", "V5"), signal, strict=True):
        np.rint(200 * row).astype("<i2").tofile(folder / f"{name}.dat")
        lines.append(f"{name}.dat 16 200/mV 16 0 0 0 0 {name}")
    (folder / "two.hea").write_text("\n".join(["two 2 360 2000", *lines, ""]))
    data = load_wfdb(folder, ["two"], lead="V5", annotator=None, verify=False, dtype=np.float64)
    np.testing.assert_allclose(data.recordings[0], signal[1])
