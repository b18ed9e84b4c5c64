"""Methods that are functions of other modules, imported when they are first looked up."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Late:
    """Stands in a class for a method until somebody wants it, and then makes room for it.

    Args:
        module: the module of ctok with the function, whose name is the method's.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        import importlib

        module = importlib.import_module(f".{self._module}", __package__)
        function = getattr(module, self._name)
        setattr(self._owner, self._name, function)
        return function.__get__(instance, owner)
