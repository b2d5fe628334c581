"""Model files: description, versions, and files that are damaged or hostile."""

import contextlib
import json
import os
import random
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from safetensors import safe_open
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import ecgbeat
from ecgbeat import ECGCNNClassifier, ZScoreScaler, load_model, save_model
from ecgbeat.persistence import model_info
from ecgbeat.persistence._container import pack, unpack

CARD = {"data": "MIT-BIH, DS1", "macro_f1": 0.5, "patients": [101, 106], "note": {"ä": None}}


def test_file_is_safetensors_with_named_arrays(linear, saved):
    with safe_open(saved, framework="np") as file:
        assert set(file.keys()) == {"classes_", "coef_", "intercept_", "n_iter_"}
        np.testing.assert_array_equal(file.get_tensor("coef_"), linear.coef_)
        assert json.loads(file.metadata()["info"])["estimator"].endswith("LogisticRegression")


def test_description(rows, tmp_path):
    X, y = rows
    model = make_pipeline(ZScoreScaler(), StandardScaler(), LogisticRegression()).fit(X, y)
    save_model(model, str(tmp_path / "m.st"), card=CARD)
    info = model_info(str(tmp_path / "m.st"))
    versions = info.pop("versions")
    assert info == {
        "format": 1,
        "estimator": "sklearn.pipeline.Pipeline",
        "classes": ["N", "S", "V"],
        "fs": None,
        "n_leads": 1,
        "n_features_in": 12,
        "card": CARD,
    }
    assert versions.keys() == {"ecgbeat", "numpy", "scikit-learn"}
    assert versions["ecgbeat"] == ecgbeat.__version__


def test_description_of_a_large_model_reads_the_header_only(tmp_path):
    model = FunctionTransformer(kw_args={"x": np.zeros(10**6)}).fit([[0.0]])
    save_model(model, tmp_path / "m")
    with (tmp_path / "m").open("r+b") as file:  # the arrays are damaged
        file.seek(-1, os.SEEK_END)
        file.write(b"\1")
    assert model_info(tmp_path / "m")["estimator"].endswith("FunctionTransformer")
    with pytest.raises(ValueError, match="damaged: its content does not agree"):
        load_model(tmp_path / "m")


def test_numpy_values_in_a_card(linear, tmp_path):
    save_model(linear, tmp_path / "m", card={"f1": np.float32(0.5), "matrix": np.eye(2, dtype=int)})
    assert model_info(tmp_path / "m")["card"] == {"f1": 0.5, "matrix": [[1, 0], [0, 1]]}


@pytest.mark.parametrize("card", ["text", 3, ["x"], {"x": float("nan")}, {"x": {1j}}, {(1,): 2}])
def test_wrong_card_raises(card, linear, tmp_path):
    with pytest.raises(TypeError, match="card must"):
        save_model(linear, tmp_path / "m", card=card)
    assert not list(tmp_path.iterdir())


def test_file_is_replaced_and_bytes_are_the_same_each_time(linear, tmp_path):
    path = tmp_path / "new" / "m"
    assert save_model(linear, path) is None
    first = path.read_bytes()
    path.write_bytes(b"old")
    save_model(linear, path)
    assert path.read_bytes() == first
    assert list(path.parent.iterdir()) == [path]


def test_failed_save_keeps_the_file(linear, saved, monkeypatch):
    before = saved.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        save_model(linear, saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_linear_model_loads_without_torch_in_a_new_process(linear, rows, saved, tmp_path):
    np.save(tmp_path / "X.npy", rows[0])
    code = (
        "import sys, numpy as np, ecgbeat\n"
        "model = ecgbeat.load_model(sys.argv[1])\n"
        "np.save(sys.argv[3], model.predict_proba(np.load(sys.argv[2])))\n"
        "heavy = {'torch', 'skorch', 'imblearn', 'librosa', 'matplotlib'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    files = [saved, tmp_path / "X.npy", tmp_path / "P.npy"]
    subprocess.run([sys.executable, "-c", code, *files], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "P.npy"), linear.predict_proba(rows[0]))


# --- versions -------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["ecgbeat", "scikit-learn"])
def test_other_version_warns(package, rows, linear, saved, rewrite):
    def edit(model, tensors):  # noqa: ARG001
        model["info"]["versions"][package] = "0.0.1"
        model["info"]["versions"]["numpy"] = "1.0"
        model["info"]["versions"]["unknown"] = "1"

    rewrite(saved, edit)
    with pytest.warns(UserWarning, match=rf"saved with {package} 0\.0\.1 \(installed: ") as caught:
        loaded = load_model(saved)
    assert len(caught) == 1
    np.testing.assert_array_equal(loaded.predict_proba(rows[0]), linear.predict_proba(rows[0]))


def test_parameter_of_another_version_raises(saved, rewrite):
    def edit(model, tensors):  # noqa: ARG001
        model["info"]["versions"]["scikit-learn"] = "9.0"
        model["estimator"]["state"]["new"] = 1

    rewrite(saved, edit)
    message = (
        r"LogisticRegression has the attribute 'new'.*saved with scikit-learn 9\.0 \(installed"
    )
    with pytest.raises(ValueError, match=message):
        load_model(saved)


def test_parameter_that_did_not_exist_yet_has_its_default(saved, rewrite):
    def edit(model, tensors):  # noqa: ARG001
        del model["estimator"]["state"]["max_iter"]

    rewrite(saved, edit)
    assert load_model(saved).max_iter == 100


def test_unknown_format_raises(saved):
    tensors, metadata = unpack(saved)
    saved.write_bytes(pack(tensors, metadata | {"ecgbeat_model": "2"}))
    for read in (load_model, model_info):
        with pytest.raises(ValueError, match=r"format '2'.*knows the format '1'. Update ecgbeat"):
            read(saved)


# --- files that are no model files ------------------------------------------------------


def header(entry, data=b"", name="x"):
    text = entry if isinstance(entry, bytes) else json.dumps({name: entry}).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(shape, offsets, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
BAD_FILES = {
    "empty": b"",
    "short": b"\x01\x02",
    "text": b"This is a text, not a model, whatever its name.",
    "pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00.",
    "zip": b"PK\x03\x04" + bytes(100),
    "header_longer_than_file": (2**62).to_bytes(8, "little") + b"{}",
    "header_no_json": header(b"{'x': 1}"),
    "header_no_utf8": header(b'{"\xff\xfe": 1}'),
    "header_no_object": header(b"[1, 2]"),
    "header_null": header(b"null"),
    "nan": header(b'{"x": NaN}'),
    "infinity": header(b'{"__metadata__": {}, "x": -Infinity}'),
    "long_number": header(b'{"x": 1' + b"0" * 10_000 + b"}"),
    "double_name": header(b'{"__metadata__": {}, "__metadata__": {}}'),
    "deep": header(DEEP),
    "deep_list": header(b"[" * 1_000_000),
    "metadata_no_text": header(b'{"__metadata__": {"ecgbeat_model": 1}}'),
    "metadata_list": header(b'{"__metadata__": []}'),
    "no_model": header(entry([1], [0, 4]), bytes(4)),
    "billion_elements": header(entry([10**9], [0, 4 * 10**9]), bytes(4)),
    "billion_dimensions": header(entry([1] * 10**5, [0, 4]), bytes(4)),
    "overflow": header(entry([2**32, 2**32], [0, 0]), b""),
    "product_wraps": header(entry([2**61, 2], [0, 0], "F64")),
    "shape_too_small": header(entry([2], [0, 4]), bytes(4)),
    "negative_shape": header(entry([-1], [0, 4]), bytes(4)),
    "float_shape": header(entry([1.0], [0, 4]), bytes(4)),
    "bool_shape": header(entry([True], [0, 4]), bytes(4)),
    "negative_offset": header(entry([1], [-4, 0]), bytes(4)),
    "beyond_the_end": header(entry([1], [4, 8]), bytes(4)),
    "reversed": header(entry([1], [4, 0]), bytes(4)),
    "hole": header(entry([1], [0, 4]), bytes(8)),
    "three_offsets": header(entry([1], [0, 4, 8]), bytes(4)),
    "unknown_type": header(entry([1], [0, 4], "F8_E4M3"), bytes(4)),
    "type_is_a_list": header(entry([1], [0, 4], ["F32"]), bytes(4)),
    "no_entry": header(b'{"x": 3}'),
    "other_fields": header({"dtype": "F32", "shape": []}, bytes(4)),
    "overlap": header(
        json.dumps({"a": entry([1], [0, 4]), "b": entry([1], [2, 6])}).encode(), bytes(6)
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file_raises(name, tmp_path):
    path = tmp_path / f"{name}.safetensors"
    path.write_bytes(BAD_FILES[name])
    start = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="cannot be loaded as a model") as caught:
            load_model(path)
        assert tracemalloc.get_traced_memory()[1] < 60e6
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert time.monotonic() - start < 5


def test_missing_file_and_folder(tmp_path):
    for read in (load_model, model_info):
        with pytest.raises(FileNotFoundError, match="no file"):
            read(tmp_path / "none")
        with pytest.raises(ValueError, match="not a file"):
            read(tmp_path)


def test_weights_of_skorch_are_explained(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(header(entry([1], [0, 4]), bytes(4)))
    for read in (load_model, model_info):
        with pytest.raises(ValueError, match=r"not one of ecgbeat.save_model.*load_params"):
            read(path)


@pytest.mark.parametrize("n_bytes", [1, 8, 100, 1000, -1, -9])
def test_truncated_file_raises(n_bytes, saved):
    saved.write_bytes(saved.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match=r"truncated|no safetensors"):
        load_model(saved)


def test_longer_file_raises(saved):
    saved.write_bytes(saved.read_bytes() + b"\0")
    with pytest.raises(ValueError, match="truncated"):
        load_model(saved)


def test_changed_bytes_raise(saved):
    content = saved.read_bytes()
    rng = random.Random(0)
    for _ in range(1000):
        changed = bytearray(content)
        for _ in range(rng.choice([1, 1, 3])):
            changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        saved.write_bytes(changed)
        with pytest.raises(ValueError, match="cannot be loaded as a model"):
            load_model(saved)
        with contextlib.suppress(ValueError):
            model_info(saved)


# --- hostile content with a valid checksum ------------------------------------------------


def state(**values):
    return lambda model, tensors: model["estimator"]["state"].update(values)  # noqa: ARG005


def tree(value):
    return lambda model, tensors: model.update(estimator=value)  # noqa: ARG005


def array(name, new):
    def edit(model, tensors):  # noqa: ARG001
        tensors[name] = new(tensors[name])

    return edit


def missing_array(model, tensors):  # noqa: ARG001
    del tensors["coef_"]


NAMES = [
    "os.system", "builtins.eval", "builtins.exec", "builtins.open", "../../evil.py", "evil", "",
    "posix.system", "subprocess.Popen", "sklearn.linear_model", "pathlib.Path", "numpy.load",
    "sklearn.linear_model.LogisticRegression.fit", "ecgbeat.os", "ecgbeat.signal", 3, None,
    ["sklearn.preprocessing.StandardScaler"], "ecgbeat.signal.__loader__", "joblib.load",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_name_that_is_not_in_the_list_raises(name, saved, rewrite, tmp_path):
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')", encoding="utf-8")
    before = set(sys.modules)
    for node in (
        {"object": name, "state": {}},
        {"callable": name},
        {"partial": {"callable": name}, "args": [], "keywords": {}},
    ):
        rewrite(saved, state(C=node))
        with pytest.raises(ValueError, match="not in the list of classes and functions"):
            load_model(saved)
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (tree(None), "no estimator, but NoneType"),
        (tree([1]), "no estimator, but list"),
        (tree({"callable": "numpy.log"}), "no estimator, but ufunc"),
        (tree({"reduce": "os.system"}), "unknown kind 'reduce'"),
        (tree({}), "unknown kind ''"),
        (tree({"object": "sklearn.svm.LinearSVC"}), "lacks 'state'"),
        (tree({"object": "sklearn.svm.LinearSVC", "state": []}), "attributes of .* no names"),
        (tree({"object": "sklearn.svm.LinearSVC", "state": {}}), "not fitted"),
        (missing_array, "array 'coef_' is missing"),
        (array("coef_", lambda x: x.T.copy()), r"coef_ of .* each of the 12 columns.*\(12, 3\)"),
        (array("coef_", lambda x: x[:, :1].copy()), "coef_ of .* each of the 12 columns"),
        (array("coef_", lambda x: x > 0), "coef_ of .* must contain numbers"),
        (array("classes_", lambda x: x.astype(np.uint8)), "holds no texts"),
        (array("classes_", lambda x: x + np.uint32(2**31)), "holds no texts"),
        (state(coef_={"array": "intercept_"}), "missing, or used twice"),
        (state(coef_={"ref": 99}), "object number 99"),
        (state(coef_={"ref": -1}), "object number -1"),
        (state(__class__="x"), "attribute '__class__'"),
        (state(__dict__={"dict": {}}), "attribute '__dict__'"),
        (state(predict={"callable": "numpy.log"}), "attribute 'predict'"),
        (state(_validate_params={"callable": "numpy.log"}), "attribute '_validate_params'"),
        (state(__reduce__={"callable": "numpy.log"}), "attribute '__reduce__'"),
        (state(**{"a b": 1}), "attribute 'a b'"),
        (state(C=-1.0), "'C' parameter"),
        (state(C={"callable": "numpy.log"}), "'C' parameter"),
        (state(n_features_in_=12.0), "n_features_in_ of .* must be an integer"),
        (state(C={"float": "1e999"}), "lacks '1e999'"),
        (state(C={"scalar": "<U9999999", "value": ""}), "no type of arrays"),
        (state(C={"dtype": "f8,f8"}), "no type of arrays"),
        (state(C={"objects": [1], "shape": [10**9]}), "reshape"),
        (state(C={"set": [[1]]}), "unhashable"),
        (state(C={"tuple": 10**9}), "items of a tuple are no list"),
        (state(random_state={"random_state": [1, 2, 3, 4]}), "not that of MT19937"),
        (state(C={"partial": 3, "args": [], "keywords": {}}), "not a function"),
    ],
)  # fmt: skip
def test_hostile_content_raises(edit, message, saved, rewrite):
    rewrite(saved, edit)
    with pytest.raises(ValueError, match=message) as caught:
        load_model(saved)
    assert str(caught.value).startswith(f"{saved} cannot be loaded as a model. ")


def test_random_state_beyond_its_key_raises(rows, saved, rewrite):
    save_model(LogisticRegression(random_state=np.random.RandomState(0)).fit(*rows), saved)

    def edit(model, tensors):  # noqa: ARG001
        model["estimator"]["state"]["random_state"]["random_state"][1] = 10**6

    rewrite(saved, edit)
    with pytest.raises(ValueError, match="MT19937"):
        load_model(saved)


def test_doubled_names_and_deep_nesting_in_the_estimator_raise(saved):
    tensors, metadata = unpack(saved)
    for text in ('{"object": 1, "object": 2}', "[" * 100_000, '{"tuple": [' * 9_000, "NaN", "{"):
        saved.write_bytes(pack(tensors, metadata | {"estimator": text}))
        with pytest.raises(ValueError, match="cannot be loaded as a model"):
            load_model(saved)
    without = {key: value for key, value in metadata.items() if key != "estimator"}
    saved.write_bytes(pack(tensors, without))
    with pytest.raises(ValueError, match="lacks 'estimator'"):
        load_model(saved)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("left", 10**6, "node that does not exist"),
        ("right", 0, "node that does not exist"),
        ("right", 2**32 - 1, "node that does not exist"),
        ("feature_idx", 12, "column beyond the 12"),
        ("feature_idx", -1, "column beyond the 12"),
        ("is_leaf", 0, "node that does not exist"),
    ],
)
def test_trees_that_refer_beyond_their_arrays_raise(field, value, message, rows, saved, rewrite):
    save_model(HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=3).fit(*rows), saved)

    def edit(model, tensors):  # noqa: ARG001
        tensors[f"nodes.{field}"][:] = value

    rewrite(saved, edit)
    with pytest.raises(ValueError, match=message):
        load_model(saved)


def test_trees_whose_branches_meet_raise(rows, saved, rewrite):
    save_model(HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=3).fit(*rows), saved)

    def edit(model, tensors):  # noqa: ARG001
        tensors["nodes.left"][:] = tensors["nodes.right"]

    rewrite(saved, edit)
    with pytest.raises(ValueError, match="node with two parents"):
        load_model(saved)


@pytest.mark.parametrize(
    "edit",
    [
        state(n_features_in_=None),
        state(n_features_in_=12.0),
        state(n_trees_per_iteration_=1),
        state(n_trees_per_iteration_=True),
        state(n_trees_per_iteration_=10**9),
        state(is_categorical_=[True]),
        state(nodes={"dict": {}}),
        state(n_nodes=[1, 2]),
        array("n_nodes", lambda x: x * 2),
        array("n_nodes", lambda x: x * 0),
        array("n_nodes", lambda x: x + np.int64(2**62)),
        array("n_nodes", lambda x: x.astype(float)),
        array("nodes.left", lambda x: x[:-1].copy()),
        array("nodes.left", lambda x: x.astype(np.int64)),
        array("_baseline_prediction", lambda x: x[:, :1].copy()),
    ],
)
def test_contradictory_trees_raise(edit, rows, saved, rewrite):
    save_model(HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=3).fit(*rows), saved)
    rewrite(saved, edit)
    with pytest.raises(ValueError, match=r"HistGradientBoostingClassifier|n_features_in_"):
        load_model(saved)


def test_columns_that_do_not_exist_take_no_memory(rows, saved, rewrite):
    save_model(HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=3).fit(*rows), saved)
    rewrite(saved, state(n_features_in_=10**12))
    loaded = load_model(saved)
    with pytest.raises(ValueError, match="12 features"):
        loaded.predict(rows[0])


def places_in(node, found):
    """Add each container in a piece of JSON, with each of its keys."""
    if isinstance(node, (dict, list)):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            found.append((node, key))
            places_in(node[key], found)
    return found


@pytest.mark.parametrize("kind", ["linear", "boosting", "network"])
def test_random_changes_of_the_content_raise_or_load(kind, rows, saved):
    model = {
        "linear": make_pipeline(StandardScaler(), LogisticRegression()),
        "boosting": HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=3),
        "network": ECGCNNClassifier(n_filters=2, n_blocks=1, max_epochs=1),
    }[kind]
    save_model(model.fit(*rows), saved)
    tensors, metadata = unpack(saved)
    rng = random.Random(1)
    values = [None, True, -1, 10**12, 0.5, "x", [], {}, [[]], {"ref": 0}, {"tuple": []}]
    values += [{"array": name} for name in tensors]
    n_refused = 0
    for _ in range(200 if kind != "network" else 30):
        tree = json.loads(metadata["estimator"])
        container, key = rng.choice(places_in(tree, []))
        container[key] = rng.choice(values)
        saved.write_bytes(pack(tensors, metadata | {"estimator": json.dumps(tree)}))
        try:
            loaded = load_model(saved)
        except ValueError:
            n_refused += 1
            continue
        with contextlib.suppress(Exception):  # as long as the process lives
            loaded.predict(rows[0])
    assert n_refused > 10
