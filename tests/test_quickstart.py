"""The example that everybody runs first."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

QUICKSTART = Path(__file__).parents[1] / "examples" / "quickstart.py"

pytestmark = pytest.mark.skipif(
    not QUICKSTART.exists(), reason="asks for the repository; here are the tests alone"
)


@pytest.fixture
def quickstart(monkeypatch):
    """The script as a module, its pipeline made small enough for a test."""
    spec = importlib.util.spec_from_file_location("quickstart", QUICKSTART)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    full = module.pipeline_and_grid

    def small(beats):
        pipeline, grid = full(beats)
        pipeline.set_params(ecgcnnclassifier__n_filters=2, ecgcnnclassifier__max_epochs=1)
        return pipeline, {name: values[:1] for name, values in grid.items()}

    monkeypatch.setattr(module, "pipeline_and_grid", small)
    monkeypatch.setattr(module, "BEATS_OF_A_CLASS", 120)
    return module


def run(quickstart, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["quickstart.py", "--n-jobs", "1", *arguments])
    quickstart.main()


def test_simulated_patients_get_a_report(quickstart, monkeypatch, capsys):
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


def test_beats_of_kaggle_are_judged_by_patient_where_known(
    quickstart, monkeypatch, capsys, tmp_path
):
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


def test_unknown_patients_are_admitted(quickstart, monkeypatch, capsys, tmp_path):
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.random((300, 187)), rng.integers(0, 5, 300)])
    np.savetxt(tmp_path / "mitbih_train.csv", table, delimiter=",")
    run(quickstart, monkeypatch, "--data", str(tmp_path))
    assert "mix patients" in capsys.readouterr().out


def test_a_missing_folder_is_named(quickstart, monkeypatch):
    with pytest.raises(SystemExit, match="'nowhere' is none"):
        run(quickstart, monkeypatch, "--data", "nowhere")


def test_at_most_keeps_the_first_of_each_kind(quickstart):
    rows = np.array([5, 3, 1, 0, 2, 4])
    kinds = np.array(["a", "b", "a", "b", "b", "b"])
    assert quickstart.at_most(2, rows, kinds).tolist() == [5, 3, 0, 2]


@pytest.mark.slow
def test_real_recordings_get_a_report(quickstart, monkeypatch, capsys, real_data):
    run(quickstart, monkeypatch, "--data", str(real_data / "mitdb"))
    assert "48 records" in capsys.readouterr().out
