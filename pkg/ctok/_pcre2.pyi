"""The cffi module: see _pcre2_build.py for what ``lib`` has, _pcre2_engine.h for what it does."""

from typing import Any

ffi: Any
lib: Any
