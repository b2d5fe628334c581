"""What the pages of docs/ say can be done as they say, and the reference is complete."""

import contextlib
import doctest
import importlib
import io
import pkgutil
import re
import sys
import tomllib
import types
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import ecgbeat

DOCS = Path(__file__).parents[1] / "docs"
ROOT = DOCS.parent
# made by a build of the pages
BUILT = {"_build", "gallery", "generated"}
PAGES = sorted(
    str(page.relative_to(DOCS))
    for page in DOCS.rglob("*.md")
    if not BUILT & set(page.relative_to(DOCS).parts)
)
# waits for processes and a cluster to import torch
SLOW = {"guide/scaling.md"}
# pages about files leave these behind, all others none
WRITTEN = {
    "guide/pictures.md": {"beats.png"},
    "guide/saving.md": {"beats.joblib", "beats.safetensors"},
}

pytestmark = pytest.mark.skipif(
    not DOCS.exists(), reason="asks for the repository; here are the tests alone"
)


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)


def run_doctest(block: str, page: str, namespace: dict) -> str:
    """Run a block that shows prompts; return what was not as it says."""
    test = doctest.DocTestParser().get_doctest(block, namespace, page, page, 0)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    runner.run(test, out=report.write, clear_globs=False)
    namespace |= test.globs
    return report.getvalue()


def test_there_are_pages():
    assert {
        "benchmarks.md",
        "changelog.md",
        "citing.md",
        "contributing.md",
        "guide/classifiers.md",
        "guide/filtering.md",
        "guide/heart_sounds.md",
        "guide/imbalance.md",
        "guide/index.md",
        "guide/patients.md",
        "guide/pictures.md",
        "guide/saving.md",
        "guide/scaling.md",
        "guide/segmentation.md",
        "index.md",
        "installation.md",
        "training.md",
        "tutorial.md",
    } <= set(PAGES)


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow if page in SLOW else ()) for page in PAGES],
)
def test_the_python_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # a module, for pickle and joblib ask for one
    module = types.ModuleType("page_of_the_docs")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in blocks(page, "python"):
        if block.startswith(">>>"):
            assert run_doctest(block, page, module.__dict__) == ""
        else:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(block, page, "exec"), module.__dict__)
    plt.close("all")
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN.get(page, set())


def test_a_false_output_is_noticed():
    assert run_doctest(">>> x\n1\n", "page", {"x": 1}) == ""
    assert "Got" in run_doctest(">>> x\n2\n", "page", {"x": 1})


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_of_a_known_kind(page):
    # a block of another name would not be run
    kinds = re.findall(r"^```([^\n`]+)$", text_of(page), re.MULTILINE)
    assert set(kinds) <= {
        "python",
        "bash",
        "bibtex",
        "{eval-rst}",
        "{image} _static/overview.svg",
        "{literalinclude} CITATION.cff",
        "{toctree}",
    }


@pytest.mark.parametrize("page", PAGES)
def test_named_files_exist(page):
    for path in re.findall(r"\]\((?!http|#)([^)#]+)", text_of(page)):
        assert ((DOCS / page).parent / path.strip()).exists()


@pytest.mark.parametrize("page", PAGES)
def test_commands_name_what_there_is(page):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = text_of(page)
    for extras in re.findall(r"\.\[([\w,]+)\]", text):
        assert set(extras.split(",")) <= set(project["optional-dependencies"])
    for path in re.findall(r"\b(?:examples|tests|docs|ecgbeat)/[\w/]+\.(?:py|md|rst|txt)\b", text):
        # contributing.md makes up files that a newcomer would add
        is_made_up = page == "contributing.md" and re.search(r"_baseline|_tcn", path)
        assert is_made_up or (ROOT / path).exists()


def listed_in_the_reference() -> set[str]:
    """Return the full names that the pages of docs/api list or describe."""
    names = set()
    for page in (DOCS / "api").glob("*.rst"):
        room, in_list = "", False
        for line in page.read_text(encoding="utf-8").splitlines():
            if match := re.match(r"\.\. (?:current)?module:: (\S+)", line):
                room = match[1]
            elif match := re.match(r"\.\. py:data:: (\S+)", line):
                names.add(f"{room}.{match[1]}")
            elif line.startswith(".. "):
                in_list = line.startswith(".. autosummary::")
            elif in_list and re.fullmatch(r"   \w+", line):
                names.add(f"{room}.{line.strip()}")
    return names


def rooms() -> list[str]:
    values = (getattr(ecgbeat, name) for name in ecgbeat.__all__)
    return [value.__name__ for value in values if isinstance(value, types.ModuleType)]


def test_every_public_name_is_in_the_reference():
    listed = listed_in_the_reference()
    missing = [
        f"{room}.{name}"
        for room in rooms()
        for name in importlib.import_module(room).__all__
        if not {f"{room}.{name}", f"ecgbeat.{name}"} & listed
    ]
    missing += [name for name in ecgbeat.__all__ if f"ecgbeat.{name}" not in {*listed, *rooms()}]
    assert missing == []


def test_every_room_has_a_page_in_the_reference():
    contents = (DOCS / "api" / "index.rst").read_text(encoding="utf-8").split(".. toctree::")[1]
    assert set(contents.split()[2:]) == {room.removeprefix("ecgbeat.") for room in rooms()}


def test_the_reference_lists_what_there_is():
    for name in listed_in_the_reference():
        pkgutil.resolve_name(f"{name.rpartition('.')[0]}:{name.rpartition('.')[2]}")


def test_names_of_other_projects_exist(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    entries = list(importlib.import_module("inventories").read_names(DOCS / "inventories.txt"))
    assert len(entries) > 20
    for entry in entries:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # theirs, while they are imported
            pkgutil.resolve_name(entry.name)
        assert entry.url.startswith("https://")
        assert entry.url.endswith("/")
        assert "$" not in entry.place


def test_the_small_torch_to_install_is_that_of_the_constraints():
    (command,) = re.findall(r"^pip install (torch==\S+) ", text_of("installation.md"), re.MULTILINE)
    constraints = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8")
    assert command in constraints.splitlines()


def test_the_citation_is_of_this_version():
    cff = (DOCS / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {ecgbeat.__version__}\n" in cff
    assert f"version = {{{ecgbeat.__version__}}}" in text_of("citing.md")
