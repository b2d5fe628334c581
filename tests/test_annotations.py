"""Public parameters have a type that says what may be given."""

import importlib
import inspect
import re
import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

import numpy as np
import pytest

import ecgbeat

MAX_SHARE_OF_ANY = 0.05


def is_any(annotation: object) -> bool:
    """Return whether a type checker accepts every value for an annotation.

    This holds for ``Any``, for a union that contains it, and for a missing annotation.
    """
    if isinstance(annotation, str):
        outside_brackets = re.sub(r"\[.*\]", "", annotation)
        return re.search(r"\bAny\b", outside_brackets) is not None
    if get_origin(annotation) in (Union, types.UnionType):
        return any(is_any(part) for part in get_args(annotation))
    return annotation is Any or annotation is inspect.Parameter.empty


def public_objects() -> dict[str, object]:
    """Return the classes and functions that users import, by the name under which they do."""
    modules = [ecgbeat]
    modules += [getattr(ecgbeat, name) for name in ecgbeat.__all__]
    found = {}
    for module in modules:
        if isinstance(module, types.ModuleType):
            for name in module.__all__:
                value = getattr(importlib.import_module(module.__name__), name)
                if inspect.isclass(value) or inspect.isroutine(value):
                    found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


def callables(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield a function, or a class and those public methods that ecgbeat defines."""
    yield name, value
    if inspect.isclass(value):
        for attribute, method in inspect.getmembers(value, inspect.isroutine):
            module = str(getattr(method, "__module__", ""))
            if not attribute.startswith("_") and module.startswith("ecgbeat."):
                yield f"{module}.{method.__qualname__}", method


def parameters_of(objects: dict[str, object]) -> dict[str, object]:
    """Return the annotations of the parameters, by "module.function(parameter)".

    ``*args`` and ``**kwargs`` are left out: their one annotation has to fit many parameters.
    """
    functions = dict(pair for name, value in objects.items() for pair in callables(name, value))
    return {
        f"{name}({parameter.name})": parameter.annotation
        for name, function in functions.items()
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }


def test_few_public_parameters_accept_anything():
    annotations = parameters_of(public_objects())
    assert len(annotations) > 250
    accept_anything = sorted(name for name, value in annotations.items() if is_any(value))
    share = len(accept_anything) / len(annotations)
    assert share < MAX_SHARE_OF_ANY, f"{share:.1%}:\n" + "\n".join(accept_anything)


@pytest.mark.parametrize(
    "parameter",
    [
        "bandpass(fs)",
        "ECGCNNClassifier(n_filters)",
        "ZScoreScaler.inverse_transform(X)",
        "InterPatientSplit.split(groups)",
    ],
)
def test_parameters_of_functions_classes_and_methods_are_found(parameter):
    assert any(name.endswith(f".{parameter}") for name in parameters_of(public_objects()))


def test_methods_of_other_packages_are_left_out():
    assert all(name.startswith("ecgbeat.") for name in parameters_of(public_objects()))


@pytest.mark.parametrize(
    "annotation", [Any, Any | None, int | Any, "Any", "Axes | Any", inspect.Parameter.empty]
)
def test_annotation_that_accepts_anything_is_found(annotation):
    assert is_any(annotation)


@pytest.mark.parametrize(
    "annotation",
    [int, dict[str, Any], list[Any] | None, np.ndarray, "Axes", "dict[str, Any] | None", object],
)
def test_other_annotations_say_what_may_be_given(annotation):
    assert not is_any(annotation)
