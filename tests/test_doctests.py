"""The examples in the docstrings of the installed package run and tell the truth."""

import doctest
import importlib
import pkgutil

import pytest

import ecgbeat

MODULES = ["ecgbeat"] + [
    module.name for module in pkgutil.walk_packages(ecgbeat.__path__, "ecgbeat.")
]


def test_the_package_has_modules():
    assert len(MODULES) > 20


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    result = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert result.failed == 0
