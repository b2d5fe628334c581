"""Size and structure of the package: what keeps it easy to read from one end to the other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ecgbeat

PACKAGE = Path(ecgbeat.__file__).parent
# raised with the command, the web page, trained models, streams of many patients, fixed kernels and
# an optimizer
MAX_LINES = 31_000
MAX_FILES = 152
MAX_BODY_LINES = 45
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DESCRIBED = (*DEFINITIONS, ast.ClassDef, ast.Module)


def module_name(file: Path) -> str:
    parts = ("ecgbeat", *file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {
    module_name(file): file.read_text(encoding="utf-8") for file in sorted(PACKAGE.rglob("*.py"))
}
PACKAGES = {module_name(file) for file in PACKAGE.rglob("__init__.py")}


def imported_names(module: str, source: str, *, is_package: bool) -> Iterator[str]:
    """Yield the full name of each import of ecgbeat in a module, also of those in functions."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        yield from (name for name in names if name.split(".")[0] == "ecgbeat")


def foreign_private_names(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """List the imports of a private module or name that belongs to another room.

    Private modules of the top level, such as ``ecgbeat._validation``, belong to all rooms.
    """
    return [
        name
        for name in imported_names(module, source, is_package=is_package)
        if name.split(".")[1:2] != module.split(".")[1:2]
        and any(part.startswith("_") for part in name.split(".")[2:])
    ]


def import_circles(sources: dict[str, str], packages: set[str]) -> list[set[str]]:
    """Return the sets of modules that import each other, directly or through others.

    The lazy ``ecgbeat`` itself is left out: it imports everything, but only when asked.
    """
    reached = {}
    for module, source in sources.items():
        reached[module] = {
            name if name in sources else name.rpartition(".")[0]
            for name in imported_names(module, source, is_package=module in packages)
        } - {"ecgbeat"}
    while True:
        wider = {
            module: below.union(*(reached.get(name, set()) for name in below))
            for module, below in reached.items()
        }
        if wider == reached:
            break
        reached = wider
    circles = []
    for module in sorted(reached):
        circle = {name for name in reached[module] if module in reached.get(name, set())}
        if circle and circle not in circles:
            circles.append(circle)
    return circles


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines from the first statement after the docstring to the last."""
    has_docstring = ast.get_docstring(function) is not None
    statements = function.body[1:] if has_docstring else function.body
    if not statements:
        return 0
    last = statements[-1].end_lineno
    assert last is not None
    return last - statements[0].lineno + 1


def long_functions(source: str) -> list[str]:
    """List name and length of the functions with too long a body."""
    return [
        f"{node.name}: {body_lines(node)} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, DEFINITIONS) and body_lines(node) > MAX_BODY_LINES
    ]


def prose_faults(source: str) -> list[str]:
    """List first lines of module docstrings, and docstrings, that are not in plain English."""
    tree = ast.parse(source)
    faults = []
    for node in ast.walk(tree):
        docstring = ast.get_docstring(node) if isinstance(node, DESCRIBED) else None
        summary = (docstring or "").partition("\n")[0]
        asks = re.match(r"(What|Where|Which|How|Whose|Who)\b", summary)
        if (node is tree and asks) or re.search(r"\bTell whether\b", docstring or ""):
            faults.append(summary)
    return faults


def test_package_is_small():
    n_lines = sum(len(source.splitlines()) for source in SOURCES.values())
    assert len(SOURCES) <= MAX_FILES
    assert n_lines <= MAX_LINES


def test_modules_are_found():
    assert {"ecgbeat", "ecgbeat.labels", "ecgbeat.signal", "ecgbeat._validation"} <= set(SOURCES)
    assert {"ecgbeat", "ecgbeat.signal"} <= PACKAGES
    assert len(SOURCES) > 40


@pytest.mark.parametrize("module", SOURCES)
def test_function_bodies_fit_a_screen(module):
    assert long_functions(SOURCES[module]) == []


@pytest.mark.parametrize("module", [module for module in SOURCES if module != "ecgbeat"])
def test_private_modules_are_imported_by_their_own_room_only(module):
    assert foreign_private_names(module, SOURCES[module], is_package=module in PACKAGES) == []


def test_no_modules_import_each_other():
    assert import_circles(SOURCES, PACKAGES) == []


@pytest.mark.parametrize("module", SOURCES)
def test_docstrings_are_plain_noun_phrases_and_imperatives(module):
    assert prose_faults(SOURCES[module]) == []


@pytest.mark.parametrize(
    "source",
    [
        "from ecgbeat.signal._r_peaks import detect_r_peaks",
        "from ecgbeat.signal import _r_peaks",
        "import ecgbeat.signal._r_peaks",
        "from ..signal._r_peaks import detect_r_peaks",
        "from ecgbeat.labels import _as_symbols",
        "def f():\n    from ecgbeat.signal._r_peaks import detect_r_peaks",
    ],
)
def test_import_of_a_foreign_private_name_is_found(source):
    assert len(foreign_private_names("ecgbeat.annotation._annotator", source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from ecgbeat._validation import check_positive",
        "from ecgbeat.annotation._extraction import extract_beats",
        "from ._extraction import extract_beats",
        "from ecgbeat.signal import detect_r_peaks",
        "import ecgbeat\nimport numpy._core",
    ],
)
def test_other_imports_are_allowed(source):
    assert foreign_private_names("ecgbeat.annotation._annotator", source) == []


@pytest.mark.parametrize(
    "sources",
    [
        {"ecgbeat.a": "import ecgbeat.b", "ecgbeat.b": "from ecgbeat import a"},
        {"ecgbeat.a": "from .b import f", "ecgbeat.b": "def f():\n    from .a import g"},
        {"ecgbeat.p": "from .a import f", "ecgbeat.p.a": "from ecgbeat.p import g"},
        {
            "ecgbeat.a": "import ecgbeat.b",
            "ecgbeat.b": "import ecgbeat.c",
            "ecgbeat.c": "from ecgbeat.a import f",
        },
    ],
)
def test_import_circle_is_found(sources):
    assert import_circles(sources, {"ecgbeat", "ecgbeat.p"}) == [set(sources)]


def test_imports_without_a_circle_are_allowed():
    sources = {
        "ecgbeat": "from ecgbeat import a",
        "ecgbeat.a": "from ecgbeat.p import f\nfrom ecgbeat import __version__",
        "ecgbeat.p": "from ecgbeat.p._b import f",
        "ecgbeat.p._b": "import ecgbeat.c",
        "ecgbeat.c": "import numpy",
    }
    assert import_circles(sources, {"ecgbeat", "ecgbeat.p"}) == []


@pytest.mark.parametrize(
    ("docstring", "n_statements", "n_lines"), [("", 3, 3), ('"""Doc.\n\n    More."""', 2, 2)]
)
def test_body_begins_after_the_docstring(docstring, n_statements, n_lines):
    body = "\n    ".join([*([docstring] if docstring else []), *["x = 0"] * n_statements])
    function = ast.parse(f"def f():\n    {body}").body[0]
    assert body_lines(function) == n_lines


def test_long_function_is_found():
    body = "\n        ".join(["x = 0"] * (MAX_BODY_LINES + 1))
    assert long_functions(f"class A:\n    def f(self):\n        {body}") == ["f: 46 lines"]


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('"""Where data lie.\n\nMore."""', "Where data lie."),
        ('"""How to train."""', "How to train."),
        ('def f():\n    """Tell whether it is."""', "Tell whether it is."),
        ('class A:\n    def f(self):\n        """Do.\n\n        Tell whether.\n        """', "Do."),
    ],
)
def test_faulty_prose_is_found(source, fault):
    assert prose_faults(source) == [fault]


@pytest.mark.parametrize(
    "source",
    [
        '"""Whole recordings."""',
        '"""R-peak detection.\n\nWhere there is a gap, it is bridged."""',
        'def f():\n    """Return whether it is."""',
        "x = 0",
    ],
)
def test_plain_prose_is_allowed(source):
    assert prose_faults(source) == []
