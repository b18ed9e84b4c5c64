"""ctok: point it at any model and get its tokenizer.

>>> from ctok import Encoding
>>> import ctok
>>> enc = ctok.get_encoding("o200k_base")
>>> enc.encode("hello world")
[24912, 2375]
>>> enc.decode([24912, 2375])
'hello world'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import alias
from ._core import UNICODE_VERSION, __version__
from .alias import install_as_tiktoken
from .encoding import Encoding, Offsets, Truncated
from .errors import CtokError
from .model import encoding_for_model, encoding_name_for_model
from .registry import get_encoding, list_encoding_names
from .spec import MergeTable, TokenizerSpec, TokenTable

if TYPE_CHECKING:
    from . import core, errors, hub, load, model, registry, spec

__all__ = [
    "UNICODE_VERSION",
    "CtokError",
    "Encoding",
    "MergeTable",
    "Offsets",
    "TokenTable",
    "TokenizerSpec",
    "Truncated",
    "__version__",
    "core",
    "encoding_for_model",
    "encoding_name_for_model",
    "errors",
    "get_encoding",
    "hub",
    "install_as_tiktoken",
    "list_encoding_names",
    "load",
    "model",
    "registry",
    "spec",
]

alias.register()


def __getattr__(name: str) -> Any:
    # Submodules that cost time are imported when they are first named.
    if name in __all__:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
