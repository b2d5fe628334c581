"""Tests of the example gallery: pages that read like notebooks, and their results."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from ecgbeat.datasets import make_heart_sounds

EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="requires the repository")

# example: (parts of the output, number of figures, folder of real data)
PAGES = {
    "five_classes": (["macro avg", *(f"\n           {label} " for label in "NSVFQ")], 4, "kaggle"),
    "heart_sounds": (["extrastole: ", "label: "], 3, "sounds"),
    "normal_abnormal": (["CNN+LSTM", "roc_auc", "beats of each point", "probability of"], 3, "ptb"),
    "on_a_device": (["ONNX, int8", "equal labels"], 2, "mitdb"),
    "patients_or_beats": (["by beat: macro-F1", "by patient: macro-F1", "F1 of N, S"], 1, "mitdb"),
    "recording_to_beats": (["probability", "EC57", "SVEB"], 2, "mitdb"),
    "smote_inside_or_before": (["SMOTE before the split", "inside, split by patient"], 1, "mitdb"),
    "tuned_pipeline": (
        ["best: {", "macro avg", "test patients", "accuracy by patient"],
        3,
        "mitdb",
    ),
    "why_this_beat": (["with sign, other seed", "without sign, random weights"], 3, "mitdb"),
}
MAX_LINES = 30  # of a code cell, without imports


def source_of(name):
    return (EXAMPLES / f"plot_{name}.py").read_text(encoding="utf-8")


def cells_of(source):
    """Return the docstring, and the text and the code of each cell."""
    tree = ast.parse(source)
    body = source.split('"""', 2)[2]
    cells = []
    for part in body.split("# %%\n"):
        text, code = re.match(r"((?:#.*\n)*)([\s\S]*)", part.lstrip("\n")).groups()
        cells.append((re.sub(r"^# ?", "", text, flags=re.MULTILINE), code.strip()))
    return ast.get_docstring(tree), cells


def names_in(node):
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


def assigned_by(statement):
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {name for target in targets for name in names_in(target)}


def with_real_data(source):
    """Return an example whose data are loaded by the block that its text offers."""
    blocks = [
        re.search(r"^\.\. code-block:: python\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)
        for text, _ in cells_of(source)[1]
    ]
    (block,) = (re.sub(r"^    ", "", found[1], flags=re.MULTILINE) for found in blocks if found)
    given = set().union(*(assigned_by(statement) for statement in ast.parse(block).body))
    lines = source.splitlines()
    replaced = [node for node in ast.parse(source).body if assigned_by(node) & given]
    for node in reversed(replaced):
        at = slice(node.lineno - 1, node.end_lineno)
        lines[at] = block.splitlines() if node is replaced[-1] else []
    return "\n".join(lines)


def shorten(source):
    """Return an example that trains each network for one epoch."""
    short, n_changes = re.subn(r"max_epochs=[1-9]\d*", "max_epochs=1", source)
    assert n_changes > 0
    return short


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that runs an example in an empty folder and returns its variables."""
    plt = pytest.importorskip("matplotlib.pyplot", reason="requires matplotlib")
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    plt.close("all")  # close figures of other tests

    def run(name, source):
        if name == "why_this_beat":
            pytest.importorskip("captum", reason="saliency requires captum")
        variables = {"__name__": "__main__"}
        exec(compile(source, f"plot_{name}.py", "exec"), variables)
        assert list(folder.iterdir()) == []
        return variables, len(plt.get_fignums())

    yield run
    plt.close("all")


def test_all_examples_are_tested():
    assert {f"plot_{name}.py" for name in PAGES} == {f.name for f in EXAMPLES.glob("plot_*.py")}


# --- notebooks -------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_with_an_idea_and_the_data_of_its_figures(name):
    docstring, cells = cells_of(source_of(name))
    title, line, *idea = docstring.splitlines()
    assert line == "=" * len(title)
    assert 2 <= sum(bool(text) for text in idea) <= 6
    assert "simulated" in docstring
    text, code = cells[0]
    # no text but the choice of the thumbnail comes between the idea and the code
    assert re.fullmatch(r"(sphinx_gallery_\w+ = \d+\n)?", text)
    # the first cell has a result, a figure or a print
    last = ast.parse(code).body[-1]
    assert isinstance(last, ast.Expr) or "print(" in ast.unparse(last)


@pytest.mark.parametrize("name", PAGES)
def test_code_cells_are_short_and_explained(name):
    _, cells = cells_of(source_of(name))
    assert len(cells) >= 4
    for number, (text, code) in enumerate(cells):
        assert number == 0 or text.strip()
        body = [line for line in code.splitlines() if not re.match(r"(import|from) |$", line)]
        assert len(body) <= MAX_LINES
    assert sum(code != "" for _, code in cells) >= 3


@pytest.mark.parametrize("name", PAGES)
def test_page_is_no_program(name):
    tree = ast.parse(source_of(name))
    assert not {"argparse", "sys", "parser", "__name__", "main"} & names_in(tree)
    modules = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert "argparse" not in modules
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert len(functions) <= 1


@pytest.mark.parametrize("name", PAGES)
def test_real_data_replace_simulated_data(name):
    source = source_of(name)
    real = with_real_data(source)
    ast.parse(real)
    assert re.search(r"= load_\w+\(|extract_beats\(load_mitdb\(", real)
    assert "X, y, patients = beats.data, beats.target !=" not in real
    assert re.search(r"`ecgbeat\.datasets\.(fetch_mitdb|get_data_home)`", source)


# --- results ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_results_on_simulated_data(name, run, capsys):
    parts, n_figures, _ = PAGES[name]
    _, n_drawn = run(name, source_of(name))
    printed = capsys.readouterr().out
    assert [part for part in parts if part not in printed] == []
    assert n_drawn == n_figures


def test_short_run(run, capsys):
    source = shorten(source_of("recording_to_beats")).replace(
        "make_recording(120", "make_recording(35"
    )
    variables, n_drawn = run("recording_to_beats", source)
    assert n_drawn == 2
    assert capsys.readouterr().out.count("EC57") == 2
    assert {"S", "V"} <= set(variables["with_rhythm"].classes_)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PAGES if name != "heart_sounds"])
def test_results_on_real_data(name, run, real_data, monkeypatch, tmp_path):
    _, n_figures, folder = PAGES[name]
    if folder == "ptb":  # the sample of this set has the name of the complete one here
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "kaggle_heartbeat").symlink_to(real_data / "kaggle_ptb_sample")
        monkeypatch.setenv("ECGBEAT_DATA", str(tmp_path / "home"))
    _, n_drawn = run(name, shorten(with_real_data(source_of(name))))
    assert n_drawn == n_figures


@pytest.fixture
def sounds_home(tmp_path, monkeypatch):
    """Write 36 sounds of 18 subjects at 2 kHz, two rows each, named as in PASCAL set_b."""
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / "home" / "heart_sounds"
    path.mkdir(parents=True)
    sounds = make_heart_sounds(36, n_patients=18, fs=2000.0, duration=3.9, random_state=0)
    for i, (x, label, subject) in enumerate(
        zip(sounds.data, sounds.target, sounds.groups, strict=True)
    ):
        soundfile.write(path / f"{label}__{subject}_{i}_A.wav", x, 2000)
    monkeypatch.setenv("ECGBEAT_DATA", str(path.parent))


@pytest.mark.usefixtures("sounds_home")
def test_files_with_several_rows_count_once(run):
    source = shorten(with_real_data(source_of("heart_sounds"))).replace("(300,", "(10,")
    variables, n_drawn = run("heart_sounds", source)
    assert n_drawn == 3
    assert len(variables["X"]) == 72
    files = np.unique(variables["files"][variables["test"]])
    assert variables["true"].index.tolist() == files.tolist()
    assert len(files) == len(variables["test"]) / 2
