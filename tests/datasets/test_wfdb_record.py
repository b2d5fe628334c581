import warnings

import numpy as np
import pytest

from ecgbeat.datasets import load_wfdb
from ecgbeat.datasets.wfdb.record import annotation_codes

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
        ("", "not a WFDB header"),
        ("100\n", "not a WFDB header"),
        ("<html><body>404</body></html>\n", "not a WFDB header"),
        ("100 2 360\n", "does not describe each"),
        ("100 0 360 2000\n", "states 0 signals"),
        ("100 2 360 2000\n100.dat 212 200\n", "does not describe each"),
    ],
)
def test_damaged_header_raises(folder, text, message):
    (folder / "100.hea").write_text(text)
    with pytest.raises(ValueError, match=rf"100\.hea is damaged: .*{message}.*physionet"):
        load_wfdb(folder)


def test_header_with_an_unknown_format_raises(folder):
    replace_text(folder / "100.hea", " 212 ", " 999 ")
    with pytest.raises(ValueError, match=r"100\.hea is damaged: its line 2 states the format 999"):
        load_wfdb(folder)


@pytest.mark.parametrize("n_bytes", [0, 1, 300, 5999])
@pytest.mark.parametrize("lead", [0, None])
def test_truncated_signal_file_raises(folder, n_bytes, lead):
    cut(folder / "100.dat", n_bytes)
    with pytest.raises(ValueError, match=rf"100\.dat is damaged: its {n_bytes} bytes do not hold"):
        load_wfdb(folder, lead=lead)


def test_signal_file_with_a_flipped_bit_raises(folder):
    file = folder / "100.dat"
    content = bytearray(file.read_bytes())
    content[3000] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"100\.dat is damaged: .*checksum.*verify=False"):
        load_wfdb(folder)
    assert len(load_wfdb(folder, verify=False).recordings) == 2


def test_signal_file_of_another_record_raises(folder, write_record):
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


def test_matlab_files_of_physionet_challenges(tmp_path):
    samples = np.random.default_rng(0).integers(-500, 500, (5000, 2)).astype("<i2")
    # of a MATLAB v4 file: type, numbers of rows and columns, imaginary part, length of the name
    head = np.array([30, 2, 5000, 0, 4], "<i4").tobytes() + b"val\x00"
    (tmp_path / "A0001.mat").write_bytes(head + samples.tobytes())
    sums = (samples.sum(axis=0, dtype=int) + 2**15) % 2**16 - 2**15
    lines = [
        f"A0001.mat 16+24 1000/mV 16 0 {first} {total} 0 {name}"
        for first, total, name in zip(samples[0], sums, ("I", "II"), strict=True)
    ]
    comments = ["# Age: 74", "#Sex: Male", "# Dx: 59118001"]
    first = "A0001 2 500 5000 05-Feb-2020 11:39:16"
    (tmp_path / "A0001.hea").write_text("\n".join([first, *lines, *comments, ""]))
    data = load_wfdb(tmp_path, lead="II", annotator=None)
    np.testing.assert_allclose(data.recordings[0], samples[:, 1] / 1000, rtol=1e-5)
    assert data.fs == 500.0


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (("r.dat 16", "~ 0"), "signals without a file"),
        (("r.dat 16", "s.dat 16", "r.dat 16"), "must follow each other"),
    ],
)
def test_files_of_signals_that_cannot_be_read_raise(tmp_path, files, message):
    for name in ("r.dat", "s.dat"):
        np.zeros(1440, "<i2").tofile(tmp_path / name)
    lines = [f"{file} 200/mV 16 0 0 0 0 II" for file in files]
    (tmp_path / "r.hea").write_text("\n".join([f"r {len(files)} 360 720", *lines, ""]))
    with pytest.raises(ValueError, match=rf"r\.hea is damaged: .*{message}"):
        load_wfdb(tmp_path, annotator=None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("r.dat 16", 100 / 200),  # WFDB's gain where none is known
        ("r.dat 16 0/uV", 100 / 200 / 1000),
        ("r.dat 16 50(-20)/mV 16 7", 120 / 50),
        ("r.dat 16 50/mV 16 7", 93 / 50),  # the zero of the converter is the baseline
        ("r.dat 16 -50/mV", -100 / 50),
        ("r.dat 16 5e4/V", 100 / 50),
    ],
)
def test_gains_and_baselines(tmp_path, line, expected):
    write_header(tmp_path, line=line)
    data = load_wfdb(tmp_path, annotator=None, verify=False, dtype=np.float64)
    np.testing.assert_allclose(data.recordings[0], expected, rtol=1e-9)


def test_lead_without_a_name_gets_that_of_wfdb(tmp_path):
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


def in_12_bits(samples):
    """Format 212: two samples in three bytes."""
    first, second = samples.astype(int).reshape(-1, 2).T & 0xFFF
    packed = [first & 0xFF, first >> 8 | second >> 8 << 4, second & 0xFF]
    return np.stack(packed, axis=1).astype("u1")


@pytest.mark.parametrize("name", ["r", "J\u00f6rg \u0418.", "a.b"])
def test_files_of_different_formats_offsets_and_frames(tmp_path, name):
    rng = np.random.default_rng(0)
    slow, fast = rng.integers(-2000, 2000, (400, 2)), rng.integers(-2000, 2000, 1600)
    (tmp_path / "slow.dat").write_bytes(bytes(7) + in_12_bits(slow.ravel()).tobytes())
    fast.astype("<i4").tofile(tmp_path / "fast.dat")
    lines = [*2 * ["slow.dat 212+7 400(30)/mV 12 0"], "fast.dat 32x4 0.5/uV 16 20"]
    (tmp_path / f"{name}.hea").write_text("\n".join(["r 3 125 400", *lines, ""]))
    for lead, expected in enumerate([*(slow.T - 30) / 400, (fast - 20) / 500]):
        data = load_wfdb(tmp_path, [name], lead=lead, annotator=None, dtype=np.float64)
        np.testing.assert_allclose(data.recordings[0], expected, rtol=1e-9)
        assert data.fs == (125.0, 125.0, 500.0)[lead]


def test_skew_moves_a_lead_back(tmp_path):
    samples = np.arange(1440).reshape(720, 2)
    samples.astype("<i2").tofile(tmp_path / "r.dat")
    lines = "r.dat 16 200/mV\nr.dat 16:5 200/mV\n"
    (tmp_path / "r.hea").write_text(f"r 2 360 720\n{lines}")
    read = load_wfdb(tmp_path, lead=None, annotator=None).recordings[0]
    np.testing.assert_allclose(read[0], samples[:, 0] / 200, rtol=1e-6)
    np.testing.assert_allclose(read[1, :-5], samples[5:, 1] / 200, rtol=1e-6)
    assert np.isnan(read[1, -5:]).all()


# --- lines that are not understood -----------------------------------------------------


def write_header(folder, first="r 1 360 720", line="r.dat 16 200/mV 16 0 0 0 0 II"):
    np.full(720, 100, "<i2").tofile(folder / "r.dat")
    (folder / "r.hea").write_text(f"{first}\n{line}\n", encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("micro", ["\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}", "u"])
def test_microvolts_in_any_spelling(tmp_path, micro, encoding):
    if encoding == "latin-1" and micro == "\N{GREEK SMALL LETTER MU}":
        pytest.skip("Latin-1 has no Greek letters")
    write_header(tmp_path)
    header = f"r 1 360 720\nr.dat 16 200/{micro}V 16 0 0 0 0 II\n"
    (tmp_path / "r.hea").write_bytes(header.encode(encoding))
    recording = load_wfdb(tmp_path, annotator=None, verify=False).recordings[0]
    np.testing.assert_allclose(recording, 0.5e-3, rtol=1e-6)


FIRST_LINES = [
    *("r 1 0 720", "r 1 -5 720", "r 1 nan 720", "r 1 1e400 720", "r 1 0.0000001 720"),
    *(f"r 1 {'9' * 400} 720", "r 1 360 -720", "r 1 360 7x20", "r 1 360 720 10:00 1/1/2000 more"),
    *("r 1 360 720\x00", "r 1,360 720", "r -1 360 720", "r 2 360 720", "r/1 1 360 720"),
    *("r 1 360 720 05-Feb-2020", "r 1 360 720 5 Feb 2020 11:39:16"),
    *(f"r 1 360 {10**17}", "r 1 360 721", "r 1 360 720 99:99:99"),
]


@pytest.mark.parametrize("first", FIRST_LINES)
def test_first_line_that_is_not_understood_raises(tmp_path, first):
    write_header(tmp_path, first)
    with pytest.raises(ValueError, match=r"r\.(hea|dat) is damaged: "):
        load_wfdb(tmp_path, ["r"], annotator=None, verify=False)


SIGNAL_LINES = [
    *("r.dat 16 2>0(100)/mV 16 0 0 0 0 II", "r.dat 16 200(1x0)/mV", "r.dat 16 200(100/mV"),
    *("r.dat 16 1e400/mV", "r.dat 16 1e-320/mV", "r.dat 16 nan/mV", "r.dat 16 inf", "r.dat 7 200"),
    *("r.dat 16 200/\u00ecV", "r.dat 16 200/xV", "r.dat 16 200/m\u00ff", "r.dat 16x0 200/mV"),
    *("r.dat 16:999999999 200/mV", "r.dat 16x999999999 200/mV", "r.dat 16+99999 200/mV"),
    *(
        "r.dat 16 200/mV 16 0 0 0 II",
        "r.dat 16 200/mV sixteen",
        "../r.dat 16 200",
        "/etc/passwd 16",
    ),
    *(f"r.dat 16 200({10**30})/mV", "r.dat 16 200/mV 16 0 0 0 0 I\x00I", "r.dat sixteen"),
]


@pytest.mark.parametrize("line", SIGNAL_LINES)
@pytest.mark.parametrize("verify", [False, True])
def test_signal_line_that_is_not_understood_raises(tmp_path, line, verify):
    write_header(tmp_path, line=line)
    with pytest.raises(ValueError, match=r"r\.(hea|dat) is damaged: "):
        load_wfdb(tmp_path, annotator=None, verify=verify)


def test_error_names_the_line_and_the_remedy(tmp_path):
    write_header(tmp_path, "# a comment\n\nr 1 360 720", "r.dat 16 2>0/mV")
    message = r"r\.hea is damaged: .*line 4 is damaged: 'r.dat 16 2>0/mV' is not a signal.* Correct"
    with pytest.raises(ValueError, match=message):
        load_wfdb(tmp_path, annotator=None)


def test_lead_of_an_unknown_format_beside_good_ones_raises(tmp_path):
    write_header(tmp_path, "r 2 360 360", "r.dat 16 200/mV\nother.dat 17 200/mV")
    with pytest.raises(ValueError, match="line 3 states the format 17"):
        load_wfdb(tmp_path, annotator=None)


VALID = [
    ("r 1 360", "r.dat 16 200(0)/mV 16 0 100 6464 0 II"),
    ("r 1 360/500(3.5) 720 10:00:00.5 01/02/2000", "r.dat 16x1:0+0 200/mV 16 0 100 6464 0 II aVF"),
    ("r 1 360.5 720 10:00:00", "r.dat 16 2e2/mV 16 0"),
    ("r 1 360 720 05-Feb-2020 11:39:16", "r.dat 16 200/mV 16 0 100 6464 0 II"),
    ("r 1 360 720", "r.dat 16 0/mV 16 0 100 6464 0 \u00c4rmel"),
    ("r\t1\t360\t720", "r.dat\t16\t200.0/mV\t16\t0\t100\t6464\t0\tII"),
    ("#c\n\n r 1 360 720 ", " r.dat 16 -200/mV "),
]


@pytest.mark.parametrize(("first", "line"), VALID)
def test_valid_lines_pass(tmp_path, first, line):
    write_header(tmp_path, first, line)
    data = load_wfdb(tmp_path, annotator=None)
    np.testing.assert_allclose(np.abs(data.recordings[0]), np.full(720, 0.5))


def test_record_that_is_all_gap_is_nan(tmp_path):
    (tmp_path / "whole.hea").write_text("whole/1 2 360 1000\n~ 1000\n")
    data = load_wfdb(tmp_path, annotator=None, lead=None)
    assert data.recordings[0].shape == (2, 1000)
    assert np.isnan(data.recordings[0]).all()
    lines = "~ 0 200/mV 8 0 0 0 0 II\n~ 0 200/mV 8 0 0 0 0 V5\n"
    (tmp_path / "layout.hea").write_text(f"layout 2 360 0\n{lines}")
    (tmp_path / "whole.hea").write_text("whole/2 2 360 1000\nlayout 0\n~ 1000\n")
    data = load_wfdb(tmp_path, ["whole"], annotator=None, lead="V5")
    assert data.recordings[0].shape == (1000,)
    assert data.lead_names == ["V5"]


def test_gap_that_does_not_fit_in_memory_raises(tmp_path):
    (tmp_path / "whole.hea").write_text(f"whole/1 2 360 {10**11}\n~ {10**11}\n")
    with pytest.raises(ValueError, match=r"whole\.hea is damaged: it states gaps of 100000000000"):
        load_wfdb(tmp_path, annotator=None)


@pytest.mark.parametrize("text", ["w/1 1 360 720\nw 720\n", "w/2 1 360 1440\nr 720\nw 720\n"])
def test_segment_with_segments_raises(tmp_path, text):
    write_header(tmp_path)
    (tmp_path / "w.hea").write_text(text)
    with pytest.raises(ValueError, match=r"w\.hea is damaged: it is a segment"):
        load_wfdb(tmp_path, ["w"], annotator=None)


# --- segments --------------------------------------------------------------------------


STEP = 1.01 / 200  # of the converter, in mV


@pytest.fixture
def fixed(tmp_path, write_record):
    """A record of two segments, and its signal."""
    parts = [write_record(tmp_path, name, n_times=n)[0] for name, n in (("a", 2000), ("bb", 3000))]
    (tmp_path / "whole.hea").write_text("whole/2 2 360 5000\na 2000\nbb 3000\n")
    (tmp_path / "bb.atr").rename(tmp_path / "whole.atr")
    return tmp_path, np.concatenate(parts, axis=1)


@pytest.fixture
def variable(tmp_path, write_record):
    """A record with a gap, a segment without a lead, and one with the leads swapped."""
    first, _, _ = write_record(tmp_path, "a", leads=("II",))
    second, _, _ = write_record(tmp_path, "bb", leads=("V", "II"), n_times=3000, gain=100.0)
    line = "~ 0 200/mV 8 0 0 0 0 "
    (tmp_path / "layout.hea").write_text(f"layout 2 360 0\n{line}II\n{line}V\n")
    (tmp_path / "whole.hea").write_text("whole/4 2 360 6000\nlayout 0\na 2000\n~ 1000\nbb 3000\n")
    (tmp_path / "bb.atr").rename(tmp_path / "whole.atr")
    signal = np.full((2, 6000), np.nan)
    signal[0, :2000], signal[:, 3000:] = first[0], second[::-1]
    return tmp_path, signal


def test_segments_follow_each_other(fixed):
    folder, signal = fixed
    data = load_wfdb(folder, lead=None)
    assert data.record_names == ["whole"]
    assert data.lead_names == [["MLII", "V5"]]
    np.testing.assert_allclose(data.recordings[0], signal, atol=STEP)
    assert data.annotations[0].sample.tolist() == [20, 300, 1000, 2999]


@pytest.mark.parametrize("lead", [1, "V5"])
def test_one_lead(fixed, lead):
    folder, signal = fixed
    np.testing.assert_allclose(load_wfdb(folder, lead=lead).recordings[0], signal[1], atol=STEP)


def test_leads_follow_their_names(variable):
    folder, signal = variable
    data = load_wfdb(folder, lead=None, dtype=np.float64)
    np.testing.assert_allclose(data.recordings[0], signal, atol=2 * STEP)
    assert data.recordings[0].dtype == np.float64


@pytest.mark.parametrize(("lead", "row"), [("II", 0), ("V", 1), (-1, 1)])
def test_gaps_and_segments_without_the_lead_are_nan(variable, lead, row):
    folder, signal = variable
    data = load_wfdb(folder, lead=lead)
    np.testing.assert_allclose(data.recordings[0], signal[row], atol=2 * STEP)
    assert data.lead_names == [["II", "V"][row]]


def test_segments_can_still_be_read_by_themselves(fixed):
    folder, signal = fixed
    data = load_wfdb(folder, ["a"])
    np.testing.assert_allclose(data.recordings[0], signal[0, :2000], atol=STEP)


def test_segments_at_a_multiple_of_the_rate_of_the_header(tmp_path):
    for name in ("a", "b"):
        np.arange(400, dtype="<i2").tofile(tmp_path / f"{name}.dat")
        line = f"{name}.dat 16x4 200/mV 16 0 0 0 0 II"
        (tmp_path / f"{name}.hea").write_text(f"{name} 1 62.5 100\n{line}\n")
    (tmp_path / "whole.hea").write_text("whole/2 1 62.5 200\na 100\nb 100\n")
    data = load_wfdb(tmp_path, annotator=None, verify=False)
    assert data.fs == 250.0
    np.testing.assert_allclose(data.recordings[0], np.tile(np.arange(400) / 200, 2), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("whole/2 2 360 5000\na 2000\nbb 2000\n", "2000 samples at 360 Hz in segment bb"),
        ("whole/2 2 360 6000\na 2000\nbb 3000\n", "segments hold 5000 samples, not 6000"),
        ("whole/2 2 250 5000\na 2000\nbb 3000\n", "2000 samples at 250 Hz in segment a"),
    ],
)
def test_header_that_contradicts_its_segments_raises(fixed, text, message):
    folder, _ = fixed
    (folder / "whole.hea").write_text(text)
    with pytest.raises(ValueError, match=rf"whole\.hea is damaged: .*{message}"):
        load_wfdb(folder, ["whole"])


@pytest.mark.parametrize("ending", ["hea", "dat"])
def test_a_missing_segment_is_named(fixed, ending):
    folder, _ = fixed
    (folder / f"bb.{ending}").unlink()
    with pytest.raises(FileNotFoundError, match=rf"There is no file .*bb\.{ending}"):
        load_wfdb(folder)


def test_a_damaged_segment_is_named(fixed):
    folder, _ = fixed
    content = bytearray((folder / "bb.dat").read_bytes())
    content[300] ^= 1
    (folder / "bb.dat").write_bytes(content)
    with pytest.raises(ValueError, match=r"bb\.dat is damaged: .*checksum"):
        load_wfdb(folder)


# --- annotations -----------------------------------------------------------------------


def annotate(folder, sample, symbol, **kwargs):
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        import wfdb

        wfdb.wrann("100", "qrs", np.array(sample), symbol, write_dir=str(folder), **kwargs)


def test_missing_annotation_file_error_names_the_remedy(folder):
    (folder / "100.atr").unlink()
    message = r"There is no file .*100\.atr\. annotator=None .*records=.*physionet"
    with pytest.raises(FileNotFoundError, match=message):
        load_wfdb(folder)


@pytest.mark.parametrize(
    ("unit", "sample", "converted"),
    [
        (360, [5, 1000, 1999], [5, 1000, 1999]),
        (1000, [14, 2778, 5555], [5, 1000, 1999]),
        (180, [2, 500, 999], [4, 1000, 1998]),
        (250.5, [3, 696, 1391], [4, 1000, 1999]),
    ],
)
def test_other_units_of_time_become_samples(folder, unit, sample, converted):
    annotate(folder, sample, ["N", "V", "N"], fs=unit)
    annotation = load_wfdb(folder, ["100"], annotator="qrs").annotations[0]
    assert annotation.sample.tolist() == converted
    assert annotation.sample.dtype == np.int64
    assert annotation.symbol.tolist() == ["N", "V", "N"]


def test_a_lead_with_several_samples_a_frame_has_annotations_in_its_samples(tmp_path):
    np.zeros(400 * 4, "<i2").tofile(tmp_path / "100.dat")
    (tmp_path / "100.hea").write_text("100 1 62.5 400\n100.dat 16x4 200/mV 16 0 0 0 0 II\n")
    annotate(tmp_path, [5, 399], ["N", "V"])
    data = load_wfdb(tmp_path, annotator="qrs")
    assert data.annotations[0].sample.tolist() == [20, 1596]
    assert data.recordings[0].shape == (1600,)


def test_empty_annotation(folder):
    (folder / "100.atr").write_bytes(b"\x00\x00")
    annotation = load_wfdb(folder).annotations[0]
    assert annotation.sample.dtype == np.int64
    assert len(annotation.sample) == len(annotation.symbol) == 0


def test_notes_do_not_become_beats(folder):
    annotate(folder, [0, 300], ["+", "N"], aux_note=["(AFIB", ""], fs=360)
    assert load_wfdb(folder, ["100"], annotator="qrs").annotations[0].symbol.tolist() == ["+", "N"]


def test_verify_false_drops_annotations_outside(folder, write_record):
    write_record(folder, "200", n_times=5000)
    (folder / "200.atr").rename(folder / "100.atr")
    annotation = load_wfdb(folder, ["100"], verify=False).annotations[0]
    assert annotation.sample.tolist() == [20, 300, 1000]
    assert annotation.symbol.tolist() == ["+", "N", "V"]


@pytest.mark.parametrize("n_bytes", [0, 1, 3, 4, 7])
def test_truncated_annotation_file_raises(folder, n_bytes):
    cut(folder / "100.atr", n_bytes)
    with pytest.raises(ValueError, match=r"100\.atr is damaged: its end mark is missing"):
        load_wfdb(folder)


def test_annotation_file_of_a_longer_record_raises(folder, write_record):
    write_record(folder, "200", n_times=5000)
    (folder / "200.atr").rename(folder / "100.atr")
    with pytest.raises(
        ValueError,
        match=r"100\.atr: annotations must lie within the recording of 2000 samples, .* at 4999",
    ):
        load_wfdb(folder, records=["100"])


def test_annotation_file_of_odd_length_raises(folder):
    file = folder / "100.atr"
    file.write_bytes(b"\x07" + file.read_bytes())
    with pytest.raises(ValueError, match=r"100\.atr is damaged: it is not a WFDB annotation"):
        load_wfdb(folder)


def in_words(*words):
    return np.array(words, "<u2").tobytes()


def note(text):
    content = text.encode()
    return in_words(22 << 10, 63 << 10 | len(content)) + content + bytes(len(content) % 2)


BEAT = in_words(1 << 10 | 50)


@pytest.mark.parametrize(
    "content",
    [
        *(note(f"## time resolution: {fs}") + BEAT for fs in ("nan", "inf", "0", "-1", "x", "1e9")),
        in_words(15 << 10 | 50),
        in_words(49 << 10 | 50),
        in_words(55 << 10 | 50),
        in_words(60 << 10 | 1) + BEAT,
        BEAT + in_words(59 << 10, 0xFFFF, 0xFFB0) + BEAT + in_words(1 << 10 | 5),
        BEAT + in_words(59 << 10, 0xFFFF, 0x8000) + BEAT,
        BEAT + in_words(59 << 10),
        BEAT + in_words(63 << 10 | 200) + b"(AFIB",
        BEAT + in_words(0) + BEAT,
        note("## annotation type definitions") + note("x y z") + BEAT,
        note("## annotation type definitions") + note("99 y z") + BEAT,
        b"<html>",
    ],
)
def test_damaged_annotation_file_raises(folder, content):
    (folder / "100.atr").write_bytes(content + b"\x00\x00")
    with pytest.raises(ValueError, match=r"100\.atr(: | is damaged: )"):
        load_wfdb(folder, ["100"])


def test_defined_symbols_and_steps_back_and_forth(folder):
    definitions = ("## annotation type definitions", "42 z my own", "## end of definitions")
    content = b"".join(note(text) for text in ("## time resolution: 360", *definitions))
    content += in_words(59 << 10, 0xFFFF, 0xFFFF, 1, 42 << 10 | 7) + BEAT
    (folder / "100.atr").write_bytes(content + b"\x00\x00\x00\x00")
    annotation = load_wfdb(folder, ["100"]).annotations[0]
    assert annotation.sample.tolist() == [7, 57]
    assert annotation.symbol.tolist() == ["z", "N"]


def test_codes_are_those_of_wfdb():
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        from wfdb.io.annotation import ann_label_table
    expected = dict(zip(ann_label_table["label_store"], ann_label_table["symbol"], strict=True))
    assert annotation_codes() == {code: symbol for code, symbol in expected.items() if code}


# --- mutations -------------------------------------------------------------------------

TOKENS = (
    b"0",
    b"-1",
    b"1e400",
    b"99999999999",
    b"/",
    b"(",
    b" ",
    b"\n",
    b"\0",
    b"\xb5",
    b"~",
    b"nan",
)


def mutate(content, rng):
    """Flip, insert or delete a byte, or insert or overwrite with a token."""
    content, place = bytearray(content), int(rng.integers(len(content)))
    token = TOKENS[rng.integers(len(TOKENS))]
    match int(rng.integers(5)):
        case 0:
            content[place] ^= 1 << int(rng.integers(8))
        case 1:
            content[place:place] = bytes([int(rng.integers(256))])
        case 2:
            del content[place : place + int(rng.integers(1, 4))]
        case 3:
            content[place:place] = token
        case 4:
            content[place : place + 1] = token
    return bytes(content)


@pytest.mark.parametrize("name", ["a.hea", "layout.hea", "whole.hea", "whole.atr", "RECORDS"])
def test_mutated_files_give_a_result_of_the_right_form_or_the_one_error(variable, name):
    folder, _ = variable
    (folder / "RECORDS").write_text("whole\n")
    content, rng = (folder / name).read_bytes(), np.random.default_rng(0)
    messages = []
    for _ in range(40):
        (folder / name).write_bytes(mutate(content, rng))
        try:
            data = load_wfdb(folder, lead=None)
        except (ValueError, FileNotFoundError) as error:
            messages.append(str(error))
        else:
            assert data.recordings[0].shape == (2, 6000)
            assert np.isfinite(data.recordings[0][:, 3000:]).all()
            assert (np.diff(data.annotations[0].sample) >= 0).all()
    assert len(messages) >= 5
    assert all(str(folder) in message or "no record" in message for message in messages)
