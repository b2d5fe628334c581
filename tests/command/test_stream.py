"""Tests of ``ecgbeat stream``."""

import time

import pytest

from ecgbeat.metrics import match_beats


@pytest.fixture
def stream(run, model):
    def run_stream(*arguments):
        return run("stream", *arguments, "--model", model)

    return run_stream


def test_beats_are_printed_and_summarized(stream, write_record, tmp_path):
    ecg = write_record(tmp_path, "100", seconds=30)
    code, out, error = stream("100", "--speed", "inf")
    assert (code, error) == (0, "")
    lines = [line for line in out.splitlines() if line.startswith("0:00:")]
    sample = [round(float(line.split()[0].split(":")[2]) * 360) for line in lines]
    assert len(match_beats(ecg.r_peaks, sample, 360).missed) == 0
    assert "/min" in lines[1]
    assert "Duration     0:00:30" in out


def test_speed_is_that_of_the_signal(stream, write_record, tmp_path):
    write_record(tmp_path, "100", seconds=20)
    begin = time.monotonic()
    assert stream("100", "--speed", 20)[0] == 0
    assert time.monotonic() - begin >= 0.99


def test_unreadable_seconds_are_joined(stream, tmp_path, write_record):
    import numpy as np

    ecg = write_record(tmp_path, "100", seconds=40)
    signal = np.array(ecg.signal)
    signal[:, 15 * 360 : 25 * 360] = 0
    np.save(tmp_path / "gap.npy", signal)
    code, out, _ = stream("gap.npy", "--fs", 360, "--speed", "inf")
    assert code == 0
    assert "1 stretch" in out


def test_missing_record_is_an_error(stream):
    code, _, error = stream("nowhere")
    assert (code, error.startswith("ecgbeat: There is no file")) == (1, True)
