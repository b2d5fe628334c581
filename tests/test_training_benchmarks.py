"""Tests of the training benchmarks in examples/benchmarks."""

import ctypes
import importlib
import importlib.util
import math
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgbeat import ECGCNNClassifier
from ecgbeat.datasets import make_heartbeats

BENCHMARKS = Path(__file__).parents[1] / "examples" / "benchmarks"
CLASSES = ("N", "A", "V", "F", "/")  # labels 0 to 4 of the Kaggle set

pytestmark = pytest.mark.skipif(not BENCHMARKS.exists(), reason="requires the repository")


@pytest.fixture
def load(monkeypatch):
    """Return a function that imports a benchmark script."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    with torch.random.fork_rng(devices=[]):  # the plain torch loop seeds the global generator
        yield importlib.import_module


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write files of the Kaggle set with simulated beats of five classes and their patients."""
    path = tmp_path_factory.mktemp("kaggle_heartbeat")
    for seed, part in enumerate(("train", "test")):
        made = make_heartbeats(
            160,
            n_patients=4,
            classes=CLASSES,
            weights=dict(zip(CLASSES, (0.4, 0.15, 0.15, 0.15, 0.15), strict=True)),
            fs=125,
            before=0.5,
            after=1.0,
            random_state=seed,
        )
        X = np.zeros((len(made.data), 187), dtype=np.float32)
        X[:, : made.data.shape[1]] = made.data[:, :187]
        codes = np.array([CLASSES.index(label) for label in made.target])
        records = np.array([f"{100 + int(group)}" for group in made.groups])
        np.savez(path / f"mitbih_{part}.npz", X=X, y=codes, record=records)
    return path


@pytest.fixture
def setting(load):
    return load("_training_rows").Setting(
        seed=0, threads=1, device="cpu", epochs_scale=0.02, epochs=1
    )


@pytest.fixture
def in_this_process(load, monkeypatch):
    """Run measurements in this process, without the import time of separate processes."""

    def run_here(function, *arguments, threads):  # noqa: ARG001
        return function(*arguments)

    for script in ("training_peers", "overhead"):
        monkeypatch.setattr(load(script), "run_fresh", run_here)


def run(load, monkeypatch, script, *arguments):
    monkeypatch.setattr(sys, "argv", [f"{script}.py", *map(str, arguments)])
    load(script).main()


def table_of(printed):
    """Return the cells of all Markdown table rows."""
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    return [re.split(r" *\| *", line.strip("| ")) for line in lines]


# --- separate processes -------------------------------------------------------------


def test_new_process_has_its_own_number_of_threads(load, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    run_fresh = load("_fresh_process").run_fresh
    assert run_fresh(os.getenv, "OMP_NUM_THREADS", threads=3) == "3"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "NUMBA_NUM_THREADS" not in os.environ


def test_exception_in_new_process_is_raised(load):
    with pytest.raises(ValueError, match="invalid literal"):
        load("_fresh_process").run_fresh(int, "x", threads=1)


def test_killed_process_raises(load):
    with pytest.raises(RuntimeError, match="killed"):
        load("_fresh_process").run_fresh(os._exit, 9, threads=1)


@pytest.mark.skipif(sys.platform != "linux", reason="requires Linux")
def test_peak_memory_includes_freed_memory(load):
    ctypes.CDLL(None).malloc_trim(0)  # memory that earlier tests have freed would be used again
    with load("_fresh_process").PeakMemory() as memory:
        np.ones(64 * 2**20, dtype=np.uint8)
    with load("_fresh_process").PeakMemory() as later:
        pass
    assert memory.mb == pytest.approx(64, abs=8)
    assert later.mb == pytest.approx(0, abs=8)


# --- plain torch loop -----------------------------------------------------------


def test_plain_torch_loop_is_equivalent_to_fit(load, beats):
    X, y = beats
    codes = np.unique(y, return_inverse=True)[1]
    # one batch without dropout or augmentation: only the initial weights are random
    options = {"dropout": 0.0, "augment_noise": 0.0, "augment_shift": 0.0, "max_epochs": 5}
    options |= {"batch_size": len(X), "random_state": 0}
    recipe = load("_training_settings").default_recipe(len(X), 3, **options)
    loop = load("_torch_loop")
    logits = loop.logits(loop.train(recipe, X, codes), X)
    net = ECGCNNClassifier(**options, n_members=1, fixed_kernels=False).fit(X, y)
    expected = net.predict_proba(X)
    found = torch.softmax(torch.from_numpy(logits), dim=1).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.ptp(expected, axis=0).max() > 0.01  # not constant


@pytest.mark.slow
def test_recipe_matches_the_default_parameters(load, beats):
    X, y = beats
    net = ECGCNNClassifier(random_state=0).fit(X, y)
    recipe = load("_training_settings").default_recipe(len(X), 3, random_state=0)
    assert recipe.epochs == len(net.history)
    assert math.ceil(len(X) / recipe.batch_size) == len(net.history[0, "batches"])
    assert recipe.lr == net.lr
    assert [p.shape for p in recipe.module.parameters()] == [
        p.shape for p in net.module_.parameters()
    ]


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_logits_do_not_depend_on_the_batch_size(load, beats, batch_size):
    loop = load("_torch_loop")
    module = load("_training_settings").default_recipe(100, 3, random_state=0).module
    X = beats[0][:20]
    np.testing.assert_allclose(
        loop.logits(module, X, batch_size), loop.logits(module, X, 20), atol=1e-5
    )


# --- the rows of training_peers.py ------------------------------------------------------


def names_of_rows():
    if not BENCHMARKS.exists():
        return []
    text = (BENCHMARKS / "_training_rows.py").read_text(encoding="utf-8")
    return re.findall(r'^    "([\w-]+)": Row\(', text, re.MULTILINE)


def test_names_of_rows(load):
    assert names_of_rows() == list(load("_training_rows").ROWS)


@pytest.mark.parametrize("name", names_of_rows())
@pytest.mark.filterwarnings("default")  # warnings of other packages
def test_rows_can_be_trained(load, folder, setting, name):
    result = load("_training_measure").measure(name, setting, folder, None, 1)
    if isinstance(result, str):
        assert result == "not installed"
        assert importlib.util.find_spec(load("_training_rows").ROWS[name].distribution) is None
        return
    assert 0 < result.accuracy <= 1
    assert result.fit_s > 0
    assert result.beats_per_second > 0
    assert int(result.size.split()[0].replace(",", "")) > 1000


@pytest.mark.slow
def test_more_epochs_increase_the_auc(load, folder, setting):
    measure = load("_training_measure").measure
    one, many = (
        measure("torch-loop", setting._replace(epochs=epochs), folder, None, 1).auc
        for epochs in (1, 20)
    )
    assert one < 0.8 < many


def test_epochs_scale_of_projects(load, monkeypatch):
    layouts, epochs = load("_project_layouts"), []
    monkeypatch.setattr(
        layouts, "train_with_adam", lambda *_, **options: epochs.append(options["epochs"])
    )
    for scale in (1.0, 0.5, 0.001):
        layouts.train_project(
            "project-2-cnn", np.zeros((2, 187)), [0, 1], "cpu", epochs_scale=scale
        )
    assert epochs == [60, 30, 1]


def test_epoch_with_the_lowest_validation_loss_is_returned(load, beats, monkeypatch):
    layouts, X = load("_project_layouts"), beats[0]
    codes = np.unique(beats[1], return_inverse=True)[1]
    losses, states = iter([3.0, 1.0, 2.0]), []

    def mean_loss(module, *_):
        states.append([weights.clone() for weights in module.parameters()])
        return next(losses)

    monkeypatch.setattr(layouts, "mean_loss", mean_loss)
    module = layouts.train_with_adam(
        layouts.make_cnn(64, 3), X, codes, epochs=3, device="cpu", held_out=0.2
    )
    for weights, best, last in zip(module.parameters(), *states[1:], strict=True):
        assert torch.equal(weights, best)
        assert not torch.equal(best, last)


def test_stratified_rows_include_rare_classes(load):
    y = np.repeat([0, 1, 2, 3], [8000, 1900, 90, 5])
    rows = load("_training_measure").stratified_rows(y, 1000)
    assert np.bincount(y[rows]).tolist() == [800, 190, 10, 5]
    assert len(np.unique(rows)) == len(rows)


@pytest.mark.parametrize(
    ("distribution", "reason"),
    [("no-such-peer", "not installed"), ("numpy", "import failed: No module named 'no_such'")],
)
def test_missing_and_broken_packages_are_distinguished(
    load, monkeypatch, setting, distribution, reason
):
    rows = load("_training_rows")
    peer = rows.Row("a peer", distribution, lambda _: importlib.import_module("no_such"))
    monkeypatch.setitem(rows.ROWS, "peer", peer)
    assert load("_training_measure").measure("peer", setting, "nowhere", None, 1) == reason


def test_memory_error_is_reported(load, monkeypatch, folder, setting):
    class Large:
        def fit(self, X, y):  # noqa: ARG002
            if len(X) == 160:  # but not in the warm-up
                raise MemoryError("needs about 1000 GB of memory")
            return self

        def predict(self, X):
            return X

    rows = load("_training_rows")
    monkeypatch.setitem(rows.ROWS, "large", rows.Row("large", "numpy", lambda _: Large()))
    found = load("_training_measure").measure("large", setting, folder, None, 1)
    assert found == "needs about 1000 GB of memory"


def test_auc_of_one_hot_predictions_is_nan(load):
    def model(probabilities):
        return types.SimpleNamespace(predict_proba=lambda _: np.array(probabilities))

    auc = load("_training_measure").abnormal_auc
    y = np.array([0, 0, 1, 2])
    assert auc(model([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.1, 0.9]]), None, y) == 0.75
    assert np.isnan(auc(model([[1, 0], [1, 0], [1, 0], [0, 1]]), None, y))


# --- scripts --------------------------------------------------------------------------

QUICK = ["--threads", 1, "--epochs", 1, "--markdown"]


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_table_of_training_peers(load, monkeypatch, capsys, folder):
    rows = load("_training_rows").ROWS

    def broken(setting):
        if setting.seed == 1:
            raise ZeroDivisionError("of a peer")
        return rows["random-forest"].build(setting)

    peer = rows["minirocket"]._replace(build=lambda _: importlib.import_module("no_such_module"))
    monkeypatch.setitem(rows, "minirocket", peer._replace(distribution="no-such-peer"))
    monkeypatch.setitem(rows, "project-1", rows["project-1"]._replace(build=broken))
    names = ["ecgbeat-cnn", "minirocket", "project-1", "random-forest"]
    arguments = ["--data", folder, "--rows", *names, "--seeds", 0, 1, "--binary", "--limit", 80]
    run(load, monkeypatch, "training_peers", *arguments, *QUICK)
    printed = capsys.readouterr().out
    assert re.search(r"\b(8\d|9\d) training and 160 test beats", printed)
    assert "project-1: failed: ZeroDivisionError: of a peer" in printed
    cells = table_of(printed)
    by_name = {row[0]: row for row in cells[2:6]}
    assert by_name["minirocket"][1] == "not installed"
    assert by_name["project-1"][1] == "failed"
    seeds = re.findall(r"random-forest, seed \d: accuracy ([\d.]+)", printed)
    assert float(by_name["random-forest"][1]) == pytest.approx(
        np.mean([float(accuracy) for accuracy in seeds]), abs=1e-4
    )
    assert cells[6][:3] == ["row", "accuracy", "F1 abnormal"]
    assert [row[0] for row in cells[8:]] == ["ecgbeat-cnn"]


@pytest.mark.slow
def test_training_peers_as_a_command(folder):
    command = [sys.executable, BENCHMARKS / "training_peers.py", "--data", folder]
    options = ["--rows", "ecgbeat-cnn", "torch-loop", "--seeds", "0", "--epochs", "1", "--avx2"]
    done = subprocess.run(
        [*command, *options, "--markdown"], capture_output=True, text=True, check=True
    )
    cells = table_of(done.stdout)
    assert "AVX2 alone" in done.stdout
    assert [row[0] for row in cells[2:]] == ["ecgbeat-cnn", "torch-loop"]
    assert cells[2][6] == cells[3][6]  # the same network


@pytest.mark.parametrize(
    "script", ["training_peers", "imbalance", "training_study", "small_sets", "distillation"]
)
def test_unreadable_data_raises(load, monkeypatch, script):
    with pytest.raises(SystemExit, match="There is no folder or file nowhere"):
        run(load, monkeypatch, script, "--data", "nowhere")


@pytest.mark.parametrize("option", ["--threads", "--repeats"])
def test_zero_count_raises(load, monkeypatch, capsys, option):
    with pytest.raises(SystemExit):
        run(load, monkeypatch, "training_peers", option, 0)
    assert f"{option} must be 1 or more, got 0" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_table_of_overhead(load, monkeypatch, capsys):
    sizes = ["--rows-of-data", 200, "--predict-rows", 200, "--memory-rows", 2000, "--calls", 3]
    sections = ["--sections", "fit", "predict", "beat", "memory"]
    run(load, monkeypatch, "overhead", *sizes, *sections, "--repeats", 2, *QUICK)
    _, _, *rows = table_of(capsys.readouterr().out)
    assert len(rows) == 5
    for _, unit, ours, other, ratio, *_ in rows:
        if unit != "MB":
            assert float(ratio) == pytest.approx(float(ours) / float(other), rel=0.5)
    assert rows[-1][3] == "1"  # 2,000 beats of 187 float32


@pytest.mark.slow
def test_time_of_grid_search(load, monkeypatch, capsys):
    arguments = ["--sections", "grid", "--grid-rows", 60, "--grid-repeats", 1]
    run(load, monkeypatch, "overhead", *arguments, *QUICK)
    assert float(table_of(capsys.readouterr().out)[2][4]) > 0


def test_functions_are_measured_in_alternation(load):
    calls = []
    seconds = load("overhead").alternate(2, lambda: calls.append("a"), lambda: calls.append("b"))
    assert calls == ["a", "b"] * 3  # the first of each is not timed
    assert [len(taken) for taken in seconds] == [2, 2]


@pytest.mark.slow
def test_imbalance_does_not_read_the_test_file(load, monkeypatch, capsys, folder, tmp_path):
    (tmp_path / "mitbih_train.npz").write_bytes((folder / "mitbih_train.npz").read_bytes())
    methods = list(load("imbalance").METHODS)
    arguments = ["--data", tmp_path, "--seeds", 0, 1]
    run(load, monkeypatch, "imbalance", *arguments, *QUICK)
    printed = capsys.readouterr().out
    assert "failed" not in printed
    tables = table_of(printed)
    assert [row[0] for row in tables if row[0] in methods] == 2 * methods
    assert all("±" in row[1] for row in tables if row[0] in methods)


def test_protocol_by_patient_is_skipped_without_patients(
    load, monkeypatch, capsys, folder, tmp_path
):
    with np.load(folder / "mitbih_train.npz") as arrays:
        np.savez(tmp_path / "mitbih_train.npz", X=arrays["X"], y=arrays["y"])
    arguments = ["--data", tmp_path, "--seeds", 0, "--methods", "none"]
    run(load, monkeypatch, "imbalance", *arguments, *QUICK)
    printed = capsys.readouterr().out
    assert "the protocol by patient is skipped" in printed
    assert "Held out by patient" not in printed


def test_training_and_test_patients_are_disjoint(load, folder):
    script = load("_inside_training_file")
    data = script.load(folder, None)
    held_out = set()
    for seed in range(4):  # all patients once
        train, test = script.split("patient", data, seed)
        assert not set(data.groups[train]) & set(data.groups[test])
        assert not held_out & set(data.groups[test])
        held_out |= set(data.groups[test])
    assert held_out == set(data.groups)
    train, test = script.split("beat", data, 0)
    assert len(test) == 32


def test_absent_classes_are_excluded_from_the_macro_f1(load, folder):
    script = load("_inside_training_file")
    data = script.load(folder, None)
    constant = types.SimpleNamespace(
        fit=lambda *_: None,
        predict_proba=lambda X: np.tile([0.6, 0.1, 0.1, 0.1, 0.1], (len(X), 1)),
        classes_=np.arange(5),
    )
    rows = np.flatnonzero(data.target < 2)
    accuracy, macro, loss, _, *by_class = script.score(constant, data, (rows, rows))
    assert loss == pytest.approx(-accuracy * np.log(0.6) - (1 - accuracy) * np.log(0.1))
    assert accuracy == np.mean(data.target[rows] == 0)
    assert macro == pytest.approx(by_class[0] / 2)
    assert np.isnan(by_class[2:]).all()


def test_geometric_mean_with_largest(load):
    y = np.repeat([0, 1, 2], [400, 100, 4])
    assert load("imbalance").geometric_mean_with_largest(y) == {0: 400, 1: 200, 2: 40}


def test_mean_and_std_exclude_nan(load):
    format_mean_and_std = load("imbalance").format_mean_and_std
    assert format_mean_and_std(np.array([0.5, 0.7, np.nan]), 4) == "0.6000 ± 0.1414"
    assert format_mean_and_std(np.array([0.5]), 3) == "0.500"
    assert format_mean_and_std(np.array([np.nan]), 3) == ""


def pins(file):
    return dict(re.findall(r"^([\w-]+)==(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE))


def test_requirements_match_the_constraints():
    ours = pins(BENCHMARKS / "requirements-training.txt")
    constraints = pins(BENCHMARKS.parents[1] / ".ci" / "constraints.txt")
    shared = ours.keys() & constraints.keys()
    differing = {name for name in shared if ours[name] != constraints[name]}
    assert differing == {"llvmlite", "numba", "numpy", "pandas"}  # bounds of aeon
    assert len(shared) > 8


# --- study of the default parameters --------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
def test_training_study_does_not_read_the_test_file(load, monkeypatch, capsys, folder, tmp_path):
    (tmp_path / "mitbih_train.npz").write_bytes((folder / "mitbih_train.npz").read_bytes())
    settings = ["defaults", "pooling, not strides", "flattened, not pooled", "CNN+LSTM"]
    arguments = ["--data", tmp_path, "--seeds", 0, 1, "--jobs", 1, "--settings", *settings]
    run(load, monkeypatch, "training_study", *arguments, "--epochs", 1, "--markdown")
    header, _, *rows = table_of(capsys.readouterr().out)
    assert [row[0] for row in rows] == settings
    assert len(header) == 8
    assert all("±" in cell for row in rows for cell in row[1:7])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
def test_small_sets_does_not_read_the_test_file(load, monkeypatch, capsys, folder, tmp_path):
    (tmp_path / "mitbih_train.npz").write_bytes((folder / "mitbih_train.npz").read_bytes())
    script = load("small_sets")
    arguments = ["--data", tmp_path, "--seeds", 0, 1, "--jobs", 1, "--beats", 2, 5]
    run(load, monkeypatch, "small_sets", *arguments, "--epochs", 1, "--markdown")
    header, _, *rows = table_of(capsys.readouterr().out)
    assert [row[0] for row in rows] == list(script.SETTINGS)
    assert header[1:] == [
        f"{n} per class, by {protocol}" for protocol in ("beat", "patient") for n in (2, 5)
    ] + ["mean"]
    assert all("±" in cell for row in rows for cell in row[1:-1])


def test_number_of_beats_per_class_in_small_sets(load):
    sample_per_class = load("small_sets").sample_per_class
    labels = np.repeat([0, 1, 2], [50, 20, 3])
    rows = sample_per_class(np.arange(5, 73), labels, 10, np.random.default_rng(0))
    assert np.bincount(labels[rows]).tolist() == [10, 10, 3]
    assert rows.min() >= 5
    assert len(set(rows.tolist())) == 23


def test_settings_of_the_study_are_valid_and_distinct(load):
    script = load("training_study")
    built = {name: script.build(name, 0, None) for name in script.SETTINGS}
    for net in built.values():
        net._check_parameters()
    assert len({repr(net) for net in built.values()}) == len(script.SETTINGS)


@pytest.mark.slow
def test_table_of_segmented_beats(load, monkeypatch, capsys, real_data):
    arguments = ["--data", real_data / "mitdb", "--records", "208", "--seeds", 0, 1]
    run(load, monkeypatch, "segmented_beats", *arguments, *QUICK)
    printed = capsys.readouterr().out
    assert "rows of 288 samples" in printed
    assert [row[:2] for row in table_of(printed)[2:]] == [["AAMI", "cnn"], ["NLRAV", "cnn"]]


# --- distillation ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_distillation_without_the_test_file(load, monkeypatch, capsys, folder, tmp_path):
    (tmp_path / "mitbih_train.npz").write_bytes((folder / "mitbih_train.npz").read_bytes())
    teachers = ["--folds", 2, "--members", 2, "--teacher-epochs", 1]
    arguments = ["--data", tmp_path, "--teachers", tmp_path / "teachers.npz", *teachers, *QUICK]
    targets = list(load("distillation").TARGETS)
    run(load, monkeypatch, "distillation", *arguments, "--seeds", 0, 1)
    header, _, *rows = table_of(capsys.readouterr().out)
    assert [row[0] for row in rows] == targets
    assert len(header) == 9
    assert all("±" in cell for row in rows for cell in row[1:4])
    run(load, monkeypatch, "distillation", *arguments, "--seeds", 0, "--targets", "unseen")
    assert "are trained" not in capsys.readouterr().out  # read from the file
    (tmp_path / "mitbih_test.npz").write_bytes((folder / "mitbih_test.npz").read_bytes())
    with pytest.raises(SystemExit, match="is of 128 training beats, but there are 160"):
        run(load, monkeypatch, "distillation", *arguments, "--test")


@pytest.mark.slow
def test_teachers_are_averaged_over_other_folds(load, monkeypatch, folder):
    script = load("distillation")
    with np.load(folder / "mitbih_train.npz") as arrays:
        X, y = arrays["X"], arrays["y"]

    class Memory:
        """Classifier that is certain of class 0 for training beats, and of class 1 for others."""

        def __init__(self, **_):
            pass

        def fit(self, X, _):
            self.seen = {row.tobytes() for row in X}

        def predict_proba(self, X):
            return np.eye(5)[[int(row.tobytes() not in self.seen) for row in X]]

    monkeypatch.setattr(script, "ECGCNNClassifier", Memory)
    unseen, seen = script.teach(X, y, folds=4, members=1, epochs=1)
    np.testing.assert_allclose(unseen, np.eye(5)[np.ones(len(y), int)])
    np.testing.assert_allclose(seen, np.eye(5)[np.zeros(len(y), int)])


def test_loss_of_weighted_copies_is_that_of_soft_targets(load):
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(50, 3)), rng.dirichlet([0.5] * 3, 50)
    targets[targets < 0.01] = 0
    targets /= targets.sum(axis=1, keepdims=True)
    copies, labels, weights = load("distillation").weighted_copies(logits, np.arange(3), targets)
    cross_entropy = torch.nn.functional.cross_entropy
    losses = cross_entropy(torch.tensor(copies), torch.tensor(labels), reduction="none")
    expected = cross_entropy(torch.tensor(logits), torch.tensor(targets), reduction="sum")
    assert (losses * torch.tensor(weights)).sum().item() == pytest.approx(expected.item())


def test_copies_of_labels_are_the_beats(load):
    script = load("distillation")
    labels, unseen, seen = np.eye(3)[[0, 2, 1]], np.full((3, 3), 1 / 3), np.full((3, 3), 1 / 3)
    targets = script.mix(labels, unseen, seen, *script.TARGETS["labels"])
    X = np.arange(6.0).reshape(3, 2)
    copies, found, weights = script.weighted_copies(X, np.array(["F", "N", "V"]), targets)
    np.testing.assert_array_equal(copies, X)
    assert found.tolist() == ["F", "V", "N"]
    assert weights.tolist() == [1.0, 1.0, 1.0]


def test_temperature_divides_the_logits(load):
    mix = load("distillation").mix
    p = np.array([[0.64, 0.32, 0.04]])
    softened = mix(np.zeros((1, 3)), np.zeros((1, 3)), p, (0, 0, 1), 2)
    expected = torch.softmax(torch.log(torch.tensor(p)) / 2, dim=1).numpy()
    np.testing.assert_allclose(softened, expected)
