"""Tests of exported C source."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline

from ecgbeat import (
    BandpassFilter,
    ECGCNNClassifier,
    ECGCNNLSTMClassifier,
    RPeakSegmenter,
    ZScoreScaler,
)
from ecgbeat.datasets import load_heartbeat_csv, make_heartbeats

onnx = pytest.importorskip("onnx", reason="requires the extra export")
onnxruntime = pytest.importorskip("onnxruntime", reason="requires the extra export")
pytest.importorskip("emx_onnx_cgen", reason="requires the extra export")
if shutil.which("gcc") is None:
    pytest.skip("requires gcc", allow_module_level=True)

from ecgbeat.export import _c, to_c  # noqa: E402
from ecgbeat.export._c import _definitions, _place, _share_buffers  # noqa: E402
from ecgbeat.export._onnx import _OLDEST_TORCH  # noqa: E402

if torch.__version__ < _OLDEST_TORCH:
    pytest.skip(f"exporting needs torch >= {_OLDEST_TORCH}", allow_module_level=True)

TINY = {"n_filters": 4, "n_blocks": 2, "max_epochs": 3, "random_state": 0, "fixed_kernels": "auto"}
KIB = 1024


def compile_source(folder):
    """Compile the files of a folder to a program; return it and the largest stack in bytes."""
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-fstack-usage"]
    command = ["gcc", *flags, "-o", "program", "main.c", "ecgbeat_model.c", "-lm"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    usage = "".join(file.read_text() for file in folder.glob("*model.su"))
    return folder / "program", sum(sorted(int(n) for n in re.findall(r"\t(\d+)\t", usage))[-3:])


def run(program, text):
    return subprocess.run([program], input=text, capture_output=True, text=True)


def probabilities_of(program, X):
    """Return the probabilities that a program prints for rows."""
    rows = np.asarray(X, dtype=np.float32).reshape(len(X), -1)
    done = run(program, "".join(",".join(map("{:.9g}".format, row)) + "\n" for row in rows))
    assert (done.returncode, done.stderr) == (0, "")
    return np.array([line.split() for line in done.stdout.splitlines()], dtype=float)


def bytes_of(folder):
    """Return the bytes of flash and RAM that the header tells."""
    text = (folder / "ecgbeat_model.h").read_text()
    return [int(re.search(rf"{name}: (\d+) bytes", text)[1]) for name in ("Flash", "RAM")]


@pytest.fixture(scope="module")
def beats():
    X, y = make_heartbeats(120, random_state=0, return_X_y=True)
    return X[:, ::4].astype(np.float32), y


@pytest.fixture(scope="module")
def classifier(beats):
    return ECGCNNClassifier(**TINY).fit(*beats)


@pytest.fixture(scope="module")
def program(classifier, tmp_path_factory):
    folder = tmp_path_factory.mktemp("c")
    to_c(classifier, folder)
    return compile_source(folder)[0]


def test_probabilities_equal_those_of_python(classifier, program, beats):
    expected = classifier.predict_proba(beats[0])
    np.testing.assert_allclose(probabilities_of(program, beats[0]), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_times", "options"),
    [(90, {}), (6, {"n_blocks": 1}), (40, {"n_leads": 2, "n_aux_features": 2, "n_members": 2})],
)
def test_fixed_kernels(beats, tmp_path, n_times, options):
    X = beats[0][:, 90 - n_times // 2 :][:, : n_times * options.get("n_leads", 1)]
    X = np.hstack([X, X[:, : options.get("n_aux_features", 0)]])
    net = ECGCNNClassifier(**TINY | options).fit(X, beats[1])
    alone = ECGCNNClassifier(**TINY | options | {"fixed_kernels": False}).fit(X, beats[1])
    for name, classifier, rows in (("both", net, None), ("int8", net, X), ("alone", alone, None)):
        to_c(classifier, tmp_path / name, quantize=rows)
    built, n_stack = compile_source(tmp_path / "both")
    np.testing.assert_allclose(probabilities_of(built, X), net.predict_proba(X), atol=1e-5)
    assert n_stack < 4096
    found = probabilities_of(compile_source(tmp_path / "int8")[0], X)
    np.testing.assert_allclose(found, net.predict_proba(X), atol=0.05)
    kernels = net.module_.kernels
    n_parts = 1 + kernels.with_moments
    sums = n_parts * max(kernels.counts) * kernels.kernels[:, 0].nbytes
    assert bytes_of(tmp_path / "both")[1] <= bytes_of(tmp_path / "alone")[1] + sums + 100


@pytest.mark.slow
def test_files_are_replaced(classifier, beats, tmp_path):
    (tmp_path / "main.c").write_text("old")
    to_c(classifier, tmp_path, quantize=beats[0])
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"ecgbeat_model.c", "ecgbeat_model.h", "main.c"}
    built, n_stack = compile_source(tmp_path)
    expected = classifier.predict_proba(beats[0])
    found = probabilities_of(built, beats[0])
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.95
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert n_stack < 4096  # as the header says


def test_source_allocates_nothing(program):
    source = (program.parent / "ecgbeat_model.c").read_text()
    assert not re.search(r"\b(malloc|calloc|realloc|alloca|free|fopen|printf)\b", source)
    symbols = subprocess.run(
        ["nm", "-g", "--defined-only", program], capture_output=True, text=True
    )
    assert set(re.findall(r" [A-Z] (ecgbeat\w*|weight\w*|buffer\w*)", symbols.stdout)) == {
        "ecgbeat_classes",
        "ecgbeat_predict",
    }


def test_header_describes_the_model(program, classifier):
    text = (program.parent / "ecgbeat_model.h").read_text()
    n_values, n_classes = classifier.n_features_in_, len(classifier.classes_)
    assert f"#define ECGBEAT_N_VALUES {n_values}\n#define ECGBEAT_N_CLASSES {n_classes}\n" in text
    flash, ram = bytes_of(program.parent)
    weights = [*classifier.module_.parameters(), *classifier.module_.kernels.buffers()]
    n_weights = sum(weight.numel() for weight in weights)
    assert flash == pytest.approx(4 * n_weights, rel=0.05)
    assert 4 * n_values <= ram < 40 * n_values


def test_static_buffers_have_the_stated_size(program):
    sizes = subprocess.run(["nm", "-S", program], capture_output=True, text=True).stdout
    found = sum(int(n, 16) for n in re.findall(r"(\w+) b buffer_", sizes))
    assert found == bytes_of(program.parent)[1]


@pytest.mark.parametrize(
    ("line", "is_valid"),
    [
        ("{}\n", True),
        ("{}", True),
        ("{} 1\n", False),
        ("1 2\n", False),
        ("\n", False),
        ("{}x\n", False),
        ("nan {}\n", False),
        ("9" * 100_000 + "\n", False),
    ],
)
def test_lines_that_are_no_rows_are_refused(program, beats, line, is_valid):
    row = " ".join(map(str, beats[0][0]))
    done = run(program, f"{row}\n" + line.format(row))
    assert len(done.stdout.splitlines()) == 1 + is_valid
    assert done.returncode == (0 if is_valid else 1)
    assert is_valid or "line 2 must contain 180 finite numbers" in done.stderr


def test_labels_of_any_text(tmp_path):
    labels = ['*/ "quoted" \\', "Ä?\n%s", "??/", ""]
    source = _definitions({"classes": labels}).partition("void")[0]
    (tmp_path / "main.c").write_text(
        f"#include <stdio.h>\n#define ECGBEAT_N_CLASSES 4\n{source}\nint main(void) {{\n"
        "    for (int i = 0; i < ECGBEAT_N_CLASSES; ++i) puts(ecgbeat_classes[i]);\n"
        "    return 0;\n}\n"
    )
    (tmp_path / "ecgbeat_model.c").write_text("extern int unused;\n")
    built, _ = compile_source(tmp_path)
    assert run(built, "").stdout == "".join(f"{label}\n" for label in labels)


@pytest.mark.slow
def test_leads_and_auxiliary_columns(beats, tmp_path):
    X, y = beats
    rows = np.hstack([X, -X, 0.01 * np.arange(len(X))[:, None], X[:, :1]])
    classifier = ECGCNNClassifier(n_leads=2, n_aux_features=2, **TINY).fit(rows, y)
    to_c(classifier, tmp_path)
    text = (tmp_path / "ecgbeat_model.h").read_text()
    assert "362 values, 2 lead(s) of 180 samples in a row, then 2 auxiliary columns" in text
    found = probabilities_of(compile_source(tmp_path)[0], rows)
    np.testing.assert_allclose(found, classifier.predict_proba(rows), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("bidirectional", "n_members"), [(False, 2), (True, 1)])
def test_lstm(beats, tmp_path, bidirectional, n_members):
    X, y = beats
    options = {"n_layers": 2, "bidirectional": bidirectional, "n_members": n_members}
    classifier = ECGCNNLSTMClassifier(hidden_size=8, **options, **TINY).fit(X, y)
    expected = classifier.predict_proba(X)
    for name, rows, atol in (("float", None, 1e-5), ("int8", X, 0.05)):
        to_c(classifier, tmp_path / name, quantize=rows)
        found = probabilities_of(compile_source(tmp_path / name)[0], X)
        np.testing.assert_allclose(found, expected, atol=atol)


@pytest.mark.slow
@pytest.mark.parametrize("is_quantized", [False, True])
def test_pipeline(tmp_path, is_quantized):
    X, y = make_heartbeats(200, random_state=1, return_X_y=True)
    X = X.astype(np.float32)
    pipeline = make_pipeline(
        BandpassFilter(), RPeakSegmenter(), ZScoreScaler(), ECGCNNClassifier(**TINY)
    ).fit(X, y)
    to_c(pipeline, tmp_path, quantize=X if is_quantized else None)
    assert "360 Hz" in (tmp_path / "ecgbeat_model.h").read_text()
    found = probabilities_of(compile_source(tmp_path)[0], X)
    expected = pipeline.predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=0.05 if is_quantized else 1e-4)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.97


@pytest.mark.slow
def test_default_network_on_real_beats(real_data, tmp_path):
    X, y = load_heartbeat_csv(real_data / "kaggle_heartbeat", subset="test", return_X_y=True)
    classifier = ECGCNNClassifier(max_epochs=3, random_state=0).fit(X[::2], y[::2])
    expected = classifier.predict_proba(X[1::2])
    to_c(classifier, tmp_path / "float")
    found = probabilities_of(compile_source(tmp_path / "float")[0], X[1::2])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    to_c(classifier, tmp_path / "int8", quantize=X[::20])
    program, n_stack = compile_source(tmp_path / "int8")
    flash, ram = bytes_of(tmp_path / "int8")
    assert flash <= 64 * KIB
    assert ram + n_stack <= 32 * KIB
    found = probabilities_of(program, X[1::2])
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.995


def test_buffers_are_shared_by_results_that_never_meet():
    steps = [{"a"}, {"a", "b"}, {"b", "c"}, {"c", "a2"}]
    offsets = _place({"a": 10, "b": 4, "c": 10, "a2": 3}, steps)
    assert offsets == {"a": 0, "c": 0, "b": 10, "a2": 10}


def test_arrays_of_each_type_have_their_own_buffer():
    source = (
        "static const EMX_UNUSED int8_t weight1_w[3][2] = {\n};\n"
        "static const EMX_UNUSED float weight2_unused[9] = {\n};\n"
        "\nstatic void ecgbeat_model(const float X[restrict 1][4], float p[restrict 1][2]) {\n"
        "    float tmp0[1][4];\n    int8_t tmp1[6];\n    float tmp2[1][2];\n"
        "    node0(X, tmp0);\n    node1(tmp0, weight1_w, tmp1);\n    node2(tmp1, tmp2);\n}\n"
    )
    text, n_flash, n_ram = _share_buffers(source)
    assert (n_flash, n_ram) == (6, 4 * 4 + 6)
    assert "static float buffer_float[4];\nstatic int8_t buffer_int8_t[6];\n" in text
    assert "    float (*tmp2)[2] = (float (*)[2])(buffer_float + 0);\n    node0(X, tmp0);" in text


@pytest.fixture
def reversal():
    """Return a model that reverses a row."""
    helper = onnx.helper
    values = {"start": [-1], "stop": [np.iinfo(np.int64).min], "axis": [1], "step": [-1]}
    graph = helper.make_graph(
        [
            helper.make_node("Slice", ["X", *values], ["reversed"]),
            helper.make_node("Relu", ["reversed"], ["probabilities"]),
        ],
        "reversal",
        [helper.make_tensor_value_info("X", onnx.TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, [1, 4])],
        [onnx.numpy_helper.from_array(np.array(value), name) for name, value in values.items()],
        value_info=[helper.make_tensor_value_info("reversed", onnx.TensorProto.FLOAT, [1, 4])],
    )
    opsets = [helper.make_opsetid("", 20)]
    return helper.make_model(graph, ir_version=10, opset_imports=opsets)


def test_unknown_operator_raises(classifier, reversal, tmp_path, monkeypatch):
    onnx.helper.set_model_props(reversal, {"classes": "[1, 2, 3, 4]"})
    monkeypatch.setattr(_c, "onnx_model", lambda *_, **__: reversal)
    monkeypatch.setattr(_c, "_gather_reversed", lambda *_: None)
    with pytest.raises(NotImplementedError, match=r"cannot be written as C, .* positive steps"):
        to_c(classifier, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_reversed_slice_is_gathered(reversal):
    _c._gather_reversed(reversal, onnx)
    session = onnxruntime.InferenceSession(reversal.SerializeToString())
    row = np.arange(4, dtype=np.float32)[None]
    np.testing.assert_array_equal(session.run(None, {"X": row})[0], row[:, ::-1])


def test_missing_extra_is_named(classifier, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "emx_onnx_cgen", None)
    with pytest.raises(ImportError, match=r'pip install "ecgbeat\[export\]"'):
        to_c(classifier, tmp_path)
