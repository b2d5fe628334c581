"""Validate the docstrings of the public API with numpydoc.

    python .ci/docstrings.py [FILE ...]

Runs the checks of ``[tool.numpydoc_validation]`` in pyproject.toml over each public class and
function, and over those public methods and properties that ecgbeat defines. numpydoc's own command
reads source files, in which it cannot see which names are public. Prints a line per fault; with
files, those in these files alone. The exit status is 1 if there is a fault.
"""

import dataclasses
import importlib
import inspect
import sys
import types
from collections.abc import Iterator
from pathlib import Path

from numpydoc.hooks.validate_docstrings import parse_config
from numpydoc.validate import validate

ROOT = Path(__file__).parents[1]


def public_names() -> Iterator[str]:
    """Yield the full names of all public modules, and of all that they list."""
    yield "ecgbeat"
    package = importlib.import_module("ecgbeat")
    for name in package.__all__:
        yield f"ecgbeat.{name}"
        value = getattr(package, name)
        if isinstance(value, types.ModuleType):
            yield from (f"{value.__name__}.{part}" for part in value.__all__)


def members(name: str, value: type) -> Iterator[tuple[str, object]]:
    """Yield the public methods and properties of a class that are defined in ecgbeat."""
    for attribute in dir(value):
        member = inspect.getattr_static(value, attribute)
        function = getattr(member, "fget", None) or getattr(value, attribute)
        module = str(getattr(function, "__module__", ""))
        if (
            not attribute.startswith("_")
            and inspect.isroutine(function)
            and module.startswith("ecgbeat.")
        ):
            yield f"{name}.{attribute}", function


def documented_objects() -> dict[object, str]:
    """Return the objects to validate, each with one of its names."""
    found: dict[object, str] = {}
    for name in public_names():
        module, _, attribute = name.rpartition(".")
        value = getattr(importlib.import_module(module), attribute) if module else None
        if inspect.isclass(value) or inspect.isroutine(value):
            found.setdefault(value, name)
        if inspect.isclass(value):
            for member, function in members(name, value):
                found.setdefault(function, member)
    return found


def faults_of(name: str, value: object, checks: set[str]) -> Iterator[tuple[Path, str]]:
    """Yield the file and a line of text for each fault of a docstring."""
    if dataclasses.is_dataclass(value) or hasattr(value, "_fields"):
        checks = checks - {"PR01"}  # a record documents its fields as attributes
    result = validate(name)
    file = Path(result["file"])
    for code, message in result["errors"]:
        if code in checks:
            where = f"{file.relative_to(ROOT)}:{result['file_line']}"
            yield file, f"{where}: {name}: {code} {message}"


def main() -> int:
    """Print the faults and return the exit status."""
    sys.path.insert(0, str(ROOT))  # the source of this checkout, whatever is installed
    config = parse_config(ROOT)
    files = {Path(file).resolve() for file in sys.argv[1:]}
    objects = {
        value: name
        for value, name in documented_objects().items()
        if not config["exclude"].search(name)
    }
    faults = [
        line
        for value, name in objects.items()
        for file, line in faults_of(name, value, config["checks"])
        if file in files or not files
    ]
    for line in sorted(faults):
        print(line)
    print(f"numpydoc: {len(objects)} public objects, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
