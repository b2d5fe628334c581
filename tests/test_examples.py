"""Tests of the example gallery on small data sets."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="requires the repository")

AAMI = ["N", "S", "V", "F", "Q"]
MEASURES = ["accuracy", "precision", "recall", "f1", "roc_auc"]

# example: (arguments for a short run, parts of the output, number of figures)
SMALL = {
    "five_classes": (
        ["--beats", "600", "--epochs", "2"],
        ["held out: N", *(f"\n           {label} " for label in AAMI), "macro avg", "params.pt"],
        4,
    ),
    "normal_abnormal": (
        ["--beats", "400", "--epochs", "3"],
        ["5 folds by patient", *MEASURES, "\nCNN ", "\nCNN+LSTM ", "confidence"],
        4,
    ),
    "tuned_pipeline": (
        ["--beats", "400", "--epochs", "2", "--n-jobs", "1"],
        ["held out: ", "best: {", *(f"\n           {label} " for label in "NLRAV"), "median"],
        3,
    ),
    "recording_to_beats": (
        ["--seconds", "30", "--epochs", "3"],
        ["probability", "EC57", "patient 17", "same predictions after loading: True"],
        1,
    ),
    "patients_or_beats": (
        ["--beats", "400", "--epochs", "2"],
        ["by beat: macro-F1", "by patient: macro-F1"],
        1,
    ),
    "smote_inside_or_before": (
        ["--beats", "300", "--epochs", "2"],
        ["duplicates before", "SMOTE before", "SMOTE inside, split by patient", "original beats"],
        1,
    ),
    "why_this_beat": (
        ["--beats", "400", "--epochs", "2"],
        [" held out", "random weights: macro-F1", "without sign, trained and"],
        3,
    ),
}

# example: (folder of real data, arguments for a short run)
REAL = {
    "five_classes": ("kaggle_heartbeat", ["--epochs", "1"]),
    "normal_abnormal": ("kaggle_heartbeat", ["--beats", "1000", "--epochs", "2"]),
    "tuned_pipeline": ("mitdb", ["--epochs", "1", "--n-jobs", "1"]),
    "recording_to_beats": ("mitdb", ["--epochs", "1"]),
    "patients_or_beats": ("mitdb", ["--epochs", "1"]),
    "smote_inside_or_before": ("mitdb", ["--epochs", "1"]),
    "why_this_beat": ("mitdb", ["--epochs", "1"]),
}

ALL = [*SMALL, "heart_sounds"]  # figures: see test_heart_sound_examples.py
WITHOUT_BEATS = ["recording_to_beats", "heart_sounds"]


@pytest.fixture
def run_example(monkeypatch, tmp_path):
    """Return a function that runs an example in an empty folder."""
    matplotlib = pytest.importorskip("matplotlib", reason="requires matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    monkeypatch.chdir(tmp_path)
    pyplot.close("all")  # close figures of other tests

    def run(name, *arguments):
        if name == "why_this_beat":
            pytest.importorskip("captum", reason="saliency requires captum")
        script = str(EXAMPLES / f"plot_{name}.py")
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        runpy.run_path(script, run_name="__main__")

    yield run
    pyplot.close("all")


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_report_and_figures_on_simulated_patients(name, run_example, capsys, tmp_path):
    arguments, parts, n_figures = SMALL[name]
    run_example(name, *arguments, "--output", "figures")
    printed = capsys.readouterr().out
    assert [part for part in parts if part not in printed] == []
    written = files_below(tmp_path)
    assert len(written) == n_figures
    assert all(file.startswith(f"figures/{name}") and file.endswith(".png") for file in written)


def test_no_files_are_written_without_output(run_example, monkeypatch, tmp_path):
    from matplotlib import pyplot

    shown = []
    monkeypatch.setattr(pyplot, "show", lambda: shown.extend(pyplot.get_fignums()))
    run_example("recording_to_beats", "--seconds", "30", "--epochs", "1")
    assert len(shown) == 1
    assert files_below(tmp_path) == []


@pytest.mark.usefixtures("run_example")
def test_notebook_arguments_are_ignored(monkeypatch):
    from matplotlib import pyplot

    monkeypatch.setattr(sys, "argv", ["ipykernel_launcher.py", "-f", "kernel.json"])
    monkeypatch.setattr(pyplot, "show", lambda: None)
    source = (EXAMPLES / "plot_recording_to_beats.py").read_text(encoding="utf-8")
    source = source.replace("default=120", "default=30").replace("default=10", "default=1")
    exec(compile(source, "cell", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere"], "error: --data: There is no folder"),
        (["--data", "."], "error: --data: "),
        (["--epochs", "0"], "--epochs 1 or more"),
        (["--epochs", "many"], "argument --epochs: invalid int value: 'many'"),
        (["--outptu", "figures"], "unrecognized arguments: --outptu figures"),
    ],
)
def test_invalid_argument_raises(name, arguments, message, run_example, capsys):
    with pytest.raises(SystemExit) as ended:
        run_example(name, *arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *((name, ["--beats", "0"]) for name in ALL if name not in WITHOUT_BEATS),
        ("recording_to_beats", ["--seconds", "0"]),
        ("recording_to_beats", ["--seconds", "nan"]),
        ("tuned_pipeline", ["--n-jobs", "0"]),
        ("heart_sounds", ["--sounds", "0"]),
    ],
)
def test_number_below_the_minimum_raises(name, arguments, run_example, capsys):
    with pytest.raises(SystemExit) as ended:
        run_example(name, *arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_figures_on_real_data(name, run_example, tmp_path, real_data):
    folder, arguments = REAL[name]
    run_example(name, "--data", real_data / folder, *arguments, "--output", "figures")
    assert len(files_below(tmp_path)) == SMALL[name][2]
