"""Tests of the examples in the docstrings of the package."""

import doctest
import importlib
import pkgutil

import pytest
import torch

import ecgbeat
from ecgbeat.export._onnx import _OLDEST_TORCH

MODULES = ["ecgbeat"] + [
    module.name for module in pkgutil.walk_packages(ecgbeat.__path__, "ecgbeat.")
]


def test_number_of_modules():
    assert len(MODULES) > 20


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name):
    if name in ("ecgbeat.export._c", "ecgbeat.export._onnx") and torch.__version__ < _OLDEST_TORCH:
        pytest.skip(f"exporting needs torch >= {_OLDEST_TORCH}")
    result = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert result.failed == 0
