"""ctok under tiktoken's name, for programs that import tiktoken.

Two ways, both before the program imports tiktoken's submodules::

    sys.modules["tiktoken"] = ctok     # enough when the real tiktoken was not imported yet
    ctok.install_as_tiktoken()         # also takes the place of one that was

Either way ``import tiktoken.load`` then gives ``ctok.load``, the same module and not a second copy
of it with caches of its own. Python asks the finder below for that; it answers only while
``sys.modules["tiktoken"]`` is ctok.
"""

from __future__ import annotations

import sys

from .late import imported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

THEIRS = "tiktoken"
OURS = __package__


def install_as_tiktoken() -> None:
    """Makes every later ``import tiktoken`` mean ctok, for the whole process.

    Names that a program took from the real tiktoken before stay as they are.

    >>> import ctok
    >>> ctok.install_as_tiktoken()
    >>> import tiktoken.registry
    >>> tiktoken.registry is ctok.registry
    True
    """
    for name in [name for name in sys.modules if name.startswith(f"{THEIRS}.")]:
        del sys.modules[name]
    sys.modules[THEIRS] = sys.modules[OURS]


class _Finder:
    """Finds tiktoken.x in ctok.x. (importlib.abc has base classes for this and takes longer to
    import than all of it.)"""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{THEIRS}.") or sys.modules.get(THEIRS) is not _ctok():
            return None
        from importlib.machinery import ModuleSpec
        from importlib.util import find_spec

        name = fullname.removeprefix(f"{THEIRS}.")
        if find_spec(f"{OURS}.{name}") is None:
            return None
        return ModuleSpec(fullname, _Loader(name))  # type: ignore[arg-type]


class _Loader:
    """Loads a module by importing another one."""

    def __init__(self, name: str) -> None:
        self.name = name

    def create_module(self, spec: ModuleSpec) -> None:
        """None: the module that exec_module then replaces is an ordinary empty one."""

    def exec_module(self, module: ModuleType) -> None:
        # The import system takes what it finds in sys.modules afterwards.
        sys.modules[module.__name__] = imported(self.name)


def _ctok() -> ModuleType:
    return sys.modules[OURS]


def register() -> None:
    """Lets Python ask the finder. Called once, when ctok is imported."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
