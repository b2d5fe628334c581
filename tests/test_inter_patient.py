"""Tests of examples/benchmarks/inter_patient.py."""

import importlib.util
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from ecgbeat.annotation import AnnotatedBeats
from ecgbeat.datasets import make_recording
from ecgbeat.labels import Annotation

WEIGHTS = {"N": 0.7, "A": 0.1, "V": 0.16, "F": 0.04}
SCRIPT = Path(__file__).parents[1] / "examples" / "benchmarks" / "inter_patient.py"

pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="requires the repository")


@pytest.fixture(scope="module")
def study():
    """Import the script as a module."""
    spec = importlib.util.spec_from_file_location("inter_patient", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write simulated records with two leads, named as three records of DS1 and two of DS2."""
    path = tmp_path_factory.mktemp("mitdb")
    # wfdb 4.3 uses functions deprecated in pandas 3, also during import
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        wfdb = pytest.importorskip("wfdb", reason="requires wfdb")
        for seed, name in enumerate(("101", "114", "207", "100", "103")):
            made = make_recording(150.0, weights=WEIGHTS, random_state=seed, n_leads=2)
            leads = ["MLII", "V1"] if name != "114" else ["V5", "MLII"]
            wfdb.wrsamp(
                name,
                fs=360,
                units=["mV", "mV"],
                sig_name=leads,
                p_signal=made.signal.T.astype(float),
                fmt=["16", "16"],
                write_dir=str(path),
            )
            notes = [""] * len(made.r_peaks)
            if name == "101":
                notes[10], notes[60] = "(AFIB\x00", "(N\x00"
            wfdb.wrann(
                name, "atr", made.r_peaks, list(made.symbols), aux_note=notes, write_dir=str(path)
            )
    return path


RECORDS = ["--records", "101", "114", "207", "100", "103"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_rhythm_begins_at_its_mark(study, folder):
    beats = make_recording(150.0, weights=WEIGHTS, random_state=0, n_leads=2).r_peaks
    rhythm = study.rhythm_of(folder / "101", beats)
    assert rhythm[:10].tolist() == [""] * 10
    assert set(rhythm[10:60]) == {"(AFIB"}
    assert set(rhythm[60:]) == {"(N"}


def run(study, monkeypatch, folder, *arguments):
    monkeypatch.setattr(
        sys, "argv", ["inter_patient.py", "--data", str(folder), *RECORDS, *arguments]
    )
    study.main()


@pytest.mark.slow
def test_report_on_held_out_records(study, folder, monkeypatch, capsys):
    run(study, monkeypatch, folder, "--test", "--seeds", "0", "1")
    printed = capsys.readouterr().out
    for part in ("DS1 -> DS2", "seed 1", "without record 232", "mean of 2 seeds", "over 2 records"):
        assert part in printed


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_report_on_joined_records(study, folder, monkeypatch, capsys):
    monkeypatch.setattr(study, "FIBRILLATION_LENGTHS", (20,))
    run(study, monkeypatch, folder, "--joined", "--seeds", "1")
    printed = capsys.readouterr().out
    for part in ("each record alone", "joined to one", "101 fibrillation, 2 excerpts of 20 beats"):
        assert part in printed


@pytest.mark.slow
def test_steps_do_not_read_ds2(study, folder, monkeypatch, tmp_path, capsys):
    load, record_names = study.load_mitdb, []
    monkeypatch.setattr(
        study,
        "load_mitdb",
        lambda path, records, lead: record_names.extend(records) or load(path, records, lead=lead),
    )
    run(study, monkeypatch, folder, "--seeds", "1", "--draw", str(tmp_path))
    assert set(record_names) == {"101", "114", "207"}
    drawn = [
        (tmp_path / name).read_text() for name in ("risk_coverage.svg", "risk_coverage_dark.svg")
    ]
    assert all("</svg>" in text for text in drawn)
    assert drawn[0] != drawn[1]
    printed = capsys.readouterr().out
    for part in ("two experts", "future='none'", "excerpts 207:", "calibration error", "abstain"):
        assert part in printed


def test_risk_coverage_counts_labeled_beats_and_errors(study):
    probability = np.array([[0.9, 0.1, 0, 0], [0.4, 0.6, 0, 0], [0.7, 0, 0.3, 0], [0, 0, 1.0, 0]])
    table = study.risk_coverage(np.array(["N", "N", "V", "V"]), probability, (0, 0.65, 0.95))
    assert [row[:3] for row in table] == [(0, 1.0, 0.5), (0.65, 0.75, 1 / 3), (0.95, 0.25, 0.0)]


def test_simulated_beats_are_trained_on_but_not_scored(study, folder):
    rows = study.read(folder, ["101", "114", "207"])
    assert rows.is_simulated.any()
    assert set(rows.y[rows.is_simulated]) == {"F"}
    fitted_on = []

    class Recorder(study.InterPatientClassifier):
        def fit(self, X, y, groups):
            fitted_on.append(set(groups))
            return super().fit(X, y, groups)

    real, probability, _ = study.predict_folds(rows, Recorder(random_state=0), slice(None), True)
    assert len(probability) == len(real.y) == np.sum(~rows.is_simulated)
    assert [len(records) for records in fitted_on] == [2, 2, 2]


def test_rates(study):
    se, ppv, f1 = study.rates(np.array([*"NNNNSV"]), np.array([*"NNNSSN"]))
    assert se.tolist() == [0.75, 1, 0, 0]
    assert ppv.tolist() == [0.75, 0.5, 0, 0]
    assert f1.tolist() == pytest.approx([0.75, 2 / 3, 0, 0])


def test_missed_and_extra_beats_are_errors(study):
    beats = AnnotatedBeats(np.array([100, 700, 1300]), np.array([*"NVN"]), None)
    annotation = Annotation(np.array([101, 400, 1000, 1301]), np.array([*"NA/V"]))
    target, predicted = study.pair(annotation, beats, 360)
    assert target.tolist() == ["N", "S", "V", ""]
    assert predicted.tolist() == ["N", "", "N", "V"]


def test_calibration_error(study):
    target = np.array(["N", "N", "S", "S"])
    probability = np.array([[0.75, 0.25, 0, 0]] * 4)
    assert study.calibration_error(target, probability) == pytest.approx(0.25)
    certain = np.eye(4)[[0, 0, 1, 1]]
    assert study.calibration_error(target, certain) == 0


def test_risk_coverage(study):
    target = np.array(["N", "N", "S", "V"])
    probability = np.array(
        [[0.9, 0.1, 0, 0], [0.6, 0.4, 0, 0], [0.8, 0.2, 0, 0], [0, 0, 0.95, 0.05]]
    )
    (_, all_beats, errors, _), (_, share, fewer, _) = study.risk_coverage(
        target, probability, (0, 0.85)
    )
    assert (all_beats, errors) == (1, 0.25)
    assert (share, fewer) == (0.5, 0)
