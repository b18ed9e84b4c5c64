"""The examples in the docstrings hold, and every method of Encoding says what it takes."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import ctok
from ctok import Encoding
from examples import FLAGS, keeping_tiktoken

# The Hub's examples are run in tests/unit/hub; the other two only build and start things.
ELSEWHERE = ("ctok.hub", "ctok.__main__", "ctok._pcre2_build")
MODULES = [
    "ctok",
    *(
        found.name
        for found in pkgutil.walk_packages(ctok.__path__, "ctok.")
        if not found.name.startswith(ELSEWHERE)
    ),
]
METHODS = [
    name for name in dir(Encoding) if not name.startswith("_") and callable(getattr(Encoding, name))
]


FUNCTIONS = [name for name in ctok.__all__ if inspect.isfunction(getattr(ctok, name))]
GIVE_NOTHING = ("cache_clear", "install_as_tiktoken")


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_hold(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with keeping_tiktoken():
        result = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert 0 == result.failed


def test_examples_of_the_bridge_are_found() -> None:
    names = {test.name for test in doctest.DocTestFinder().find(ctok._core) if test.examples}
    assert {"ctok._core.Encoder.encode", "ctok._core.Codec.decode_stream"} <= names


@pytest.mark.parametrize("name", METHODS + FUNCTIONS)
def test_docstring_says_what_goes_in_and_what_comes_out_and_shows_it(name: str) -> None:
    function = getattr(Encoding, name, None) or getattr(ctok, name)
    text = inspect.getdoc(function) or ""
    arguments = [each for each in inspect.signature(function).parameters if each != "self"]
    assert [] == [each for each in arguments if not re.search(rf"\b{each}\b.*:", text)]
    assert "Returns:" in text or name in GIVE_NOTHING
    assert ">>> " in text
