"""Running examples that users read, without traces in the process that runs them."""

from __future__ import annotations

import doctest
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FLAGS = doctest.ELLIPSIS


@contextmanager
def keeping_tiktoken() -> Iterator[None]:
    """Leaves what ``import tiktoken`` means as it was: some examples change it."""

    def ours() -> dict[str, Any]:
        return {n: m for n, m in sys.modules.items() if n.partition(".")[0] == "tiktoken"}

    before = ours()
    try:
        yield
    finally:
        for name in ours():
            del sys.modules[name]
        sys.modules.update(before)


def run_session(code: str, names: dict[str, Any], place: str, line: int) -> int:
    """Runs ``>>>`` lines; prints and counts those that give something else than they say."""
    test = doctest.DocTestParser().get_doctest(code, names, place, place, line)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    failed = runner.run(test, clear_globs=False).failed
    names.update(test.globs)
    return failed
