"""What the disk says: renames that last, and refusals that say what to do next."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ctok.hub.errors import CacheWriteError, DiskFullError, ReadOnlyCacheError

FULL = frozenset(
    getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)
)
READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns the system's refusals inside the block into errors that say what to do.

    Raises:
        DiskFullError, ReadOnlyCacheError, CacheWriteError: by cause.
    """
    try:
        yield
    except CacheWriteError:
        raise
    except OSError as exc:
        # Our own network errors are OSErrors without a number.
        if exc.errno is None:
            raise
        facts: dict[str, Any] = {"path": str(path), "errno": exc.errno, "strerror": exc.strerror}
        if exc.errno in FULL:
            raise DiskFullError(f"no room to write {path}: {exc.strerror}", **facts) from exc
        if exc.errno in READ_ONLY:
            raise ReadOnlyCacheError(
                f"{path} must not be written: {exc.strerror}", **facts
            ) from exc
        raise CacheWriteError(f"{path} cannot be written: {exc.strerror}", **facts) from exc


def sync_directory(path: Path) -> None:
    """Makes a rename inside ``path`` survive a power cut, where the system can do that."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as exc:
        # Some network filesystems cannot flush a folder, and say so in one of these ways.
        if exc.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)
