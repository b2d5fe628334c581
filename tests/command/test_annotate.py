"""Tests of ``ecgbeat annotate``."""

import csv
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import edfio
import numpy as np
import pytest

from ecgbeat.annotation import AnnotatedBeats
from ecgbeat.command._models import load
from ecgbeat.command._one_recording import Task, annotate_one
from ecgbeat.datasets import make_recording
from ecgbeat.metrics import match_beats


def files_in(folder: Path) -> list[str]:
    """Return the paths of all files below a folder."""
    return sorted(
        file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()
    )


def read_beats(file):
    rows = list(csv.DictReader(file.read_text().splitlines()))
    return np.array([int(row["sample"]) for row in rows]), [row["label"] for row in rows]


def test_record_is_annotated_and_summarized(annotate, tmp_path, write_record):
    ecg = write_record(tmp_path, "100")
    code, out, error = annotate("100")
    assert (code, error) == (0, "")
    assert files_in(tmp_path / "annotated") == ["100_beats.csv", "100_summary.json"]
    sample, label = read_beats(tmp_path / "annotated" / "100_beats.csv")
    assert len(match_beats(ecg.r_peaks, sample, 360).missed) == 0
    assert set(label) <= {"N", "S", "V"}
    for words in ("0:00:20", f"{len(sample)}, heart rate", "N  normal", "Runs", "Pauses"):
        assert words in out
    stored = json.loads((tmp_path / "annotated" / "100_summary.json").read_text())
    assert stored["summary"]["n_beats"] == len(sample)
    assert stored["lead_names"] == ["MLII", "V1"]


@pytest.mark.parametrize("name", ["100", "100.hea", "100.dat"])
def test_record_may_be_given_by_any_of_its_files(annotate, tmp_path, name, write_record):
    write_record(tmp_path, "100")
    assert annotate(name)[0] == 0
    assert "100_beats.csv" in files_in(tmp_path / "annotated")


def test_simulated_patient_needs_no_file(annotate, tmp_path):
    code, out, _ = annotate("simulated", "simulated:7", "--out", "here")
    assert code == 0
    assert files_in(tmp_path / "here")[::2] == ["simulated_0_beats.csv", "simulated_7_beats.csv"]
    assert "All 2 recordings in here: 20.0 min" in out


def test_formats(annotate, tmp_path, write_record):
    write_record(tmp_path, "100")
    for kind in ("wfdb", "json", "csv"):
        assert annotate("100", "--format", kind)[0] == 0
    names = ["100.ecgbeat", "100_beats.csv", "100_beats.json", "100_summary.json"]
    assert files_in(tmp_path / "annotated") == names


def write_others(folder):
    ecg = make_recording(20, n_leads=2, random_state=1, fs=250)
    signals = [
        edfio.EdfSignal(lead, 250, label=name, physical_dimension="mV")
        for lead, name in zip(ecg.signal, ("ECG II", "ECG V1"), strict=True)
    ]
    edfio.Edf(signals).write(folder / "a b.edf")
    np.save(folder / "array.npy", ecg.signal * 1000)
    np.savetxt(folder / "text.csv", ecg.signal.T * 1000, delimiter=";", header="II;V1")


def test_edf_csv_and_npy_are_annotated(annotate, tmp_path):
    write_others(tmp_path)
    code, _, error = annotate("a b.edf", "--leads", "ECG II")
    assert (code, error) == (0, "")
    options = ("--fs", "250", "--unit", "uV")
    assert annotate("array.npy", "text.csv", *options)[0] == 0
    beats = [read_beats(file) for file in sorted((tmp_path / "annotated").glob("*.csv"))]
    assert len(beats) == 3
    assert beats[1][0].tolist() == beats[2][0].tolist()


def test_file_without_a_rate_fails_with_a_sentence(annotate, tmp_path):
    write_others(tmp_path)
    code, out, error = annotate("array.npy")
    assert (code, out) == (1, "")
    assert "array.npy does not state its sampling rate. Pass fs" in error
    assert not (tmp_path / "annotated").exists()


def test_folder_is_walked(annotate, tmp_path, write_record):
    write_record(tmp_path / "data", "100")
    write_record(tmp_path / "data" / "deep" / "er", "100", seed=1)
    write_record(tmp_path / "data" / ".hidden", "100")
    write_others(tmp_path / "data")
    (tmp_path / "data" / "LICENSE.txt").write_text("1 2 3")
    code, out, error = annotate("data")
    assert code == 0
    assert "2 text or NumPy files of data are skipped" in error
    names = ["100", "a_b", "deep/er/100"]
    assert files_in(tmp_path / "annotated") == [
        f"{name}_{kind}" for name in names for kind in ("beats.csv", "summary.json")
    ]
    assert "deep/er/100_beats.csv: 0.3 min" in out
    assert annotate("data", "--fs", "250", "--out", "all")[0] == 0
    assert len(files_in(tmp_path / "all")) == 10


def test_folder_with_a_list_of_records(annotate, tmp_path, write_record):
    write_record(tmp_path / "data", "100")
    write_record(tmp_path / "data" / "other", "200")
    (tmp_path / "data" / "RECORDS").write_text("100\n")
    assert annotate("data")[0] == 0
    assert files_in(tmp_path / "annotated") == ["100_beats.csv", "100_summary.json"]


def test_segments_of_a_record_are_no_records(annotate, tmp_path, write_record):
    write_record(tmp_path / "data", "s1")
    (tmp_path / "data" / "all.hea").write_text("all/2 2 360 14400\ns1 7200\n~ 7200\n")
    assert annotate("data")[0] == 0
    assert files_in(tmp_path / "annotated")[0] == "all_beats.csv"
    assert len(files_in(tmp_path / "annotated")) == 2


def test_records_of_one_name_in_two_folders_have_two_results(annotate, tmp_path, write_record):
    first = write_record(tmp_path / "x", "100", seed=0)
    second = write_record(tmp_path / "y", "100", seed=1)
    assert annotate("x/100", "y/100")[0] == 0
    for folder, ecg in (("x", first), ("y", second)):
        sample, _ = read_beats(tmp_path / "annotated" / folder / "100_beats.csv")
        assert len(match_beats(ecg.r_peaks, sample, 360).missed) == 0


def test_record_of_the_same_name_is_not_taken_for_one_that_is_done(
    annotate, tmp_path, write_record
):
    write_record(tmp_path / "x", "100", seed=0)
    write_record(tmp_path / "y", "100", seed=1)
    assert annotate("x/100")[0] == 0
    before = (tmp_path / "annotated" / "100_beats.csv").read_bytes()
    code, _, error = annotate("y/100")
    assert code == 1
    assert "exists, with another source. Pass another --out, or --force" in error
    assert (tmp_path / "annotated" / "100_beats.csv").read_bytes() == before
    assert annotate("y/100", "--force")[0] == 0
    assert (tmp_path / "annotated" / "100_beats.csv").read_bytes() != before


def test_files_of_one_name_and_two_formats_have_two_results(annotate, tmp_path):
    write_others(tmp_path)
    os.rename(tmp_path / "array.npy", tmp_path / "text.npy")
    assert annotate("text.npy", "text.csv", "--fs", "250", "--unit", "uV")[0] == 0
    assert files_in(tmp_path / "annotated")[::2] == ["text_csv_beats.csv", "text_npy_beats.csv"]


def test_names_that_cannot_be_told_apart_raise(annotate, tmp_path):
    write_others(tmp_path)
    (tmp_path / "a_b.edf").write_bytes((tmp_path / "a b.edf").read_bytes())
    code, _, error = annotate("a b.edf", "a_b.edf")
    assert (code, "would have the same name" in error) == (2, True)


def test_run_is_resumed(annotate, tmp_path, write_record):
    write_record(tmp_path, "100")
    write_record(tmp_path, "101", seed=1)
    assert annotate("100")[0] == 0
    done = tmp_path / "annotated" / "100_beats.csv"
    before = done.stat().st_mtime_ns
    code, out, _ = annotate("100", "101")
    assert code == 0
    assert out.count("annotated already") == 1
    assert "All 2 recordings" in out
    assert done.stat().st_mtime_ns == before
    assert annotate("100", "--force")[0] == 0
    assert done.stat().st_mtime_ns > before


def test_changed_recording_or_model_is_annotated_again(annotate, tmp_path, write_record):
    write_record(tmp_path, "100")
    assert annotate("100")[0] == 0
    write_record(tmp_path, "100", seed=5)
    later = time.time() + 2
    os.utime(tmp_path / "100.dat", (later, later))
    assert "already" not in annotate("100")[1]


def test_record_is_done_by_whichever_path_it_was_given(annotate, tmp_path, write_record):
    write_record(tmp_path / "data", "100")
    assert annotate("data/100")[0] == 0
    for path in ("data/100.hea", "data/100.dat", "data", tmp_path / "data" / "100"):
        code, out, error = annotate(path)
        assert (code, error, "annotated already" in out) == (0, "", True)


def test_model_is_loaded_once_until_its_file_changes(model, tmp_path):
    file = tmp_path / "m.safetensors"
    file.write_bytes(model.read_bytes())
    first = load(str(file))
    assert load(str(file)) is first
    os.utime(file, (1, 1))
    assert load(str(file)) is not first


@pytest.mark.parametrize("option", [("--leads", "V1"), ("--unit", "uV")])
def test_other_settings_are_not_taken_for_done(annotate, tmp_path, option, write_record):
    write_record(tmp_path, "100")
    assert annotate("100")[0] == 0
    code, _, error = annotate("100", *option)
    assert code == 1
    assert f"with another {option[0][2:]}" in error


def test_file_of_someone_else_is_not_replaced(annotate, tmp_path, write_record):
    write_record(tmp_path, "100")
    (tmp_path / "annotated").mkdir()
    (tmp_path / "annotated" / "100_beats.csv").write_text("mine")
    code, _, error = annotate("100")
    assert (code, "100_beats.csv exists" in error) == (1, True)
    assert (tmp_path / "annotated" / "100_beats.csv").read_text() == "mine"


def test_recording_is_not_done_if_its_beats_are_missing(annotate, tmp_path, write_record):
    write_record(tmp_path, "100")
    assert annotate("100")[0] == 0
    (tmp_path / "annotated" / "100_beats.csv").unlink()
    assert "already" not in annotate("100")[1]
    assert (tmp_path / "annotated" / "100_beats.csv").exists()


def test_damaged_files_do_not_end_the_run(annotate, tmp_path, write_record):
    write_record(tmp_path / "data", "100")
    write_record(tmp_path / "data", "101", seed=1)
    write_others(tmp_path / "data")
    damaged = tmp_path / "data" / "a b.edf"
    damaged.write_bytes(damaged.read_bytes()[:-5])
    (tmp_path / "data" / "102.hea").write_text("nonsense")
    code, out, error = annotate("data")
    assert code == 1
    assert "ecgbeat: 2 of 4 recordings failed:" in error
    assert error.count("\n  /") == 2
    assert "Traceback" not in error
    assert "All 2 recordings" in out
    assert len(files_in(tmp_path / "annotated")) == 4


def test_annotation_beside_a_record_is_not_read(annotate, tmp_path, write_record):
    write_record(tmp_path, "100")
    (tmp_path / "100.atr").write_bytes(b"damaged")
    assert annotate("100")[0] == 0


def test_record_with_other_checksums_needs_an_option(annotate, tmp_path, write_record):
    write_record(tmp_path, "100", annotated=False)
    header = tmp_path / "100.hea"
    lines = [line.split() for line in header.read_text().splitlines()]
    lines[1][6] = str(int(lines[1][6]) + 1)
    header.write_text("\n".join(map(" ".join, lines)))
    code, _, error = annotate("100")
    assert code == 1
    assert "--no-verify" in error
    assert annotate("100", "--no-verify")[0] == 0


def test_model_of_single_beats_is_refused(run, tmp_path):
    from ecgbeat import BandpassFilter, save_model

    save_model(BandpassFilter(fs=360).fit(np.zeros((2, 200))), tmp_path / "filter.safetensors")
    code, _, error = run("annotate", "simulated", "--model", "filter.safetensors")
    assert code == 1
    assert "must annotate recordings, as a BeatAnnotator does, got a BandpassFilter" in error


def test_full_disk_leaves_no_file(annotate, tmp_path, monkeypatch, write_record):
    write_record(tmp_path, "100")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, _, error = annotate("100")
    assert (code, "No space left" in error) == (1, True)
    assert not (tmp_path / "annotated").exists()


def test_kill_between_both_files_leaves_the_recording_to_be_done(
    annotate, tmp_path, monkeypatch, write_record
):
    write_record(tmp_path, "100")
    replace = os.replace

    def die_after_first(source, target):
        replace(source, target)
        raise SystemExit(9)

    monkeypatch.setattr(os, "replace", die_after_first)
    monkeypatch.setattr("ecgbeat._files._restore", lambda *_: None)  # as if killed
    assert annotate("100")[0] == 9
    assert files_in(tmp_path / "annotated") == ["100_summary.json"]
    monkeypatch.setattr(os, "replace", replace)
    assert annotate("100")[0] == 0
    assert len(files_in(tmp_path / "annotated")) == 2


def test_recording_without_beats(annotate, tmp_path):
    np.save(tmp_path / "flat.npy", np.zeros(3600))
    code, out, _ = annotate("flat.npy", "--fs", "360")
    assert (code, "Beats        0" in out) == (0, True)


def test_results_are_those_of_the_model(model, tmp_path, write_record):
    from ecgbeat import load_model

    write_record(tmp_path, "100")
    task = Task(str(tmp_path / "100"), tmp_path, "100", str(model), "json", None, "mV", None)
    outcome = annotate_one(task)
    assert outcome.error is None
    from ecgbeat.datasets import load_recording

    expected = load_model(model).predict([load_recording(tmp_path / "100").signal], fs=360)[0]
    assert isinstance(expected, AnnotatedBeats)
    stored = json.loads(Path(task.beats).read_text())
    assert stored["sample"] == expected.sample.tolist()
    assert stored["label"] == expected.symbol.tolist()


@pytest.mark.slow  # a process of its own
@pytest.mark.skipif(os.name != "posix", reason="requires a pseudo-terminal")
def test_time_left_is_shown_in_a_terminal(model, tmp_path):
    import termios

    terminal, end = os.openpty()
    termios.tcsetwinsize(end, (24, 80))
    command = [sys.executable, "-m", "ecgbeat", "annotate", "simulated:1", "simulated:2"]
    done = subprocess.run(
        [*command, "--model", str(model)], cwd=tmp_path, stderr=end, stdout=subprocess.PIPE
    )
    shown = os.read(terminal, 100_000).decode()  # before all ends are closed
    os.close(end)
    os.close(terminal)
    assert done.returncode == 0
    assert b"All 2 recordings" in done.stdout
    assert "annotating:  50%" in shown
    assert re.search(r"1/2 \[\d\d:\d\d<\d\d:\d\d", shown)  # elapsed < left
