"""Tests of examples/quickstart.py."""

import importlib.util
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import Bunch

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
    printed, progress = capsys.readouterr()
    assert "tuning: 100%" in progress
    assert "3/3 [" in progress
    for part in (
        "24 simulated patients",
        "L: left bundle branch block",
        "L left bundle branch block ",
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


def test_classes_that_score_0_are_explained(quickstart, capsys):
    beats = Bunch(class_names=quickstart.AAMI_CLASSES)
    quickstart.print_unrecognized(beats, np.array(["N", "S"]), np.array(["N", "F"]))
    printed = capsys.readouterr().out
    assert "S (supraventricular ectopic) has a score of 0: its beats are rare" in printed
    assert "F (fusion of N and V) has a score of 0: the held-out patients have no" in printed
    assert "N (" not in printed


def test_progress_bar_ends_with_a_failed_search(quickstart, tmp_path):
    with pytest.raises(ZeroDivisionError), quickstart.progress_bar(tmp_path / "fits", 3):
        raise ZeroDivisionError
    assert not [thread for thread in threading.enumerate() if "watch" in thread.name]


@pytest.mark.slow
def test_report_on_real_recordings(quickstart, monkeypatch, capsys, real_data):
    run(quickstart, monkeypatch, "--data", str(real_data / "mitdb"))
    assert "48 records" in capsys.readouterr().out
