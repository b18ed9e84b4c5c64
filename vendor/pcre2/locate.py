"""Prints where the PyPI package pcre2 put its static library and header, as a CMake list.

The package's own list of files says so, wherever the installer placed them: lib or
lib64, a virtual environment, or the temporary one of an isolated build.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

LIBRARIES = ("libpcre2-8.a", "pcre2-8-static.lib", "pcre2-8.lib")


def locate() -> tuple[Path, Path]:
    """The library and the folder of its header."""
    paths = [Path(str(entry.locate())).resolve() for entry in files("pcre2") or ()]
    libraries = [path for path in paths if path.name in LIBRARIES and path.is_file()]
    headers = [path for path in paths if path.name == "pcre2.h" and path.parent.name == "include"]
    if not libraries or not headers:
        raise FileNotFoundError("the package pcre2 came without its static library or header")
    return libraries[0], headers[0].parent


if __name__ == "__main__":
    try:
        library, include = locate()
    except (PackageNotFoundError, FileNotFoundError) as exc:
        sys.exit(f"PCRE2 was not found: {exc}")
    sys.stdout.write(f"{library.as_posix()};{include.as_posix()}")
