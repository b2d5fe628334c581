"""Tests of examples/benchmarks/inter_patient.py."""

import importlib.util
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import Bunch

from ecgbeat.datasets import make_recording

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
    """Write simulated records with two leads, named as two records of DS1 and two of DS2."""
    path = tmp_path_factory.mktemp("mitdb")
    # wfdb 4.3 uses functions deprecated in pandas 3, also during import
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        wfdb = pytest.importorskip("wfdb", reason="requires wfdb")
        for seed, name in enumerate(("101", "114", "100", "103")):
            made = make_recording(120.0, random_state=seed, n_leads=2)
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
            wfdb.wrann(name, "atr", made.r_peaks, list(made.symbols), write_dir=str(path))
    return path


RECORDS = ["--records", "101", "114", "100", "103"]


# a short record has fewer beats than quantiles
short = pytest.mark.filterwarnings("ignore:n_quantiles:UserWarning")


def run(study, monkeypatch, folder, *arguments):
    monkeypatch.setattr(
        sys, "argv", ["inter_patient.py", "--data", str(folder), "--quick", *RECORDS, *arguments]
    )
    study.main()


@short
def test_report_on_held_out_records(study, folder, monkeypatch, capsys):
    run(study, monkeypatch, folder, "--seeds", "0", "1")
    printed = capsys.readouterr().out
    for part in ("DS1 -> DS2", "seed 1", "without record 232", "median over 2 records"):
        assert part in printed


@short
def test_selection_does_not_read_ds2(study, folder, monkeypatch, capsys):
    read, record_names = study.read, []
    monkeypatch.setattr(
        study, "read", lambda path, names: record_names.extend(names) or read(path, names)
    )
    run(study, monkeypatch, folder, "--select", "--partitions", "1")
    assert record_names == ["101", "114"]
    assert study.CHOSEN in capsys.readouterr().out


def test_records_are_scaled_and_compared_with_their_median_beat(study, folder):
    beats = study.read(folder, ["101", "114"])
    for record in ("101", "114"):
        rows = beats.records == record
        heights = np.median(np.ptp(beats.beat[rows], axis=-1), axis=0)
        np.testing.assert_allclose(heights, 1, rtol=1e-5)
        np.testing.assert_allclose(np.median(beats.difference[rows], axis=0), 0, atol=1e-6)


@pytest.mark.parametrize("gain", [0.5, 3.0])
def test_features_do_not_depend_on_the_gain(study, gain):
    waves = np.random.default_rng(0).normal(size=(9, 2, 96))
    for scaled, plain in zip(
        study.relative_to_record(gain * waves + 7), study.relative_to_record(waves), strict=True
    ):
        np.testing.assert_allclose(scaled, plain, atol=1e-9)


def test_features_of_all_settings(study, folder):
    beats = study.read(folder, ["101"])
    for setting in study.SETTINGS.values():
        X, n_wave = study.make_features(beats, setting)
        assert X.shape == (len(beats.target), n_wave + len(setting.rr))
        assert n_wave % setting.n_leads == 0


def test_rates(study):
    se, ppv, f1 = study.rates(np.array([*"NNNNSV"]), np.array([*"NNNSSN"]))
    assert se.tolist() == [0.75, 1, 0, 0]
    assert ppv.tolist() == [0.75, 0.5, 0, 0]
    assert f1.tolist() == pytest.approx([0.75, 2 / 3, 0, 0])


def test_scores_by_record_exclude_absent_classes(study):
    beats = Bunch(target=np.array([*"NNSS"]), records=np.array(["a", "a", "b", "b"]))
    scores = study.by_record(beats, np.array([*"NNNS"]))
    assert scores[0] == ("a", 1.0, 1.0)
    assert scores[1] == ("b", 0.5, pytest.approx(2 / 3))
