"""The examples in the docstrings, run; and every public function has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import ctok.hub
from ctok import hub

MODULES = [
    "ctok.config",
    *(f"ctok.hub.{each.name}" for each in pkgutil.iter_modules(ctok.hub.__path__)),
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name: str) -> None:
    result = doctest.testmod(
        importlib.import_module(name),
        optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL,
    )
    assert 0 == result.failed


@pytest.mark.parametrize("name", [each for each in hub.__all__ if each.islower()])
def test_a_public_function_says_what_it_returns_and_raises_or_whose_other_name_it_is(
    name: str,
) -> None:
    value = getattr(hub, name)
    if inspect.isfunction(value):
        text = inspect.getdoc(value) or ""
        told = any(part in text for part in ("Returns:", "Raises:", "Example:"))
        assert told or text.startswith("``"), name
