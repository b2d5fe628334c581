import re
import sys
import warnings

import numpy as np
import pytest

from ecgbeat.datasets import load_recording, load_wfdb
from ecgbeat.datasets.wfdb.loader import choose_leads
from ecgbeat.labels import Annotation

HALF_STEP = 0.5 / 200  # of the converter, in mV


@pytest.fixture
def folder(tmp_path, write_record):
    write_record(tmp_path, "100", leads=("MLII", "V5"))
    write_record(tmp_path, "102", leads=("V5", "V2"), n_times=3000)
    write_record(tmp_path, "114", leads=("V5", "MLII"))
    return tmp_path


def test_recordings_and_annotations_equal_those_written(tmp_path, write_record):
    signal, sample, symbol = write_record(tmp_path)
    data = load_wfdb(tmp_path)
    np.testing.assert_allclose(data.recordings[0], signal[0], atol=1.01 * HALF_STEP)
    assert isinstance(data.annotations[0], Annotation)
    np.testing.assert_array_equal(data.annotations[0].sample, sample)
    assert data.annotations[0].sample.dtype == np.int64
    assert data.annotations[0].symbol.tolist() == symbol


def test_all_records_of_the_folder_in_order_of_name(folder):
    data = load_wfdb(folder)
    assert data.record_names == ["100", "102", "114"]
    assert data.groups.tolist() == ["100", "102", "114"]
    assert [len(recording) for recording in data.recordings] == [2000, 3000, 2000]
    assert len(data.annotations) == 3
    assert data.fs == 360.0


def test_first_lead_by_default(folder):
    assert load_wfdb(folder).lead_names == ["MLII", "V5", "V5"]


@pytest.mark.parametrize(
    ("lead", "names"),
    [
        (1, ["V5", "V2", "MLII"]),
        (-1, ["V5", "V2", "MLII"]),
        ("V5", ["V5", "V5", "V5"]),
        (("MLII", "V5"), ["MLII", "V5", "MLII"]),
        (("V2", 0), ["MLII", "V2", "V5"]),
    ],
)
def test_choice_of_lead(folder, lead, names):
    assert load_wfdb(folder, lead=lead).lead_names == names


def test_the_lead_read_is_the_lead_named(folder):
    both = load_wfdb(folder, lead=None)
    data = load_wfdb(folder, lead="V5")
    for recording, leads, names in zip(
        data.recordings, both.recordings, both.lead_names, strict=True
    ):
        np.testing.assert_array_equal(recording, leads[names.index("V5")])


def test_missing_lead_warns_and_names_the_lead_read(folder):
    message = (
        "1 of 3 records have no lead 'MLII'; their first lead was read: 102 (V5, V2). "
        "lead=('MLII', 0) does so without a warning, records= can leave them out."
    )
    with pytest.warns(UserWarning, match=re.escape(message)) as caught:
        data = load_wfdb(folder, lead="MLII")
    assert data.lead_names == ["MLII", "V5", "MLII"]
    assert caught[0].filename == __file__


def test_advice_of_the_warning_avoids_it(folder):
    assert load_wfdb(folder, lead=("MLII", 0)).lead_names == ["MLII", "V5", "MLII"]


@pytest.mark.parametrize("lead", ["mlii", 2, -3, (), ("I", 7)])
def test_lead_that_no_record_has_raises(folder, lead):
    with pytest.raises(ValueError, match=re.escape(f"lead={lead!r} is not in the records 100 (ML")):
        load_wfdb(folder, lead=lead)


def test_all_leads(folder):
    data = load_wfdb(folder, lead=None)
    assert [recording.shape for recording in data.recordings] == [(2, 2000), (2, 3000), (2, 2000)]
    assert data.lead_names[1] == ["V5", "V2"]


@pytest.mark.parametrize("lead", [0, None])
@pytest.mark.parametrize("dtype", ["float32", np.float64])
def test_dtype_and_layout(folder, lead, dtype):
    for recording in load_wfdb(folder, lead=lead, dtype=dtype).recordings:
        assert recording.dtype == dtype
        assert recording.flags.c_contiguous
        assert recording.flags.owndata


@pytest.mark.parametrize("dtype", [np.float16, "int16"])
def test_other_dtypes_raise(folder, dtype):
    with pytest.raises(ValueError, match="dtype must be float32 or float64"):
        load_wfdb(folder, dtype=dtype)


@pytest.mark.parametrize("records", [["114", "100"], ("114", "100"), [114, 100]])
def test_choice_of_records(folder, records):
    assert load_wfdb(folder, records).record_names == ["114", "100"]


def test_one_record_by_its_name(folder):
    assert load_wfdb(folder, "114").record_names == ["114"]


def test_list_of_records_is_read(folder):
    (folder / "RECORDS").write_text("114\n100\n")
    assert load_wfdb(folder).record_names == ["114", "100"]


def test_sub_folders_do_not_count_beside_records(folder, write_record):
    write_record(folder / "x_mitdb", "x_108")
    assert load_wfdb(folder).record_names == ["100", "102", "114"]
    assert load_wfdb(folder, ["x_mitdb/x_108"]).record_names == ["x_mitdb/x_108"]


def test_records_in_sub_folders(tmp_path, write_record):
    for patient in ("patient1", "patient2"):
        write_record(tmp_path / patient, "s1")
    assert load_wfdb(tmp_path).record_names == ["patient1/s1", "patient2/s1"]


def test_a_list_of_folders_with_lists_of_their_own(tmp_path, write_record):
    for group, name in (("g1", "a"), ("g1", "b"), ("g2", "c")):
        write_record(tmp_path / group, name)
    (tmp_path / "RECORDS").write_text("g1/\ng2/\n")
    (tmp_path / "g1" / "RECORDS").write_text("b\n")
    assert load_wfdb(tmp_path).record_names == ["g1/b", "g2/c"]


@pytest.mark.parametrize(
    "content",
    [b"./\n", b"../\n", b"../out/m\n", b"/etc/x\n", b"a/../../b\n", b"100\n\x00\xff\xfe", b"\xff/"],
)
def test_list_of_other_things_than_records_below_raises(folder, content):
    (folder / "RECORDS").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"RECORDS is damaged: line \d holds .* records=.*physionet"
    ):
        load_wfdb(folder)


def test_list_that_names_itself_by_a_link_raises(folder):
    (folder / "again").symlink_to(folder)
    (folder / "RECORDS").write_text("100\nagain/\n")
    with pytest.raises(ValueError, match="RECORDS is damaged: by way of a link"):
        load_wfdb(folder)


def test_leads_of_records_that_differ_in_their_number(folder, write_record):
    write_record(folder, "113", leads=("I", "II", "III"))
    shapes = [recording.shape for recording in load_wfdb(folder, lead=None).recordings]
    assert shapes == [(2, 2000), (2, 3000), (3, 2000), (2, 2000)]


@pytest.mark.parametrize("suffix", [".zip", ".gz"])
def test_archive_raises(tmp_path, suffix):
    (tmp_path / f"mitdb{suffix}").write_bytes(b"PK")
    with pytest.raises(FileNotFoundError, match=r"Unpack the archive first"):
        load_wfdb(tmp_path / f"mitdb{suffix}")


def test_without_annotations(folder):
    (folder / "100.atr").unlink()
    assert load_wfdb(folder, annotator=None).annotations is None


def test_another_annotator(folder):
    (folder / "100.atr").rename(folder / "100.qrs")
    assert len(load_wfdb(folder, "100", annotator="qrs").annotations[0].sample) == 4


@pytest.mark.parametrize("annotator", [".qrs", "../atr", "/etc/passwd", "", "a b", "atr\n"])
def test_annotator_that_is_no_extension_raises(folder, annotator):
    with pytest.raises(ValueError, match="annotator must be the extension"):
        load_wfdb(folder, annotator=annotator)
    with pytest.raises(ValueError, match="annotator must be the extension"):
        load_recording(folder / "100", annotator=annotator)


def test_return_X_y_gives_the_two_lists(folder):  # noqa: N802
    recordings, annotations = load_wfdb(folder, return_X_y=True)
    assert len(recordings) == len(annotations) == 3


def test_different_sampling_rates_raise(folder, write_record):
    write_record(folder, "500", fs=250)
    message = "360 Hz: 100, 102, 114; 250 Hz: 500"
    with pytest.raises(ValueError, match=message):
        load_wfdb(folder)
    assert load_wfdb(folder, "500").fs == 250.0


def test_missing_folder_raises(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere\. .*physionet\.org"):
        load_wfdb(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["100", "100.hea"])
def test_path_of_a_record_error_shows_the_right_call(folder, name):
    message = rf"There is no folder .* path='{folder}', records=\['100'\]"
    with pytest.raises(FileNotFoundError, match=message):
        load_wfdb(folder / name)


def test_folder_without_records_raises(tmp_path):
    with pytest.raises(ValueError, match=r"holds no record \(\*\.hea\)"):
        load_wfdb(tmp_path)


def test_empty_choice_of_records_raises(folder):
    with pytest.raises(ValueError, match="records is empty"):
        load_wfdb(folder, [])


def test_missing_wfdb_error_names_the_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "wfdb", None)
    with pytest.raises(ImportError, match=r"pip install \"ecgbeat\[data\]\""):
        load_wfdb(folder)


def test_silent_by_default(folder, capsys):
    load_wfdb(folder)
    assert capsys.readouterr() == ("", "")


def test_verbose_shows_progress(folder, capsys):
    load_wfdb(folder, verbose=1)
    assert "3/3" in capsys.readouterr().err


# --- leads -----------------------------------------------------------------------------


NAMES = ["a", "b"]
LEADS = [["MLII", "V5"], ["V5", "MLII", "V1"]]


@pytest.mark.parametrize(
    ("lead", "found"),
    [
        (None, [None, None]),
        (0, [0, 0]),
        (-1, [1, 2]),
        ("MLII", [0, 1]),
        (("V1", "V5"), [1, 2]),
        (("V1", 0), [0, 2]),
    ],
)
def test_choice_of_rows(lead, found):
    assert choose_leads(NAMES, LEADS, lead) == found


@pytest.mark.parametrize("lead", [2, "aVR", ("aVR", 2), ()])
def test_missing_lead_raises(lead):
    with pytest.raises(ValueError, match=r"is not in the records a \(MLII, V5\)"):
        choose_leads(NAMES, LEADS, lead)


def test_warning_about_the_first_lead_points_to_the_caller():
    with pytest.warns(UserWarning, match=r"1 of 2 records have no lead 'V1'") as caught:
        assert choose_leads(NAMES, LEADS, "V1") == [0, 2]
    assert caught[0].filename == __file__


def test_no_warning_if_all_records_have_the_lead():
    with warnings.catch_warnings(action="error"):
        choose_leads(NAMES, LEADS, "V5")
