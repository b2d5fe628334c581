"""The rooms of the package import only what lies below them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import ecgbeat

PACKAGE = Path(ecgbeat.__file__).parent


class Room(NamedTuple):
    """A package or module of the top level, and what it may import beside the standard library."""

    layer: int
    rooms: frozenset[str]
    others: frozenset[str]


def room(layer: int, rooms: str, others: str) -> Room:
    return Room(layer, frozenset(rooms.split()), frozenset(others.split()))


LAYER_0 = "labels _recordings _validation"
LAYERS_01 = f"{LAYER_0} signal networks metrics"
LAYERS_012 = f"{LAYERS_01} preprocessing features classifiers datasets model_selection"

# a new package or module must be entered here, with what it may import
ROOMS = {
    # layer 0, from the ground up
    "_files": room(-2, "", ""),
    "_progress": room(-2, "", "tqdm"),
    "_validation": room(-2, "", "numpy sklearn"),
    "_recordings": room(-1, "_validation", "numpy"),
    "labels": room(0, "_recordings", "numpy"),
    "signal": room(1, LAYER_0, "numpy scipy librosa"),
    "networks": room(1, "", "torch"),
    "metrics": room(1, LAYER_0, "numpy sklearn"),
    "preprocessing": room(2, LAYERS_01, "numpy sklearn"),
    "features": room(2, LAYERS_01, "numpy pandas sklearn"),
    "classifiers": room(
        2, f"{LAYER_0} _progress networks", "numpy sklearn skorch torch safetensors"
    ),
    "datasets": room(
        2,
        f"{LAYER_0} _files _progress signal",
        "numpy scipy sklearn wfdb edfio pandas pooch soundfile soxr",
    ),
    "model_selection": room(2, LAYER_0, "numpy sklearn"),
    "annotation": room(3, f"{LAYERS_012} _files _progress", "numpy pandas scipy sklearn wfdb"),
    # torch and captum: gradients of a network, for the picture of its reasons
    "plotting": room(3, LAYERS_012, "numpy sklearn matplotlib torch captum"),
    "export": room(
        3,
        f"{LAYERS_012} _files",
        "numpy scipy sklearn torch onnx onnxscript onnxruntime emx_onnx_cgen",
    ),
    "persistence": room(3, f"{LAYERS_012} _files", "numpy skorch torch"),
    # above annotation: a stream runs the steps of an annotator
    "streaming": room(4, f"{LAYERS_012} _files annotation", "numpy pylsl websockets wfdb"),
    "pretrained": room(4, f"{LAYERS_012} annotation persistence", "numpy sklearn"),
    "app": room(
        5,
        f"{LAYERS_012} _files _progress annotation persistence plotting pretrained streaming",
        "numpy fastapi starlette uvicorn jinja2 matplotlib",
    ),
    "command": room(
        6,
        f"{LAYERS_012} _files _progress annotation app export persistence pretrained streaming",
        "numpy joblib distributed dask sklearn",
    ),
    "__main__": room(7, "command", ""),
}
MAY_IMPORT_PRIVATE_SKLEARN = "_validation"


def room_of(module: str) -> str:
    """Return the room of ``ecgbeat.room...``, or "" for the package itself."""
    return module.split(".")[1] if "." in module else ""


def imported_names(module: str, tree: ast.AST, is_package: bool) -> Iterator[str]:
    """Yield the full name of everything that a module imports, wherever in it."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "__import__", "import_extra")
        ):
            yield from (a.value for a in node.args if isinstance(a, ast.Constant))


def violations(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """List what one module imports and may not."""
    here = room_of(module)
    found = []
    for name in imported_names(module, ast.parse(source), is_package):
        top = name.split(".")[0]
        private = top == "sklearn" and any(part.startswith("_") for part in name.split(".")[1:])
        if private and here != MAY_IMPORT_PRIVATE_SKLEARN:
            found.append(f"{module} imports {name}, a private name of scikit-learn")
        elif top == "ecgbeat":
            if room_of(name) != here and room_of(name) not in ROOMS[here].rooms:
                found.append(f"{module} imports {name}, which is not below it")
        elif top not in sys.stdlib_module_names and top not in ROOMS[here].others:
            found.append(f"{module} imports {name}, which its room does not use")
    return found


def modules() -> list[tuple[str, Path]]:
    """Return name and file of every module but the lazy ``ecgbeat`` itself."""
    listed = []
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = ("ecgbeat", *file.relative_to(PACKAGE).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name != "ecgbeat":
            listed.append((name, file))
    return listed


MODULES = modules()


def test_there_are_modules_to_check():
    names = {name for name, _ in MODULES}
    assert {"ecgbeat.labels", "ecgbeat.signal", "ecgbeat.datasets.wfdb"} <= names
    assert len(names) > 25


@pytest.mark.parametrize("name", sorted({room_of(name) for name, _ in MODULES}))
def test_every_room_is_in_the_table(name):
    assert name in ROOMS, f"enter {name} into ROOMS, with its layer and what it may import"


def test_the_table_itself_points_down():
    upward = [
        (name, below)
        for name, entry in ROOMS.items()
        for below in entry.rooms
        if ROOMS[below].layer >= entry.layer
    ]
    assert not upward


@pytest.mark.parametrize(("module", "file"), MODULES, ids=[name for name, _ in MODULES])
def test_imports_point_down(module, file):
    source = file.read_text(encoding="utf-8")
    assert violations(module, source, is_package=file.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ecgbeat.labels", "import ecgbeat.signal"),
        ("ecgbeat.labels", "from ecgbeat import _validation"),
        ("ecgbeat.signal._beats", "from ecgbeat.preprocessing import BandpassFilter"),
        ("ecgbeat.signal._beats", "from ecgbeat import networks"),
        ("ecgbeat.signal._beats", "import sklearn.utils"),
        ("ecgbeat.signal._beats", "def f():\n    import torch"),
        ("ecgbeat.signal._beats", "from ..networks import BeatCNN"),
        ("ecgbeat.signal._beats", "import importlib\nimportlib.import_module('torch')"),
        ("ecgbeat.networks._cnn", "import numpy as np"),
        ("ecgbeat.networks._cnn", "from skorch import NeuralNet"),
        ("ecgbeat.networks._cnn", "from ecgbeat._validation import check_positive"),
        ("ecgbeat.classifiers._cnn", "from ecgbeat.signal import bandpass"),
        ("ecgbeat.classifiers._cnn", "from ecgbeat.preprocessing import ZScoreScaler"),
        ("ecgbeat.datasets.wfdb", "from ecgbeat.annotation import extract_beats"),
        ("ecgbeat.datasets.wfdb", "from sklearn.utils._bunch import Bunch"),
        ("ecgbeat.datasets.wfdb", "from sklearn.utils import _bunch"),
        ("ecgbeat.datasets.wfdb", "import sklearn.utils._bunch as bunch"),
        ("ecgbeat.annotation", "import ecgbeat.streaming"),
        ("ecgbeat.annotation", "if TYPE_CHECKING:\n    import torch"),
    ],
)
def test_a_planted_violation_is_found(module, source):
    assert len(violations(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ecgbeat._validation", "from sklearn.utils._param_validation import Interval"),
        ("ecgbeat.signal._beats", "from ecgbeat._validation import check_positive\nimport math"),
        ("ecgbeat.signal._beats", "from ._rows import as_rows\nfrom scipy import ndimage"),
        ("ecgbeat.networks._cnn", "import torch.nn\nfrom ecgbeat.networks._layers import Head"),
        ("ecgbeat.annotation", "from ecgbeat.signal import cut_beats"),
    ],
)
def test_what_is_allowed_is_not_found(module, source):
    assert violations(module, source) == []


def test_relative_imports_of_a_package_are_its_own():
    assert violations("ecgbeat.signal", "from ._rows import as_rows", is_package=True) == []


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after a statement."""
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_ecgbeat_loads_nothing_heavy():
    heavy = "torch librosa matplotlib pandas wfdb scipy sklearn skorch imblearn numpy"
    loaded = loaded_by("import ecgbeat")
    assert "ecgbeat" in loaded
    assert not loaded & set(heavy.split())


def test_rooms_without_networks_load_no_torch():
    rooms = ["annotation", "datasets", "features", "labels", "plotting", "preprocessing", "signal"]
    loaded = loaded_by(f"import {', '.join(f'ecgbeat.{room}' for room in rooms)}")
    assert "numpy" in loaded
    assert not loaded & {"torch", "skorch", "librosa", "matplotlib", "captum", "wfdb"}
