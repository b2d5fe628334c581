"""Tests of examples/live_in_terminal.py."""

import functools
import importlib.util
import sys
from pathlib import Path

import pytest

from ecgbeat import save_model

EXAMPLE = Path(__file__).parents[1] / "examples" / "live_in_terminal.py"

pytestmark = pytest.mark.skipif(not EXAMPLE.exists(), reason="requires the repository")


@pytest.fixture(scope="module")
def example():
    """Import the script as a module, with fewer patients, which are fitted once."""
    pytest.importorskip("rich", reason="requires rich")
    spec = importlib.util.spec_from_file_location("live_in_terminal", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.N_PATIENTS = 2
    module.fit_annotator = functools.cache(module.fit_annotator)
    return module


def run(example, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["live_in_terminal.py", *arguments])
    example.main()


@pytest.mark.parametrize("width", [80, 120])
def test_picture_of_a_simulated_patient(example, monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", "30")
    run(example, monkeypatch, "--seconds", "24", "--speed", "100")
    printed = capsys.readouterr().out
    for part in ("simulated patient", "00:24.0", "heart rate", "labels after", "ventricular"):
        assert part in printed
    assert ("latest" in printed) == (width == 120)
    assert "────" in printed.splitlines()[1]  # the electrode is lost
    assert "beats in 24 s: " in printed.splitlines()[-1]
    assert max(map(len, printed.splitlines())) <= width


def test_model_and_picture_are_files(example, monkeypatch, capsys, tmp_path):
    save_model(example.fit_annotator(), tmp_path / "live.safetensors")
    monkeypatch.setattr(example, "fit_annotator", None)
    files = {name: str(tmp_path / name) for name in ("live.safetensors", "picture.svg")}
    options = ["--seconds", "5", "--speed", "inf", "--model", files["live.safetensors"]]
    run(example, monkeypatch, *options, "--svg", files["picture.svg"])
    assert "<svg" in Path(files["picture.svg"]).read_text(encoding="utf-8")
    assert "beats in 5 s" in capsys.readouterr().out
