"""Every name that users type exists, is described and shows an example that runs."""

import doctest
import importlib
import inspect
import types

import pytest

import ecgbeat


def public_modules() -> list[str]:
    """Return the package and its public sub-packages and modules."""
    values = {name: getattr(ecgbeat, name) for name in ecgbeat.__all__}
    modules = [v.__name__ for v in values.values() if isinstance(v, types.ModuleType)]
    return ["ecgbeat", *modules]


PUBLIC_MODULES = public_modules()
PUBLIC_NAMES = [
    (module, name) for module in PUBLIC_MODULES for name in importlib.import_module(module).__all__
]


def resolve(module: str, name: str) -> object:
    return getattr(importlib.import_module(module), name)


def is_class_or_function(value: object) -> bool:
    return inspect.isclass(value) or inspect.isroutine(value)


CLASSES_AND_FUNCTIONS = [
    (module, name) for module, name in PUBLIC_NAMES if is_class_or_function(resolve(module, name))
]


def examples_of(value: object) -> list[doctest.Example]:
    """Return the examples that tests/test_doctests.py runs for a class or function.

    It looks through the modules of ecgbeat, so an object from elsewhere has none.
    """
    module = importlib.import_module(value.__module__)
    if not module.__name__.startswith("ecgbeat."):
        return []
    wanted = f"{module.__name__}.{value.__qualname__}"
    return [
        example
        for test in doctest.DocTestFinder(recurse=True).find(module)
        if test.name == wanted
        for example in test.examples
        if not example.options.get(doctest.SKIP)
    ]


def order(name: str) -> tuple[int, str]:
    """Sort as ruff does (RUF022): constants, then classes, then the rest."""
    if name.isupper():
        return 0, name
    return (1 if name[0].isupper() else 2), name


def test_there_are_names_to_check():
    assert len(PUBLIC_MODULES) >= 8
    assert ("ecgbeat", "ECGCNNClassifier") in CLASSES_AND_FUNCTIONS
    assert ("ecgbeat.datasets", "load_wfdb") in CLASSES_AND_FUNCTIONS


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_all_is_sorted_and_has_no_doubles(module):
    names = importlib.import_module(module).__all__
    assert list(names) == sorted(set(names), key=order)


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_modules_are_described(module):
    assert importlib.import_module(module).__doc__


@pytest.mark.parametrize(("module", "name"), PUBLIC_NAMES)
def test_public_names_resolve_and_are_listed(module, name):
    assert resolve(module, name) is not None
    assert name in dir(importlib.import_module(module))


@pytest.mark.parametrize(("module", "name"), CLASSES_AND_FUNCTIONS)
def test_classes_and_functions_are_described(module, name):
    value = resolve(module, name)
    assert value.__doc__
    # a dataclass or NamedTuple makes itself a docstring of its signature
    assert not value.__doc__.startswith(f"{name}(")


@pytest.mark.parametrize(("module", "name"), CLASSES_AND_FUNCTIONS)
def test_classes_and_functions_show_an_example_that_runs(module, name):
    assert examples_of(resolve(module, name))


@pytest.mark.parametrize(
    "value", [dict, doctest.testmod, examples_of, ecgbeat.labels._resolve_mapping]
)
def test_the_check_of_examples_finds_none_where_there_is_none(value):
    assert not examples_of(value)
