"""Tests of examples/quickstart.py."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

QUICKSTART = Path(__file__).parents[1] / "examples" / "quickstart.py"

pytestmark = pytest.mark.skipif(not QUICKSTART.exists(), reason="requires the repository")


@pytest.fixture
def quickstart(monkeypatch):
    """Import the script as a module and reduce its pipeline for the tests."""
    spec = importlib.util.spec_from_file_location("quickstart", QUICKSTART)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    make_full_pipeline_and_grid = module.make_pipeline_and_grid

    def make_small_pipeline_and_grid(beats):
        pipeline, grid = make_full_pipeline_and_grid(beats)
        pipeline.set_params(ecgcnnclassifier__n_filters=2, ecgcnnclassifier__max_epochs=1)
        return pipeline, {name: values[:1] for name, values in grid.items()}

    monkeypatch.setattr(module, "make_pipeline_and_grid", make_small_pipeline_and_grid)
    monkeypatch.setattr(module, "MAX_BEATS_PER_CLASS", 120)
    return module


def run(quickstart, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["quickstart.py", "--n-jobs", "1", *arguments])
    quickstart.main()


def test_report_on_simulated_patients(quickstart, monkeypatch, capsys):
    run(quickstart, monkeypatch)
    printed = capsys.readouterr().out
    for part in (
        "24 simulated patients",
        "END bandpass",
        "macro avg",
        "Confusion matrix",
        "Done in",
    ):
        assert part in printed


def test_kaggle_beats_are_split_by_patient_if_known(quickstart, monkeypatch, capsys, tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 5, 400)
    arrays = {"X": rng.random((400, 187), dtype=np.float32), "y": y}
    np.savez(
        tmp_path / "mitbih_train.npz",
        **arrays,
        record=np.repeat(np.arange(100, 120), 20).astype(str),
    )
    run(quickstart, monkeypatch, "--data", str(tmp_path))
    assert "held out: 5 patients" in capsys.readouterr().out


def test_unknown_patients_are_reported(quickstart, monkeypatch, capsys, tmp_path):
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.random((300, 187)), rng.integers(0, 5, 300)])
    np.savetxt(tmp_path / "mitbih_train.csv", table, delimiter=",")
    run(quickstart, monkeypatch, "--data", str(tmp_path))
    assert "mix patients" in capsys.readouterr().out


def test_missing_folder_raises(quickstart, monkeypatch):
    with pytest.raises(SystemExit, match="must be an existing folder, got 'nowhere'"):
        run(quickstart, monkeypatch, "--data", "nowhere")


def test_first_rows_of_each_key(quickstart):
    rows = np.array([5, 3, 1, 0, 2, 4])
    keys = np.array(["a", "b", "a", "b", "b", "b"])
    assert quickstart.first_rows(rows, keys, 2).tolist() == [5, 3, 0, 2]


@pytest.mark.slow
def test_report_on_real_recordings(quickstart, monkeypatch, capsys, real_data):
    run(quickstart, monkeypatch, "--data", str(real_data / "mitdb"))
    assert "48 records" in capsys.readouterr().out
