"""A small model in a file, records in WFDB format, and the command in this process."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from ecgbeat import BeatAnnotator, ZScoreScaler, save_model
from ecgbeat.command import _models, main
from ecgbeat.datasets import make_recording


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """File of an annotator of the first lead, which needs no later beats."""
    patients = [make_recording(60, random_state=seed) for seed in range(3)]
    classifier = make_pipeline(ZScoreScaler(), LogisticRegression(max_iter=1000))
    annotator = BeatAnnotator(classifier, fs=360, mapping="literature", min_quality=0.5)
    annotator.fit(
        [patient.signal for patient in patients], [patient.annotation for patient in patients]
    )
    file = tmp_path_factory.mktemp("model") / "small.safetensors"
    save_model(annotator, file)
    return file


@pytest.fixture(autouse=True)
def forget_loaded_models():
    yield
    _models.load.cache_clear()


def _write_record(folder: Path, name: str, *, seconds=20, seed=0, annotated=True, weights=None):
    """Write a simulated WFDB record."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        import wfdb

        ecg = make_recording(seconds, n_leads=2, random_state=seed, weights=weights)
        folder.mkdir(parents=True, exist_ok=True)
        wfdb.wrsamp(
            name,
            fs=360,
            units=["mV"] * 2,
            sig_name=ecg.lead_names,
            p_signal=np.asarray(ecg.signal).T,
            fmt=["16"] * 2,
            write_dir=str(folder),
        )
        if annotated:
            wfdb.wrann(
                name, "atr", ecg.r_peaks, ecg.symbols.tolist(), fs=360, write_dir=str(folder)
            )
    return ecg


@pytest.fixture(scope="session")
def write_record():
    """A function that writes a simulated WFDB record, and returns its ECG."""
    return _write_record


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder; return exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as error:
            code = error.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


@pytest.fixture
def annotate(run, model):
    """Run ``ecgbeat annotate`` with the small model."""

    def run_annotate(*arguments):
        return run("annotate", *arguments, "--model", model)

    return run_annotate
