"""Tests of load_recording: WFDB, EDF, BDF, text and NumPy files."""

import datetime
import warnings

import edfio
import numpy as np
import pytest

from ecgbeat.datasets import load_recording


@pytest.fixture
def ecg():
    """Two leads of 4 s at 250 Hz, in mV."""
    return np.random.default_rng(0).uniform(-3, 3, (2, 1000))


def edf_signals(ecg, units=("mV", "uV"), names=("ECG II", "ECG V5"), fs=250, kind="Edf"):
    scale = {"V": 1e-3, "mV": 1.0, "uV": 1e3, "mmHg": 1.0, "": 1.0}
    return [
        getattr(edfio, f"{kind}Signal")(
            lead * scale[unit],
            fs,
            label=name,
            physical_dimension=unit,
            physical_range=(-3 * scale[unit], 3 * scale[unit]),
        )
        for lead, unit, name in zip(ecg, units, names, strict=True)
    ]


# --- EDF and BDF ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Edf", "Bdf"])
@pytest.mark.parametrize("units", [("mV", "uV"), ("V", "mV")])
def test_edf_is_read_in_millivolts(tmp_path, ecg, kind, units):
    file = tmp_path / f"a b.{kind.lower()}"
    getattr(edfio, kind)(edf_signals(ecg, units, kind=kind)).write(file)
    data = load_recording(file)
    assert data.signal.dtype == np.float32
    np.testing.assert_allclose(data.signal, ecg, atol=1e-4)
    assert (data.fs, data.record_name, data.annotation) == (250.0, "a b", None)
    assert data.lead_names == ["ECG II", "ECG V5"]


@pytest.mark.parametrize("micro", ["µ".encode("latin-1"), "µ".encode(), "\u03bc".encode()])
def test_micro_sign_in_an_edf_header_is_understood(tmp_path, ecg, micro):
    edfio.Edf(edf_signals(ecg)).write(tmp_path / "a.edf")
    written = b"uV".ljust(8)
    content = (tmp_path / "a.edf").read_bytes()
    content = content.replace(written, (micro + b"V").ljust(8))
    assert written not in content
    (tmp_path / "a.edf").write_bytes(content)
    np.testing.assert_allclose(load_recording(tmp_path / "a.edf").signal, ecg, atol=1e-4)


def test_leads_of_an_edf_are_chosen_by_name_and_in_order(tmp_path, ecg):
    edfio.Edf(edf_signals(ecg)).write(tmp_path / "a.edf")
    data = load_recording(tmp_path / "a.edf", leads=["ECG V5", "ECG II"])
    np.testing.assert_allclose(data.signal, ecg[::-1], atol=1e-4)
    assert load_recording(tmp_path / "a.edf", leads="ECG V5").lead_names == ["ECG V5"]
    with pytest.raises(ValueError, match=r"no lead 'III'.*'ECG II'"):
        load_recording(tmp_path / "a.edf", leads=["III"])


def test_signals_labeled_ecg_are_read_of_a_sleep_recording(tmp_path, ecg):
    others = edf_signals(ecg[:, :400], ("uV", "mmHg"), ("EEG Fpz-Cz", "Pressure"), fs=100)
    edfio.Edf([*others, *edf_signals(ecg, names=("EKG1", "ECG 2"))]).write(tmp_path / "a.edf")
    data = load_recording(tmp_path / "a.edf")
    assert data.lead_names == ["EKG1", "ECG 2"]


def test_signals_in_volts_are_read_if_none_is_labeled_ecg(tmp_path, ecg):
    edfio.Edf(edf_signals(ecg, ("mmHg", "uV"), ("ABP", "II"))).write(tmp_path / "a.edf")
    assert load_recording(tmp_path / "a.edf").lead_names == ["II"]
    with pytest.raises(ValueError, match=r"'ABP' must be that of a voltage, .* got 'mmHg'"):
        load_recording(tmp_path / "a.edf", leads=["ABP"])


def test_edf_without_a_voltage_raises(tmp_path, ecg):
    edfio.Edf(edf_signals(ecg[:1], ("mmHg",), ("ABP",))).write(tmp_path / "a.edf")
    with pytest.raises(ValueError, match="no lead in volts, only 'ABP' in 'mmHg'"):
        load_recording(tmp_path / "a.edf")


def test_unit_stands_for_a_missing_physical_dimension(tmp_path, ecg):
    edfio.Edf(edf_signals(ecg[:1], ("",), ("II",))).write(tmp_path / "a.edf")
    np.testing.assert_allclose(
        load_recording(tmp_path / "a.edf", unit="uV").signal, ecg[:1] / 1000, atol=1e-4
    )


def test_leads_of_different_rates_raise_until_those_of_one_rate_are_chosen(tmp_path, ecg):
    slow = edf_signals(ecg[:1, :400], ("mV",), ("ECG slow",), fs=100)
    edfio.Edf([*slow, *edf_signals(ecg)]).write(tmp_path / "a.edf")
    with pytest.raises(ValueError, match="'ECG slow' 100 Hz, 'ECG II' 250 Hz"):
        load_recording(tmp_path / "a.edf")
    assert load_recording(tmp_path / "a.edf", leads=["ECG V5"]).fs == 250.0


def test_edf_of_annotations_alone_raises(tmp_path):
    note = edfio.EdfAnnotation(0, None, "start")
    edfio.Edf([], annotations=[note]).write(tmp_path / "a.edf")
    with pytest.raises(ValueError, match="holds annotations alone"):
        load_recording(tmp_path / "a.edf")


def write_interrupted(file, ecg, kind="Edf", late=2):
    """Write records of 1 s, of which the third begins some seconds late."""
    with warnings.catch_warnings(action="ignore"):
        recording = getattr(edfio, kind)(
            edf_signals(ecg, kind=kind),
            annotations=[edfio.EdfAnnotation(0, None, "as wide as the times need")],
            data_record_duration=1,
            starttime=datetime.time(1, 2, 3, 500_000),
        )
        recording.write(file)
    content = file.read_bytes().replace(f"{kind.upper()}+C".encode(), f"{kind.upper()}+D".encode())
    for second in sorted((2, 3), reverse=late > 0):
        stamp = (b"+%d.5\x14\x14" % second).ljust(20, b"\x00")
        assert content.count(stamp) == 1
        moved = (b"+%d.5\x14\x14" % (second + late)).ljust(20, b"\x00")
        content = content.replace(stamp, moved)
    file.write_bytes(content)


@pytest.mark.parametrize("kind", ["Edf", "Bdf"])
def test_gap_of_an_interrupted_recording_is_missing(tmp_path, ecg, kind):
    file = tmp_path / f"a.{kind.lower()}"
    write_interrupted(file, ecg, kind)
    signal = load_recording(file).signal
    assert signal.shape == (2, 1500)
    np.testing.assert_allclose(signal[:, :500], ecg[:, :500], atol=1e-4)
    assert np.isnan(signal[:, 500:1000]).all()
    np.testing.assert_allclose(signal[:, 1000:], ecg[:, 500:], atol=1e-4)


def test_gap_that_does_not_fit_in_memory_raises(tmp_path, ecg):
    write_interrupted(tmp_path / "a.edf", ecg, late=7_999_990)
    with pytest.raises(ValueError, match="with its gaps"):
        load_recording(tmp_path / "a.edf")


def test_data_records_that_overlap_raise(tmp_path, ecg):
    write_interrupted(tmp_path / "a.edf", ecg, late=-1)
    with pytest.raises(ValueError, match="data record 3 begins before"):
        load_recording(tmp_path / "a.edf")


def damaged(change):
    def write(file, ecg):
        edfio.Edf(edf_signals(ecg)).write(file)
        file.write_bytes(change(file.read_bytes()))

    return write


@pytest.mark.parametrize(
    "write",
    [
        damaged(lambda content: content[:-7]),
        damaged(lambda content: content + bytes(3)),
        damaged(lambda content: content[:300]),
        damaged(lambda content: content[:100]),
        damaged(lambda content: b"<html>" + content),
        damaged(lambda content: content[:252] + b"9999" + content[256:]),
        damaged(lambda content: content[:252] + b"-1  " + content[256:]),
        damaged(lambda content: content[:236] + b"-7      " + content[244:]),
        damaged(lambda content: content[:244] + b"0       " + content[252:]),
        damaged(lambda content: content[:244] + b"abc     " + content[252:]),
        damaged(lambda content: content[:464] + content[480:496] + content[480:]),
        lambda file, _: file.write_bytes(b""),
    ],
)
def test_damaged_edf_raises_one_error_that_names_it(tmp_path, ecg, write):
    write(tmp_path / "a.edf", ecg)
    with pytest.raises(ValueError, match=r"a\.edf is damaged: .*Get an intact copy"):
        load_recording(tmp_path / "a.edf")


# --- WFDB -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["100", "100.hea", "100.dat"])
def test_wfdb_record_is_read_by_any_of_its_names(tmp_path, write_record, name):
    signal, sample, symbol = write_record(tmp_path, units="uV")
    data = load_recording(tmp_path / name)
    np.testing.assert_allclose(data.signal, signal / 1000, atol=1e-5)
    assert (data.fs, data.lead_names, data.record_name) == (360.0, ["MLII", "V5"], "100")
    assert data.annotation.sample.tolist() == list(sample)
    assert data.annotation.symbol.tolist() == symbol


def test_wfdb_record_without_annotation_is_read(tmp_path, write_record):
    write_record(tmp_path)
    (tmp_path / "100.atr").unlink()
    assert load_recording(tmp_path / "100").annotation is None


def test_leads_of_a_wfdb_record_are_chosen(tmp_path, write_record):
    signal, *_ = write_record(tmp_path, gain=20000.0, fmt="32")
    data = load_recording(tmp_path / "100", leads=["V5"])
    np.testing.assert_allclose(data.signal, signal[1:], atol=1e-3)
    assert data.lead_names == ["V5"]


def test_wfdb_leads_that_are_no_voltage_are_left_out(tmp_path, write_record):
    write_record(tmp_path)
    header = tmp_path / "100.hea"
    lines = header.read_text().splitlines()
    header.write_text("\n".join([lines[0], lines[1].replace("/mV", "/mmHg"), *lines[2:]]) + "\n")
    assert load_recording(header).lead_names == ["V5"]
    with pytest.raises(ValueError, match="must be that of a voltage"):
        load_recording(header, leads=["MLII"])


def write_frames(folder, *signals):
    """Write signals in frames of 16 ms, each given as (name, samples per frame)."""
    counts = [n for _, n in signals]
    frames = np.random.default_rng(0).integers(-999, 999, (400, sum(counts))).astype("<i2")
    frames.tofile(folder / "r.dat")
    lines = [f"r.dat 16x{n} 200/mV 16 0 0 0 0 {name}" for name, n in signals]
    (folder / "r.hea").write_text("\n".join([f"r {len(lines)} 62.5 400", *lines, ""]))
    return [part.ravel() / 200 for part in np.split(frames, np.cumsum(counts)[:-1], axis=1)]


@pytest.mark.parametrize(
    ("others", "found"),
    [
        ([("RESP", 1)], ["II", "V5"]),
        ([("EEG (C4-A1)", 4), ("EOG (right)", 2)], ["II", "V5"]),
        ([("P1", 2)], ["II", "V5"]),
        ([("MCL1", 4)], ["II", "MCL1", "V5"]),
        ([("ECG", 4)], ["ECG"]),
    ],
)
def test_leads_of_an_ecg_are_chosen_of_a_wfdb_record(tmp_path, others, found):
    expected = write_frames(tmp_path, ("II", 4), *others, ("V5", 4))
    data = load_recording(tmp_path / "r")
    assert (data.lead_names, data.fs) == (found, 250.0)
    row = found.index("V5") if "V5" in found else -1
    np.testing.assert_allclose(data.signal[row], expected[-1 if row >= 0 else 1], rtol=1e-5)


def test_ecg_leads_of_two_rates_raise_in_a_wfdb_record(tmp_path):
    write_frames(tmp_path, ("II", 4), ("V5", 2))
    with pytest.raises(ValueError, match="'II' 250 Hz, 'V5' 125 Hz"):
        load_recording(tmp_path / "r")
    assert load_recording(tmp_path / "r", leads="V5").fs == 125.0


def test_record_with_other_checksums_is_read_if_not_verified(tmp_path, write_record):
    signal, *_ = write_record(tmp_path)
    header = tmp_path / "100.hea"
    lines = header.read_text().splitlines()
    fields = lines[1].split()
    fields[6] = str(int(fields[6]) + 1)
    header.write_text("\n".join([lines[0], " ".join(fields), lines[2], ""]))
    with pytest.raises(ValueError, match="verify=False"):
        load_recording(header)
    data = load_recording(header, verify=False)
    np.testing.assert_allclose(data.signal, signal, atol=0.01)
    assert data.annotation is not None


def test_annotation_is_chosen_left_out_or_cropped(tmp_path, write_record):
    _, sample, symbol = write_record(tmp_path)
    (tmp_path / "100.atr").rename(tmp_path / "100.qrs")
    assert load_recording(tmp_path / "100").annotation is None
    found = load_recording(tmp_path / "100", annotator="qrs").annotation
    assert found.sample.tolist() == list(sample)
    write_record(tmp_path / "longer", n_times=3000)
    (tmp_path / "longer" / "100.atr").rename(tmp_path / "100.atr")
    with pytest.raises(ValueError, match=r"100\.atr: annotations must lie within"):
        load_recording(tmp_path / "100")
    assert load_recording(tmp_path / "100", annotator=None).annotation is None
    found = load_recording(tmp_path / "100", verify=False).annotation
    assert found.symbol.tolist() == symbol[:-1]


@pytest.mark.parametrize("name", ["104", "104.hea", "104.dat", "a.edf", "a.csv", "a.npy"])
def test_missing_file_raises(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load_recording(tmp_path / name, fs=360)


def test_file_of_unknown_format_raises(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(ValueError, match=r"a\.pdf is not a recording .*\.edf"):
        load_recording(tmp_path / "a.pdf")
    with pytest.raises(ValueError, match="is a folder"):
        load_recording(tmp_path)


# --- text and NumPy -------------------------------------------------------------------

ROWS = [(-1.5, 2.0), (0.25, 3.5)] * 6


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("header", [("time", "II", "V5"), None])
@pytest.mark.parametrize("has_time", [False, True])
def test_text_is_read(tmp_path, separator, decimal, header, has_time):
    if decimal == separator:
        return
    rows = [[i / 250, *row] if has_time else list(row) for i, row in enumerate(ROWS)]
    lines = [separator.join(str(value).replace(".", decimal) for value in row) for row in rows]
    names = list(header or [])[not has_time :]
    (tmp_path / "a.csv").write_text("\n".join([separator.join(names)] * bool(names) + lines))
    data = load_recording(tmp_path / "a.csv", fs=250, unit="mV")
    np.testing.assert_allclose(data.signal, np.transpose(ROWS))
    assert data.lead_names == (["II", "V5"] if header else ["lead_0", "lead_1"])
    assert data.fs == 250


def test_units_and_leads_of_text_are_chosen(tmp_path):
    (tmp_path / "a.csv").write_text("II,V5\n1000,2\n,4\n")
    data = load_recording(tmp_path / "a.csv", fs=250, unit="uV", leads=["V5", "II"])
    np.testing.assert_allclose(data.signal, [[0.002, 0.004], [1, np.nan]], rtol=1e-6)
    assert data.lead_names == ["V5", "II"]


@pytest.mark.parametrize(
    "head", ["time,ECG (uV)\n", "time,ECG [µV]\n", "'time','ECG'\n's','uV'\n", "t,ECG\ns,μV\n"]
)
def test_unit_that_contradicts_the_header_of_text_raises(tmp_path, head):
    rows = "".join(f"{i / 250},{100 * i % 7}\n" for i in range(20))
    (tmp_path / "a.csv").write_text(head + rows, encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.csv states the unit '.V' of a lead, got unit='mV'"):
        load_recording(tmp_path / "a.csv", fs=250)
    signal = load_recording(tmp_path / "a.csv", fs=250, unit="uV").signal
    np.testing.assert_allclose(signal[0, 1], 0.002, rtol=1e-6)


def test_units_of_other_columns_of_text_do_not_matter(tmp_path):
    (tmp_path / "a.csv").write_text("ECG (mV),EEG (uV),ABP (mmHg)\n1,2,3\n2,3,1\n3,1,2\n")
    data = load_recording(tmp_path / "a.csv", fs=250, leads=["ABP (mmHg)", "ECG (mV)"])
    assert data.signal.tolist() == [[3, 1, 2], [1, 2, 3]]


def test_rate_must_be_given_unless_the_file_states_it(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 50)))
    np.savez(tmp_path / "b.npz", signal=np.zeros((2, 50)), fs=128)
    with pytest.raises(ValueError, match=r"a\.npy does not state its sampling rate. Pass fs"):
        load_recording(tmp_path / "a.npy")
    assert load_recording(tmp_path / "a.npy", fs=128).signal.shape == (2, 50)
    assert load_recording(tmp_path / "b.npz").fs == 128
    with pytest.raises(ValueError, match="states fs=128"):
        load_recording(tmp_path / "b.npz", fs=250)


def test_rate_that_contradicts_the_file_raises(tmp_path, ecg, write_record):
    edfio.Edf(edf_signals(ecg)).write(tmp_path / "a.edf")
    write_record(tmp_path)
    assert load_recording(tmp_path / "a.edf", fs=250).fs == 250
    for name in ("a.edf", "100"):
        with pytest.raises(ValueError, match="got fs=100"):
            load_recording(tmp_path / name, fs=100)


@pytest.mark.parametrize("wrong", [{"unit": "volt"}, {"leads": []}])
def test_invalid_argument_raises(tmp_path, wrong):
    np.save(tmp_path / "a.npy", np.zeros((2, 50)))
    with pytest.raises(ValueError, match="must"):
        load_recording(tmp_path / "a.npy", fs=250, **wrong)


def test_damaged_npz_raises(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(ValueError, match=r"a\.npz cannot be read"):
        load_recording(tmp_path / "a.npz")
