"""The folder with the images of encodings: how files come into it, and which have to leave."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from . import config
from .image import SUFFIX

MAX_BYTES = 1 << 29
"""Of all images together; the oldest go."""
STALE = 3600.0
"""Seconds after which an unfinished file is one that nobody finishes."""
UNFINISHED = ".part"


def folder() -> Path:
    """Where images are kept; RuntimeError when nobody knows where home is."""
    return Path(config.images_path())


def write(place: str, data: bytes) -> None:
    """Puts a file in its place, whole or, when that cannot be done, not at all."""
    path = Path(place)
    part = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}{UNFINISHED}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent, len(data))
        file = os.open(part, flags | getattr(os, "O_CLOEXEC", 0), 0o644)
    except OSError:
        return
    try:
        with os.fdopen(file, "wb") as out:
            out.write(data)
        part.replace(path)
    except OSError:
        pass
    finally:
        if part.exists():
            _remove(part)


def _make_room(place: Path, size: int) -> None:
    """Removes what was left unfinished, and the oldest images until the new one fits."""
    now = time.time()
    kept = []
    for path, facts in found(place):
        if path.name.endswith(UNFINISHED):
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


def found(place: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The images in a folder, and what is not finished yet."""
    try:
        entries = list(os.scandir(place))
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith((SUFFIX, UNFINISHED)):
            try:
                yield Path(entry.path), entry.stat(follow_symlinks=False)
            except OSError:  # another process was faster
                continue


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
