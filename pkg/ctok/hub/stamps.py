"""When a cached commit was last used, by ctok's own account.

Access times of the filesystem are often switched off, so each hit touches an empty file in
ctok's own cache; the cache that is shared with huggingface_hub gets none::

    <ctok cache>/access/<hash of the Hub cache's path>/models--org--name/<commit>
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from ctok import config
from ctok.hub.paths import Places


def stamp_path(places: Places, commit: str) -> Path:
    """The stamp of one commit."""
    root = hashlib.sha256(os.path.realpath(places.root).encode()).hexdigest()[:16]
    return config.cache_dir() / "access" / root / places.repo.folder / commit


def touch(places: Places, commit: str) -> None:
    """Notes a use. Where that cannot be written, nothing is lost but the note."""
    stamp = stamp_path(places, commit)
    with contextlib.suppress(OSError):
        try:
            os.utime(stamp)
        except FileNotFoundError:
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.touch()


def last_use(places: Places, commit: str) -> float | None:
    """Seconds since 1970, or None where ctok never used it."""
    try:
        return stamp_path(places, commit).stat().st_mtime
    except OSError:
        return None


def forget(places: Places, commit: str) -> None:
    """Removes the stamp of a commit that was deleted."""
    with contextlib.suppress(OSError):
        stamp_path(places, commit).unlink()
