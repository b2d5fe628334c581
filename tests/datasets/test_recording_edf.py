"""EDF and BDF files of other makers, written byte by byte."""

import warnings

import edfio
import numpy as np
import pytest

from ecgbeat.datasets import load_recording

DIGITAL = np.random.default_rng(0).integers(-32768, 32768, (4, 250))  # 4 records of 1 s


def signal(label="ECG II", dimension="mV", limits=(-5, 5, -32768, 32767), digital=DIGITAL):
    return {"label": label, "dimension": dimension, "limits": limits, "digital": digital}


def padded(value, width):
    content = value if isinstance(value, bytes) else str(value).encode("latin-1")
    assert len(content) <= width
    return content.ljust(width)


def write_edf(
    file,
    signals,
    *,
    is_bdf=False,
    kind="",
    n_records=4,
    record_s=1,
    onsets=None,
    patient="X X X X",
    n_cut=0,
):
    """Write data records with the samples of all signals, and annotations if there are onsets."""
    width = 3 if is_bdf else 2
    label = ("BDF" if is_bdf else "EDF") + " Annotations"
    notes = [b"+%b\x14\x14\x00+%b\x14beat\x14\x00" % (2 * (t.encode(),)) for t in onsets or ()]
    counts = [s["digital"].shape[1] for s in signals]
    columns = [[s["label"], "", s["dimension"], *s["limits"], ""] for s in signals]
    if notes:
        counts.append(24)
        columns.append([label, "", "", -1, 1, -32768, 32767, ""])
    fixed = [b"\xffBIOSEMI" if is_bdf else "0", patient, "", "01.01.24", "00.00.00"]
    fixed += [256 * (len(counts) + 1), kind, n_records, record_s, len(counts)]
    content = b"".join(map(padded, fixed, (8, 80, 80, 8, 8, 8, 44, 8, 8, 4)))
    for index, size in enumerate((16, 80, 8, 8, 8, 8, 8, 80)):
        content += b"".join(padded(column[index], size) for column in columns)
    content += b"".join(padded(count, 8) for count in counts) + b" " * 32 * len(counts)
    for index in range(len(signals[0]["digital"])):
        for s in signals:
            samples = s["digital"][index].astype("<i4")
            content += samples.view("u1").reshape(-1, 4)[:, :width].tobytes()
        if notes:
            content += notes[index].ljust(24 * width, b"\x00")
    file.write_bytes(content[: len(content) - n_cut])
    return file


def physical(signal):
    low, high, lowest, highest = map(float, signal["limits"])
    return (signal["digital"].ravel() - lowest) * (high - low) / (highest - lowest) + low


def check(file, signals, **params):
    """Compare with the formula of the standard and with edfio."""
    data = load_recording(file, **params)
    assert data.lead_names == [s["label"] for s in signals]
    np.testing.assert_allclose(data.signal, [physical(s) for s in signals], atol=1e-5)
    with warnings.catch_warnings(action="ignore"):  # of edfio, of an unknown number of records
        found = edfio.read_edf(file, header_encoding="latin-1")
    expected = [found.get_signal(name).data for name in data.lead_names]
    np.testing.assert_allclose(data.signal, expected, atol=1e-5)
    return data


@pytest.mark.parametrize(
    "limits",
    [(5, -5, -32768, 32767), (-5, 5, 32767, -32768), ("-5.0E+00", "2.5E-01", -2048, 2047)],
)
def test_limits_in_any_order_and_notation(tmp_path, limits):
    ecg = signal(limits=limits)
    check(write_edf(tmp_path / "a.edf", [ecg]), [ecg])


@pytest.mark.parametrize(
    "limits",
    [
        ("-5,12", "5,12", -32768, 32767),
        ("nan", 5, -32768, 32767),
        ("-inf", 5, -32768, 32767),
        (-5, 5, "-32768.0", "32767.0"),
        (0, 0, -32768, 32767),
        (-5, 5, 0, 0),
    ],
)
def test_limits_that_give_no_unit_raise(tmp_path, limits):
    file = write_edf(tmp_path / "a.edf", [signal(limits=limits), signal("SpO2", "%")])
    with pytest.raises(ValueError, match=r"a\.edf is damaged: .* of its signal 'ECG II'"):
        load_recording(file)


def test_invalid_limits_of_a_signal_that_is_not_read_do_not_matter(tmp_path):
    others = [signal("SpO2", "%", (0, 0, 0, 0)), signal("Status", "", ("nan", 1, 0, 1))]
    ecg = signal()
    check(write_edf(tmp_path / "a.edf", [others[0], ecg, others[1]]), [ecg])


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("V", 1e3), ("mV", 1), ("uV", 1e-3), (b"\xb5V", 1e-3), ("nV", 1e-6), ("", 1), ("MV", 1)],
)
@pytest.mark.parametrize("kind", ["", "EDF+C"])
def test_units_of_a_voltage(tmp_path, unit, factor, kind):
    ecg = signal(dimension=unit)
    onsets = ["0", "1", "2", "3"] if kind else None
    data = load_recording(write_edf(tmp_path / "a.edf", [ecg], kind=kind, onsets=onsets))
    np.testing.assert_allclose(data.signal[0], physical(ecg) * factor, rtol=1e-5)


@pytest.mark.parametrize("patient", [b"M\xfcller", "Müller".encode(), "Иванов".encode(), b"\x00"])
def test_name_of_the_patient_in_any_encoding(tmp_path, patient):
    ecg = signal()
    check(write_edf(tmp_path / "a.edf", [ecg], patient=patient), [ecg])


def test_label_that_is_filled_up_by_zeros(tmp_path):
    file = write_edf(tmp_path / "a.edf", [signal(b"ECG II".ljust(16, b"\x00"))])
    assert load_recording(file).lead_names == ["ECG II"]


# --- number and duration of data records -----------------------------------------------


@pytest.mark.parametrize("kind", ["", "EDF+C"])
def test_recording_whose_number_of_data_records_was_never_written(tmp_path, kind):
    ecg = signal()
    onsets = ["0", "1", "2", "3"] if kind else None
    file = write_edf(tmp_path / "a.edf", [ecg], n_records=-1, kind=kind, onsets=onsets)
    check(file, [ecg])
    write_edf(file, [ecg], n_records=-1, kind=kind, onsets=onsets, n_cut=100)
    check(file, [ecg | {"digital": DIGITAL[:3]}])


@pytest.mark.parametrize(("n_records", "n_cut"), [(4, 1), (4, 100), (4, 500), (3, 0), (9, 0)])
def test_number_of_data_records_that_contradicts_the_size_raises(tmp_path, n_records, n_cut):
    file = write_edf(tmp_path / "a.edf", [signal()], n_records=n_records, n_cut=n_cut)
    with pytest.raises(ValueError, match=rf"states {n_records} .*, and holds .* verify=False"):
        load_recording(file)
    whole = signal(digital=DIGITAL[: 4 - (n_cut > 0)])
    check(file, [whole], verify=False)


@pytest.mark.parametrize(
    ("record_s", "fs"), [(0.4, 625.0), ("2.5E-1", 1000.0), (2, 125.0), (".7", 250 / 0.7)]
)
def test_fractional_durations_and_rates(tmp_path, record_s, fs):
    ecg = signal()
    data = check(write_edf(tmp_path / "a.edf", [ecg], record_s=record_s), [ecg])
    np.testing.assert_allclose(data.fs, fs, rtol=1e-6)


@pytest.mark.parametrize("record_s", ["0", "-1", "1e-300", "nan", "inf", "0,4", "1_0", ""])
def test_invalid_duration_raises(tmp_path, record_s):
    file = write_edf(tmp_path / "a.edf", [signal()], record_s=record_s)
    with pytest.raises(ValueError, match=r"duration of a data record must|must last 1e-06"):
        load_recording(file)


@pytest.mark.parametrize("content", [b"", b"<html>" + bytes(9000), b"PK\x03\x04" + bytes(9000)])
def test_file_of_another_format_is_named_as_such(tmp_path, content):
    (tmp_path / "a.edf").write_bytes(content)
    with pytest.raises(ValueError, match="does not begin as EDF or BDF files do"):
        load_recording(tmp_path / "a.edf")


# --- interrupted recordings ------------------------------------------------------------


def read_onsets(folder, onsets, record_s=1, is_bdf=False):
    ecg = signal(limits=(-5, 5, -8388608, 8388607) if is_bdf else (-5, 5, -32768, 32767))
    file = write_edf(
        folder / "a.edf",
        [signal("Resp", "", digital=DIGITAL[:, :25]), ecg],
        kind="BDF+D" if is_bdf else "EDF+D",
        is_bdf=is_bdf,
        onsets=onsets,
        record_s=record_s,
    )
    return load_recording(file).signal[0], physical(ecg).reshape(4, -1)


@pytest.mark.parametrize("is_bdf", [False, True])
def test_parts_of_an_interrupted_recording_are_at_their_times(tmp_path, is_bdf):
    read, records = read_onsets(tmp_path, ["0.5", "1.5", "3.5", "10.7"], is_bdf=is_bdf)
    expected = np.full(round(250 * 11.2), np.nan)
    for start, record in zip((0, 250, 750, 2550), records, strict=True):
        expected[start : start + 250] = record
    np.testing.assert_allclose(read, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("onsets", "record_s"),
    [
        (["0", "0.9996", "2.0004", "2.999"], 1),  # by the clock of the amplifier
        (["0", "0.333", "0.667", "1"], "0.333333"),  # rounded
    ],
)
def test_times_that_are_not_quite_regular_are_no_gaps(tmp_path, onsets, record_s):
    read, records = read_onsets(tmp_path, onsets, record_s)
    np.testing.assert_allclose(read, records.ravel(), atol=1e-5)


def test_interrupted_recording_without_times_raises(tmp_path):
    file = write_edf(tmp_path / "a.edf", [signal()], kind="EDF+D")
    with pytest.raises(ValueError, match="does not state the times of its data records"):
        load_recording(file)


@pytest.mark.parametrize("onset", ["9" * 15, "9" * 16])
def test_time_of_many_years_raises(tmp_path, onset):
    with pytest.raises(ValueError, match=r"with its gaps|does not state its time"):
        read_onsets(tmp_path, ["0", "1", "2", onset])


# --- choice of leads -------------------------------------------------------------------


def lead(label, fs=250, unit="mV"):
    return signal(label, unit, digital=DIGITAL[:, :fs])


@pytest.mark.parametrize(
    ("signals", "found"),
    [
        ([lead("Temp", 1, "degC"), lead("ECG I"), lead("Resp", 25)], ["ECG I"]),
        ([lead("ECG"), lead("ECG HR", 1, "bpm"), lead("ECG Resp", 25)], ["ECG"]),
        ([lead("EEG C3-A2", 100), lead("EKG LA-RA"), lead("EOG L", 100)], ["EKG LA-RA"]),
        ([lead("EEG C3-A2", 100), lead("I"), lead("V5"), lead("EMG Chin", 200)], ["I", "V5"]),
        ([lead("ECGII"), lead("Beat", 100)], ["ECGII"]),
        ([lead("II"), lead("Pleth", 75, ""), lead("RESP", 25, "")], ["II"]),
        ([lead("II"), lead("aVR"), lead("P1", 125)], ["II", "aVR"]),
        ([lead("Chan 1"), lead("Chan 2"), lead("Chan 3", 10)], ["Chan 1", "Chan 2"]),
        ([lead("A1", unit="uV"), lead("Status", unit="")], ["A1"]),
        ([lead("ECG EMG")], ["ECG EMG"]),
        ([lead("V4"), lead("D3")], ["V4", "D3"]),
    ],
)
def test_leads_of_an_ecg_are_chosen(tmp_path, signals, found):
    data = load_recording(write_edf(tmp_path / "a.edf", signals))
    assert data.lead_names == found
    assert data.fs == 250


def test_recording_of_other_signals_alone_raises(tmp_path):
    signals = [lead("EEG Fpz-Cz", 100, "uV"), lead("EMG submental", 1, "uV"), lead("Resp", 1, "")]
    file = write_edf(tmp_path / "a.edf", signals)
    with pytest.raises(ValueError, match=r"has no ECG by the labels .*'EEG Fpz-Cz'"):
        load_recording(file)
    assert load_recording(file, leads=["EEG Fpz-Cz"]).fs == 100.0


def test_no_signal_stands_for_an_ecg_of_unknown_unit(tmp_path):
    signals = [lead("Flow"), lead("ECG", unit="raw"), lead("ECG rate", 1, "1/min")]
    file = write_edf(tmp_path / "a.edf", signals)
    with pytest.raises(ValueError, match="unit of lead 'ECG' must be that of a voltage"):
        load_recording(file)
    assert load_recording(file, leads=["Flow"]).lead_names == ["Flow"]


def test_lead_without_samples_raises(tmp_path):
    empty = signal("ECG", digital=DIGITAL[:, :0])
    file = write_edf(tmp_path / "a.edf", [lead("SpO2", unit="%"), empty])
    with pytest.raises(ValueError, match="have no samples of the leads"):
        load_recording(file)


def test_status_channel_of_biosemi_is_left_out(tmp_path):
    digital = np.random.default_rng(1).integers(-(2**23), 2**23, (4, 256))
    limits = (-262144, 262143, -(2**23), 2**23 - 1)
    signals = [signal(n, "uV", limits, digital) for n in ("EXG1", "EXG2")]
    signals.append(signal("Status", "Boolean", (-(2**23), 2**23 - 1) * 2, digital))
    file = write_edf(tmp_path / "a.bdf", signals, is_bdf=True, kind="24BIT")
    data = load_recording(file)
    assert (data.lead_names, data.fs) == (["EXG1", "EXG2"], 256.0)
    np.testing.assert_allclose(data.signal[0], physical(signals[0]) / 1000, atol=1e-4, rtol=1e-6)
