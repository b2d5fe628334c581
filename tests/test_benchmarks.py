"""Tests of the R-peak benchmarks and other scripts in examples/benchmarks."""

import importlib
import re
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.tree import DecisionTreeClassifier

from ecgbeat.datasets import load_mitdb, load_recording, make_heartbeats, make_recording
from ecgbeat.labels import Annotation
from ecgbeat.signal import detect_r_peaks

BENCHMARKS = Path(__file__).parents[1] / "examples" / "benchmarks"
FS = 250.0

pytestmark = pytest.mark.skipif(not BENCHMARKS.exists(), reason="requires the repository")


@pytest.fixture
def load(monkeypatch):
    """Return a function that imports a benchmark script."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):  # restored after r_peaks.py sets them
        monkeypatch.setenv(f"{library}_NUM_THREADS", "1")
    return importlib.import_module


@pytest.fixture
def scoring(load):
    return load("_r_peak_scoring")


@pytest.fixture
def record(scoring):
    """Return a record with one beat per second, and flutter without beats from 5.25 to 5.75 s."""
    reference = np.arange(1, 21) * int(FS)
    x = np.zeros(22 * int(FS))
    x[reference] = 1.0
    return scoring.Record(x, FS, reference, [(int(5.25 * FS), int(5.75 * FS))], "a")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write two annotated WFDB records of 60 s at 250 Hz."""
    path = tmp_path_factory.mktemp("records")
    # wfdb 4.3 uses functions deprecated in pandas 3, also during import
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        import wfdb

        for seed, name in enumerate(("one", "two")):
            made = make_recording(60.0, fs=FS, random_state=seed)
            wfdb.wrsamp(
                name,
                fs=FS,
                units=["mV"],
                sig_name=["MLII"],
                p_signal=made.signal[:, None].astype(float),
                fmt=["16"],
                write_dir=str(path),
            )
            wfdb.wrann(name, "atr", made.r_peaks, list(made.symbols), write_dir=str(path))
    return path


def test_perfect_detector_has_score_1(scoring, record):
    scores = scoring.score([record], lambda *_: record.reference)
    names = ["f1", "se", "ppv", "f1_100ms"]
    assert all(scores[name] == scores[f"{name}_all"] == 1.0 for name in names)
    assert scores["offset_ms"] == 0.0
    assert scores["errors"] == {"a": (0, 0)}
    assert scores["failures"] == {}


def test_constant_shift_has_zero_offset(scoring, record):
    shifted = scoring.score([record], lambda *_: record.reference + int(0.12 * FS))
    assert shifted["offset_ms"] == 0.0
    assert (shifted["f1"], shifted["f1_100ms"]) == (1.0, 0.0)


def test_offset_is_the_mean_distance_from_the_median_shift(scoring, record):
    moved = record.reference.copy()
    moved[0] += 5  # 20 ms, in one of 20 beats
    assert scoring.score([record], lambda *_: moved)["offset_ms"] == pytest.approx(1.0)


def test_detections_in_flutter_count_only_in_scores_with_flutter(scoring, record):
    found = np.append(record.reference, int(5.5 * FS))  # not sorted
    scores = scoring.score([record], lambda *_: found)
    assert (scores["ppv"], scores["ppv_all"]) == (1.0, pytest.approx(20 / 21))


def test_missed_and_extra_beats_are_counted_by_record(scoring, record):
    found = np.append(record.reference[3:], int(10.5 * FS))
    scores = scoring.score([record, record._replace(name="b")], lambda *_: found)
    assert scores["errors"] == {"a": (3, 1), "b": (3, 1)}
    assert scores["se"] == pytest.approx(17 / 20)
    assert scores["ppv"] == pytest.approx(17 / 18)


def test_failing_detector_has_no_detections_and_is_reported(scoring, record):
    def detect(*_):
        raise ZeroDivisionError("no beats")

    scores = scoring.score([record], detect)
    assert scores["failures"] == {"a": "ZeroDivisionError: no beats"}
    assert (scores["f1"], scores["se"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("symbols", "spans"),
    [("N[!]N", [(20, 40)]), ("N[!!", [(20, 100)]), ("[][]", [(10, 20), (30, 40)]), ("NN", [])],
)
def test_flutter_spans_between_brackets(scoring, symbols, spans):
    annotation = Annotation(10 * np.arange(1, len(symbols) + 1), np.array(list(symbols)))
    assert scoring.flutter_spans(annotation, 100) == spans


@pytest.mark.parametrize(
    ("x", "bridged"),
    [([1, np.nan, 3], [1, 2, 3]), ([np.nan, 2, np.nan], [2, 2, 2]), ([np.nan] * 2, [0, 0])],
)
def test_gaps_are_interpolated(scoring, x, bridged):
    np.testing.assert_array_equal(scoring.bridge_gaps(np.array(x, dtype=float)), bridged)


@pytest.mark.parametrize("fs", [100.0, 250.0, 1000.0])
@pytest.mark.parametrize("snr_db", [24, 0])
@pytest.mark.parametrize("kind", ["electrode", "motion", "muscle", "baseline"])
def test_noise_has_the_requested_ratio(scoring, kind, snr_db, fs):
    beats = np.arange(round(fs), round(59 * fs), round(fs))
    x = np.zeros(round(60 * fs))
    x[beats] = 2.0  # a power of 2**2 / 8
    noisy = scoring.add_noise(x, fs, kind, snr_db, np.random.default_rng(0), reference=beats)
    deviations = np.sort((noisy - x).reshape(60, -1).std(axis=1))
    power = deviations[3:-3].mean() ** 2
    assert 10 * np.log10(0.5 / power) == pytest.approx(snr_db)


def test_noise_waveform_does_not_depend_on_the_ratio(scoring, record):
    loud, quiet = (scoring.add_noise_to_all([record], "electrode", db)[0].x for db in (0, 20))
    np.testing.assert_allclose(loud - record.x, 10 * (quiet - record.x), atol=1e-12)


def test_noise_depends_only_on_seed_record_and_kind(scoring, record):
    other = record._replace(name="b")

    def noise(records, kind, seed):
        return scoring.add_noise_to_all(records, kind, 6, seed)[-1].x

    first = noise([record], "muscle", 0)
    np.testing.assert_array_equal(first, noise([other, record], "muscle", 0))
    for changed in (
        noise([record], "muscle", 1),
        noise([other], "muscle", 0),
        noise([record], "baseline", 0),
    ):
        assert np.abs(np.corrcoef(first - record.x, changed - record.x)[0, 1]) < 0.5


def test_noise_without_beats_raises(scoring, record):
    with pytest.raises(ValueError, match="record a has no beats"):
        scoring.add_noise_to_all([record._replace(reference=np.array([], int))], "muscle", 6)


def test_electrode_noise_is_more_difficult_than_baseline_wander(scoring, folder):
    records = scoring.load_records(folder)
    electrode, baseline = (
        scoring.score(scoring.add_noise_to_all(records, kind, 0.0), detect_r_peaks)["f1"]
        for kind in ("electrode", "baseline")
    )
    assert electrode < 0.95 < baseline


def test_missing_and_broken_packages_are_distinguished(load, monkeypatch):
    detectors = load("_r_peak_detectors")

    def broken():
        import no_such_module  # noqa: F401

    table = {"absent": ("no-such-peer", broken), "broken": ("numpy", broken)}
    monkeypatch.setattr(detectors, "DETECTORS", table)
    ready, missing = detectors.prepare_detectors(["absent", "broken"])
    assert ready == {}
    assert missing["absent"] == "not installed"
    assert missing["broken"].startswith("import failed: No module named 'no_such_module'")


def run(load, monkeypatch, *arguments):
    script = load("r_peaks")
    monkeypatch.setattr(sys, "argv", ["r_peaks.py", *arguments])
    return script.main()


def test_r_peak_tables(load, monkeypatch, capsys, folder):
    detectors = load("_r_peak_detectors")
    table = detectors.DETECTORS | {"sleepecg": ("no-such-peer", lambda: load("no_such_module"))}
    monkeypatch.setattr(load("r_peaks"), "DETECTORS", table)
    monkeypatch.setattr(detectors, "DETECTORS", table)
    arguments = ["--detectors", "ecgbeat", "sleepecg", "wfdb-xqrs", "--repeats", "2"]
    run(load, monkeypatch, "--data", str(folder), *arguments, "--noise", "24", "6", "--markdown")
    printed = capsys.readouterr().out
    assert "2 records, 0.03 h, 250 Hz" in printed
    cells = [re.split(r" *\| *", line.strip("| ")) for line in printed.splitlines()]
    rows = [row for row in cells if row[0].startswith("ecgbeat")]
    accuracy, duration, *noise = rows
    assert float(accuracy[1]) > 0.95
    assert duration[4] == "2"
    assert [row[1] for row in noise] == ["electrode", "motion", "muscle", "baseline"]
    assert sum(row[0] == "sleepecg" and row[1] == "not installed" for row in cells) == 2
    assert sum(row[0].startswith("wfdb-xqrs") for row in cells) == 6
    peer = next(row for row in cells if row[0].startswith("wfdb-xqrs") and row[4] == "2")
    assert peer[5] == "1.00"  # the only other package is the fastest


def test_plain_text_tables_are_aligned(load, capsys):
    load("r_peaks").print_table("Title", [["a", "bb"], ["long", "1"], ["x"]], markdown=False)
    assert capsys.readouterr().out == "\nTitle\n\na     bb\nlong   1\nx\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere"], "There is no folder nowhere"),
        (["--records", "no-such"], "There is no file .*no-such.hea"),
        (["--lead", "V9"], "lead='V9' is not in the records"),
    ],
)
def test_unreadable_data_raises(load, monkeypatch, folder, arguments, message):
    with pytest.raises(SystemExit, match=message):
        run(load, monkeypatch, "--data", str(folder), *arguments)


def test_zero_repeats_raises(load, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(load, monkeypatch, "--repeats", "0")
    assert "--repeats must be 1 or more, got 0" in capsys.readouterr().err


def pins(file):
    return dict(re.findall(r"^([\w-]+)==(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE))


def test_requirements_match_the_constraints():
    ours = pins(BENCHMARKS / "requirements.txt")
    constraints = pins(BENCHMARKS.parents[1] / ".ci" / "constraints.txt")
    differing = {
        name for name in ours.keys() & constraints.keys() if ours[name] != constraints[name]
    }
    assert differing == {"pandas"}  # neurokit2 requires pandas<3
    assert len(ours.keys() & constraints.keys()) > 5


def test_f1_on_record_100(scoring, real_data):
    records = scoring.load_records(real_data / "mitdb", records=["100"])
    assert len(records[0].reference) == 2273
    assert scoring.score(records, detect_r_peaks)["f1"] > 0.999


def test_candidates_of_all_conditions_are_collected(load, record):
    script = load("fit_qrs_score")
    table, n_missed = script.collect([record])
    assert list(n_missed) == list(table.condition.unique())
    assert len(n_missed) == len(script.FITTED)
    clean = table[table.condition == "clean"]
    assert clean.is_beat.sum() + n_missed["clean"] == len(record.reference)
    assert clean.is_beat.mean() > 0.9
    assert np.isfinite(table[list(script._qrs.QUANTITIES)].to_numpy()).all()


def test_second_score_is_fitted_to_candidates_amid_noise(load, record):
    script = load("fit_qrs_noise_score")
    noise = np.random.default_rng(0).normal(size=5000).cumsum()
    rows = [
        script.describe(noisy[0], 0, name, weight)
        for name, weight, noisy in script.conditions([record], noise)
    ]
    assert len(rows) == 1 + len(script.KINDS) * len(script.WEIGHTS)
    assert not rows[0]["noisy"].any()  # clean
    shape, rhythm = script.fit(rows)
    assert len(shape[0]) == len(script._qrs.SHAPE_QUANTITIES)
    assert len(rhythm[0]) == len(script._qrs.RHYTHM_QUANTITIES)
    first = script.f1(rows, [row["shape"][:, 0] > 0 for row in rows])
    assert script.f1(rows, [script.accepted(row, shape, rhythm) for row in rows]) > first


def test_recorded_noise_has_the_ratio_of_simulated_noise(scoring, record):
    noise = np.random.default_rng(0).normal(size=5000)
    first, second = scoring.add_recorded_to_all([record, record], noise, 6.0)
    added = [noisy.x - record.x for noisy in (first, second)]
    assert np.std(added[0]) == pytest.approx(np.std(added[1]), rel=0.05)
    assert np.abs(np.corrcoef(*added)[0, 1]) < 0.1  # shifted
    (louder,) = scoring.add_recorded_to_all([record], noise, 0.0)
    np.testing.assert_allclose(louder.x - record.x, 10**0.3 * added[0], rtol=1e-6, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("model", [[], ["--model", "nsvf"]])
def test_annotation_time_is_printed(load, real_data, monkeypatch, capsys, model):
    script = load("annotate_recordings")
    arguments = ["--data", str(real_data / "mitdb"), "--repeats", "1", "--threads", "1", *model]
    monkeypatch.setattr(sys, "argv", ["annotate_recordings.py", *arguments])
    script.main()
    printed = capsys.readouterr().out
    assert "one recording of 24 h" in printed
    hours, speed = re.search(r"([\d.]+) h.* s, ([\d,]+) times real time", printed).groups()
    assert float(hours) == pytest.approx(24.07, abs=0.01)
    assert int(speed.replace(",", "")) > 1000


def test_mfcc_speed_table(load, monkeypatch, capsys):
    script = load("mfcc_speed")
    arguments = ["--sizes", "3x2000", "1x900", "--repeats", "2", "--calls", "1", "--markdown"]
    monkeypatch.setattr(sys, "argv", ["mfcc_speed.py", *arguments, "--dtype", "float64"])
    script.main()
    printed = capsys.readouterr().out
    assert "librosa 0" in printed
    cells = [re.split(r" *\| *", line.strip("| ")) for line in printed.splitlines()]
    rows = [row for row in cells if row[0] in ("3 x 2,000", "1 x 900")]
    assert len(rows) == 2 * len(script.SETTINGS)
    for _, _, ecgbeat_ms, librosa_ms, speed, *_, difference in rows:
        assert float(speed) == pytest.approx(float(librosa_ms) / float(ecgbeat_ms), rel=0.2)
        assert float(difference) < 1e-9


@pytest.mark.parametrize("argument", [("--sizes", "0x100"), ("--sizes", "9"), ("--repeats", "0")])
def test_invalid_mfcc_sizes_raise(load, monkeypatch, capsys, argument):
    monkeypatch.setattr(sys, "argv", ["mfcc_speed.py", *argument])
    with pytest.raises(SystemExit):
        load("mfcc_speed").parse_arguments()
    assert f"argument {argument[0]}: invalid" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("peaks", "n_wrong"), [([2, 4], 0), ([1], 1), ([3], 0), ([0, 9], 0), ([6, 7], 0), ([5, 8], 2)]
)
def test_samples_on_slopes_are_no_extrema(load, peaks, n_wrong):
    x = np.array([0.0, 1.0, 3.0, 2.0, 2.5, 1.0, 0.5, 0.5, 0.7, 0.9])
    assert load("robustness").count_no_extrema(x, np.array(peaks)) == n_wrong


def test_robustness_tables(load, monkeypatch, capsys, folder):
    script = load("robustness")
    arguments = ["--data", str(folder), "--leads", "0", "--sections", "peaks", "--markdown"]
    monkeypatch.setattr(sys, "argv", ["robustness.py", *arguments])
    script.main()
    cells = [re.split(r" *\| *", line.strip("| ")) for line in capsys.readouterr().out.splitlines()]
    accuracy = [row for row in cells if row[0] in ("0", "all")]
    assert [row[0] for row in accuracy] == ["0", "all"]
    assert [row[2] for row in accuracy] == ["0", "0"]
    assert min(float(row[3]) for row in accuracy) > 0.95
    changes = [row[1:3] for row in cells if row[0] in script.CHANGES]
    assert changes == [["0", "0"]] * len(script.CHANGES)


def test_memory_of_a_recording_is_measured(load):
    peak, size = load("robustness").measure_memory("detect_r_peaks", 0.1, True)
    assert size == pytest.approx(2 * 360 * 360 * 4 / 2**20)
    assert peak >= 0 or np.isnan(peak)


def test_no_peak_depends_on_gain_or_offset(load, real_data):
    # in these leads, many values are equal up to rounding
    script = load("robustness")
    records = script.load_records(real_data / "mitdb", 1, ["101", "207", "209"])
    detections = [detect_r_peaks(record.x, record.fs) for record in records]
    _, *rows = script.change_rows({1: (records, detections)})
    assert [row[1] for row in rows] == ["0"] * len(script.CHANGES)


def test_signal_quality_tables(load, monkeypatch, capsys, folder, tmp_path):
    script = load("signal_quality")
    monkeypatch.setattr(script, "NOISE_S", 30)
    np.save(tmp_path / "noise.npy", np.random.default_rng(0).normal(size=5000))
    arguments = ["--data", str(folder), "--records", "one", "two", "--fit"]
    monkeypatch.setattr(
        sys, "argv", ["signal_quality.py", *arguments, "--motion", str(tmp_path / "noise.npy")]
    )
    script.main()
    rows = [re.split(r"  +", line) for line in capsys.readouterr().out.splitlines()]
    (lost,) = (row for row in rows if row[0] == "all")
    assert lost[2] == "0 (0.000 %)"
    (zeros,) = (row for row in rows if row[0] == "zeros")
    assert zeros[1] == "100.0"
    (fitted,) = (row for row in rows if row[0] == "fitted")
    assert float(fitted[1]) > 0 > float(fitted[2])  # prominence and slow deviation


@pytest.mark.slow
def test_table_of_exported_forms(load, monkeypatch, capsys, tmp_path):
    pytest.importorskip("emx_onnx_cgen", reason="requires the extra export")
    if shutil.which("gcc") is None:
        pytest.skip("requires gcc")
    # as many as go without fixed kernels
    X, symbols = make_heartbeats(2001, random_state=0, return_X_y=True)
    y = np.unique(symbols, return_inverse=True)[1]
    for subset in ("train", "test"):
        np.savez(tmp_path / f"mitbih_{subset}.npz", X=X[:, :187].astype(np.float32), y=y)
    script = load("on_device")
    arguments = ["--data", str(tmp_path), "--max-epochs", "2", "--repeats", "1", "--calls", "5"]
    monkeypatch.setattr(sys, "argv", ["on_device.py", *arguments, "--markdown"])
    script.main()
    cells = [re.split(r" *\| *", line.strip("| ")) for line in capsys.readouterr().out.splitlines()]
    rows = {row[0]: row[1:] for row in cells if len(row) == len(script.HEADER)}
    assert rows["C, float32"][5] == rows["ONNX Runtime, float32"][5] == "100.00"
    assert float(rows["ONNX Runtime, int8"][0]) <= 100
    assert float(rows["C, int8"][1]) <= 64
    assert float(rows["C, int8"][2]) <= 32


@pytest.mark.slow
def test_exported_pipelines_equal_python(load, monkeypatch, capsys, tmp_path):
    pytest.importorskip("onnxscript", reason="requires the extra export")
    # wfdb 4.3 uses functions deprecated in pandas 3, also during import
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        import wfdb

        for seed, name in enumerate(("101", "100")):  # of DS1 and DS2
            weights = {"N": 0.6, "A": 0.2, "V": 0.2}
            made = make_recording(60.0, weights=weights, random_state=seed)
            signal = made.signal[:, None].astype(float)
            options = {"fs": 360, "units": ["mV"], "sig_name": ["MLII"], "fmt": ["16"]}
            wfdb.wrsamp(name, p_signal=signal, write_dir=str(tmp_path), **options)
            wfdb.wrann(name, "atr", made.r_peaks, list(made.symbols), write_dir=str(tmp_path))
    script = load("exported_pipelines")
    arguments = ["--data", str(tmp_path), "--records", "101", "100", "--repeats", "1"]
    monkeypatch.setattr(sys, "argv", ["exported_pipelines.py", *arguments, "--markdown"])
    script.main()
    cells = [re.split(r" *\| *", line.strip("| ")) for line in capsys.readouterr().out.splitlines()]
    rows = [row for row in cells if row[0] in script.pipelines(360)]
    assert [len(row) for row in rows] == [5, 5, 5, 5]
    for graph in rows[:2]:
        assert int(graph[1]) > 50
        assert graph[2] == "0"
        assert float(graph[3]) < 1e-5
    assert all(files[4] == "yes" for files in rows[2:])


@pytest.mark.slow
def test_table_of_live_streams(load, monkeypatch, capsys, tmp_path):
    script = load("live_streams")
    arguments = ["--data", str(tmp_path), "--future", "none", "--pushes", "40", "--streams", "3"]
    arguments += ["--seconds", "4"]
    monkeypatch.setattr(sys, "argv", ["live_streams.py", *arguments, "--markdown"])
    script.main()
    cells = [re.split(r" *\| *", line.strip("| ")) for line in capsys.readouterr().out.splitlines()]
    one, many = (row for row in cells if row[0] == "none")
    assert one[1] == "30"
    assert 0 < float(one[5]) <= 0.5
    assert float(one[6]) < 5
    assert many[1:4] == ["3", "2", "4"]
    assert float(many[4]) > 0


@pytest.mark.slow
def test_table_of_live_accuracy(load, real_data, monkeypatch, capsys):
    script = load("live_accuracy")
    monkeypatch.setattr(script, "DS1", ["106", "108", "208", "209"])
    arguments = [
        "--data",
        str(real_data / "mitdb"),
        "--records",
        "100",
        "--future",
        "none",
        "--markdown",
    ]
    monkeypatch.setattr(sys, "argv", ["live_accuracy.py", *arguments])
    script.main()
    lines = capsys.readouterr().out.splitlines()
    cells = [re.split(r" *\| *", line.strip("| ")) for line in lines]
    rows = {row[1]: row for row in cells if row[0] == "none"}
    for signal in ("whole", "live"):
        assert float(rows[signal][2]) > 0.99
        assert float(rows[signal][4]) > 0.9


def test_soak_lasts_an_hour_with_gaps_and_noise(load):
    signal = np.ones((2, 1000))
    chunks = list(load("live_soak").chunks_of_an_hour(signal, 100, np.random.default_rng(0)))
    joined = np.concatenate(chunks, axis=1)
    assert joined.shape == (2, 360_000)
    assert 0 < np.isnan(joined).mean() < 0.1
    assert (np.isnan(joined).sum(axis=0) == 1).any()  # one lead alone
    noise = ~np.isnan(joined) & (joined != 1)
    assert 0 < noise.mean() < 0.1


def test_archive_has_copies_of_the_records(load, real_data, tmp_path):
    load("annotate_archive").make_archive(real_data / "mitdb", tmp_path, 2)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["r0000.dat", "r0000.hea", "r0001.dat", "r0001.hea"]
    expected = load_mitdb(real_data / "mitdb", records=["101"], lead=None).recordings[0]
    np.testing.assert_array_equal(load_recording(tmp_path / "r0001").signal, expected)


def test_day_of_the_page_is_a_record_again_and_again(load, real_data, tmp_path):
    header = real_data / "mitdb" / "101.hea"
    day = load("page_speed").make_day(header, tmp_path)
    recording = load_recording(day)  # with its checksums
    once = load_recording(header).signal
    assert recording.signal.shape == (2, 48 * once.shape[1])
    np.testing.assert_array_equal(
        recording.signal[:, 30 * once.shape[1] :][:, :1000], once[:, :1000]
    )
    np.testing.assert_array_equal(recording.signal[:, -1000:], once[:, -1000:])


def test_live_chunks_repeat_the_recording(load):
    signal = np.arange(100.0)
    chunks = load("live_streams").as_chunks(signal, 90)
    joined = np.concatenate([next(chunks) for _ in range(4)])
    np.testing.assert_array_equal(joined, np.arange(90, 90 + 4 * 36) % 100)


# --- small tasks ----------------------------------------------------------------------------


def test_test_beats_of_simulated_tasks_are_of_other_patients(load):
    script = load("small_tasks")
    ((X_train, y_train, X_test, y_test),) = script.TASKS["simulated_noisy"](0)
    assert len(X_train) + len(X_test) == len(y_train) + len(y_test) == 200
    assert not set(map(bytes, X_train)) & set(map(bytes, X_test))
    patients = np.arange(12) // 3
    ((train, _, test, _),) = script.divide_patients(patients, patients, patients, 0, 1)
    assert (set(train) & set(test), len(train)) == (set(), 3)


def test_wins_and_losses_of_small_tasks(load, monkeypatch, capsys):
    script = load("small_tasks")
    rows = np.repeat(np.eye(2), 10, axis=0)
    y = np.repeat(["a", "b"], 10)
    monkeypatch.setattr(script, "is_installed", lambda _: True)
    monkeypatch.setattr(script, "TASKS", {"easy": lambda _: [(rows, y, rows, y)] * 2})
    monkeypatch.setattr(
        script,
        "CLASSIFIERS",
        {"tree": lambda _: DecisionTreeClassifier(), "MiniRocket": lambda _: DummyClassifier()},
    )
    arguments = ["--tasks", "easy", "--classifiers", "tree", "MiniRocket", "--markdown"]
    monkeypatch.setattr(sys, "argv", ["small_tasks.py", *arguments])
    script.main()
    lines = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert ["easy", "1.0000 ± 0.000", "0.5000 ± 0.000"] in lines
    assert ["wins, losses against MiniRocket", "1, 0", "0, 0"] in lines
    assert ["easy", "1.0000", "0.5000"] in lines
