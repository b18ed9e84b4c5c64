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

from . import alias, registry
from ._core import UNICODE_VERSION, __version__
from .alias import install_as_tiktoken
from .encoding import Encoding
from .late import imported
from .registry import get_encoding, list_encoding_names

TYPE_CHECKING = False
"""As in typing, whose import takes longer than all of this."""

if TYPE_CHECKING:
    from typing import Any

    from . import core, errors, hub, load, model, spec
    from .budget import Truncated
    from .by_model import decode, encode, encode_text
    from .errors import CtokError
    from .model import encoding_for_model, encoding_name_for_model
    from .offsets import Offsets
    from .spec import MergeTable, TokenizerSpec, TokenTable

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
    "decode",
    "encode",
    "encode_text",
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

_HOMES = {
    "CtokError": "errors",
    "MergeTable": "spec",
    "Offsets": "offsets",
    "TokenTable": "spec",
    "TokenizerSpec": "spec",
    "Truncated": "budget",
    "decode": "by_model",
    "encode": "by_model",
    "encode_text": "by_model",
    "encoding_for_model": "model",
    "encoding_name_for_model": "model",
}
"""Where each public name is that not every program needs and that is no submodule. It is imported
when it is first asked for: dataclasses, pathlib and the Hub take longer than all of the above."""

alias.register()


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = imported(_HOMES.get(name, name))
    value = getattr(module, name) if name in _HOMES else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
