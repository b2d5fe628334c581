"""Tests of the command as a whole: help, errors, exit codes."""

import os
import subprocess
import sys
import time
import tomllib
import warnings
from pathlib import Path

import pytest

import ecgbeat
from ecgbeat.command import _main

ROOT = Path(__file__).parents[2]


def test_script_of_the_project_exists():
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("requires the repository")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"ecgbeat": "ecgbeat.command:main"}


@pytest.mark.parametrize(
    "subcommand", [[], ["annotate"], ["train"], ["export"], ["app"], ["stream"]]
)
def test_help_loads_nothing_heavy(subcommand):
    code = (
        "import sys; from ecgbeat.command import main\n"
        f"try:\n    main({[*subcommand, '--help']!r})\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'torch', 'numpy', 'sklearn', 'scipy', 'tqdm', 'joblib'}, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage: " in done.stdout


def test_module_runs_as_a_command():
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "ecgbeat", "--version"], capture_output=True)
    assert done.stdout.decode().strip() == f"ecgbeat {ecgbeat.__version__}"
    assert time.monotonic() - begin < 3  # 0.3 s on an idle machine


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["paint"],
        ["annotate"],
        ["annotate", "x", "--format", "xml"],
        ["annotate", "x", "--fs", "fast"],
        ["annotate", "x", "--jobs", "0"],
        ["annotate", "simulated:x", "--model", "MODEL"],
        ["annotate", "EMPTY", "--model", "MODEL"],
        ["annotate", "x", "--model", "nothing-of-this-name"],
        ["stream", "--speed", "0"],
        ["stream", "--model", "nothing-of-this-name"],
        ["train", "x", "--out", "y", "--folds", "1"],
        ["train", "x", "--out", "MODEL"],
        ["export", "MODEL", "--out", "MODEL.onnx"],
        ["export", "nothing-of-this-name", "--out", "x.onnx"],
    ],
)
def test_wrong_arguments_are_one_error_and_exit_code_2(run, model, tmp_path, arguments):
    (tmp_path / "empty").mkdir()
    (model.parent / f"{model.name}.onnx").touch()
    words = {"MODEL": str(model), "EMPTY": "empty", "MODEL.onnx": f"{model}.onnx"}
    code, out, error = run(*[words.get(argument, argument) for argument in arguments])
    assert (code, out) == (2, "")
    assert error.startswith("usage: ecgbeat")
    assert "Traceback" not in error


def test_error_is_a_sentence_without_a_traceback(run, monkeypatch):
    def fail(*_):
        raise RuntimeError("Something\n  of two lines")

    monkeypatch.setattr(_main._app, "run", fail)
    assert run("app") == (1, "", "ecgbeat: Something of two lines\n")


def test_interrupt_has_its_exit_code(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_main._app, "run", interrupt)
    code, _, error = run("app")
    assert (code, "interrupted" in error) == (130, True)


def test_warnings_are_sentences(run, monkeypatch):
    def warn(*_):
        with warnings.catch_warnings(action="always"):
            warnings.warn("Mind the gap.", UserWarning, stacklevel=1)
        return 0

    monkeypatch.setattr(_main._app, "run", warn)
    assert run("app") == (0, "", "ecgbeat: warning: Mind the gap.\n")


def test_output_that_is_closed_early_is_no_error(model, tmp_path):
    command = f"{sys.executable} -m ecgbeat annotate simulated --model {model} | true"
    environment = {**os.environ, "PYTHONPATH": str(Path(ecgbeat.__file__).parents[1])}
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    assert done.stderr == ""


def test_app_is_served_with_the_arguments(run, monkeypatch):
    app = pytest.importorskip("ecgbeat.app")
    received = {}
    monkeypatch.setattr(app, "serve", lambda **arguments: received.update(arguments))
    assert run("app", "--port", 8123, "--no-browser", "--host", "0.0.0.0", "--token", "abc")[0] == 0
    assert received == {"host": "0.0.0.0", "port": 8123, "token": "abc", "open_browser": False}
