"""The folder with the images of encodings: how files come into it, and which have to leave.

The first use of an encoding waits for this module and what it imports: no pathlib, no contextlib.
"""
# ruff: noqa: PTH103, PTH105, PTH108, PTH110, PTH120, SIM105

from __future__ import annotations

import os
import stat
import time

from . import config
from .image import KEY_DIGITS, SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 1 << 29
"""Of all images together; the oldest go."""
STALE = 3600.0
"""Seconds after which an unfinished file is one that nobody finishes."""
UNFINISHED = ".part"


def folder() -> str:
    """Where images are kept; RuntimeError when nobody knows where home is."""
    return config.images_path()


def write(path: str, data: bytes) -> None:
    """Puts a file in its place, whole or, when that cannot be done, not at all."""
    part = f"{path}.{os.getpid()}-{os.urandom(4).hex()}{UNFINISHED}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _make_room(os.path.dirname(path), len(data))
        file = os.open(part, flags | getattr(os, "O_CLOEXEC", 0), 0o644)
    except OSError:
        return
    try:
        with os.fdopen(file, "wb") as out:
            out.write(data)
        os.replace(part, path)
    except OSError:
        pass
    finally:
        if os.path.exists(part):
            _remove(part)


def _make_room(place: str, size: int) -> None:
    """Removes what was left unfinished, and the oldest images until the new one fits."""
    now = time.time()
    kept = []
    for path, facts in found(place):
        if path.endswith(UNFINISHED):
            if now - facts.st_mtime > STALE:
                _remove(path)
        else:
            kept.append((facts.st_mtime, facts.st_size, path))
    total = size + sum(each for _, each, _ in kept)
    for _, each, path in sorted(kept):
        if total <= MAX_BYTES:
            break
        _remove(path)
        total -= each


def found(place: str) -> Iterator[tuple[str, os.stat_result]]:
    """The paths of the images in a folder, and of what is not finished yet."""
    try:
        entries = list(os.scandir(place))
    except OSError:
        return
    for entry in entries:
        if _is_made_here(entry.name):
            try:
                facts = entry.stat(follow_symlinks=False)
            except OSError:  # another process was faster
                continue
            if stat.S_ISREG(facts.st_mode):
                yield entry.path, facts


def _is_made_here(name: str) -> bool:
    """Of anything else in the folder somebody may want to keep it."""
    start, found, rest = name.rpartition(SUFFIX)
    dash, key = start[-KEY_DIGITS - 1 : -KEY_DIGITS], start[-KEY_DIGITS:]
    is_key = dash == "-" and not key.strip("0123456789abcdef")
    return bool(found) and is_key and (rest == "" or rest.endswith(UNFINISHED))


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
