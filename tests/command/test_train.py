"""Tests of ``ecgbeat train``."""

import pytest

from ecgbeat import load_model
from ecgbeat.persistence import model_info

WEIGHTS = {"N": 0.8, "A": 0.1, "V": 0.1}


@pytest.fixture
def _records(write_record, tmp_path):
    for seed in range(3):
        write_record(tmp_path / "data", f"10{seed}", seconds=60, seed=seed, weights=WEIGHTS)
    write_record(tmp_path / "data", "199", annotated=False)


@pytest.mark.usefixtures("_records")
def test_model_is_scored_by_patient_and_saved(run, tmp_path):
    code, out, _ = run("train", "data", "--out", "m/model.safetensors", "--folds", "2")
    assert code == 0
    assert "1 without .atr left out" in out
    assert "3 records of 3 patients, 360 Hz" in out
    assert "Score on patients not seen, in 2 folds" in out
    assert "Gross" in out
    assert load_model(tmp_path / "m" / "model.safetensors").fs == 360
    card = model_info(tmp_path / "m" / "model.safetensors")["card"]
    assert card["records"] == ["100", "101", "102"]
    assert "2 folds by patient" in card["protocol"]
    assert run("annotate", "data/100", "--model", "m/model.safetensors")[0] == 0


@pytest.mark.slow
@pytest.mark.usefixtures("_records")
def test_model_of_streams_is_trained_without_a_score(run):
    arguments = ("train", "data", "--out", "m.safetensors", "--folds", 0, "--future", "next")
    code, out, _ = run(*arguments)
    assert (code, "Score" in out) == (0, False)
    code, out, _ = run("stream", "data/100", "--model", "m.safetensors", "--speed", "inf")
    assert code == 0
    assert "Duration     0:01:00" in out
    code, _, error = run(*arguments)
    assert (code, "m.safetensors exists; --force replaces it" in error) == (2, True)


@pytest.mark.parametrize(
    ("folder", "words"), [("nowhere", "There is no folder nowhere"), ("empty", "empty must hold")]
)
def test_folder_without_records_is_an_error(run, tmp_path, folder, words):
    (tmp_path / "empty").mkdir()
    code, _, error = run("train", folder, "--out", "m.safetensors")
    assert code == 1
    assert words in error


def test_score_of_one_patient_is_an_error(run, write_record, tmp_path):
    write_record(tmp_path / "data", "201")
    write_record(tmp_path / "data", "202")  # of the same patient in MIT-BIH
    code, _, error = run("train", "data", "--out", "m.safetensors")
    assert (code, "2 patients or more" in error) == (1, True)
    assert not (tmp_path / "m.safetensors").exists()
