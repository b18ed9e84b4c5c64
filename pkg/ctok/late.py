"""What is imported when it is first asked for: methods that are functions of other modules, and
modules of which most programs need nothing."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import hashlib
    from types import ModuleType
    from typing import Any


class Module:
    """A module of ctok that is imported when something in it is asked for.

    Args:
        name: what it is called.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(imported(self._name), name)


class Method:
    """Stands in a class for a method until somebody wants it, and then makes room for it.

    Args:
        module: the module of ctok with the function, whose name is the method's.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        function = getattr(imported(self._module), self._name)
        setattr(self._owner, self._name, function)
        return function.__get__(instance, owner)


def blake2b() -> type[hashlib.blake2b]:
    """hashlib's, without hashlib where that is possible: it takes ten times as long to import."""
    try:
        import _blake2 as blake2
    except ImportError:
        import hashlib as blake2  # type: ignore[no-redef]
    return blake2.blake2b


def imported(name: str) -> ModuleType:
    """A module of ctok. Without importlib, which takes as long to import as ctok.

    Args:
        name: what it is called, without ctok's.
    """
    full = f"{__package__}.{name}"
    __import__(full)
    return sys.modules[full]
