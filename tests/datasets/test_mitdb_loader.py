import collections

import numpy as np
import pytest

from ecgbeat.datasets import load_mitdb
from ecgbeat.datasets.mitdb.loader import patients_of_records
from ecgbeat.labels import is_beat


@pytest.fixture
def folder(tmp_path, write_record):
    mitdb = tmp_path / "mitdb"
    write_record(mitdb, "102", leads=("V5", "V2"))
    write_record(mitdb, "114", leads=("V5", "MLII"))
    write_record(mitdb, "201", leads=("MLII", "V1"))
    write_record(mitdb, "202", leads=("MLII", "V1"))
    return mitdb


def test_mlii_or_else_v5_is_read_without_a_warning(folder):
    assert load_mitdb(folder).lead_names == ["V5", "MLII", "MLII", "MLII"]


def test_groups_are_patients(folder):
    data = load_mitdb(folder)
    assert data.record_names == ["102", "114", "201", "202"]
    assert data.groups.tolist() == ["102", "114", "201", "201"]


def test_data_home_is_the_default(folder, monkeypatch):
    monkeypatch.setenv("ECGBEAT_DATA", str(folder.parent))
    assert len(load_mitdb().recordings) == 4


def test_arguments_of_load_wfdb(folder):
    recordings, annotations = load_mitdb(
        folder, ["114"], lead=0, annotator=None, dtype=np.float64, return_X_y=True
    )
    assert recordings[0].dtype == np.float64
    assert annotations is None


def test_missing_lead_warns(folder):
    with pytest.warns(UserWarning, match="1 of 4 records have no lead 'MLII'") as caught:
        load_mitdb(folder, lead="MLII")
    assert caught[0].filename == __file__


def test_descr_contains_the_citations(folder):
    descr = load_mitdb(folder).DESCR
    assert "10.1109/51.932724" in descr
    assert "10.1161/01.CIR.101.23.e215" in descr


def test_missing_database_error_names_the_source(tmp_path, monkeypatch):
    monkeypatch.setenv("ECGBEAT_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"mitdb\. .*physionet\.org/content/mitdb/1\.0\.0"):
        load_mitdb()


@pytest.fixture(scope="module")
def mitdb(real_data):
    if not (real_data / "mitdb").is_dir():
        pytest.skip("ECGBEAT_DATA holds no mitdb")
    return load_mitdb(real_data / "mitdb")


def test_real_recordings(mitdb):
    assert {recording.shape for recording in mitdb.recordings} == {(650_000,)}
    assert all(np.isfinite(recording).all() for recording in mitdb.recordings)
    assert mitdb.fs == 360.0


def test_real_leads(mitdb):
    others = {
        record: lead
        for record, lead in zip(mitdb.record_names, mitdb.lead_names, strict=True)
        if lead != "MLII"
    }
    assert others == {"102": "V5", "104": "V5"}


def test_real_patients(mitdb):
    assert (len(mitdb.record_names), len(np.unique(mitdb.groups))) == (48, 47)


def test_real_annotations(mitdb):
    symbols = np.concatenate([annotation.symbol for annotation in mitdb.annotations])
    counts = collections.Counter(symbols[is_beat(symbols)].tolist())
    assert counts == {
        "N": 75052, "L": 8075, "R": 7259, "V": 7130, "/": 7028, "A": 2546, "f": 982, "F": 803,
        "j": 229, "a": 150, "E": 106, "J": 83, "Q": 33, "e": 16, "S": 2,
    }  # fmt: skip
    assert (np.sum(symbols == "!"), np.sum(symbols == "x")) == (472, 193)


# --- patients --------------------------------------------------------------------------


def test_records_201_and_202_are_of_one_patient():
    assert patients_of_records(["201", "202", "203"]).tolist() == ["201", "201", "203"]


def test_one_patient_for_each_beat_of_an_array():
    assert patients_of_records(np.array(["202", "100", "202"])).tolist() == ["201", "100", "201"]
