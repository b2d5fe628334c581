import numpy as np
import pytest

from ecgbeat.datasets import load_wfdb

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
def test_a_header_that_does_not_fit_its_segments(fixed, text, message):
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
