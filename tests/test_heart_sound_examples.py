"""Tests of the heart sound benchmarks."""

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from ecgbeat.datasets import make_heart_sounds

BENCHMARK = Path(__file__).parents[1] / "examples" / "benchmarks" / "heart_sounds.py"

pytestmark = pytest.mark.skipif(not BENCHMARK.exists(), reason="requires the repository")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write 36 sounds of 18 subjects at 2 kHz, two windows each, named as in PASCAL set_b."""
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path_factory.mktemp("sounds")
    sounds = make_heart_sounds(36, n_patients=18, fs=2000.0, duration=3.9, random_state=0)
    for i, (x, label, subject) in enumerate(
        zip(sounds.data, sounds.target, sounds.groups, strict=True)
    ):
        noise = "noisynormal" if label == "normal" and i % 2 else ""
        soundfile.write(path / f"{label}_{noise}_{subject}_{i}_A.wav", x, 2000)
    return path


@pytest.fixture
def benchmark(monkeypatch):
    """Import the benchmark as a module and reduce it for the tests."""
    monkeypatch.syspath_prepend(BENCHMARK.parent)
    module = importlib.import_module("heart_sounds")
    monkeypatch.setattr(module, "N_FOLDS", 2)
    monkeypatch.setattr(module, "N_INNER_FOLDS", 2)
    monkeypatch.setattr(module, "N_TREES", 5)
    return module


@pytest.mark.slow
def test_heart_sound_table(benchmark, monkeypatch, capsys, folder):
    arguments = ["--seeds", "0", "1", "--epochs", "1", "--threads", "1", "--markdown"]
    monkeypatch.setattr(sys, "argv", ["heart_sounds.py", "--data", str(folder), *arguments])
    benchmark.main()
    printed = capsys.readouterr().out
    assert "36 files of 18 subjects" in printed
    cells = [re.split(r" *\| *", line.strip("| ")) for line in printed.splitlines() if "|" in line]
    header, _, *rows = cells
    assert header[-3:] == ["F1 extrastole", "F1 murmur", "F1 normal"]
    assert len(rows) == 6
    for _, *cells in rows:
        means = [float(cell.split(" ± ")[0]) for cell in cells]
        assert all(0 <= mean <= 1 for mean in means)
        assert means[1] == pytest.approx(np.mean(means[-3:]), abs=0.002)


class RecordingClassifier:
    """Classifier that stores its training rows and predicts the first value of each row."""

    def fit(self, X, y):
        self.seen, self.classes_ = X[:, 0], np.unique(y)
        return self

    def predict_proba(self, X):
        return np.repeat(X[:, :1], 3, axis=1)


def test_subjects_are_scored_by_models_without_their_data(benchmark):
    n_files = 40
    subject = np.arange(n_files) // 2
    target = np.array(["extrastole", "murmur", "normal"])[subject % 3]
    file = np.repeat(np.arange(n_files), 3)
    rows = benchmark.Rows(file[:, None].astype(float), target[file], file)
    sounds = benchmark.Sounds(target, subject, {"cnn": rows, "forest": rows})
    models = []

    def make(_):
        models.append(RecordingClassifier())
        return models[-1]

    train, test = np.arange(30), np.arange(30, 40)
    for classify in (benchmark.classify_by_cnn, benchmark.classify_by_forest):
        inner, outer = classify(make, sounds, train, test, 0)
        np.testing.assert_allclose(inner, np.repeat(train[:, None], 3, axis=1))
        np.testing.assert_allclose(outer, np.repeat(test[:, None], 3, axis=1))
    for model in models:
        assert set(model.seen) <= set(train)
    parts = [set(subject[model.seen.astype(int)]) for model in models[:2]]
    assert parts[0] | parts[1] == set(subject[train])
    assert not parts[0] & parts[1]  # each of two folds is used once for training


@pytest.mark.parametrize(("power", "label"), [(0.0, "b"), (1.0, "a")])
def test_power_increases_rare_classes(benchmark, power, label):
    y_train = np.array(["a"] + ["b"] * 9)
    assert benchmark.predict_with_power(
        np.array([[0.3, 0.7]]), y_train, np.array(["a", "b"]), power
    ) == [label]


def test_chosen_power_has_the_best_macro_f1(benchmark):
    classes, y = np.array(["a", "b"]), np.array(["a"] * 2 + ["b"] * 8)
    probabilities = np.array([[0.4, 0.6]] * 2 + [[0.1, 0.9]] * 8)
    power = benchmark.choose_power(probabilities, y, classes)
    assert (benchmark.predict_with_power(probabilities, y, classes, power) == y).all()
    assert (benchmark.predict_with_power(probabilities, y, classes, 0.0) != y).any()


@pytest.fixture
def rhythm(benchmark, monkeypatch):  # noqa: ARG001 - reduces the folds within the training set
    """Import the benchmark of rhythm as a module and reduce it for the tests."""
    module = importlib.import_module("heart_sound_rhythm")
    monkeypatch.setattr(module, "N_FOLDS", 2)
    monkeypatch.setattr(module, "N_TREES", 5)
    return module


def beats_at(times, systole=0.3):
    """Return 8 s of sound at 4 kHz with S1 at the given times, and S2 after the systole."""
    t = np.arange(32_000) / 4000
    starts = np.concatenate([times, np.add(times, systole)])
    bursts = [np.exp(-0.5 * ((t - start) / 0.02) ** 2) for start in starts]
    noise = 0.01 * np.random.default_rng(0).normal(size=t.shape)
    return np.sum(bursts, axis=0) * np.sin(2 * np.pi * 60 * t) + noise


def test_cycle_and_systole_of_regular_beats(rhythm):
    columns = rhythm.describe_rhythm(beats_at(np.arange(0.4, 7.5, 0.8)))
    assert columns["cycle_s"] == pytest.approx(0.8, abs=0.011)
    assert columns["systole_share"] == pytest.approx(0.3 / 0.8, abs=0.02)
    assert columns["peaks_per_cycle"] == pytest.approx(2, abs=0.2)
    assert columns["irregularity"] < 0.02
    assert columns["irregular_share"] == 0


def test_early_beat_and_pause_are_irregular(rhythm):
    times = np.arange(0.4, 7.5, 0.8)
    times[4] -= 0.25
    columns = rhythm.describe_rhythm(beats_at(times))
    assert columns["cycle_s"] == pytest.approx(0.8, abs=0.011)
    assert columns["earliest_beat"] == pytest.approx(0.55 / 0.8, abs=0.03)
    assert columns["latest_beat"] == pytest.approx(1.05 / 0.8, abs=0.03)
    assert columns["irregular_share"] > 0.1


@pytest.mark.parametrize("scale", [0.0, 1.0])
@pytest.mark.parametrize("n_times", [2000, 8000])
def test_columns_of_noise_and_silence_are_finite(rhythm, n_times, scale):
    sound = scale * np.random.default_rng(0).normal(size=n_times)
    assert np.isfinite(list(rhythm.describe_rhythm(sound).values())).all()


def test_best_features_are_chosen_by_the_training_files(rhythm):
    y_train, classes = np.array(["a", "b"] * 4), np.array(["a", "b"])
    good, bad = np.tile([[0.9, 0.1], [0.1, 0.9]], (4, 1)), np.tile([[0.1, 0.9], [0.9, 0.1]], (4, 1))
    results = {"bad": (bad, good[:2]), "good": (good, bad[:2])}
    labels = rhythm.predict(results, y_train, classes)
    assert labels["the best by inner folds"].tolist() == labels["good"].tolist() == ["b", "a"]


def test_rhythm_tables(rhythm, monkeypatch, capsys, folder):
    arguments = ["--data", str(folder), "--seeds", "0", "1", "--markdown"]
    monkeypatch.setattr(sys, "argv", ["heart_sound_rhythm.py", *arguments])
    rhythm.main()
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d+ of \d+ subjects with extrasystoles also have other labels", lines[2])
    cells = [re.split(r" *\| *", line.strip("| ")) for line in lines if "|" in line]
    start = next(k for k, row in enumerate(cells) if row[0] == "model")
    names = [row[0] for row in cells[start + 2 :]]
    assert names == ["MFCCs", "rhythm", "MFCCs and rhythm", "the best by inner folds"]
    assert all(
        0 <= float(cell.split(" ± ")[0]) <= 1 for row in cells[start + 2 :] for cell in row[1:]
    )
