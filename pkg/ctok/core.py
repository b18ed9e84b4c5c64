"""tiktoken's name for the module of :class:`ctok.Encoding`."""

from __future__ import annotations

from .encoding import Encoding

__all__ = ["Encoding"]
